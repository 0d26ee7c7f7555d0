"""The text of a configuration with comments, and the summary that is printed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from lifelog.look.draft import Draft
from lifelog.look.roles import Found

ROWS, COLUMNS = 3, 5  # of each table that are printed
ROLES = {"samples": "sensors", "daily": "daily values", "events": "events", "answers": "answers"}
CHECK = "  # CHECK "


def to_yaml(result: Draft) -> str:
    """Return the configuration as text; lines with CHECK state what no file shows."""
    checks, raw = result.checks, result.raw
    cohort = raw["cohort"]
    zone = cohort["timezone"] or ""
    lines = [
        "# Written by `lifelog look`. Compare it with docs/own-data.md; lines with CHECK state what no file shows.",
        f"results: {raw['results']}",
        "cohort:",
        f"  layout: {cohort['layout']}",
        f"  root: {_flow(cohort['root'])}{_check(checks, 'root')}",
        f"  timezone: {zone}{_check(checks, 'timezone')}".replace(":   #", ":  #"),
    ]
    for key in ("samples", "labels"):
        if key in cohort:
            lines += [f"  {key}:{_check(checks, key)}", *(f"    - {_flow(_short(table))}" for table in cohort[key])]
    if "unit" in checks:
        lines.append(f"  {_check(checks, 'unit')}")
    if "windows" in raw:
        lines.append(f"windows: {_flow(raw['windows'])}")
    lines += [f"modalities:{_check(checks, 'modalities')}", *(f"  - {_flow(entry)}" for entry in raw["modalities"])]
    lines += [f"targets:{_check(checks, 'targets')}", *(f"  - {_flow(entry)}" for entry in raw["targets"])]
    lines += [f"targets_run: {_flow(raw['targets_run'])}"]
    lines += ["splits:", *(f"  - {_flow(entry)}" for entry in raw["splits"])]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _short(table: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a table without those that equal the default."""
    default = {"unit": "s", "name": "samples"}
    return {key: value for key, value in table.items() if key not in default or default[key] != value}


def _check(checks: dict[str, str], key: str) -> str:
    return f"{CHECK}{' '.join(checks[key].split())}" if key in checks else ""  # names may have line breaks


def summary(result: Draft, root: Path) -> Iterator[str]:
    """Yield the lines that show what was understood: tables with their first rows, files that are not used."""
    if result.device:
        users = result.device.users
        yield f"{root}: {len(users)} participants ({', '.join(users[:6])}{', …' if len(users) > 6 else ''})"
        yield f"  sensors   {result.device.line}"
    codes = {code for found in result.found[1:] for code in found.codes} | set(
        result.device.users if result.device else ()
    )
    for found in result.found:
        if found.role in ROLES:
            yield from _table(found, result.answer)
    answered = set(result.found[0].codes)
    for who, has, lacks in (
        (sorted(answered - codes), "answers", "sensors"),
        (sorted(codes - answered), "sensors", "answers"),
    ):
        if who and codes and answered and result.found[0].table.whole:
            yield f"  not matched: {has} without {lacks}: {', '.join(who[:12])}"
    for path, cause in list(result.unused.items())[:20]:
        yield f"  not used  {path}: {cause}"


def _table(found: Found, answer: str) -> Iterator[str]:
    """Yield the lines of a table: how it is read, and its first rows."""
    table, files = found.table, len(found.group.paths)
    keys = "".join(f", {key} {value!r}" for key, value in table.keys.items())
    rows = f"{len(table.frame)} rows" if table.whole else f"more than {len(table.frame)} rows"
    many = f"{files} files, {rows if found.owners else f'the first with {rows}'}" if files > 1 else rows
    users = f", participants in {found.user!r}" if found.user else ""
    yield f"  {ROLES[found.role]:9} {found.group.pattern}: {many}{keys}{users}; times in {found.time!r} ({found.unit})"
    columns = [name for name in [answer] if name in table.frame] or (found.values + found.texts)
    columns += [name for name in found.values + found.texts if name not in columns]
    filled = table.frame.index[(table.frame[columns[0]] != "")] if columns else table.frame.index
    for row in filled[:ROWS]:
        who = table.frame[found.user][row] if found.user else found.group.users[0] or ""
        cells = ", ".join(f"{name} {table.frame[name][row] or '(empty)'}" for name in columns[:COLUMNS])
        yield f"              {who}  {_time(found, row)}  {cells}"


def _time(found: Found, row: int) -> str:
    seconds = found.table.seconds(found.time)[row]
    if seconds != seconds:  # NaN
        return "no time"
    known = " UTC" if found.table.has_offsets(found.time) or found.in_utc else ""
    return f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%d %H:%M:%S}{known}"
