"""Settings of the cohort, its modalities and the extraction of windows."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from lifelog.settings.base import Name, Section
from lifelog.settings.levels import Level
from lifelog.settings.tables import LabelTable, SampleTable, TimeZone

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


class Recordings(Section):
    """How the raw recordings are laid out."""

    layout: str = "simulated"
    """simulated: a simulated cohort; etri: ETRI lifelog folders; e4: Empatica E4 exports; embraceplus: Empatica
    EmbracePlus; tables: CSV, Parquet, JSON or xlsx tables; or the name of an installed layout"""

    labels: list[LabelTable] = Field([LabelTable(file="labels.csv")])
    """tables of labels (e4, embraceplus, tables); a file name stands for a table with user, start and end in unix s;
    []: recordings without labels, which a bundle scores in windows by the clock"""

    samples: list[SampleTable] = Field([SampleTable()], min_length=1)
    """tables of samples (tables); a modality names its table, otherwise it is the first"""

    timezone: TimeZone | None = None
    """time zone of the participants, such as Europe/Berlin: for local times in tables, local days, and displayed times;
    null: Asia/Seoul, for simulated and etri recordings only"""

    timezones: dict[str, TimeZone] = Field({})
    """time zones of participants in other zones, by user name; of travellers with the local date of each change, such
    as "Europe/Berlin, from 2024-03-02 Asia/Tokyo" """

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
            return type(self)(layout=self.layout, **({} if self.labels else {"labels": []}))
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

    seconds: Annotated[
        int, BeforeValidator(lambda value: 60 if value is None else value, json_schema_input_type=int | None)
    ] = Field(None, ge=1, le=86400, validate_default=True)
    """window length in seconds, 86400 for local days; null: the `before` of labels, or the day (lasts: day), unless a
    modality has a length; otherwise 60"""

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

    kind: Literal["sequence", "scalar", "mean", "events"] = "sequence"
    """scalar: mean of each column; mean: the same, but networks on windows see one mean over all columns (as
    published); events: number of rows, time since the last one, and share of time"""

    columns: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field([])
    """columns to read; these are the channels; events: the column with the category, or none"""

    categories: dict[Annotated[str, Field(min_length=1, max_length=200)], list[Level]] | None = None
    """events: values of the column by the name of their category, or a list of values; others are not used"""

    until: str | None = None
    """events: next, if an event lasts until the next one (of any category), or the column with its end"""

    duration: str | None = None
    """events: the column with the duration; `scale` converts it to seconds"""

    longest_gap: float | None = Field(86400, gt=0)
    """events: seconds without any event from which the recording counts as interrupted; null: it never is"""

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

    cost: float = Field(1.0, gt=0)
    """cost of the sensor beside the others, such as money, battery or burden: of sets of sensors that are as good, the
    cheapest is chosen (`snakemake sensors`)"""

    @field_validator("categories", mode="before", json_schema_input_type=dict[str, list[Level]] | list[Level])
    @classmethod
    def _to_names(cls, value: Any) -> Any:
        return {str(name): [name] for name in value} if isinstance(value, list) else value

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
    def channel_names(self) -> list[str]:
        """Names of the channels: the columns, or of events their features, by category."""
        if self.kind != "events":
            return self.columns
        features = ["count", "since", *(["share"] if self.until or self.duration else [])]
        return [f"{name}.{feature}" if name else feature for name in self.categories or [""] for feature in features]

    @property
    def channels(self) -> int:
        """Number of channels of a window."""
        return len(self.channel_names)

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
        if self.kind == "events":
            self._check_events()
            return self
        if not self.columns:
            raise ValueError(f"modality {self.name!r} needs columns")
        for key in ("categories", "until", "duration"):
            if getattr(self, key) is not None:
                raise ValueError(f"modality {self.name!r}: {key} is for kind: events")
        return self

    def _check_events(self) -> None:
        if len(self.columns) > 1 or bool(self.columns) != bool(self.categories):
            remedy = "name the column of the category and its categories, or neither to count all rows together"
            raise ValueError(f"modality {self.name!r} has kind events: {remedy}")
        if self.rate is not None or (self.until and self.duration):
            raise ValueError(f"modality {self.name!r} has kind events: it has no rate, and not both until and duration")
