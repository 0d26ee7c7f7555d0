"""Settings of the cohort, its modalities and the extraction of windows."""

from __future__ import annotations

import difflib
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from lifelog.settings.base import Name, Section


class Recordings(Section):
    """How the raw recordings are laid out."""

    layout: Literal["simulated", "etri", "empatica"] = "simulated"
    """simulated: a simulated cohort; etri: ETRI lifelog folders; empatica: native Empatica E4 exports"""

    labels: str = "labels.csv"
    """empatica only: table of labelled intervals, relative to root"""


class Cohort(Recordings):
    """Which recordings are read."""

    root: str = "resources/simulated"
    """folder of the raw recordings"""

    users: Literal["all"] | list[str] = "all"
    """all, or a list of user names"""

    timezone: str = "Asia/Seoul"
    """time zone of the participants; used for displayed times only"""

    @field_validator("users", mode="before")
    @classmethod
    def _to_text(cls, value: Any) -> Any:
        # YAML reads `101` as a number; it is the name of a user.
        return [str(user) for user in value] if isinstance(value, list) else value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        from zoneinfo import available_timezones

        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), 1)
            raise ValueError("not an IANA time zone" + (f"; did you mean {near[0]!r}?" if near else ""))
        return value


class Simulation(Section):
    """The simulated cohort."""

    users: int = Field(12, ge=2, le=999)
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

    seconds: int = Field(60, ge=1, le=3600)
    """window length in seconds; 60 for etri recordings"""

    keep: Literal["any", "complete"] = "any"
    """any: keep windows with at least one usable modality; complete: with all (as published)"""

    coverage: float = Field(0.95, gt=0, le=1)
    """minimum share of expected samples; below it a modality is missing in the window"""

    purity: float = Field(0.5, gt=0, le=1)
    """labelled intervals only: minimum share of a window that its label covers"""


class Windows(Extraction):
    """How windows are extracted and standardised."""

    standardise: Literal["user", "none"] = "user"
    """user: by mean and std of each user's training windows; none: raw values (as published)"""


class Modality(Section):
    """One sensor: what is read and what a window of it holds."""

    name: Name
    """name in tables, figures and the report"""

    source: str | None = None
    """folder or file to read; defaults to the name"""

    kind: Literal["sequence", "scalar", "mean"] = "sequence"
    """scalar: mean of each column; mean: one mean over all columns (as published)"""

    columns: list[Name] = Field(min_length=1)
    """columns to read; these are the channels, except for mean"""

    rate: float | None = Field(None, gt=0)
    """sampling rate in Hz; null for irregular samples"""

    length: int = Field(1, ge=1)
    """samples per window; surplus samples are cut; 1 for scalar and mean"""

    exact: bool = False
    """true: any other number of samples counts as missing (published, wristband only)"""

    scale: float = 1.0
    """factor that converts raw values to the unit"""

    unit: str = Field("", max_length=32)
    """unit after scaling"""

    @property
    def channel_names(self) -> list[str]:
        """Names of the channels of a window."""
        return ["mean"] if self.kind == "mean" else self.columns

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
        return self


def etri_modalities() -> list[Modality]:
    """Return the nine modalities of the ETRI lifelog data."""
    xyz = ["x", "y", "z"]
    phone: dict[str, Any] = {"columns": xyz, "rate": 30, "length": 1786}
    return [
        Modality(name="e4Acc", columns=xyz, rate=32, length=1920, unit="g"),
        Modality(name="e4Bvp", columns=["value"], rate=64, length=3840, unit="nW"),
        Modality(name="e4Eda", columns=["eda"], rate=4, length=240, unit="µS"),
        Modality(name="e4Hr", kind="scalar", columns=["hr"], unit="1/min"),
        Modality(name="e4Temp", columns=["temp"], rate=4, length=240, unit="°C"),
        Modality(name="mAcc", unit="m/s²", **phone),
        Modality(name="mGps", kind="scalar", columns=["lat", "lon", "accuracy"], unit="°, °, m"),
        Modality(name="mGyr", unit="rad/s", **phone),
        Modality(name="mMag", unit="µT", **phone),
    ]
