"""Problems of a cohort that label tables and folder listings show before any job runs, each with its remedy."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lifelog.config import Config
from lifelog.registry import did_you_mean
from lifelog.settings.levels import matches
from lifelog.settings.splits import Target
from lifelog.settings.zones import DAY
from lifelog.windows.intervals import Interval, read_intervals
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import LAYOUTS, root_of
from lifelog.windows.times import show, zone_at

APPLE = 978_307_200  # seconds from 1970 to 2001, where the times of some exports begin
SHIFTS = [APPLE, -APPLE] + [
    minutes * 60 for step in range(1, 4 * 14 + 1) for minutes in (15 * step, -15 * step)
]  # seconds, all zones
Spans = list[tuple[float, float]] | None  # of the recordings of a user; None if unknown
COMMA = re.compile(r"-?\d+,\d+")
DASH = re.compile(r"(-?[\d.]+)\s*[-–]\s*(-?[\d.]+)")
MONTHS, HEAD = 12, 2**16  # bytes of files that are compared
MOST_WINDOWS = 20  # per answer
FEWEST_MOVED = 5  # labels that point to a journey
MAX_SHOWN = 12  # values or users that a message lists


def check_recordings(config: Config, users: dict[str, Path]) -> list[str]:
    """Return problems that cost some windows; raise for problems that make a run useless.

    Parameters
    ----------
    config : Config
        The recordings, their modalities, and the targets and splits of the run.
    users : dict of str to Path
        The users of the run and their folders.

    Returns
    -------
    list of str
        One sentence per problem, with its remedy.

    Raises
    ------
    BadInput
        If user names differ only in case, no user has both labels and recordings, a label column is missing, or no
        label is in a bin. The message has one line per problem.
    """
    cohort, targets = config.cohort, [config.target(name) for name in config.targets_run]
    layout = LAYOUTS[cohort.layout]
    recorded = getattr(layout, "recorded", None)
    if recorded is None:  # labels are in the folders of the recordings
        return []
    if not cohort.labels:
        return [*_copied(users)]
    root = root_of(cohort)
    intervals = read_intervals(root, cohort, strict=False)
    spans = {user: recorded(user, folder, cohort) for user, folder in users.items()}
    rows_of = {user: intervals.users.get(user, []) for user in users}
    others = layout.others_recorded(root, cohort) if hasattr(layout, "others_recorded") else set()
    shifted = [problem for user in users if (problem := _times(user, rows_of[user], spans[user], cohort.zone(user)))]
    if intervals.problems:
        raise _unusable(intervals.problems + shifted)
    columns = list(intervals.columns)
    fatal = [*_names(root, spans, rows_of)] or _columns(columns, config) or [*_targets(rows_of, columns, targets)]
    if fatal:
        raise _unusable(fatal)
    labelled = {user for user in users if rows_of[user] and spans[user]}
    if labelled and not any(is_inside(row, spans[user] or []) for user in labelled for row in rows_of[user]):
        raise _unusable(shifted)
    return [
        *shifted,
        *intervals.doubts,
        *_many_windows(config),
        *_copied(users),
        *_unmatched(spans, rows_of, others - set(users)),
        *_outside_bins(rows_of, targets),
    ]


def _many_windows(config: Config) -> Iterator[str]:
    """Yield tables of answers that each label many windows."""
    seconds = config.windows.seconds
    for table in config.cohort.labels:
        described = DAY if table.lasts == "day" else table.before or 0
        if described > MOST_WINDOWS * seconds:
            many = f"each answer of {table.file!r} labels {described // seconds} windows of {seconds} s"
            yield f"cohort.labels: {many}, which are not independent; set windows: {{seconds: {described}}}"


def _copied(users: dict[str, Path]) -> Iterator[str]:
    """Yield users whose folders hold the same files as that of another user."""
    first: dict[tuple[tuple[int, bytes], ...], str] = {}
    sizes = {user: _files_of(folder) for user, folder in users.items()}
    common = Counter(tuple(size for size, _ in files) for files in sizes.values())
    for user, files in sizes.items():
        if files and common[tuple(size for size, _ in files)] > 1:
            content = tuple((size, _head(path)) for size, path in files)
            other = first.setdefault(content, user)
            if other != user:
                yield f"the files of user {user!r} equal those of {other!r}; leave out the copy (cohort.users)"


def _files_of(folder: Path) -> list[tuple[int, Path]]:
    """Return sizes and paths of the files in a user's folder, in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return [(path.stat().st_size, path) for path in files]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(HEAD)).digest()


def _unusable(problems: list[str]) -> BadInput:
    more = [f"and {len(problems) - MAX_SHOWN} more"] if len(problems) > MAX_SHOWN else []
    return BadInput("the recordings cannot be used", "\n  - " + "\n  - ".join(problems[:MAX_SHOWN] + more))


def _names(root: Path, spans: dict[str, Spans], rows_of: dict[str, list[Interval]]) -> Iterator[str]:
    """Yield problems of user names: labels and recordings of different users."""
    with_files = {user for user, of_user in spans.items() if of_user != []}
    with_labels = {user for user, rows in rows_of.items() if rows}
    by_case = {user.lower(): user for user in with_files}
    misspelt = [user for user in sorted(with_labels - with_files) if user.lower() in by_case]
    for user in misspelt:
        folder = by_case[user.lower()]
        yield f"no recordings of user {user!r}; did you mean {folder!r}? Write the label table like the folder"
    if misspelt or with_files & with_labels:
        return
    deeper = [path for user in with_labels for level in ("*", "*/*") for path in root.glob(f"{level}/{user}")]
    folders = sorted(path.parent for path in deeper if path.is_dir())
    if folders:
        yield f"the folders of the users are in {folders[0]}; set cohort.root to it"
    else:
        users = f"{root} has recordings of {_listed(with_files)}, and labels of {_listed(with_labels)}"
        yield f"no user has both labels and recordings: {users}"


def _unmatched(spans: dict[str, Spans], rows_of: dict[str, list[Interval]], others: set[str]) -> Iterator[str]:
    """Yield users who have labels without recordings, and users who have recordings without labels."""
    labelled = [user for user in rows_of if rows_of[user] and spans[user] == []]
    recorded = [user for user in rows_of if not rows_of[user] and spans[user] != []] + sorted(others)
    for users, has, lacks, candidates in (
        (labelled, "labels", "recordings", recorded),
        (recorded, "recordings", "labels", labelled),
    ):
        hints = {user: did_you_mean(user, candidates) for user in users[:MAX_SHOWN]}
        names = [f"{user!r} ({hints[user]})" if hints.get(user) else f"{user!r}" for user in users]
        if names:
            yield f"users with {has} but without {lacks}: {_listed(names)}"


def _columns(columns: list[str], config: Config) -> list[str]:
    """Return label columns of splits that are missing, and those with the name of a modality."""
    missing = [
        f"splits: {split.name!r} uses the label column {split.label_column!r}; the labels have {columns}"
        for split in config.splits
        if split.label_column is not None and split.label_column not in columns
    ]
    names = {modality.name for modality in config.modalities}
    clashes = [f"modalities: {name!r} is also a label column; rename the modality" for name in columns if name in names]
    return missing + clashes


def _targets(rows_of: dict[str, list[Interval]], columns: list[str], targets: list[Target]) -> Iterator[str]:
    """Yield targets whose column is missing, or whose bins match no label."""
    for target in targets:
        if target.column not in columns:
            yield f"targets: {target.name!r} uses the label column {target.column!r}; the labels have {columns}"
            continue
        values = _values(rows_of, target)
        if target.relative is not None:
            if values and not any(map(target.is_usable, values)):
                seen = f"the values of {target.column!r} are {_common(values)}"
                yield f"targets: {target.name!r} is relative, and no label is a number; {seen}"
            continue
        classes = {target.class_of(value) for value in values} - {None}
        if values and len(classes) < 2:
            where = f"labels are in one bin only, {classes.pop()!r}," if classes else "no label is in a bin"
            seen = f"the values of {target.column!r} are {_common(values)}{_dashes(target)}"
            yield f"targets: {where} of {target.name!r}; {seen}"


def _outside_bins(rows_of: dict[str, list[Interval]], targets: list[Target]) -> Iterator[str]:
    """Yield bins that match no label, and labels that are in no bin."""
    for target in targets:
        values = _values(rows_of, target)
        for name, levels in target.bins.items() if target.relative is None else ():
            if not any(matches(value, levels) for value in values):
                seen = f"the values of {target.column!r} are {_common(values)}"
                yield f"targets: no label is in the bin {name!r} of {target.name!r}; {seen}"
        unused = Counter({value: count for value, count in values.items() if not target.is_usable(value)})
        if unused:
            seen = _listed([f"{value!r} ({count})" for value, count in unused.most_common()])
            commas = any(COMMA.fullmatch(value) for value in unused)
            hint = '; numbers with a decimal comma need `decimal: ","` in cohort.labels' if commas else ""
            labels = f"{unused.total()} of {values.total()} labels of {target.column!r}"
            why = "are in no bin of" if target.relative is None else "are no numbers, as they must be for"
            yield f"targets: {labels} {why} {target.name!r} and are not used: {seen}{hint}"


def _common(values: Counter[str]) -> str:
    """Return the most frequent values for a message."""
    return _listed([repr(value) for value, _ in values.most_common()])


def _dashes(target: Target) -> str:
    """Return how a range is written, if a bin has one with a dash."""
    dashes = [DASH.fullmatch(str(level)) for levels in target.bins.values() for level in levels]
    dash = next(filter(None, dashes), None)
    return f"; write a range as {dash[1]}..{dash[2]}" if dash else ""


def _values(rows_of: dict[str, list[Interval]], target: Target) -> Counter[str]:
    values = (row.values.get(target.column) for rows in rows_of.values() for row in rows)
    return Counter(value for value in values if value is not None)


def _times(user: str, rows: list[Interval], spans: Spans, zone: str) -> str | None:
    """Return how the labels of a user miss the recordings, or None if most are within them."""
    if not rows or not spans:
        return None
    outside = sum(not is_inside(row, spans) for row in rows)
    if outside <= len(rows) / 2:
        return _travelled(user, rows, spans, zone)
    first, last = min(row.start for row in rows), max(row.end for row in rows)
    begin, end = min(a for a, _ in spans), max(b for _, b in spans)
    places = f"labels {show(first)} to {show(last)}, recordings {show(begin)} to {show(end)} UTC"
    shift = next((s for s in SHIFTS if sum(is_inside(row, spans, s) for row in rows) > 0.8 * len(rows)), None)
    hint = "check the time zone and the unit of the label table"
    if shift in (APPLE, -APPLE):
        of = "recordings" if shift < 0 else "labels"
        hint = f"the difference is {APPLE} s: times of the {of} count from 2001 (Apple); add {APPLE} s to them"
    elif sum(is_inside(_exchanged(row, zone), spans) for row in rows) > 0.8 * len(rows):
        hint = "day and month are exchanged: set the unit of the label table to the other order"
    elif shift:
        direction = "after" if shift < 0 else "before"
        hint = (
            f"the labels are {abs(shift) / 3600:g} h {direction} the recordings: are they local times? If so, write "
            f"them as dates and times with unit: iso, and check the time zone, which is {zone}; or correct them"
        )
    return f"{outside} of {len(rows)} labels of user {user!r} are outside the recordings ({places}); {hint}"


def _travelled(user: str, rows: list[Interval], spans: list[tuple[float, float]], zone: str) -> str | None:
    """Return which labels in a row miss the recordings and fit after a shift, as on a journey, or None."""
    rows = sorted(rows, key=lambda row: row.start)
    first = next((index for index, row in enumerate(rows) if not is_inside(row, spans)), len(rows))
    last = next((len(rows) - index for index, row in enumerate(rows[::-1]) if not is_inside(row, spans)), 0)
    moved = rows[first:last]
    if len(moved) < FEWEST_MOVED or any(is_inside(row, spans) for row in moved):
        return None
    shift = next((s for s in SHIFTS if s % 3600 == 0 and all(is_inside(row, spans, s) for row in moved)), None)
    if shift is None:
        return None
    times = f"{show(moved[0].start)} to {show(moved[-1].end)} UTC"
    fits = f"{abs(shift) / 3600:g} h {'earlier' if shift < 0 else 'later'}"
    zones = f"timezones: {{{user}: '{zone}, from {show(moved[0].start, zone)[:10]} Area/City'}}"
    return (
        f"{len(moved)} of {len(rows)} labels of user {user!r}, from {times}, are outside the recordings; if the "
        f"participant travelled (they would be inside {fits}), set {zones}"
    )


def _exchanged(row: Interval, zone: str) -> Interval:
    """Return an interval with day and month of its local start exchanged, if that is a date."""
    start = pd.Timestamp(row.start, unit="s", tz=zone_at(row.start, zone))
    if start.day > MONTHS:
        return row
    moved = int(start.replace(month=start.day, day=start.month).timestamp())
    return replace(row, start=moved, end=moved + row.end - row.start)


def is_inside(row: Interval, spans: list[tuple[float, float]], shift: int = 0) -> bool:
    """Return whether an interval, moved by some seconds, overlaps a span of recordings."""
    return any(begin < row.end + shift and row.start + shift < end for begin, end in spans)


def _listed(names: list[str] | set[str]) -> str:
    """Return some names for a message."""
    names = sorted(names) if isinstance(names, set) else names
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return (", ".join(names[:MAX_SHOWN]) or "nobody") + more
