"""Settings of tables of samples and of labels."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from lifelog.registry import did_you_mean
from lifelog.settings.base import Name, Section
from lifelog.settings.levels import Level
from lifelog.settings.zones import zones_of

NO_VALUE: list[int | float | str] = [
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "NULL",
    "null",
]  # as R and others write an empty cell
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}  # seconds


@functools.cache  # it reads a folder of some hundred files
def _time_zones() -> set[str]:
    from zoneinfo import available_timezones

    return available_timezones()


def time_zone(value: str) -> str:
    """Return time zones, of which all but the first begin at a date; raise ValueError if they cannot be used."""
    for zone, _ in zones_of(value):
        if zone not in _time_zones():
            raise ValueError("; ".join(filter(None, ["not an IANA time zone", did_you_mean(zone, _time_zones())])))
    return value


TimeZone = Annotated[str, AfterValidator(time_zone)]


class Table(Section):
    """How a file of samples or labels with a column of times is read."""

    file: str = "{user}/{source}.csv"
    """path of CSV, Parquet, JSON or xlsx files below the root; {user}: the participant; {source}: the source of the
    modality; * and **: any folders"""

    user: str | None = None
    """column that names the participant; null if each participant has own files"""

    time: str = "timestamp"
    """column with the time"""

    clock: str | None = None
    """column with the time of day, where `time` holds the date only; `unit` is that of both, with a blank between"""

    unit: str = "s"
    """s, ms, us, ns: unix time; iso: ISO 8601 dates and times; or a format such as "%d.%m.%Y %H:%M" """

    zone: str | None = None
    """time zone of dates and times without an offset; null: that of the participant"""

    separator: str = Field(",", min_length=1, max_length=1)
    """separator of CSV columns"""

    decimal: Literal[".", ","] = "."
    """decimal sign of numbers in text"""

    encoding: Literal["utf-8", "windows-1252"] = "utf-8"
    """encoding of CSV text"""

    skip: int = Field(0, ge=0, le=100)
    """lines above the names of the columns of CSV files"""

    sheet: str | None = None
    """sheet of a workbook (xlsx); null: the first one"""

    @field_validator("file")
    @classmethod
    def _is_below_the_root(cls, value: str) -> str:
        if value.startswith(("/", "~")) or ".." in value.split("/"):
            raise ValueError("a path below cohort.root is expected, without '..'")
        return value.removeprefix("./")

    @field_validator("unit")
    @classmethod
    def _is_unit(cls, value: str) -> str:
        if value not in (*UNITS, "iso") and "%" not in value:
            raise ValueError('allowed: s, ms, us, ns, iso, or a format such as "%d.%m.%Y %H:%M"')
        return value

    @field_validator("zone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        return value and time_zone(value)


class SampleTable(Table):
    """How a table of samples is read."""

    name: Name = "samples"
    """name by which modalities refer to the table"""

    carry: Literal["day"] | None = None
    """day: a row belongs to every window of the local day of its time, such as the sleep of the night before"""

    lag: int = Field(0, ge=-31, le=31)
    """carry: days by which rows are moved; 1: a row belongs to the day after"""

    @model_validator(mode="after")
    def _is_daily(self) -> SampleTable:
        if self.lag and self.carry is None:
            raise ValueError(f"samples: {self.file!r}: lag moves daily values; set carry: day")
        return self


class LabelTable(Table):
    """How a table of labels is read; `time` is the start of the time that a label describes."""

    file: str
    """path of a file below the root, such as labels.csv, {user}/diary.xlsx or {user}/{condition}/hr.csv"""

    user: str | None = "user"
    """column that names the participant; null if {user} is part of the path"""

    time: str = "start"
    """column with the start of the labelled time, or with the time of the answer (before)"""

    end: str | None = "end"
    """column with the end of the labelled time (exclusive); null if `lasts` or `before` is set"""

    lasts: Annotated[int, Field(gt=0)] | Literal["day", "next", "file"] | None = None
    """length of the labelled time in seconds; day: the local day of `time`; next: until the next row of the file and
    participant, such as the phases of a protocol; the last row only ends the one before it; file: from the first to the
    last time of the file, for labels in the path, such as {user}/{condition}/hr.csv"""

    lag: int = Field(0, ge=-31, le=31)
    """lasts: day: days by which the labelled day is moved; -1: an answer describes the day before"""

    before: int | None = Field(None, gt=0)
    """for prompts: an answer describes this many seconds before `time`"""

    columns: list[str] | None = None
    """columns with labels; null: all other columns, or those of `file` in braces with lasts: file"""

    missing: list[Level] = Field(NO_VALUE)
    """values that stand for no answer, beside an empty cell, such as [999, NA]; a list replaces the default"""

    header: list[str] | None = None
    """names of the columns of CSV files without a header row"""

    count: str | None = None
    """label column to add: the number of the row in its file, from 1; for files with times only, such as tags.csv"""

    since: Table | None = None
    """for times relative to a start: a table with the start of each participant"""

    @model_validator(mode="before")
    @classmethod
    def _set_end(cls, value: Any) -> Any:
        if isinstance(value, dict) and (value.get("lasts") or value.get("before")):
            return {"end": None} | value
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> LabelTable:
        if sum(value is not None for value in (self.end, self.lasts, self.before)) != 1:
            raise ValueError(f"labels: {self.file!r} needs one of end, lasts and before")
        if self.lag and self.lasts != "day":
            raise ValueError(f"labels: {self.file!r}: lag moves labelled days; set lasts: day")
        if self.lasts == "file" and self.user is not None:
            raise ValueError(f"labels: {self.file!r}: a file of lasts: file has one participant: {{user}} in its path")
        if self.since and (self.unit not in UNITS or self.since.user is None):
            needed = f"unit is one of {tuple(UNITS)}, and since names its user column"
            raise ValueError(f"labels: {self.file!r}: with since, {needed}")
        if (self.user is None) != ("{user}" in self.file):
            remedy = "set either `user` to a column, or {user} in the path and user: null"
            raise ValueError(f"labels: {self.file!r}: {remedy}")
        return self
