"""From intervals with labels to labelled windows.

1. Where intervals overlap, their answers are merged per column: an empty cell gives way to an answer, a repeated row
   counts once, and two different answers for the same time lose that time. The order of rows has no effect.
2. Windows start with each stretch of equal labels, one after the other (anchor `label`), or at multiples of their
   length by the clock (anchor `clock`), where the label that covers most of a window is its label.
3. Labelled time that is in no window is returned with its reason.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from lifelog.settings.windows import Extraction
from lifelog.windows.intervals import Interval
from lifelog.windows.layout import BadInput, Label
from lifelog.windows.times import DAY, midnight

Values = tuple[str | None, ...]
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Stretch:
    """A stretch of time with constant labels.

    Attributes
    ----------
    start, end : int
        Unix seconds.
    values : tuple of str or None
        The value of each column; None for a conflict.
    rows : tuple of tuple of str
        The rows of each column that have its value; those of all values for a conflict.
    conflict : str
        The differing answers.
    """

    start: int
    end: int
    values: Values | None
    rows: Rows
    conflict: str = ""

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
    by_clock = extraction.anchor == "clock" or extraction.seconds == DAY
    windows = _by_clock(stretches, extraction, zone) if by_clock else _by_label(stretches, extraction.seconds)
    return [
        Label(
            start,
            dict(zip(columns, values or [None] * len(columns), strict=True)),
            fault,
            {column: own for column, own in zip(columns, rows, strict=True) if own},
            seconds,
        )
        for start, values, fault, rows, seconds in windows
    ]


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
    unique: dict[tuple[int, int, Values], Interval] = {}
    for row in sorted(intervals, key=lambda row: (row.start, row.end, row.row)):
        unique.setdefault((row.start, row.end, tuple(row.values.get(column) for column in columns)), row)
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
        last = stretches[-1] if stretches else None
        if last and last.end == start and _same_answers(last, here):
            joined = tuple(tuple(dict.fromkeys(a + b)) for a, b in zip(last.rows, here.rows, strict=True))
            here = Stretch(last.start, end, here.values, joined, last.conflict or here.conflict)
            stretches.pop()
        stretches.append(here)
    return stretches


def _same_answers(a: Stretch, b: Stretch) -> bool:
    """Return whether two stretches have equal values, and every answer, or any conflict, comes from a common row."""
    common = [bool(set(own) & set(other)) for own, other in zip(a.rows, b.rows, strict=True)]
    if a.values is None or b.values is None:
        return a.values == b.values and any(common)
    return a.values == b.values and all(value is None or shared for value, shared in zip(a.values, common, strict=True))


def _merged(active: list[Interval], columns: list[str], start: int, end: int) -> Stretch:
    """Return the labels of some time from all rows that cover it."""
    values: list[str | None] = []
    rows: list[tuple[str, ...]] = []
    conflict = ""
    for column in columns:
        answers = {row.values.get(column): row.row for row in reversed(active)}
        answers.pop(None, None)
        if len(answers) > 1 and not conflict:
            texts = ", ".join(f"{answer!r} ({row})" for answer, row in sorted(answers.items(), key=lambda a: str(a)))
            conflict = f"{column!r}: {texts}"
        value = next(iter(answers), None)
        own = [row.row for row in active if column in row.values and (conflict or row.values[column] == value)]
        values.append(value)
        rows.append(tuple(dict.fromkeys(own)))
    return Stretch(start, end, None if conflict else tuple(values), tuple(rows), conflict)


WindowRow = tuple[int, Values | None, BadInput | None, Rows, int]  # start, values, fault, rows, seconds


def _by_label(stretches: list[Stretch], width: int) -> Iterator[WindowRow]:
    """Yield windows that start with each stretch, and the rest of it."""
    for stretch in stretches:
        if stretch.values is None:
            fault = BadInput("conflicting labels", stretch.conflict)
            yield stretch.start, None, fault, stretch.rows, stretch.seconds
            continue
        count = stretch.seconds // width
        for i in range(count):
            yield stretch.start + i * width, stretch.values, None, stretch.rows, width
        rest = stretch.seconds - count * width
        if rest:
            whole = "the rest of" if count else "of"
            names = ", ".join(dict.fromkeys(row for own in stretch.rows for row in own))
            detail = f"{rest} s, {whole} {names}; windows have {width} s"
            fault = BadInput("labelled time shorter than a window", detail)
            yield stretch.end - rest, stretch.values, fault, stretch.rows, rest


def _by_clock(stretches: list[Stretch], extraction: Extraction, zone: str) -> Iterator[WindowRow]:
    """Yield windows at multiples of their length by the clock."""
    pieces: dict[tuple[int, int], list[Stretch]] = {}
    for stretch in stretches:
        for start, stop in _grid(stretch.start, stretch.end, extraction.seconds, zone):
            part = Stretch(
                max(start, stretch.start), min(stop, stretch.end), stretch.values, stretch.rows, stretch.conflict
            )
            pieces.setdefault((start, stop), []).append(part)
    for (start, stop), parts in sorted(pieces.items()):
        width, labelled = stop - start, sum(part.seconds for part in parts)
        fault = _unlabelled(parts, labelled, width)
        if width < extraction.seconds < DAY:
            fault = BadInput("labelled time shorter than a window", f"{width} s until the next local day")
        values: list[str | None] = []
        if not fault:
            votes = [_majority(parts, column, width, extraction.purity) for column in range(len(parts[0].values or ()))]
            values = [None if isinstance(vote, BadInput) else vote for vote in votes]
            faults = [vote for vote in votes if isinstance(vote, BadInput)]
            fault = faults[0] if faults and not any(value is not None for value in values) else None
        rows = tuple(_rows(parts, column, values) for column in range(len(parts[0].rows)))
        yield start, None if fault else tuple(values), fault, rows, labelled if fault else width


def _unlabelled(parts: list[Stretch], labelled: int, width: int) -> BadInput | None:
    """Return why a window by the clock has no labels, or None."""
    conflict = next((part.conflict for part in parts if part.values is None), None)
    if conflict:
        return BadInput("conflicting labels", conflict)
    return BadInput("window not fully labelled", f"{labelled} of {width} s have a label") if labelled < width else None


def _majority(parts: list[Stretch], column: int, width: int, purity: float) -> str | BadInput | None:
    """Return the value of a column that covers most of a window, or why there is none."""
    shares: dict[str | None, int] = {}
    for part in parts:
        value = (part.values or ())[column]
        shares[value] = shares.get(value, 0) + part.seconds
    (best, most), *others = sorted(shares.items(), key=lambda share: -share[1])
    if others and others[0][1] == most:
        return BadInput("mixed labels", f"two labels cover {most} of {width} s each")
    if most < purity * width:
        return BadInput("mixed labels", f"the main label covers {most} of {width} s, purity {purity}")
    return best


def _rows(parts: list[Stretch], column: int, values: list[str | None]) -> tuple[str, ...]:
    """Return the rows that have the value of a column in a window; without labels, all rows."""
    own = [part for part in parts if not values or (part.values and part.values[column] == values[column])]
    return tuple(dict.fromkeys(row for part in own for row in part.rows[column]))


def _grid(start: int, end: int, width: int, zone: str) -> Iterable[tuple[int, int]]:
    """Yield the windows by the clock that overlap a stretch of time.

    Windows are multiples of their length in unix time, and by local time if they are long enough for this to matter.
    """
    local = DAY % width == 0 and 900 % width  # time zones differ by multiples of 15 minutes
    time = start
    while time < end:
        if not local:
            first = time // width * width
            yield first, first + width
        elif width == DAY:
            first = midnight(time, zone)
            yield first, midnight(time, zone, 1)
        else:
            day = midnight(time, zone)
            first = day + (time - day) // width * width
            yield first, min(first + width, midnight(time, zone, 1))  # the last one is cut when the clocks change
        time = midnight(time, zone, 1) if local and width == DAY else first + width


def shared_rows(rows: Iterable[Iterable[str]]) -> list[int]:
    """Number windows such that windows with a common label row, directly or through others, have the same number.

    Parameters
    ----------
    rows : iterable of iterable of str
        The label rows of each window.

    Returns
    -------
    list of int
        One number per window, in the order of first occurrence. A window without rows has a number of its own.
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
