"""Settings of the cohort, its modalities and the extraction of windows."""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from lifelog.registry import did_you_mean
from lifelog.settings.base import Name, Section

UNITS = ("s", "ms", "us", "ns")

Signal = Literal["pulse", "skin_conductance", "acceleration", "heart_rate", "temperature"]
# Units that only one signal has; the Greek letter and the micro sign look alike.
SIGNAL_OF_UNIT: dict[str, Signal] = {
    **dict.fromkeys(("µS", "μS", "uS", "microsiemens"), "skin_conductance"),
    **dict.fromkeys(("g", "m/s²", "m/s2", "m/s^2", "m/s**2"), "acceleration"),
    **dict.fromkeys(("1/min", "bpm", "beats/min"), "heart_rate"),
    **dict.fromkeys(("°C", "degC"), "temperature"),
    "nW": "pulse",
}
# Mean of a window below which a sensor does not touch the skin. Kleckner et al. (IEEE Transactions on Biomedical
# Engineering 65, 2018) require 0.05 µS and 30 °C, but worn devices also record 0.03 µS on dry skin, and 27 °C.
CONTACT: dict[str, float] = {"skin_conductance": 0.01, "temperature": 25.0}
# Limits of plausible values: a heart rate of 0 is a missing pulse, and 5 °C or 90 °C is not that of skin.
PLAUSIBLE: dict[str, tuple[float, float]] = {"heart_rate": (20.0, 250.0), "temperature": (0.0, 50.0)}
FEWEST_SAMPLES = 40  # minimum per window for domain features
SLOWEST_PULSE = 10.0  # Hz


@functools.cache  # it reads a folder of some hundred files
def _time_zones() -> set[str]:
    from zoneinfo import available_timezones

    return available_timezones()


def time_zone(value: str) -> str:
    """Return an IANA time zone; raise ValueError if it is unknown."""
    if value not in _time_zones():
        raise ValueError("; ".join(filter(None, ["not an IANA time zone", did_you_mean(value, _time_zones())])))
    return value


TimeZone = Annotated[str, AfterValidator(time_zone)]


class Table(Section):
    """How a file of samples or labels with a column of times is read."""

    file: str = "{user}/{source}.csv"
    """path of CSV or Parquet files below the root; {user}: the participant; {source}: the source of the modality"""

    user: str | None = None
    """column that names the participant; null if each participant has own files"""

    time: str = "timestamp"
    """column with the time"""

    unit: str = "s"
    """s, ms, us, ns: unix time; iso: ISO 8601 dates and times; or a format such as "%d.%m.%Y %H:%M" """

    zone: str | None = None
    """time zone of dates and times without an offset; null: that of the participant"""

    separator: str = Field(",", min_length=1, max_length=1)
    """separator of CSV columns"""

    decimal: Literal[".", ","] = "."
    """decimal sign of CSV numbers"""

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
    """path of a CSV or Parquet file below the root, such as labels.csv or {user}/diary.csv"""

    user: str | None = "user"
    """column that names the participant; null if {user} is part of the path"""

    time: str = "start"
    """column with the start of the labelled time, or with the time of the answer (before)"""

    end: str | None = "end"
    """column with the end of the labelled time (exclusive); null if `lasts` or `before` is set"""

    lasts: Annotated[int, Field(gt=0)] | Literal["day", "next"] | None = None
    """length of the labelled time in seconds; day: the local day of `time`; next: until the next row of the file and
    participant, such as the phases of a protocol; the last row only ends the one before it"""

    lag: int = Field(0, ge=-31, le=31)
    """lasts: day: days by which the labelled day is moved; -1: an answer describes the day before"""

    before: int | None = Field(None, gt=0)
    """for prompts: an answer describes this many seconds before `time`"""

    columns: list[str] | None = None
    """columns with labels; null: all other columns"""

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
        if self.since and (self.unit not in UNITS or self.since.user is None):
            needed = f"unit is one of {UNITS}, and since names its user column"
            raise ValueError(f"labels: {self.file!r}: with since, {needed}")
        if (self.user is None) != ("{user}" in self.file):
            remedy = "set either `user` to a column, or {user} in the path and user: null"
            raise ValueError(f"labels: {self.file!r}: {remedy}")
        return self


class Recordings(Section):
    """How the raw recordings are laid out."""

    layout: str = "simulated"
    """simulated: a simulated cohort; etri: ETRI lifelog folders; e4: Empatica E4 exports; embraceplus: Empatica
    EmbracePlus; tables: CSV or Parquet tables; or the name of an installed layout"""

    labels: list[LabelTable] = Field([LabelTable(file="labels.csv")], min_length=1)
    """tables of labels (e4, embraceplus, tables); a file name stands for a table with user, start and end in unix s"""

    samples: list[SampleTable] = Field([SampleTable()], min_length=1)
    """tables of samples (tables); a modality names its table, otherwise it is the first"""

    timezone: TimeZone | None = None
    """time zone of the participants, such as Europe/Berlin: for local times in tables, local days, and displayed times;
    null: Asia/Seoul, for simulated and etri recordings only"""

    timezones: dict[str, TimeZone] = Field({})
    """time zones of participants in other zones, by user name"""

    @field_validator("layout", mode="before")
    @classmethod
    def _is_layout(cls, value: Any) -> Any:
        return "e4" if value == "empatica" else value  # the former name, before the EmbracePlus

    @field_validator("labels", mode="before", json_schema_input_type=str | list[str | LabelTable])
    @classmethod
    def _to_tables(cls, value: Any) -> Any:
        tables = value if isinstance(value, list) else [value]
        return [{"file": table} if isinstance(table, str) else table for table in tables]

    @field_validator("samples", mode="before", json_schema_input_type=SampleTable | list[SampleTable])
    @classmethod
    def _to_list(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @field_validator("samples")
    @classmethod
    def _are_named(cls, value: list[SampleTable]) -> list[SampleTable]:
        names = [table.name for table in value]
        if len(set(names)) < len(names):
            raise ValueError(f"tables of samples need different names (name), not {names}")
        return value

    def table_of(self, modality: Modality) -> SampleTable:
        """Return the table of samples of a modality."""
        return next((table for table in self.samples if table.name == modality.samples), self.samples[0])

    @property
    def is_simulated(self) -> bool:
        """Whether the recordings are those of a simulated cohort."""
        return self.layout == "simulated"

    def zone(self, user: str) -> str:
        """Return the time zone of a participant."""
        return self.timezones.get(user, self.timezone or "Asia/Seoul")

    def of(self, user: str) -> Self:
        """Return the settings that the recordings of one participant depend on."""
        if self.layout in ("simulated", "etri"):  # labels are in the folders, times are in UTC
            return type(self)(layout=self.layout)
        return self.model_copy(update={"timezone": self.zone(user), "timezones": {}})


class Cohort(Recordings):
    """Which recordings are read."""

    root: str = "resources/simulated"
    """folder of the raw recordings"""

    users: Literal["all"] | list[str] = "all"
    """all, or a list of user names; write names that look like numbers in quotes"""

    @field_validator("users", mode="before", json_schema_input_type=Literal["all"] | list[str | int])
    @classmethod
    def _to_text(cls, value: Any) -> Any:
        # YAML reads `101` as a number; it is the name of a user. It also reads `007` as 7.
        return [str(user) for user in value] if isinstance(value, list) else value


class Simulation(Section):
    """The simulated cohort."""

    users: int = Field(12, ge=2, le=9999)
    """number of participants; the last one has short recordings"""

    groups: int = Field(3, ge=1, le=3)
    """number of planted groups, which differ in the modalities that carry the label"""

    sessions: int = Field(6, ge=1, le=50)
    """recordings per participant, on different days"""

    minutes: int = Field(10, ge=2, le=1000)
    """labelled minutes per recording"""

    effect: float = Field(1.0, ge=0, le=5)
    """effect of tension on the planted modalities; 0 for a cohort without any effect"""

    missing: float = Field(0.02, ge=0, lt=0.5)
    """share of files, minutes and labels that are missing"""

    seed: int = Field(0, ge=0)
    """seed of the cohort"""


class Extraction(Section):
    """How recordings become windows."""

    seconds: int = Field(60, ge=1, le=86400)
    """window length in seconds; 60 for etri recordings; 86400: local days"""

    anchor: Literal["label", "clock"] = "label"
    """label: windows start with each label; clock: at multiples of their length (for labels shorter than a window)"""

    keep: Literal["any", "complete"] = "any"
    """any: keep windows with at least one usable modality; complete: with all (as published)"""

    coverage: float = Field(0.95, gt=0, le=1)
    """minimum share of a window's time that has samples; below it a modality is missing in the window"""

    purity: float = Field(0.5, gt=0, le=1)
    """anchor clock: minimum share of a window that its label covers"""


class Windows(Extraction):
    """How windows are extracted and standardised."""

    standardise: Literal["user", "none"] = "user"
    """user: by mean and std of each user's training windows; none: raw values (as published)"""


class Modality(Section):
    """One sensor: what is read and what a window of it holds."""

    renamed_values: ClassVar[dict[str, dict[str, str]]] = {"features": {"field": "domain"}}

    name: Name
    """name in tables, figures and the report"""

    source: str | None = None
    """folder or file to read; defaults to the name"""

    samples: Name | None = None
    """tables: name of the table of samples (cohort.samples); null: the first one"""

    kind: Literal["sequence", "scalar", "mean"] = "sequence"
    """scalar: mean of each column; mean: the same, but networks on windows see one mean over all columns (as
    published)"""

    columns: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1)
    """columns to read; these are the channels"""

    rate: float | None = Field(None, gt=0)
    """sampling rate in Hz; null for irregular samples"""

    length: int = Field(1, ge=1)
    """samples per window; 1 for scalar and mean"""

    exact: bool = False
    """true: any other number of samples counts as missing (published, wristband only)"""

    flat: Literal["missing", "keep"] = "missing"
    """missing: a regular modality counts as missing in windows in which a channel is constant; keep: it is used"""

    scale: float = 1.0
    """factor that converts raw values to the unit"""

    unit: str = Field("", max_length=32)
    """unit after scaling; µS, g, m/s², nW, 1/min and °C determine the signal"""

    signal: Signal | Literal["auto", "other"] = "auto"
    """what is measured; auto: by the unit"""

    features: Literal["domain", "generic", "both"] = "domain"
    """domain: features of the signal, such as heart-rate variability; generic: statistics of each channel, as for other
    signals; both"""

    contact: float | Literal["auto"] | None = "auto"
    """mean of a window, in the unit, below which the sensor has no skin contact and the modality is missing; auto:
    0.01 µS of skin conductance, 25 °C of temperature; null: windows are not tested"""

    plausible: tuple[float, float] | Literal["auto"] | None = "auto"
    """lowest and highest plausible value, in the unit; others are missing and counted; auto: 20 to 250 1/min of heart
    rate, 0 to 50 °C of temperature; null: all values are used"""

    @property
    def known_signal(self) -> Signal | None:
        """The signal whose features are computed, None if there is no such signal or windows have too few samples."""
        if self.kind != "sequence" or self.length < FEWEST_SAMPLES:
            return None
        return self._signal

    @property
    def _signal(self) -> Signal | None:
        signal = SIGNAL_OF_UNIT.get(self.unit) if self.signal == "auto" else self.signal
        if signal == "other" or (signal == "pulse" and (self.rate or 0) < SLOWEST_PULSE):
            return None
        return None if signal == "acceleration" and len(self.columns) < 2 else signal

    @property
    def least_contact(self) -> float | None:
        """The mean of a window below which there is no skin contact, None if windows are not tested."""
        return CONTACT.get(self._signal or "") if self.contact == "auto" else self.contact

    @property
    def limits(self) -> tuple[float, float] | None:
        """The lowest and highest plausible value, None if all values are used."""
        return PLAUSIBLE.get(self._signal or "") if self.plausible == "auto" else self.plausible

    @property
    def channels(self) -> int:
        """Number of channels of a window."""
        return len(self.columns)

    @property
    def size(self) -> int:
        """Number of values of a window, samples x channels."""
        return self.length * self.channels

    @model_validator(mode="after")
    def _is_consistent(self) -> Modality:
        if self.kind != "sequence" and (self.length != 1 or self.exact):
            raise ValueError(f"modality {self.name!r} has kind {self.kind}: its length is 1, and it cannot be exact")
        if self.kind == "sequence" and self.rate is None:
            raise ValueError(f"modality {self.name!r} has kind sequence and needs a rate in Hz")
        return self
