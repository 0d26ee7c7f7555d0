"""sniff: one table as found: encoding, separator, decimal sign, header, columns of times with their unit."""

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.arrays import Floats
from lifelog.settings.tables import NO_VALUE, UNITS
from lifelog.settings.zones import DAY
from lifelog.windows.documents import DOCUMENTS, read_document
from lifelog.windows.files import RawFile
from lifelog.windows.layout import BadInput
from lifelog.windows.rows import OTHER_FILES
from lifelog.windows.times import to_unix

TEXTS = {".csv", ".tsv", ".txt", ".dat"}
SUFFIXES = {*TEXTS, ".parquet", *DOCUMENTS}
HEAD, ROWS, CELLS = 2**21, 20_000, 2**20  # bytes of a text file, rows and cells of a table that are looked at
PROBES, PROBE = 16, 4096  # places of a large file, and bytes at each
LARGEST = 2**26  # bytes of a document
FEW = 50
FIRST, LAST = 946_684_800, 4_102_444_800  # unix seconds of 2000 and 2100: numbers in between may be times
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d/%m/%y", "%m/%d/%y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[zZ]|[+-]\d\d:?\d\d)?)?")
OFFSET = re.compile(r"\d\d:\d\d.*(?:[zZ]|[+-]\d\d:?\d\d)$")
MOST_SIGNS = 6  # letters of another encoding; signs such as the degree look like few
ASIAN = {"cp949": r"[가-힣ㄱ-ㅣ·～]+", "shift_jis": r"(?=.*[ぁ-ヶ])[ぁ-ヿ一-龯々ー、。・（）：～０-９]+"}
ROUNDED = re.compile(r"\d(\.\d+)?[eE]\+\d+")  # a time that a spreadsheet has rounded
COMMA = re.compile(r"[+-]?\d+,\d+")
CLOCK = re.compile(
    r"(?i)(|.*[_ ])((uhr)?zeit|(local[ _]?)?time([ _]?of[ _]?day)?|hour|clock|시각|시간)"
)  # times of day
TIME_OF_DAY = re.compile(r"\d?\d:\d\d(:\d\d)?")
HOURS = re.compile(r"(?i)(?:utc|gmt)?([+-]\d\d):?(\d\d)")  # offset of a time zone
OFTEN = 0.9  # share of rows with an offset
MOST_TITLES = 16  # lines above the header
MOST_WORDS, RARE = 3, 0.3  # texts among numbers that stand for missing answers, and their share


@dataclass(frozen=True)
class Sniffed:
    """A table as found.

    Attributes
    ----------
    frame : pandas.DataFrame
        The first rows as text; an empty cell is "".
    keys : dict of str to str
        Keys of `Table` that differ from their defaults: separator, decimal, encoding, skip, clock. Times of a table
        with a `clock` are joined.
    units : dict of str to str
        Unit of every column of times.
    ambiguous : dict of str to str
        By column of times, the unit with day and month exchanged, if it fits as well.
    whole : bool
        Whether the frame has all rows.
    spread : pandas.DataFrame or None
        Rows from all over the file; None if the frame has all rows.
    zone : str or None
        Time zone of the times of a Parquet file.
    """

    frame: pd.DataFrame
    keys: dict[str, str]
    units: dict[str, str] = field(default_factory=dict)
    ambiguous: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    spread: pd.DataFrame | None = None
    zone: str | None = None

    def numbers(self, name: str, words: bool = False) -> Floats | None:
        """Return a column as numbers, NaN where it is empty; None if a cell is text, but for rare `words`."""
        text = self.frame[name].str.strip()
        if self.keys.get("decimal") == ",":
            text = text.str.replace(",", ".")
        values = pd.to_numeric(text, errors="coerce")
        others = text[values.isna() & (text != "") & ~text.isin(NO_VALUE)]
        rare = words and others.nunique() <= MOST_WORDS and len(others) <= RARE * len(text)
        known = values.notna().any() and (others.empty or (rare and not others.str.contains(r"\d").any()))
        return values.to_numpy(dtype=float) if known else None

    def words(self, name: str) -> list[str]:
        """Return the texts in a column of numbers that have to be named as missing answers."""
        texts = self.texts(name)
        others = texts[pd.to_numeric(texts.str.replace(",", "."), errors="coerce").isna()]
        return sorted(set(others) - set(NO_VALUE))

    def texts(self, name: str) -> pd.Series:
        """Return the cells of a column that are not empty."""
        return _filled(self.frame[name])

    def seconds(self, name: str) -> Floats:
        """Return a column of times in unix seconds, local times as UTC, NaN where it is empty."""
        return to_unix(self.frame[name], self.units[name], "UTC")

    def spread_seconds(self, name: str, unit: str) -> Floats:
        """Return times from all over the file in unix seconds, in a given unit and as UTC."""
        rows = self.frame if self.spread is None else self.spread
        seconds = to_unix(rows[name], unit, "UTC")
        return seconds[np.isfinite(seconds)]

    def span(self, name: str) -> tuple[float, float]:
        """Return the first and last time of a column."""
        seconds = self.spread_seconds(name, self.units[name])
        return (float(seconds.min()), float(seconds.max())) if len(seconds) else (0.0, 0.0)

    def has_offsets(self, name: str) -> bool:
        """Return whether times are unix times or have an offset, and no time zone is needed to read them."""
        texts = self.texts(name)
        return self.units[name] in UNITS or (self.units[name] == "iso" and texts.str.contains(OFFSET).all())

    @property
    def offset_column(self) -> str | None:
        """The column with the offset of each time, such as UTC+0900; such times are usually UTC."""
        named = (name for name in self.frame if re.search(r"(?i)offset|zone|utc", name))
        full = (name for name in named if len(self.texts(name)) >= OFTEN * len(self.frame) > 0)
        return next((name for name in full if self.texts(name).str.fullmatch(HOURS).all()), None)

    def is_dates(self, name: str) -> bool:
        """Return whether times are days, without a time of day."""
        seconds = self.seconds(name)
        return self.units[name] not in UNITS and bool((seconds[np.isfinite(seconds)] % DAY == 0).all())


def sniff(path: Path) -> Sniffed:
    """Return a table as found.

    Parameters
    ----------
    path : Path
        A file with one of `SUFFIXES`.

    Returns
    -------
    Sniffed
        The first rows and how they are read.

    Raises
    ------
    BadInput
        If the file is no table with a header; the detail is the cause.
    """
    suffix, whole, keys, others, zone = path.suffix.lower(), True, dict[str, Any](), None, None
    if suffix == ".parquet":
        frame, whole, zone = _parquet(path)
    elif suffix in DOCUMENTS:
        if path.stat().st_size > LARGEST:
            raise BadInput("large document", f"{path.stat().st_size // 2**20} MB, and is not looked into")
        document = read_document(RawFile(path))
        frame, whole = _to_text(document.head(ROWS)), len(document) <= ROWS
        others = _to_text(document.iloc[:: max(1, len(document) // FEW)])
        keys = {"decimal": ","} if any(_has_commas(frame[name]) for name in frame) else {}
    else:
        frame, keys, whole = _text(path)
        others = None if whole else _tail(path, list(frame), keys)
    if frame.empty:
        raise BadInput("empty table", "no rows")
    if found_clock := _clock(frame):
        date, keys["clock"] = found_clock
        for rows in (frame, others) if others is not None else (frame,):
            rows[date] = (rows[date] + " " + rows[keys["clock"]]).str.strip()
    spread = None if others is None else pd.concat([frame.iloc[:1], others, frame.iloc[-1:]], ignore_index=True)
    found = Sniffed(frame if spread is None else spread, keys)
    fitting = {name: time_units(found.texts(name)) for name in frame}
    units = {name: forms[0] for name, forms in fitting.items() if forms}
    ambiguous = {name: forms[1] for name, forms in fitting.items() if len(forms) > 1}
    return Sniffed(frame, keys, units, ambiguous, whole, spread, zone)


def _clock(frame: pd.DataFrame) -> tuple[str, str] | None:
    """Return a column of dates, and one with the time of day; None without them."""
    for clock, named in ((name, CLOCK.fullmatch(name.strip())) for name in frame):
        texts = _filled(frame[clock]) if named else _filled(frame[clock]).head(0)
        if named and len(texts) and texts.str.fullmatch(TIME_OF_DAY).all():
            # A time of day with a prefix, such as Trigger_Time, belongs to the date with this prefix.
            days = (name for name in frame if name.startswith(named[1]) and name != clock)
            days = (name for name in days if not _filled(frame[name]).str.contains(":").any())
            date = next((n for n in days if any(unit not in UNITS for unit in time_units(_filled(frame[n])))), None)
            if date:
                return date, clock
    return None


def _filled(column: pd.Series) -> pd.Series:
    text = column.str.strip()
    return text[text != ""]


def _text(path: Path) -> tuple[pd.DataFrame, dict[str, Any], bool]:
    with path.open("rb") as file:
        data = file.read(HEAD)
    for start, kind in OTHER_FILES.items():
        if data.startswith(start):
            raise BadInput("not a text", kind)
    whole, keys = len(data) < HEAD, dict[str, Any]()
    data = data if whole else data[: data.rfind(b"\n") + 1]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        for encoding, letters in ASIAN.items():
            found = "".join(c for c in data.decode(encoding, errors="replace") if not c.isascii())
            if len(set(found)) >= MOST_SIGNS and re.fullmatch(letters, found):
                raise BadInput("another encoding", f"text in {encoding}; save it as UTF-8") from None
        text, keys["encoding"] = data.decode("cp1252", errors="replace"), "windows-1252"
    all_lines = text.splitlines()
    marks = [(skip, _separator(all_lines[skip:], 2 if skip else 1)) for skip in range(MOST_TITLES)]
    tables = [(skip, mark) for skip, mark in marks if mark]
    if not tables:
        raise BadInput("no table", "lines have different numbers of fields")
    named = ((skip, mark) for skip, mark in tables if _are_names(_fields(all_lines[skip : skip + 1], mark)[0]))
    header_at = next(named, None)
    if header_at is None:
        raise BadInput("no header", "the first line has no names of columns")
    skip, mark = header_at
    keys |= {"skip": skip} if skip else {}
    lines = [line for line in all_lines[skip:] if line.strip()]
    rows = min(ROWS, CELLS // max(1, len(_fields(lines[:1], mark)[0])))
    header, *cells = _fields(lines[: rows + 1], mark)
    if any(len(row) != len(header) for row in cells):
        raise BadInput("no table", "lines have different numbers of fields")
    frame = pd.DataFrame(cells, columns=header, dtype=str)
    keys |= {"separator": mark} if mark != "," else {}
    if mark != "," and any(_has_commas(frame[name]) for name in frame):
        keys["decimal"] = ","
    return frame, keys, whole and len(lines) <= rows + 1


def _are_names(header: list[str]) -> bool:
    return len(set(header)) == len(header) and not any(re.fullmatch(r"[+-]?[\d.,:eE /-]+", name) for name in header)


def _separator(lines: list[str], fewest: int) -> str | None:
    """Return the separator of a table; None unless lines form one with `fewest` rows and columns, header included."""
    first = [line for line in lines if line.strip()][:FEW]
    if not first or not lines[0].strip() or len(first) < fewest:
        return None
    rows = {mark: _fields(first, mark) for mark in ",;\t|"}
    fitting = {mark: len(found[0]) for mark, found in rows.items() if len({len(row) for row in found}) == 1}
    widest = max(fitting.values(), default=0)
    if widest < fewest or (widest == 1 and any(mark in line for mark in rows for line in first)):
        return None
    return max(fitting, key=lambda mark: fitting[mark])


def _tail(path: Path, names: list[str], keys: dict[str, str]) -> pd.DataFrame:
    """Return rows from places all over a file, and its last ones, since the first may be of one day."""
    rows, size = list[list[str]](), path.stat().st_size
    with path.open("rb") as file:
        for place in np.linspace(0, size - PROBE, PROBES).astype(int):
            file.seek(int(place))
            text = file.read(PROBE).decode("cp1252" if "encoding" in keys else "utf-8", errors="replace")
            rows += _fields(text.splitlines()[1:-1], keys.get("separator", ","))[:1]
    whole = [row for row in rows if len(row) == len(names) and row != names]
    return pd.DataFrame(whole, columns=names, dtype=str)


def _fields(lines: list[str], mark: str) -> list[list[str]]:
    """Return the cells of lines; a separator at the end of a line but not of the first one adds none."""
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)]
    except csv.Error:
        return [[]]
    width = len(rows[0]) if rows else 0
    return [row[:-1] if len(row) == width + 1 and not row[-1] else row for row in rows]


def _has_commas(column: pd.Series) -> bool:
    """Return whether a column holds numbers, some of which have a decimal comma."""
    text = column[column != ""]
    commas = text.str.fullmatch(COMMA)
    numbers = commas | text.str.fullmatch(r"[+-]?\d+") | text.isin(NO_VALUE)
    return bool(commas.any() and numbers.all())


def _parquet(path: Path) -> tuple[pd.DataFrame, bool, str | None]:
    try:
        with pq.ParquetFile(path) as file:
            batch = next(file.iter_batches(ROWS), None)
            zones = {kind.tz for kind in file.schema_arrow.types if pa.types.is_timestamp(kind)}
            areas = sorted(zone for zone in zones if zone and "/" in zone and not zone.startswith("Etc/"))
            whole, zone = file.metadata.num_rows <= ROWS, areas[0] if len(areas) == 1 else None
            return _to_text(batch.to_pandas() if batch else pd.DataFrame()), whole, zone
    except (OSError, ValueError) as error:
        raise BadInput("unreadable file", str(error)) from None


def _to_text(frame: pd.DataFrame) -> pd.DataFrame:
    def text(cell: Any) -> str:
        if isinstance(cell, list | np.ndarray):
            return str(cell[0]) if len(cell) else ""
        return "" if pd.isna(cell) else str(cell)

    return pd.DataFrame({str(name): frame[name].map(text) for name in frame}, dtype=str).reset_index(drop=True)


def _may_be_time(text: str) -> bool:
    """Return whether a cell is no number, or one that is a time in some unit."""
    try:
        number = float(text)
    except ValueError:
        return text[:1].isdigit()
    return len(text) == 8 or any(FIRST <= number * factor <= LAST for factor in UNITS.values())


def time_units(texts: pd.Series) -> list[str]:
    """Return the units that all times of a column fit; two if the order of day and month is ambiguous."""
    if texts.empty or ROUNDED.match(texts.iloc[0]) or not _may_be_time(texts.iloc[0]):  # as most columns
        return []
    if len(texts) > FEW:
        return [unit for unit in time_units(texts.head(FEW)) if np.isfinite(to_unix(texts, unit, "UTC")).all()]
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().all() and not texts.str.fullmatch(r"\d{8}").all():
        return [unit for unit, factor in UNITS.items() if (numbers * factor).between(FIRST, LAST).all()]
    if texts.str.fullmatch(ISO).all():
        return ["iso"]
    forms = [date + clock for date in DATES for clock in CLOCKS]
    fitting = [form for form in forms if np.isfinite(to_unix(texts, form, "UTC")).all()]
    # A year of two digits also fits the format with four, and the other way round.
    short = [form for form in fitting if "%y" in form]
    return (
        short
        if short and texts.str.match(r"\d+[/.-]\d+[/.-]\d\d(?!\d)").all()
        else [f for f in fitting if f not in short]
    )
