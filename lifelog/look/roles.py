"""understand: what a group of tables holds: samples, daily values, events or answers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.arrays import Floats
from lifelog.look.folder import Group
from lifelog.look.sniff import ROUNDED, Sniffed, sniff
from lifelog.settings.windows import PLAUSIBLE
from lifelog.settings.zones import DAY
from lifelog.windows.layout import BadInput

USER = re.compile(
    r"(?i)(user|participant|subject|person|patient|device|respondent|proband\w*|teilnehmer\w*|versuchsperson\w*|vpn?|pid"
    r"|uid|id|code|pseudonym|참가자|피험자)"
    r"([ _.-]?(id|code|name|nr|no|number))?"
)
TIME = re.compile(r"(?is).*(time|date|stamp|datum|zeit|answered|completed|day|when).*")
ASKED = re.compile(r"(?is).*(sent|asked|prompt|trigger|notif|answered|completed|responded).*")  # no start of a time
LONG = re.compile(r"(?i)variable|sensor|sensor_?name|signal|measure|measurement|metric|feature|modality")
ANSWERED = re.compile(r"(?is).*(answered|response|respond|completed|submit|finished).*")
SINCE = re.compile(r"(?i).*(time|sec|minute|zeit)")
START = re.compile(r"(?is).*(start|begin|onset|from|von).*")
END = re.compile(r"(?is).*(end|finish|stop|until|bis|offset).*")
RATING = re.compile(
    r"(?is).*(stress|tens|anx|mood|stimmung|valence|arousal|fatigue|tired|angst|affect|emotion|pain|craving|happy|sad|label"
    r"|anspann|müdig|erschöpf|belast|schmerz|zufried|unruhe|nervös|긴장|스트레스|기분|피로"
    r"|condition|quality|readiness|sore|rating|angry|calm|relax|energy|focus|answer|response|esm|ema_).*"
)
NO_RATING = re.compile(r"(?i).*(score|status|timestamp|_time|trigger|expir).*")
QUALITY = re.compile(r"(?i)(.*[._ ])?(accuracy|confidence|error|provider|timezone|(time|utc)_?offset)")  # of a value
EVENT = re.compile(r"(?is).*(event|status|transition|screen|call|app|press|button|unlock|notification).*")
INDEX = re.compile(r"(?i:unnamed.*|index|row|no|nr|)|(?:.*[_. ])?(?i:id|uuid)|.*[a-z](?:Id|ID|Code)")  # no measurements
CODES = (-9, -99, -999, 99, 999, 9999, -1)  # that stand for a missing answer where they are far from the others
SLOWEST = 1.5  # seconds between samples, up to which a regular recording is a sequence
KNOWN = 0.5  # share of the cells of a column of participants that are known codes
MOSTLY = 0.2  # share of the columns of a table of answers that are ratings
FEW_PER_DAY = 600  # seconds between rows, from which a table may hold answers
MOST_CATEGORIES = 200
MOST_FILES = 20  # that are read for the order of day and month


@dataclass(frozen=True)
class Found:
    """A group of tables.

    Attributes
    ----------
    group : Group
        Pattern and files.
    table : Sniffed
        The first file.
    role : str
        samples, daily, events, answers, or once (a row per participant).
    time : str
        Column of times.
    end : str or None
        Column of the ends of intervals.
    user : str or None
        Column of users.
    values : list of str
        Columns of numbers.
    texts : list of str
        Columns of text with few values.
    gap : float
        Median seconds between rows of a participant.
    regular : bool
        Whether nearly all rows have this distance.
    owners : list of str
        The user of each row, where the rows of all files are read.
    """

    group: Group
    table: Sniffed
    role: str
    time: str
    end: str | None
    user: str | None
    values: list[str]
    texts: list[str]
    gap: float
    regular: bool
    owners: list[str] = field(default_factory=list)

    @property
    def users(self) -> pd.Series:
        """The user of each row; "" where the files are not read together."""
        if self.user:
            return self.table.frame[self.user].str.strip()
        return pd.Series(self.owners or "", index=self.table.frame.index, dtype=str)

    @property
    def unit(self) -> str:
        """The unit of times."""
        return self.table.units[self.time]

    @property
    def in_utc(self) -> bool:
        """Whether times without an offset are in UTC, as their name or a column of offsets shows."""
        named = re.search(r"(?i)(?<![a-z])(utc|gmt)(?![a-z])", self.time) is not None
        return (named or self.table.offset_column is not None) and not self.table.has_offsets(self.time)

    @property
    def why_utc(self) -> str:
        """Why times are read as UTC."""
        column = self.table.offset_column
        return f"times are UTC, since {column!r} has their offset" if column else f"{self.time!r} is read as UTC"

    @property
    def codes(self) -> list[str]:
        """The participants of the paths and of the column, as far as the table was read."""
        of_paths = [user for user in self.group.users if user]
        return list(dict.fromkeys(of_paths or (self.table.texts(self.user) if self.user else [])))


def understand(group: Group, root: Path, codes: set[str]) -> Found:
    """Return what a group of tables holds, by its first file.

    Parameters
    ----------
    group : Group
        The files.
    root : Path
        The folder.
    codes : set of str
        Participants that paths and other tables name.

    Raises
    ------
    BadInput
        If the file is no table, or has no column of times; the detail is the cause.
    """
    table = _with_one_order(sniff(root / group.paths[0]), group, root)
    if not table.units:
        relative = any(SINCE.match(name) and table.numbers(name) is not None for name in table.frame)
        hint = "; times since a start are read for answers only (`since` in docs/own-data.md)" if relative else ""
        if any(table.texts(name).str.fullmatch(ROUNDED).any() for name in table.frame):
            hint = "; times such as 1.65E+12 were rounded by a spreadsheet: export them again as text"
        raise BadInput("no times", f"no column of times among {list(table.frame)[:8]}{hint}")
    user = None if group.users[0] else _user_column(table, codes)
    time, end = _times(table)
    if _is_daily(table, time, user):
        time, end = _day(table, time, end), None
    named = (time, end, user, table.keys.get("clock"), table.offset_column)
    others = [name for name in table.frame if name not in named]
    others = [name for name in others if not INDEX.fullmatch(name) and not QUALITY.fullmatch(name)]
    values = [n for n in others if n not in table.units and table.numbers(n, words=is_rating(n)) is not None]
    texts = [name for name in others if name not in values and name not in table.units]
    few = [name for name in texts if 1 < table.texts(name).nunique() <= MOST_CATEGORIES]
    kinds = [name for name in few if LONG.fullmatch(name)]
    if len(values) == 1 and kinds:
        cause = f"each row has one value, and {kinds[0]!r} names it: write a column, or a file, per sensor"
        raise BadInput("a long table", cause)
    if len(codes & set(values)) > 1:
        raise BadInput("participants as columns", "columns are participants: write a row per participant and time")
    gaps = _gaps(table, time, user)
    gap = float(np.median(gaps)) if len(gaps) else float("inf")
    regular = len(gaps) > 10 and bool((np.abs(gaps - gap) <= 0.1 * gap).mean() > 0.9)
    return Found(group, table, _role(table, time, end, values, few, gap), time, end, user, values, few, gap, regular)


def _with_one_order(table: Sniffed, group: Group, root: Path) -> Sniffed:
    """Return a table with the order of day and month that other files of its group show, if its own rows do not."""
    for path in group.paths[1 :: max(1, len(group.paths) // MOST_FILES)]:
        if not table.ambiguous:
            break
        try:
            other = sniff(root / path)
        except BadInput:
            continue
        for name, unit in list(table.ambiguous.items()):
            if name in other.units and name not in other.ambiguous and other.units[name] in (unit, table.units[name]):
                rest = {key: value for key, value in table.ambiguous.items() if key != name}
                table = replace(table, units=table.units | {name: other.units[name]}, ambiguous=rest)
    return table


def _user_column(table: Sniffed, codes: set[str]) -> str | None:
    """Return the column of participants: the one that is named so, or whose cells are known codes."""
    named = [name for name in table.frame if USER.fullmatch(name.strip()) and name not in table.units]
    numbered = {name for name in named if re.fullmatch(r"(?i)_?id|code|no|nr", name)}  # or the number of the row
    repeated = {name for name in named if table.texts(name).nunique() < max(2, 0.9 * len(table.frame))}
    usable = [name for name in named if name in repeated or name not in numbered]
    if not usable:
        texts = {name: set(table.texts(name)) for name in table.frame if name not in table.units}
        codes = {code for code in codes if not code.isdigit() or len(code) > 2}  # answers are numbers too
        usable = [name for name, of in texts.items() if len(of & codes) > 1 and len(of & codes) >= KNOWN * len(of)]
    return min(usable, key=lambda name: (name.lower() in ("id", "_id"), list(table.frame).index(name)), default=None)


def _times(table: Sniffed) -> tuple[str, str | None]:
    """Return the column of times, and that of ends if rows are intervals."""
    names = [name for name in table.units if not table.is_dates(name)] or list(table.units)
    timed = [name for name in names if TIME.fullmatch(name) and not ASKED.fullmatch(name)]
    starts = [name for name in names if START.fullmatch(name)] or timed
    for end in (name for name in names if END.fullmatch(name)):
        for start in (name for name in starts if name != end):
            length = table.seconds(end) - table.seconds(start)
            if (length[np.isfinite(length)] >= 0).all():
                return start, end
    named = [name for name in names if TIME.fullmatch(name)] or starts or names
    named = [name for name in named if ANSWERED.fullmatch(name)] or named
    complete = max(len(table.texts(name)) for name in named)
    return next(name for name in named if len(table.texts(name)) == complete), None


def _is_daily(table: Sniffed, time: str, user: str | None) -> bool:
    """Return whether participants have about a row per day."""
    gaps = _gaps(table, time, user)
    return len(gaps) > 0 and abs(float(np.median(gaps)) - DAY) < DAY / 8


def _day(table: Sniffed, time: str, end: str | None) -> str:
    """Return the column of the day of daily rows: a date, or the end, such as that of a night."""
    dates = [name for name in table.units if table.is_dates(name) and len(table.texts(name)) == len(table.frame)]
    return next(iter(dates), end or time)


def _gaps(table: Sniffed, time: str, user: str | None) -> Floats:
    users = table.frame[user] if user else pd.Series("", index=table.frame.index)
    ordered = pd.DataFrame({"user": users, "time": table.seconds(time)}).dropna().sort_values(["user", "time"])
    gaps = ordered.groupby("user").time.diff().dropna().to_numpy(dtype=float)
    return gaps[gaps > 0]


def _role(table: Sniffed, time: str, end: str | None, values: list[str], texts: list[str], gap: float) -> str:
    rated = sum(is_rating(name) for name in [*values, *texts])
    if rated >= MOSTLY * len([*values, *texts]) > 0 and (gap >= FEW_PER_DAY or end):
        return "answers"
    if np.isinf(gap):
        return "once"
    if table.is_dates(time) or (values and abs(gap - DAY) < DAY / 8):
        return "daily"
    codes = [name for name in values if EVENT.fullmatch(name) and len(set(table.texts(name))) <= 8]
    if not values or codes == values:
        return "events"
    return "samples"


def all_rows(found: Found, root: Path) -> Found:
    """Return a table with the rows of all files that are read in the same way."""
    frames, owners = list[pd.DataFrame](), list[str]()
    for path, user in zip(found.group.paths, found.group.users, strict=True):
        try:
            frame = sniff(root / path).frame
        except BadInput:
            continue
        if set(frame) == set(found.table.frame):
            frames.append(frame[list(found.table.frame)])
            owners += [user or ""] * len(frame)
    table = replace(found.table, frame=pd.concat(frames, ignore_index=True))
    if any(table.numbers(name, words=True) is None for name in found.values):
        return found
    return replace(found, table=table, owners=owners)


def ratings(found: Found, wanted: str | None) -> list[str]:
    """Return the columns of a table that may be the answer, the likeliest first.

    Parameters
    ----------
    found : Found
        A table.
    wanted : str or None
        A part of the name of the answer; None: a name that stands for a rating.
    """
    names = [*found.values, *found.texts]
    if wanted is not None:
        return sorted((name for name in names if wanted.lower() in name.lower()), key=len)
    return [name for name in names if is_rating(name)]


def is_rating(name: str) -> bool:
    """Return whether a name stands for a rating, and not for a score that a device computes."""
    return bool(RATING.fullmatch(name)) and not NO_RATING.fullmatch(name)


def unit_of(name: str, values: Floats) -> str | None:
    """Return the unit of a sensor by the name of its column and the size of its values; None if it is not known."""
    known = values[np.isfinite(values)]
    middle = float(np.median(known)) if len(known) else float("nan")
    low, high = PLAUSIBLE["heart_rate"]
    if re.search(r"(?i)(^|[^a-z])(hr|bpm|heart.?rate)([^a-z]|$)|heartrate", name) and low <= middle <= high:
        return "1/min"
    if re.search(r"(?i)temp", name) and 20 <= middle <= 45:
        return "°C"
    if re.search(r"(?i)(^|[^a-z])(eda|gsr|scl)([^a-z]|$)", name) and 0 < middle < 60:
        return "µS"
    return None


def missing_codes(values: Floats) -> list[float]:
    """Return values that stand for a missing answer: 999 among answers of 1 to 7."""
    known = values[np.isfinite(values)]
    usual = known[~np.isin(known, CODES)]
    if not len(usual):
        return []
    low, high = usual.min(), usual.max()
    span = max(high - low, 1)
    return [code for code in CODES if code in known and not low - span <= code <= high + span]


def split_columns(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield modalities of a wide table: one per column, or one per common beginning of names where there are many."""
    if len(names) <= 12:
        yield from ((name, [name]) for name in names)
        return
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(re.split(r"[:_. ]", name.removeprefix("f_"))[0], []).append(name)
    yield from groups.items()
