"""draft: what was found in a folder → a configuration, and sentences about what no file shows."""

import re
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lifelog.look.answers import ZONES, Classes, classes_of, described_time, zones_by_offset
from lifelog.look.devices import Device, find_device
from lifelog.look.folder import Group, commonest, group_files, list_files
from lifelog.look.roles import DAY, SLOWEST, Found, all_rows, ratings, split_columns, understand, unit_of
from lifelog.look.sniff import SUFFIXES
from lifelog.settings.windows import Recordings
from lifelog.windows.intervals import Interval, read_intervals
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import LAYOUTS

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
MOST_CATEGORIES, MOST_CODES = 5, 8
MOST_COLUMNS = 12  # of a table of answers that is read whole
INSIDE = 0.8  # share of answers within recordings, from which a time zone fits
MINUTE = 60
SHORT, PARTS = 20, 6  # minutes of an answer, above which it is divided into so many windows


@dataclass
class Draft:
    """A configuration and what is to be known about it.

    Attributes
    ----------
    raw : dict
        The configuration, as it is written.
    answer : str
        The column of the answer; empty if folders are the labels.
    checks : dict of str to str
        By key, what no file shows.
    found : list of Found
        The tables that are used, the answers first.
    device : Device or None
        The known device.
    unused : dict of str to str
        Other tables, with the cause.
    """

    raw: dict[str, Any]
    answer: str
    checks: dict[str, str] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    device: Device | None = None
    unused: dict[str, str] = field(default_factory=dict)


def draft(root: Path, answer: str | None = None, zone: str | None = None) -> Draft:
    """Return the configuration of a folder of recordings.

    Parameters
    ----------
    root : Path
        The folder.
    answer : str, optional
        A part of the name of the answer to predict.
    zone : str, optional
        Time zone of the participants; by default the one that the files show, if they do.

    Raises
    ------
    BadInput
        If the folder has no recordings, no answers, or several tables that may hold them.
    """
    paths = list_files(root)
    device = find_device(root, paths)
    tables = [
        p for p in paths if PurePosixPath(p).suffix.lower() in SUFFIXES and p not in (device.files if device else ())
    ]
    known, unused = _understood(root, tables, set(device.users if device else ()))
    broken = [path for path in paths if path.lower().endswith(".zip") and not zipfile.is_zipfile(root / path)]
    unused |= dict.fromkeys(broken, "not a complete zip; download it again")
    first, column = _answers(known, answer, unused, device)
    known = [found for found in known if found is not first]
    chosen = replace(all_rows(first, root), role="answers") if column else first
    chosen, known = _ordered(chosen, known)
    used = [found for found in known if found.role in ("samples", "daily", "events")]
    result = Draft({}, column, found=[chosen, *used], device=device, unused=unused)
    _write_cohort(result, root, chosen, column, known)
    _write_targets(result, chosen, column, answer)
    _write_zone(result, root, chosen, zone)
    return result


def _understood(root: Path, tables: list[str], codes: set[str]) -> tuple[list[Found], dict[str, str]]:
    """Return the tables, and the cause of those that cannot be used; grouped again by the codes that columns have."""
    for _ in range(2):
        found, unused = list[Found](), dict[str, str]()
        for group in group_files(tables, codes):
            try:
                found.append(understand(group, root))
            except BadInput as problem:
                unused[group.pattern] = problem.detail
        of_columns = {code for one in found if one.user for code in one.codes}
        if of_columns <= codes:
            break
        codes = codes | of_columns
    return found, unused


def _answers(
    known: list[Found], answer: str | None, unused: dict[str, str], device: Device | None
) -> tuple[Found, str]:
    """Return the table of answers and its column; other tables of the same answers are moved to `unused`."""
    candidates = [found for found in known if ratings(found, answer) and found.role != "once"]
    if answer is None and any(found.role == "answers" for found in candidates):
        candidates = [found for found in candidates if found.role == "answers"]
    candidates.sort(
        key=lambda found: (found.role != "answers", len(ratings(found, answer)[0]), -len(found.table.frame))
    )
    folders = [found for found in known if len(found.group.levels) and found.role == "samples"]
    if not candidates and folders and answer is None:
        return min(folders, key=lambda found: -found.gap), ""
    if not candidates:
        slow = [f"{found.group.pattern}: {', '.join([*found.values, *found.texts][:8])}" for found in known]
        slow += [f"{pattern}: {cause}" for pattern, cause in unused.items()]
        wanted = f"no column with {answer!r} in its name" if answer else "no column whose name stands for a rating"
        listed = "\n  ".join(slow) or "none; add a table of answers to the folder"
        sensors = f" Recordings: {device.line}." if device else ""
        remedy = "name a part of the column (--for NAME)"
        raise BadInput("no answers found", f"{wanted}; {remedy}.{sensors} Tables:\n  {listed}")
    first, *others = candidates
    for other in others:
        if other.role == "answers" and set(other.table.frame) == set(first.table.frame):
            known.remove(other)
            unused[other.group.pattern] = f"another table of the same answers as {first.group.pattern}?"
        elif answer is None:
            columns = sorted(f"{found.group.pattern} ({', '.join(ratings(found, None)[:6])})" for found in candidates)
            raise BadInput(
                "several tables may hold the answers", f"{', '.join(columns)}; name one of them (--for NAME)"
            )
    return first, ratings(first, answer)[0]


def _ordered(chosen: Found, known: list[Found]) -> tuple[Found, list[Found]]:
    """Return tables whose order of day and month is the one that puts sensors and answers at the same time."""
    sensors = [found for found in known if found.role in ("samples", "daily", "events")]
    sure = [found.table.span(found.time) for found in sensors if found.time not in found.table.ambiguous]
    chosen = _with_order(chosen, sure)
    answered = [] if chosen.time in chosen.table.ambiguous else [chosen.table.span(chosen.time)]
    return chosen, [_with_order(found, answered) for found in known]


def _with_order(found: Found, spans: list[tuple[float, float]]) -> Found:
    """Return a table with the order of day and month in which most of its times are within some spans."""
    table, name = found.table, found.time
    if name not in table.ambiguous or not spans:
        return found
    first, last = min(start for start, _ in spans) - 2 * DAY, max(stop for _, stop in spans) + 2 * DAY
    units = [table.units[name], table.ambiguous[name]]
    times = [table.spread_seconds(name, unit) for unit in units]
    shares = [float(((seconds >= first) & (seconds <= last)).mean()) for seconds in times]
    best = int(np.argmax(shares))
    if shares[best] < INSIDE or shares[1 - best] > 0.5:
        return found
    rest = {key: value for key, value in table.ambiguous.items() if key != name}
    return replace(found, table=replace(table, units=table.units | {name: units[best]}, ambiguous=rest))


def _pattern(group: Group) -> tuple[str, str | None]:
    """Return the path of a group with {source}, and the source."""
    pure = PurePosixPath(group.pattern)
    source = pure.stem.replace("{user}", "").replace("*", "").strip("_-. ")
    if not source:
        return group.pattern, None
    before, user, after = pure.name.partition("{user}")
    in_before = source in before  # never within the braces of {user}
    before = before.replace(source, "{source}", 1) if in_before else before
    after = after if in_before else after.replace(source, "{source}", 1)
    return str(pure.with_name(before + user + after)), source


def _keys(found: Found) -> dict[str, Any]:
    """Return the keys of a table."""
    keys: dict[str, Any] = {"user": found.user} if found.user else {}
    return keys | {"time": found.time, "unit": found.unit} | found.table.keys


def _write_cohort(result: Draft, root: Path, chosen: Found, column: str, known: list[Found]) -> None:
    device = result.device
    causes = {"answers": "other answers", "once": "one row per participant"}
    for found in known:
        if found.role in causes:
            result.unused[found.group.pattern] = causes[found.role]
    sensors = [found for found in known if found.role not in causes]
    if column == "":
        sensors, labels = [chosen, *sensors], _labels_of_folders(result, chosen)
    else:
        daily = not device and all(found.role == "daily" for found in sensors)
        some_daily = not device and any(found.role == "daily" for found in sensors)
        keys, check = described_time(chosen, daily, some_daily)
        labels = {"file": chosen.group.pattern, "user": chosen.user} | _keys(chosen) | keys
        if len(chosen.table.frame.columns) > MOST_COLUMNS or (not sensors and not device):  # it holds sensors too
            labels["columns"] = [column]
        if check:
            result.checks["labels"] = check
        if not sensors and not device and chosen.table.is_dates(chosen.time):
            asked = chosen.table.frame[column] != ""
            others = [name for name in chosen.values if not ((chosen.table.frame[name] != "") == asked).all()]
            others = [name for name in others if name not in ratings(chosen, None)]
            sensors += [replace(chosen, role="daily", values=others)] if others else []
    seconds = labels.get("before") or (DAY if labels.get("lasts") == "day" else MINUTE)
    fast = device is not None or any(found.regular and found.gap <= SLOWEST for found in sensors)
    if fast and seconds > MINUTE:  # windows of fast sensors are short, and not many describe one answer
        seconds = MINUTE if seconds <= SHORT * MINUTE else seconds // PARTS
    samples, modalities = _modalities(result, sensors, device, seconds)
    if not labels.get("user") and "{user}" not in labels["file"]:
        columns = f"{labels['file']} has the columns {list(chosen.table.frame)}"
        raise BadInput("no participants", f"no path and no column names them; {columns}")
    if len(modalities) < 2:
        raise BadInput("too few sensors", f"importance compares two or more; found: {[m['name'] for m in modalities]}")
    layout = device.layout if device and not samples else "tables"
    if device and samples:
        beside = f"a table beside recordings of the layout {device.layout}"
        result.unused |= {found.group.pattern: beside for found in sensors}
        modalities, layout, samples = [dict(m) for m in modalities[: len(device.modalities)]], device.layout, []
    below = root / device.folder if device and device.folder else root
    if below != root:
        result.checks["root"] = f"labels are read from below this folder: copy {labels['file']} to it"
    cohort = {"layout": layout, "root": str(below), "timezone": None, "samples": samples, "labels": [labels]}
    result.raw |= {
        "results": f"results-{results_name(root)}",
        "cohort": {key: value for key, value in cohort.items() if value != []},
    }
    result.raw["windows"] = {"seconds": seconds}
    result.raw["modalities"] = modalities


def results_name(folder: Path) -> str:
    """Return a plain name of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-") or "study"


def _labels_of_folders(result: Draft, chosen: Found) -> dict[str, Any]:
    names = [f"folder{i + 1}" for i in range(len(chosen.group.levels))]
    inside = "/".join(f"{{{name}}}" for name in names)
    result.checks["labels"] = "the names of folders are the labels"
    file = chosen.group.pattern.replace("**", inside)
    return {"file": file, "user": None, "time": chosen.time, "unit": chosen.unit, "lasts": "file"} | chosen.table.keys


def _modalities(
    result: Draft, sensors: list[Found], device: Device | None, seconds: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return tables of samples and modalities."""
    tables: dict[str, dict[str, Any]] = {}
    modalities = [dict(modality) for modality in device.modalities] if device else []
    for modality in modalities:
        if modality.get("kind", "sequence") == "sequence":
            modality["length"] = round(modality["rate"] * seconds)
    wide = len(sensors) == 1 and not device
    for found in sensors:
        file, source = _pattern(found.group)
        table = {"file": file} | _keys(found) | ({"carry": "day"} if found.role == "daily" else {})
        name = next((name for name, other in tables.items() if other == table), None)
        if name is None:
            name = ("samples", "days", "events")[("samples", "daily", "events").index(found.role)]
            name += str(1 + sum(other.startswith(name) for other in tables)) if name in tables else ""
            tables[name] = table
        if found.time in found.table.ambiguous:
            order = f"{found.unit}, or {found.table.ambiguous[found.time]}"
            result.checks["samples"] = f"day and month of {found.time!r} in {found.group.pattern}: {order}"
        groups = dict(split_columns(found.values)) if wide else {source or found.group.pattern: found.values}
        for title, columns in groups.items() if found.role != "events" else [(source or "events", [])]:
            keys = {"name": _name(title, modalities)} | ({"samples": name} if name != next(iter(tables)) else {})
            keys |= {"source": source} if source and source != keys["name"] else {}
            modalities.append(keys | _sensor(result, found, columns, seconds))
    return [{"name": name} | table for name, table in tables.items()], modalities


def _name(title: str, modalities: list[dict[str, Any]]) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title).strip("_-")[:28] or "sensor"
    name = name if NAME.fullmatch(name) else f"m_{name}"
    taken = {modality["name"] for modality in modalities}
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 1000))) if n not in taken)


def _sensor(result: Draft, found: Found, columns: list[str], seconds: int) -> dict[str, Any]:
    """Return the keys of a modality that depend on its values."""
    if found.role == "events":
        codes = [name for name in found.values if len(set(found.table.texts(name))) <= MOST_CODES]
        if not found.texts and not codes:
            return {"kind": "events"}
        column = (found.texts or codes)[0]
        common = [text for text, _ in commonest(found.table.texts(column), MOST_CATEGORIES)]
        result.checks.setdefault("modalities", "the categories of events are the commonest ones of the first file")
        return {"kind": "events", "columns": [column], "categories": common}
    values = [found.table.numbers(name) for name in columns]
    units = {unit_of(name, v) for name, v in zip(columns, values, strict=True) if v is not None}
    unit = units.pop() if len(units) == 1 else None
    keys: dict[str, Any] = {"columns": columns} | ({"unit": unit} if unit else {})
    if found.regular and found.gap <= SLOWEST:
        rate = float(f"{1 / found.gap:.3g}")
        return keys | {"rate": rate, "length": round(rate * seconds)}
    return {"kind": "scalar"} | keys


def _write_targets(result: Draft, chosen: Found, column: str, answer: str | None) -> None:
    if column == "":
        levels = {f"folder{i + 1}": names for i, names in enumerate(chosen.group.levels) if len(names) > 1}
        numbered = {name: any(any(map(str.isdigit, level)) for level in of) for name, of in levels.items()}
        column = min(levels, key=lambda name: (numbered[name], len(levels[name])))
        sentence = f"the folders {', '.join(levels[column])}"
        classes = Classes({_name(name, []): [name] for name in levels[column]}, sentence)
    else:
        found = classes_of(chosen, column)
        if found is None:
            raise BadInput(
                "answers do not differ", f"{chosen.group.pattern}: {column!r} has one value in the first file"
            )
        classes = found
    name = _name(column, [])
    result.raw["targets"] = [{"name": name, "column": column, "bins": classes.bins}]
    result.raw["targets_run"] = [name]
    result.raw["splits"] = [{"name": "blocked", "method": "blocked"}]
    others = [other for other in ratings(chosen, None) if other != column]
    sentence = f"classes: {classes.sentence}"
    if classes.missing:
        sentence += f"; {', '.join(f'{code:g}' for code in classes.missing)} stands for a missing answer"
    if others and answer is None:
        sentence += f"; other answers: {', '.join(others[:6])} (--for NAME)"
    result.checks["targets"] = sentence


def _write_zone(result: Draft, root: Path, chosen: Found, zone: str | None) -> None:
    """Write the time zone if it is given, or if offsets or recordings show it; otherwise leave it open."""
    cohort = result.raw["cohort"]
    swapped = chosen.table.ambiguous.get(chosen.time)
    candidates = [zone] if zone else zones_by_offset(chosen)
    inside = {
        (name, unit): _inside(cohort, name, unit) for name in candidates for unit in (chosen.unit, swapped) if unit
    }
    shown = {key: share for key, share in inside.items() if share is not None}
    best = max(shown, key=lambda key: shown[key], default=None)
    if best and swapped and max((shown[k] for k in shown if k[1] != best[1]), default=0) < 0.5 <= shown[best]:
        cohort["labels"][0]["unit"] = best[1]
    elif swapped:
        result.checks["unit"] = f"day and month of {chosen.time!r}: {chosen.unit}, or {swapped}"
    equal = [name for (name, unit), share in shown.items() if best and unit == best[1] and share == shown[best]]
    if zone:
        cohort["timezone"] = zone
        if best and not chosen.table.has_offsets(chosen.time):
            result.checks["timezone"] = f"time zone: {shown[best]:.0%} of answers are inside recordings in {zone}"
    elif len(candidates) < len(ZONES):
        cohort["timezone"] = candidates[0] if candidates else None
        others = ", ".join(candidates[1:4])
        result.checks["timezone"] = (
            f"time zone: {candidates[0]} has the offsets of the answers" if candidates else "time zone: offsets differ"
        )
        result.checks["timezone"] += f", as have {others}" if others else ""
    elif best and shown[best] >= INSIDE and len(equal) <= 3 and not chosen.table.has_offsets(chosen.time):
        cohort["timezone"] = equal[0]
        utc = f"; as UTC: {shown['UTC', best[1]]:.0%}" if ("UTC", best[1]) in shown and equal[0] != "UTC" else ""
        also = f", and for {', '.join(equal[1:])}" if len(equal) > 1 else ""
        result.checks["timezone"] = (
            f"time zone: {shown[best]:.0%} of answers are inside recordings in {equal[0]}{also}{utc}"
        )
    else:
        result.checks["timezone"] = "time zone: no file shows it; write that of the participants, such as Europe/Berlin"


def _inside(cohort: dict[str, Any], zone: str, unit: str) -> float | None:
    """Return the share of answers inside recordings in a time zone; None if it cannot be found."""
    labels = [cohort["labels"][0] | {"unit": unit}]
    raw = {key: value for key, value in cohort.items() if key != "root"} | {"timezone": zone, "labels": labels}
    try:
        recordings = Recordings.model_validate(raw)
        root, recorded = Path(cohort["root"]).resolve(), getattr(LAYOUTS[recordings.layout], "recorded", None)
        intervals = read_intervals(root, recordings, strict=False)
        spans = {user: recorded(user, root / user, recordings) for user in intervals.users} if recorded else {}
    except (BadInput, OSError, ValueError):
        return None
    rows = [(row, span) for user, span in spans.items() if span for row in intervals.users[user]]
    return float(np.mean([_is_inside(row, span) for row, span in rows])) if rows else None


def _is_inside(row: Interval, spans: list[tuple[float, float]]) -> bool:
    return any(begin < row.end and row.start < stop for begin, stop in spans)
