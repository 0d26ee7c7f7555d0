"""draft: what was found in a folder → a configuration, and sentences about what no file shows."""

import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lifelog.look.answers import Classes, classes_of, described_time
from lifelog.look.devices import Device, find_device
from lifelog.look.folder import Group, commonest, list_files
from lifelog.look.roles import SLOWEST, Found, all_rows, ratings, split_columns, unit_of
from lifelog.look.sniff import SUFFIXES
from lifelog.look.tables import find_tables
from lifelog.look.zone import INSIDE, write_zone
from lifelog.settings.tables import NO_VALUE
from lifelog.settings.zones import DAY
from lifelog.windows.layout import BadInput

DATE = re.compile(r"[._-]?\d{4}-?\d\d-?\d\d[\d_:T-]*$")  # at the end of the name of a file
LONGEST = 28  # letters of a name
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
MOST_CATEGORIES, MOST_CODES = 5, 8
MOST_COLUMNS = 12  # of a table of answers that is read whole
SENSORS = {"samples": "samples", "daily": "days", "events": "events"}  # roles, and names of their tables of samples
MINUTE = 60
SHORT, PARTS = 20, 6  # minutes before an answer that are one-minute windows at most; otherwise, the number of windows


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
    known, unused = find_tables(root, tables, set(device.users if device else ()))
    broken = [path for path in paths if path.lower().endswith(".zip") and not zipfile.is_zipfile(root / path)]
    unused |= dict.fromkeys(broken, "not a complete zip; download it again")
    first, column = _answers(known, answer, unused, device)
    known = [found for found in known if found is not first]
    chosen = replace(all_rows(first, root), role="answers") if column else first
    chosen, known = _ordered(chosen, known)
    used = [found for found in known if found.role in SENSORS]
    result = Draft({}, column, found=[chosen, *used], device=device, unused=unused)
    _write_cohort(result, root, chosen, known)
    _write_targets(result, chosen, column, answer)
    result.checks |= write_zone(result.raw["cohort"], [chosen, *used], zone)
    return result


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
        slow = [
            f"{found.group.pattern}: {', '.join([*found.values, *found.texts][:8]) or found.role}" for found in known
        ]
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
    sensors = [found for found in known if found.role in SENSORS]
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
    source = re.sub(r"0*\{user\}", "", pure.stem).replace("*", "").strip("_-.+ ")  # 0 may be the start of the code
    if not any(map(str.isalpha, source)):
        folder = pure.parent.name
        is_source = folder and not set(folder) & set("{*")
        return (str(pure.parent.with_name("{source}") / pure.name), folder) if is_source else (group.pattern, None)
    before, user, after = pure.name.partition("{user}")
    in_before = source in before  # never within the braces of {user}
    before = before.replace(source, "{source}", 1) if in_before else before
    after = after if in_before else after.replace(source, "{source}", 1)
    return str(pure.with_name(before + user + after)), source


def _keys(found: Found) -> dict[str, Any]:
    """Return the keys of a table."""
    keys: dict[str, Any] = {"user": found.user} if found.user else {}
    keys |= {"zone": "UTC"} if found.in_utc else {}
    return keys | {"time": found.time, "unit": found.unit} | found.table.keys


def _write_cohort(result: Draft, root: Path, chosen: Found, known: list[Found]) -> None:
    """Write results, cohort, windows and modalities."""
    sensors = _sensors(result, chosen, known)
    labels = _labels(result, chosen, sensors)
    seconds = _window_seconds(labels, sensors, result.device)
    samples, modalities = _modalities(result, sensors, seconds)
    if len(modalities) < 2:
        found = f"importance compares two or more; found: {[m['name'] for m in modalities]}"
        raise BadInput("too few sensors", found + _listed(result.unused))
    folder = root / result.device.folder if result.device else root
    if folder != root:
        result.checks["root"] = f"labels are read from below this folder: copy {labels['file']} to it"
    cohort: dict[str, Any] = {
        "layout": result.device.layout if result.device else "tables",
        "root": str(folder),
        "timezone": None,
    }
    cohort |= ({"samples": samples} if samples else {}) | {"labels": [labels]}
    result.raw |= {"results": f"results-{results_name(root)}", "cohort": cohort}
    result.raw |= {"windows": {"seconds": seconds}, "modalities": modalities}


def _sensors(result: Draft, chosen: Found, known: list[Found]) -> list[Found]:
    """Return the tables of sensors; others are listed as not used."""
    causes = {"answers": "other answers", "once": "one row per participant"}
    if result.device:
        causes |= dict.fromkeys(SENSORS, f"a table beside recordings of the layout {result.device.layout}")
    result.unused |= {found.group.pattern: causes[found.role] for found in known if found.role in causes}
    sensors = [found for found in known if found.role not in causes]
    owned = [found for found in sensors if found.user or found.group.users[0]]
    if len(chosen.codes) > 1:
        nobody = "no path and no column names its participants"
        result.unused |= {found.group.pattern: nobody for found in sensors if found not in owned}
        sensors = owned
    if not result.answer:
        return [chosen, *sensors]
    if sensors or result.device or not chosen.table.is_dates(chosen.time):
        return sensors
    # Days with answers and values in one table: what is answered together is no sensor.
    asked = chosen.table.frame[result.answer] != ""
    others = [name for name in chosen.values if not ((chosen.table.frame[name] != "") == asked).all()]
    others = [name for name in others if name not in ratings(chosen, None)]
    return [replace(chosen, role="daily", values=others)] if others else []


def _labels(result: Draft, chosen: Found, sensors: list[Found]) -> dict[str, Any]:
    """Return the table of labels."""
    if not result.answer:
        return _labels_of_folders(result, chosen)
    if not chosen.user and not chosen.group.users[0]:
        columns = f"{chosen.group.pattern} has the columns {list(chosen.table.frame)}"
        known = f"; known from paths: {', '.join(users[:8])}" if (users := _users(result, sensors)) else ""
        remedy = f"rename the column that names them to user; {columns}{known}"
        raise BadInput("no participants", f"no path and no column of the answers names them: {remedy}")
    daily = [found.role == "daily" for found in sensors if not result.device]
    keys, check = described_time(chosen, bool(daily) and all(daily), any(daily))
    labels = {"file": chosen.group.pattern, "user": chosen.user} | _keys(chosen) | keys
    holds_sensors = any(found.group is chosen.group for found in sensors)
    unanswered = len(chosen.table.texts(chosen.time)) < len(chosen.table.frame)  # prompts without a time
    if holds_sensors or unanswered or len(chosen.table.frame.columns) > MOST_COLUMNS:
        labels["columns"] = [result.answer]
    if checks := list(filter(None, [check, chosen.why_utc if chosen.in_utc else None])):
        result.checks["labels"] = "; ".join(checks)
    return labels


def _users(result: Draft, sensors: list[Found]) -> list[str]:
    """Return the participants of the sensors."""
    users = list(result.device.users) if result.device else []
    return users + sorted({user for found in sensors for user in found.codes})


def _listed(unused: dict[str, str]) -> str:
    """Return the tables that are not used, for a message."""
    lines = "".join(f"\n  {pattern}: {cause}" for pattern, cause in list(unused.items())[:20])
    return f". Not used:{lines}" if lines else ""


def _window_seconds(labels: dict[str, Any], sensors: list[Found], device: Device | None) -> int:
    """Return the length of windows: the time of an answer, or a part of it where sensors are fast."""
    seconds: int = labels.get("before") or (DAY if labels.get("lasts") == "day" else MINUTE)
    fast = device is not None or any(found.regular and found.gap <= SLOWEST for found in sensors)
    if not fast or seconds <= MINUTE:
        return seconds
    return MINUTE if seconds <= SHORT * MINUTE else seconds // PARTS


def results_name(folder: Path) -> str:
    """Return a plain name of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-") or "study"


def _labels_of_folders(result: Draft, chosen: Found) -> dict[str, Any]:
    names = [f"folder{i + 1}" for i in range(len(chosen.group.levels))]
    inside = "/".join(f"{{{name}}}" for name in names)
    result.checks["labels"] = "the names of folders are the labels"
    file = chosen.group.pattern.replace("**", inside)
    return {"file": file, "user": None, "time": chosen.time, "unit": chosen.unit, "lasts": "file"} | chosen.table.keys


def _modalities(result: Draft, sensors: list[Found], seconds: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return tables of samples and modalities."""
    if result.device:
        return [], [
            modality | ({"length": round(modality["rate"] * seconds)} if "rate" in modality else {})
            for modality in result.device.modalities
        ]
    tables: dict[str, dict[str, Any]] = {}
    modalities = list[dict[str, Any]]()
    wide = len(sensors) == 1
    for found in sensors:
        file, source = _pattern(found.group)
        table = {"file": file} | _keys(found) | ({"carry": "day"} if found.role == "daily" else {})
        name = next((name for name, other in tables.items() if other == table), None)
        if name is None:
            name = SENSORS[found.role]
            name += str(1 + sum(other.startswith(name) for other in tables)) if name in tables else ""
            tables[name] = table
        if found.in_utc:
            result.checks["samples"] = f"{found.group.pattern}: {found.why_utc}"
        if found.time in found.table.ambiguous:
            order = f"{found.unit}, or {found.table.ambiguous[found.time]}"
            result.checks["samples"] = f"day and month of {found.time!r} in {found.group.pattern}: {order}"
        groups = dict(split_columns(found.values)) if wide else {source or found.group.pattern: found.values}
        for title, columns in groups.items() if found.role != "events" else [(source or "events", [])]:
            keys = {"name": _name(title, modalities)} | ({"samples": name} if name != next(iter(tables)) else {})
            keys |= {"source": source} if source and source != keys["name"] else {}
            modalities.append(keys | _sensor(result, found, columns, seconds))
    return [{"name": name} | table for name, table in tables.items()], modalities


def _name(title: str, modalities: list[dict[str, Any]], nameless: str = "sensor") -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", DATE.sub("", title)).strip("_-") or nameless
    name = name[:LONGEST].strip("_-") if len(name) <= LONGEST or "." not in title else name[-LONGEST:].strip("_-")
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


def _is_once(group: Group, level: int) -> bool:
    """Return whether every participant has each folder of a level once, and no class can be left out in training."""
    place = group.pattern.split("/").index("**") + level
    names = Counter((user, path.split("/")[place]) for path, user in zip(group.paths, group.users, strict=True))
    return max(names.values()) == 1


def _write_targets(result: Draft, chosen: Found, column: str, answer: str | None) -> None:
    if column == "":
        levels = {f"folder{i + 1}": names for i, names in enumerate(chosen.group.levels) if len(names) > 1}
        numbered = {name: any(any(map(str.isdigit, level)) for level in of) for name, of in levels.items()}
        column = min(levels, key=lambda name: (numbered[name], len(levels[name])))
        sentence = f"the folders {', '.join(levels[column])}"
        once = _is_once(chosen.group, int(column.removeprefix("folder")) - 1)
        classes = Classes({_name(name, []): [name] for name in levels[column]}, sentence)
    else:
        found = classes_of(chosen, column)
        if found is None:
            raise BadInput(
                "answers do not differ", f"{chosen.group.pattern}: {column!r} has one value in the first file"
            )
        classes, once = found, False
    if classes.missing:
        empty = [text for text in NO_VALUE if text in set(chosen.table.texts(column))]
        result.raw["cohort"]["labels"][0]["missing"] = classes.missing + empty
    name = _name(column, [], "answer")
    result.raw["targets"] = [{"name": name, "column": column, "bins": classes.bins}]
    result.raw["targets_run"] = [name]
    split = {"name": "new", "method": "participants"} if once else {"name": "blocked", "method": "blocked"}
    result.raw["splits"] = [split]
    others = [other for other in ratings(chosen, None) if other != column]
    sentence = f"classes: {classes.sentence}"
    if classes.missing:
        sentence += f"; {', '.join(map(str, classes.missing))} stands for a missing answer"
    if others and answer is None:
        sentence += f"; other answers: {', '.join(others[:6])} (--for NAME)"
    result.checks["targets"] = sentence
