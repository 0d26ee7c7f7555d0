"""From intervals with labels to labelled windows.

1. Where intervals overlap, their answers are merged per column: an empty cell gives way to an answer, a repeated row
   counts once, and two different answers for the same time are none. The order of rows has no effect.
2. Windows start with each stretch of equal labels, one after the other (anchor `label`), or at multiples of their
   length by the clock (anchor `clock`), where the label that covers most of a window is its label.
3. Labelled time that is in no window is returned with its reason.

Without label tables, windows are those by the clock that overlap recorded time.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from lifelog.settings.windows import Extraction, Recordings
from lifelog.settings.zones import DAY
from lifelog.windows.intervals import Interval, read_intervals
from lifelog.windows.layout import BadInput, Label
from lifelog.windows.times import midnight

Values = dict[str, str | None]  # by label column
Rows = dict[str, tuple[str, ...]]  # by label column
Recorded = Callable[[str, Path, Recordings], Iterable[tuple[float, float]]]  # spans of a user's recordings


@dataclass(frozen=True)
class Stretch:
    """A stretch of time with constant labels.

    Attributes
    ----------
    start, end : int
        Unix seconds.
    values : dict of str to str or None
        The value of each column; None if answers differ.
    rows : dict of str to tuple of str
        The rows of each column that have its value; those of all values if these differ.
    conflicts : dict of str to str
        The differing answers, by column.
    """

    start: int
    end: int
    values: Values
    rows: Rows
    conflicts: dict[str, str]

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return self.end - self.start


def to_labels(intervals: list[Interval], columns: list[str], extraction: Extraction, zone: str) -> list[Label]:
    """Return every window that intervals label, and all other labelled time with the reason why it is in no window.

    Parameters
    ----------
    intervals : list of Interval
        The rows of one user.
    columns : list of str
        The label columns.
    extraction : Extraction
        Length and anchor of windows, and the minimum share of a window that its label covers.
    zone : str
        Time zone of the user, for windows of local days and hours.

    Returns
    -------
    list of Label
        In time order. The seconds of all labels sum to the time that the intervals cover.
    """
    stretches = merge(intervals, columns)
    if extraction.anchor == "clock" or extraction.seconds == DAY:
        return list(_by_clock(stretches, extraction, zone))
    return list(_by_label(stretches, extraction.seconds))


def labels_of(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction, recorded: Recorded
) -> tuple[list[str], list[Label]]:
    """Return the label columns of the label tables, and the windows of a user: of all recorded time without tables."""
    if not recordings.labels:
        return [], clock_windows(recorded(user, folder, recordings), extraction, recordings.zone(user))
    intervals = read_intervals(folder.parent, recordings, user=user)
    columns = list(intervals.columns)
    lost = [Label(-1, dict.fromkeys(columns), fault, seconds=0) for fault in intervals.lost.get(user, [])]
    return columns, lost + to_labels(intervals.users.get(user, []), columns, extraction, recordings.zone(user))


def clock_windows(spans: Iterable[tuple[float, float]], extraction: Extraction, zone: str) -> list[Label]:
    """Return every window by the clock that overlaps recorded time, without a label.

    Parameters
    ----------
    spans : iterable of (float, float)
        Recorded time, start and end in unix seconds.
    extraction : Extraction
        Length of windows.
    zone : str
        Time zone of the user, for windows of local days and hours.

    Returns
    -------
    list of Label
        In time order; windows at the end of a local day that are shorter than others are left out.
    """
    width = extraction.seconds
    grid = {window for start, end in spans for window in _grid(math.floor(start), math.ceil(end), width, zone)}
    whole = [(start, stop) for start, stop in sorted(grid) if stop - start >= width or width == DAY]
    return [Label(start, {}, seconds=stop - start) for start, stop in whole]


def merge(intervals: list[Interval], columns: list[str]) -> list[Stretch]:
    """Return stretches of constant labels in time order; neighbouring ones with the same answers are joined.

    Parameters
    ----------
    intervals : list of Interval
        Rows of a user, which may overlap.
    columns : list of str
        The label columns.

    Returns
    -------
    list of Stretch
        Without overlap.
    """
    unique: dict[tuple[object, ...], Interval] = {}
    for row in sorted(intervals, key=lambda row: (row.start, row.end, row.row)):
        unique.setdefault((row.start, row.end, *(row.values.get(column) for column in columns)), row)
    rows = list(unique.values())
    times = sorted({time for row in rows for time in (row.start, row.end)})
    stretches: list[Stretch] = []
    active: list[Interval] = []
    following = 0
    for start, end in pairwise(times):
        active = [row for row in active if row.end > start]
        while following < len(rows) and rows[following].start <= start:
            active.append(rows[following])
            following += 1
        if not active:
            continue
        here = _merged(active, columns, start, end)
        if stretches and stretches[-1].end == start and _same_answers(stretches[-1], here):
            last = stretches.pop()
            rows_of_both = {column: tuple(dict.fromkeys(last.rows[column] + here.rows[column])) for column in columns}
            here = Stretch(last.start, end, here.values, rows_of_both, last.conflicts)
        stretches.append(here)
    return stretches


def _same_answers(a: Stretch, b: Stretch) -> bool:
    """Return whether two stretches have equal values, and every answer, or any conflict, comes from a common row."""
    answered = [column for column, value in a.values.items() if value is not None or column in a.conflicts]
    shared = all(not set(a.rows[column]).isdisjoint(b.rows[column]) for column in answered)
    return shared and a.values == b.values and set(a.conflicts) == set(b.conflicts)


def _merged(active: list[Interval], columns: list[str], start: int, end: int) -> Stretch:
    """Return the labels of some time from all rows that cover it."""
    values: Values = {}
    rows: Rows = {}
    conflicts: dict[str, str] = {}
    for column in columns:
        answers = {row.values.get(column): row.row for row in reversed(active)}
        answers.pop(None, None)
        if len(answers) > 1:
            texts = ", ".join(f"{answer!r} ({row})" for answer, row in sorted(answers.items(), key=lambda a: str(a)))
            conflicts[column] = f"{column!r}: {texts}"
        value = next(iter(answers), None) if len(answers) == 1 else None
        given = [r.row for r in active if column in r.values and (column in conflicts or r.values[column] == value)]
        values[column], rows[column] = value, tuple(dict.fromkeys(given))
    return Stretch(start, end, values, rows, conflicts)


def _doubts(stretch: Stretch) -> tuple[BadInput, ...]:
    """Return why columns of a stretch have no value although there are answers."""
    return tuple(BadInput("conflicting labels", text) for text in stretch.conflicts.values())


def _label(
    start: int, values: Values, fault: BadInput | None, rows: Rows, seconds: int, doubts: tuple[BadInput, ...] = ()
) -> Label:
    """Return a label with the rows of the columns that have any; doubts are its fault if no column has a value."""
    if doubts and all(value is None for value in values.values()):
        fault, doubts = fault or doubts[0], ()
    return Label(start, values, fault, {column: given for column, given in rows.items() if given}, seconds, doubts)


def _by_label(stretches: list[Stretch], width: int) -> Iterator[Label]:
    """Yield windows that start with each stretch, and the rest of it."""
    for stretch in stretches:
        doubts = _doubts(stretch)
        if doubts and not any(stretch.values.values()):
            yield _label(stretch.start, stretch.values, None, stretch.rows, stretch.seconds, doubts)
            continue
        count, rest = divmod(stretch.seconds, width)
        for i in range(count):
            yield _label(stretch.start + i * width, stretch.values, None, stretch.rows, width, doubts)
        if rest:
            whole = "the rest of" if count else "of"
            names = ", ".join(dict.fromkeys(row for given in stretch.rows.values() for row in given))
            detail = f"{rest} s, {whole} {names}; windows have {width} s"
            fault = BadInput("labelled time shorter than a window", detail)
            yield _label(stretch.end - rest, stretch.values, fault, stretch.rows, rest)


def _by_clock(stretches: list[Stretch], extraction: Extraction, zone: str) -> Iterator[Label]:
    """Yield windows at multiples of their length by the clock."""
    pieces: dict[tuple[int, int], list[Stretch]] = {}
    for stretch in stretches:
        for start, stop in _grid(stretch.start, stretch.end, extraction.seconds, zone):
            part = replace(stretch, start=max(start, stretch.start), end=min(stop, stretch.end))
            pieces.setdefault((start, stop), []).append(part)
    for (start, stop), parts in sorted(pieces.items()):
        width, labelled, columns = stop - start, sum(part.seconds for part in parts), list(parts[0].rows)
        fault = _unlabelled(parts, labelled, width)
        if width < extraction.seconds < DAY:
            fault = BadInput("labelled time shorter than a window", f"{width} s until the next local day")
        if fault:
            yield _label(start, dict.fromkeys(columns), fault, _joined_rows(dict.fromkeys(columns, parts)), labelled)
            continue
        votes = {column: _majority(parts, column, width, extraction.purity) for column in columns}
        values = {column: None if isinstance(vote, BadInput) else vote for column, vote in votes.items()}
        doubts = tuple(vote for vote in votes.values() if isinstance(vote, BadInput))
        chosen = {column: [part for part in parts if part.values[column] == values[column]] for column in columns}
        yield _label(start, values, None, _joined_rows(chosen), width, doubts)


def _unlabelled(parts: list[Stretch], labelled: int, width: int) -> BadInput | None:
    """Return why a window by the clock has no labels, or None."""
    return BadInput("window not fully labelled", f"{labelled} of {width} s have a label") if labelled < width else None


def _majority(parts: list[Stretch], column: str, width: int, purity: float) -> str | BadInput | None:
    """Return the value of a column that covers most of a window, or why there is none."""
    shares: Counter[str | None] = Counter()
    for part in parts:
        if column in part.conflicts:
            return BadInput("conflicting labels", part.conflicts[column])
        shares[part.values[column]] += part.seconds
    (best, most), *others = shares.most_common()
    if others and others[0][1] == most:
        return BadInput("mixed labels", f"two labels cover {most} of {width} s each")
    if most < purity * width:
        return BadInput("mixed labels", f"the main label covers {most} of {width} s, purity {purity}")
    return best


def _joined_rows(parts: dict[str, list[Stretch]]) -> Rows:
    """Return the rows of some stretches by column."""
    rows = {column: [row for part in stretches for row in part.rows[column]] for column, stretches in parts.items()}
    return {column: tuple(dict.fromkeys(given)) for column, given in rows.items()}


def _grid(start: int, end: int, width: int, zone: str) -> Iterator[tuple[int, int]]:
    """Yield the windows by the clock that overlap a stretch of time.

    Windows are multiples of their length in unix time, and by local time if they are long enough for this to matter.
    """
    local = DAY % width == 0 and 900 % width  # time zones differ by multiples of 15 minutes
    time = start
    while time < end:
        if local:
            day, next_day = midnight(time, zone), midnight(time, zone, 1)
            # A day may have 23 or 25 hours; a shorter window at its end is cut.
            first = day if width == DAY else day + (time - day) // width * width
            stop = next_day if width == DAY else min(first + width, next_day)
        else:
            first = time // width * width
            stop = first + width
        yield first, stop
        time = stop


def shared_rows(rows: Iterable[Iterable[str]]) -> list[int]:
    """Number windows such that windows with a common label row, directly or through others, have the same number.

    Parameters
    ----------
    rows : iterable of iterable of str
        The label rows of each window.

    Returns
    -------
    list of int
        One number per window, in the order of first occurrence. A window without rows shares its number with none.
    """
    group: dict[str, int] = {}
    parent: list[int] = []

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, names in enumerate(rows):
        parent.append(i)
        for name in names:
            other = root(group.setdefault(name, i))
            mine = root(i)
            parent[max(mine, other)] = min(mine, other)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(i), len(numbers)) for i in range(len(parent))]
