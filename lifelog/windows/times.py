"""Times of raw tables as unix seconds: numbers with a unit, ISO 8601, or a given format; local times in a time zone."""

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifelog.settings.tables import UNITS, Table
from lifelog.settings.zones import zones_of

NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
EARLIEST, LATEST = 1e8, 1e10  # unix seconds of 1973 and 2286; the same digits in another unit are outside
FIRST_DAY, LAST_DAY = 36526, 73051  # of a spreadsheet: 2000 and 2100, in days since 1899-12-30
OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2}|[+-]\d{2})$"


def times_of(rows: Mapping[str, pd.Series] | pd.DataFrame, table: Table) -> pd.Series:
    """Return the column of times of a table, or dates and times of day as one text."""
    if table.clock is None:
        return rows[table.time]
    dates, clocks = _texts(rows[table.time], "%Y-%m-%d"), _texts(rows[table.clock], "%H:%M:%S")
    both = (dates != "") & (clocks != "")  # a date without a time of day is not midnight
    return (dates + " " + clocks).where(both, "").rename(table.time)


def _texts(column: pd.Series, form: str) -> pd.Series:
    """Return dates or times of day as text; those of Parquet files and workbooks have types."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime(form).fillna("").reset_index(drop=True)
    if column.dtype == object and not all(isinstance(cell, str) for cell in column):
        column = column.map(lambda cell: _text(cell, form))
    return column.fillna("").astype(str).str.strip().reset_index(drop=True)


def _text(cell: Any, form: str) -> str:
    if cell is None or pd.isna(cell):
        return ""
    if isinstance(cell, datetime.timedelta):
        cell = datetime.datetime.min + cell
    return f"{cell:{form}}" if isinstance(cell, datetime.date) else str(cell).strip()


def to_unix(column: pd.Series, unit: str, zone: str) -> NDArray[np.float64]:
    """Convert a column of times.

    Parameters
    ----------
    column : pandas.Series
        Numbers, text or datetimes.
    unit : str
        `s`, `ms`, `us` or `ns` for numbers since 1970, `iso` for ISO 8601 or datetimes, or a strptime format.
    zone : str
        Time zone of dates and times without an offset, or those of a traveller.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        Unix seconds; NaN where a time is unreadable, or occurs twice or never because the clocks change.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _seconds(column.dt.tz_convert("UTC").dt.tz_localize(None))
    if pd.api.types.is_datetime64_dtype(column):  # in every unit: a date and time is not a number
        return _seconds(_localised(column, zone))
    if unit in UNITS:
        if column.dtype == object:  # pandas refuses whole numbers that are larger
            column = column.map(lambda time: None if isinstance(time, int) and abs(time) >= 2**63 else time)
        return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=float) * UNITS[unit]
    text = column.astype(str).str.strip()
    with_offset = np.full(len(text), "%z" in unit)
    if unit == "iso":
        with_offset = (text.str.contains(r"\d[T ]\d") & text.str.contains(OFFSET)).to_numpy(dtype=bool)
    seconds = np.full(len(text), np.nan)
    for rows, utc in ((with_offset, True), (~with_offset, False)):
        if rows.any():
            form = "ISO8601" if unit == "iso" else unit
            times = pd.to_datetime(text[rows], format=form, errors="coerce", utc=utc)
            seconds[rows] = _seconds(times.dt.tz_localize(None) if utc else _localised(times, zone))
    return seconds


def _localised(times: pd.Series, zone: str) -> pd.Series:
    """Return local times as UTC, without a zone; ambiguous and nonexistent ones become NaT, but for starts of days."""
    (first, _), *changes = zones_of(zone)
    utc = _in_zone(times, first)
    for name, date in changes:
        utc = utc.mask(times >= pd.Timestamp(date), _in_zone(times, name))
    return utc


def _in_zone(times: pd.Series, zone: str) -> pd.Series:
    local = times.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    dates = local.isna() & (times == times.dt.normalize())
    if dates.any():
        first = np.ones(int(dates.sum()), dtype=bool)
        local[dates] = times[dates].dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return local.dt.tz_convert("UTC").dt.tz_localize(None)


def _seconds(times: pd.Series) -> NDArray[np.float64]:
    nanoseconds = times.astype("datetime64[ns]").to_numpy()
    seconds = nanoseconds.astype("int64") / 1e9
    return np.where(np.isnat(nanoseconds), np.nan, seconds)


def wrong_unit(seconds: float, unit: str) -> str | None:
    """Return a remedy if a time is outside the years 1973 to 2286, where another unit would be inside; else None."""
    if EARLIEST <= abs(seconds) < LATEST or unit not in UNITS:
        return None
    if FIRST_DAY <= seconds / UNITS[unit] < LAST_DAY:
        return "looks like the day number of a spreadsheet; format the cells as dates and times before you save them"
    for other, factor in UNITS.items():
        if EARLIEST <= seconds / UNITS[unit] * factor < LATEST:
            return f"looks like {NAMES[other]}; set unit: {other}"
    return "is not a time of the years 1973 to 2286"


def guess_unit(column: pd.Series) -> str | None:
    """Return the unit of a column of numeric unix times by their size, or None if they are not numbers of one unit."""
    values = pd.to_numeric(column, errors="coerce")
    for unit, factor in UNITS.items():
        if values.notna().all() and values.mul(factor).between(EARLIEST, LATEST).all():
            return unit
    return None


def other_offset(column: pd.Series, seconds: NDArray[np.float64], zone: str) -> str | None:
    """Return an offset such as +02:00 that most times of a column have and their time zone has not; None otherwise."""
    found = column.astype(str).str.extract(r"\d\d:\d\d.*?\s*(([+-])(\d\d):?(\d\d))$")
    known = found[0].notna().to_numpy() & np.isfinite(seconds)
    if not known.any():
        return None
    minutes = (found[1] + "1").where(known, "0").astype(int) * (found[2].astype(float) * 60 + found[3].astype(float))
    utc = pd.Series(pd.to_datetime(seconds[known], unit="s", utc=True))
    of_zone = (local_times(utc, zone) - utc.dt.tz_localize(None)).dt.total_seconds().to_numpy() / 60
    # Files often keep times in UTC, wherever they are from.
    differ = (of_zone != minutes[known].to_numpy()) & (minutes[known].to_numpy() != 0)
    return str(found[0][known][differ].mode()[0]) if differ.mean() > 0.5 else None


def zone_at(seconds: float, zone: str) -> str:
    """Return the one of a participant's time zones that holds at a time."""
    zones = zones_of(zone)
    begun = [name for name, date in zones[1:] if seconds >= pd.Timestamp(date).tz_localize(name).timestamp()]
    return begun[-1] if begun else zones[0][0]


def local_times(times: pd.Series, zone: str) -> pd.Series:
    """Return times (UTC) as local times of a participant, without a zone."""
    zones = times.map(lambda time: zone_at(time.timestamp(), zone)) if "," in zone else zone
    if isinstance(zones, str):
        return times.dt.tz_convert(zones).dt.tz_localize(None)
    local = [time.tz_convert(name).tz_localize(None) for time, name in zip(times, zones, strict=True)]
    return pd.Series(local, index=times.index, dtype="datetime64[ns]")


def midnight(seconds: float, zone: str, days: int = 0) -> int:
    """Return the start of the local day of a time, or of a day after it, in unix seconds."""
    here = zone_at(seconds, zone)
    day: Any = pd.Timestamp(seconds, unit="s", tz=here).date() + pd.Timedelta(days=days)
    return day_start(day, zone) if days else _start(day, here)


def day_start(day: Any, zone: str) -> int:
    """Return the start of a local day in unix seconds; also after a journey, a day ends where the next one begins."""
    return _start(day, [name for name, date in zones_of(zone) if day >= date][-1])


def _start(day: Any, zone: str) -> int:
    # A day whose first hour does not exist starts later.
    return int(pd.Timestamp(day).tz_localize(zone, ambiguous=True, nonexistent="shift_forward").timestamp())


def local_days(column: pd.Series, unit: str, zone: str, seconds: NDArray[np.float64], lag: int = 0) -> Any:
    """Return start and end of the local day of each time of a column.

    Parameters
    ----------
    column : pandas.Series
        Times as in the file. The day of a local time is the one that was written, also on the day of a journey.
    unit, zone
        As of `to_unix`.
    seconds : ndarray of float, shape (n_rows,)
        The times in unix seconds.
    lag : int, default 0
        Days by which they are moved.

    Returns
    -------
    ndarray of float, shape (2, n_rows)
        Unix seconds; NaN where the time is NaN.
    """
    days, written = np.full((2, len(seconds)), np.nan), seconds
    if len(zones_of(zone)) > 1 and unit not in UNITS:
        written = to_unix(column, unit, "UTC")
    for i in np.flatnonzero(np.isfinite(seconds)):
        if written[i] != seconds[i]:  # a local time
            date = pd.Timestamp(written[i], unit="s").date()
            days[:, i] = [day_start(date + pd.Timedelta(days=lag + day), zone) for day in (0, 1)]
        else:
            days[:, i] = [midnight(seconds[i], zone, lag + day) for day in (0, 1)]
    return days


def show(seconds: float, zone: str = "UTC") -> str:
    """Return a time for messages, such as 2022-02-07 09:53."""
    return f"{pd.Timestamp(seconds, unit='s', tz=zone_at(seconds, zone)):%Y-%m-%d %H:%M}"
