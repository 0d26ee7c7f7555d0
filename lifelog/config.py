"""What may be configured: the one source of keys, defaults, bounds and their explanations.

`config.yaml` is generated from these models (`python -m lifelog.config_yaml > config.yaml`).
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lifelog.config_errors import explain

NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"
Name = Annotated[str, Field(pattern=NAME)]
Level = int | str


class ConfigError(ValueError):
    """A configuration that cannot be run; the message names key, value and what is allowed."""


class Section(BaseModel):
    """A group of keys. Unknown keys are refused, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cohort(Section):
    layout: Literal["simulated", "etri", "empatica"] = Field(
        "simulated", description="simulated: a made-up cohort; etri: ETRI lifelog folders; empatica: native E4 exports"
    )
    root: str = Field("resources/simulated", description="folder of the raw recordings")
    users: Literal["all"] | list[str] = Field("all", description="all, or a list of user names for a smaller run")
    timezone: str = Field("Asia/Seoul", description="where the people lived; for times shown to people only")
    labels: str = Field("labels.csv", description="empatica only: table of labelled intervals, relative to root")

    @field_validator("users", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        # YAML reads `101` as a number, people mean the user of that name.
        return [str(user) for user in value] if isinstance(value, list) else value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        from zoneinfo import available_timezones

        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), 1)
            raise ValueError("not an IANA time zone" + (f"; did you mean {near[0]!r}?" if near else ""))
        return value


class Simulation(Section):
    users: int = Field(12, ge=2, le=999, description="people; the last one has short recordings")
    groups: int = Field(3, ge=1, le=3, description="kinds of people, by which modalities answer to their tension")
    sessions: int = Field(6, ge=1, le=50, description="recordings a person, on several days")
    minutes: int = Field(10, ge=2, le=1000, description="labelled minutes a recording")
    effect: float = Field(
        1.0, ge=0, le=5, description="strength of the answer to tension; 0 for a cohort in which nothing can be found"
    )
    missing: float = Field(0.02, ge=0, lt=0.5, description="share of files, minutes and labels that are missing")
    seed: int = Field(0, ge=0, description="another seed, another cohort")


class Windows(Section):
    seconds: int = Field(60, ge=1, le=3600, description="length of a window; etri recordings come in 60")
    keep: Literal["any", "complete"] = Field(
        "any", description="any: a window needs one usable modality; complete: all of them (as published)"
    )
    coverage: float = Field(
        0.95, gt=0, le=1, description="share of the expected samples below which a modality counts as missing"
    )
    purity: float = Field(
        0.5, gt=0, le=1, description="labelled intervals only: share of a window that its label must fill"
    )
    standardise: Literal["user", "none"] = Field(
        "user", description="user: by mean and spread of the user's training windows; none: as published"
    )


class Modality(Section):
    name: Name = Field(description="how it is called everywhere")
    source: str | None = Field(None, description="folder or file it is read from; its name unless given")
    kind: Literal["sequence", "scalar", "mean"] = Field(
        "sequence", description="scalar: the mean of each column; mean: one mean of all columns (as published)"
    )
    columns: list[Name] = Field(min_length=1, description="what is read; the channels, but for a mean")
    rate: float | None = Field(None, gt=0, description="Hz; none for irregular samples")
    length: int = Field(1, ge=1, description="samples a window; more are cut, 1 for a scalar or mean")
    exact: bool = Field(
        False, description="true: with another number of samples it counts as missing (published, wristband)"
    )
    scale: float = Field(1.0, description="raw values are multiplied by this")
    unit: str = Field("", max_length=32, description="unit after scaling")

    @property
    def channel_names(self) -> list[str]:
        return ["mean"] if self.kind == "mean" else self.columns

    @property
    def channels(self) -> int:
        return len(self.channel_names)

    @model_validator(mode="after")
    def _consistent(self) -> Modality:
        if self.kind != "sequence" and (self.length != 1 or self.exact):
            raise ValueError(f"modality {self.name!r} is a {self.kind}: its length is 1, and it cannot be exact")
        if self.kind == "sequence" and self.rate is None:
            raise ValueError(f"modality {self.name!r} is a sequence and needs a rate in Hz")
        return self


class Target(Section):
    name: Name = Field(description="wildcard {target} of the results")
    column: Name = Field(description="label column of the recordings")
    bins: dict[Name, list[Level]] = Field(
        min_length=2, description="class name: the label values in it; other values are left out and counted"
    )

    @model_validator(mode="after")
    def _disjoint(self) -> Target:
        seen: dict[str, str] = {}
        for name, levels in self.bins.items():
            for level in levels:
                if str(level) in seen:
                    raise ValueError(f"value {level!r} is in two bins, {seen[str(level)]!r} and {name!r}")
                seen[str(level)] = name
        return self

    @property
    def classes(self) -> list[str]:
        return list(self.bins)


class RandomSplit(Section):
    method: Literal["random"] = Field("random", description="single minutes, as published: neighbours leak")
    name: Name = Field(description="wildcard {split} of the results")
    test: float = Field(0.2, gt=0, lt=1, description="share of the windows kept for the test")
    validation: float = Field(0.125, gt=0, lt=1, description="share of the rest for choosing the epoch")
    seed: int = Field(32, ge=0, description="another seed, another draw")


class BlockedSplit(RandomSplit):
    method: Literal["blocked"] = Field("blocked", description="whole sessions, or blocks of minutes, or whole tasks")
    min_sessions: int = Field(3, ge=3, description="with fewer sessions a user is cut into blocks of minutes")
    block_minutes: int = Field(8, ge=1, description="length of such a block")
    embargo_minutes: int = Field(1, ge=0, description="minutes left out between parts")
    tasks: Name | None = Field(
        None, description="label column of a protocol's tasks; the runs of a task are kept whole"
    )
    between: Level | None = Field(None, description="tasks: value between two tasks; such a run is cut in its middle")
    hold_out: list[Level] = Field([], description="tasks: those tested, of everyone; none: drawn for each user")

    @model_validator(mode="after")
    def _consistent(self) -> BlockedSplit:
        if self.tasks is None and (self.between is not None or self.hold_out):
            raise ValueError(f"split {self.name!r}: between and hold_out are about tasks; name their label column")
        if self.between in self.hold_out:
            raise ValueError(f"split {self.name!r}: {self.between!r} lies between tasks and cannot be held out")
        return self


class UsersSplit(Section):
    method: Literal["users"] = Field("users", description="predictors never saw the person they are tested on")
    name: Name = Field(description="wildcard {split} of the results")
    within: Name = Field(description="the split whose parts, personal models and groups are used")
    folds: int = Field(3, ge=2, description="people are left out in so many turns, or one by one if a group is smaller")
    seed: int = Field(0, ge=0, description="another seed, other turns")


Split = Annotated[BlockedSplit | RandomSplit | UsersSplit, Field(discriminator="method")]


class Training(Section):
    """Keys of every network that is trained."""

    epochs: int = Field(20, ge=1, le=100000, description="at most; raise for more data (published: 1000)")
    patience: int = Field(6, ge=1, description="epochs without a better validation score before stopping")
    keep: Literal["macro_f1", "published_f1"] = Field(
        "macro_f1", description="validation score whose best epoch is kept (published: published_f1)"
    )
    batch: int = Field(8, ge=2, description="windows a step (published: 512)")
    learning_rate: float = Field(0.01, gt=0, description="of AdamW")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    clip: float = Field(0.9, gt=0, description="largest gradient norm")
    modality_dropout: float = Field(
        0.15, ge=0, lt=1, description="training hides each modality with this chance (published: 0)"
    )
    class_weights: Literal["balanced", "none"] = Field("balanced", description="weighting of the classes in the loss")
    focal_gamma: float = Field(0.0, ge=0, le=10, description="focal loss exponent; 0 is cross-entropy")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto: a GPU if the job sees one; cuda also asks the scheduler for one (resource gpu)"
    )


class Mil(Training):
    labels: Literal["bins", "levels"] = Field(
        "bins", description="bins: the target's classes, comparable; levels: the user's own label values (as published)"
    )
    attention: Literal["gated", "published"] = Field(
        "gated", description="gated: Ilse et al. 2018; published: softmax of Q'K over the scale"
    )
    scale: float = Field(3.0, gt=0, description="published attention only: divisor of the logits")
    seeds: list[int] = Field([0, 1], min_length=1, description="one model a seed; importance is their mean")

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value) or min(value) < 0:
            raise ValueError("seeds are distinct numbers from 0 on")
        return value


class Groups(Section):
    importance: Literal["attention", "ablation"] = Field("attention", description="which importance forms the groups")
    parts: list[Literal["train", "validation", "test"]] = Field(
        ["train", "validation"], min_length=1, description="windows whose importance is used (published: test)"
    )
    unit: Literal["users", "windows"] = Field(
        "users", description="cluster user means, or windows with a majority vote a user (published)"
    )
    algorithm: Literal["kmeans", "agglomerative"] = Field("kmeans", description="published: agglomerative (Ward)")
    k: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        "auto", description="number of groups; auto: highest silhouette (published: 5)"
    )
    k_max: int = Field(10, ge=2, description="largest k that is scored")
    resamples: int = Field(20, ge=1, description="draws of windows and seeds that measure how stable groups are")
    random: int = Field(1, ge=1, le=999, description="random groupings as controls; a p-value below .05 needs 20")
    seed: int = Field(0, ge=0, description="of k-means, resamples and random groupings")
    perplexity: float = Field(30, gt=0, description="of the t-SNE pictures; lowered where there are few windows")
    embedding_seed: int = Field(42, ge=0, description="of the t-SNE pictures")


SCHEMES = ("global", "importance", "raw", "random", "personal")


class Predicting(Section):
    schemes: Literal["all"] | list[Literal[SCHEMES]] = Field(  # type: ignore[valid-type]
        "all", description="all, or those of the schemes that are worth its time"
    )


class Majority(Predicting):
    name: Literal["majority"] = Field("majority", description="class shares of the training windows, no sensor")


class NearestMinute(Predicting):
    name: Literal["nearest_minute"] = Field(
        "nearest_minute", description="label of the user's training window nearest in time, no sensor"
    )


class Clock(Predicting):
    name: Literal["clock"] = Field("clock", description="class shares by time since the session's start, no sensor")


class Boosting(Predicting):
    name: Literal["boosting"] = Field("boosting", description="histogram gradient boosting on summary features")
    max_iter: int = Field(100, ge=1, description="trees a class at most; chosen on validation")
    learning_rate: float = Field(0.1, gt=0, description="shrinkage")
    min_samples_leaf: int = Field(5, ge=1, description="smallest leaf")
    seed: int = Field(0, ge=0, description="of the booster")


class LifeLogNet(Training, Predicting):
    name: Literal["lifelognet"] = Field("lifelognet", description="the study's network on 5-second maxima")
    batch: int = Field(512, ge=2, description="bins of 5 seconds a step")
    modality_dropout: float = Field(
        0.0, ge=0, lt=1, description="training hides each modality with this chance (published: 0)"
    )
    seed: int = Field(0, ge=0, description="of the initial weights and the order")


class WindowNet(Training, Predicting):
    name: Literal["windownet"] = Field("windownet", description="the same network on whole windows, as described")
    epochs: int = Field(10, ge=1, le=100000, description="at most; raise for more data")
    batch: int = Field(16, ge=2, description="windows a step")
    modality_dropout: float = Field(0.0, ge=0, lt=1, description="training hides each modality with this chance")
    seed: int = Field(0, ge=0, description="of the initial weights and the order")


Predictor = Annotated[LifeLogNet | WindowNet | Boosting | Majority | NearestMinute | Clock, Field(discriminator="name")]
SENSORLESS = ("majority", "nearest_minute", "clock")


class Compare(Section):
    bootstrap: int = Field(2000, ge=100, description="resamples of users for an interval")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of the intervals")
    metric: Literal["macro_f1", "balanced_accuracy", "accuracy", "auroc"] = Field(
        "macro_f1", description="the one the verdict is about"
    )
    seed: int = Field(0, ge=0, description="of the bootstrap")

    @property
    def level(self) -> float:
        """p-values below it count."""
        return round(1 - self.confidence, 12)  # .05, not a little more


class Newcomers(Section):
    run: str = Field(
        "", description="results folder of a finished run; the target `newcomers` places the cohort in its groups"
    )


class Report(Section):
    title: str = Field("lifelog report", max_length=120, description="first line of the page")
    published: bool = Field(
        False, description="true: hold the run against the study's printed figures (ETRI 2019, users 101 to 120)"
    )


def _etri_modalities() -> list[Modality]:
    xyz = ["x", "y", "z"]
    phone = {"columns": xyz, "rate": 30, "length": 1786}
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


def _tension() -> list[Target]:
    bins = {"low": [1], "middle": [2, 3, 4], "high": [5, 6, 7]}
    positive = {"negative": [1, 2, 3], "neutral": [4], "positive": [5, 6, 7]}
    rest = ["recreation_media", "entertainment", "hobby", "recreation_etc", "meal", "sleep", "socialising"]
    action = {"work": ["work", "study"], "rest": rest, "move": ["travel", "outdoor_act", "shop"]}
    return [
        Target(name="tension", column="emotionTension", bins=bins),
        Target(name="positive", column="emotionPositive", bins=positive),
        Target(name="action", column="action", bins=action),
    ]


class Config(Section):
    """Everything that may be configured; `Config()` is the default run. Unknown keys and wrong values are refused."""

    results: str = Field("results", description="folder of everything a run makes; another one for a second run")
    cohort: Cohort = Field(Cohort(), description="whose recordings, and where they lie")
    simulation: Simulation = Field(Simulation(), description="the made-up cohort (layout: simulated)")
    windows: Windows = Field(Windows(), description="one labelled minute becomes one window")
    modalities: list[Modality] = Field(
        _etri_modalities(), min_length=2, description="sensors; a list given in a preset replaces this one whole"
    )
    targets: list[Target] = Field(
        _tension(), min_length=1, description="what is predicted; the default run uses `targets_run`"
    )
    targets_run: list[str] = Field(["tension"], min_length=1, description="targets of the report")
    splits: list[Split] = Field(
        [BlockedSplit(name="blocked"), RandomSplit(name="random"), UsersSplit(name="users", within="blocked")],
        min_length=1,
        description="which windows train, validate and test, by method; all of them are run",
    )
    mil: Mil = Field(Mil(), description="the personal model whose attention says which sensors matter")
    groups: Groups = Field(Groups(), description="people with like importance")
    schemes: list[Literal[SCHEMES]] = Field(  # type: ignore[valid-type]
        list(SCHEMES), min_length=1, description="who shares a predictor: everyone, a group, nobody, and controls"
    )
    predictors: list[Predictor] = Field(
        [
            LifeLogNet(),
            WindowNet(schemes=["global"]),
            Boosting(),
            Majority(schemes=["global", "personal"]),
            NearestMinute(schemes=["global"]),
            Clock(schemes=["global", "personal"]),
        ],
        min_length=1,
        description="models that predict the target",
    )
    compare: Compare = Field(Compare(), description="scores, intervals and the verdict")
    report: Report = Field(Report(), description="the page")
    newcomers: Newcomers = Field(Newcomers(), description="people who come to a finished run")

    @field_validator("results")
    @classmethod
    def _plain_path(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_./-]+", value) or ".." in PurePosixPath(value).parts:
            raise ValueError("a path of letters, digits, '.', '_', '-' and '/' without '..'")
        return value.rstrip("/") or "/"

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        for key in ("modalities", "targets", "splits", "predictors"):
            names = [entry.name for entry in getattr(self, key)]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{key}: the name {name!r} is given twice")
        for modality in self.modalities:
            expected = modality.rate and modality.rate * self.windows.seconds
            if modality.kind == "sequence" and not 0.95 * expected <= modality.length <= 1.05 * expected:
                raise ValueError(
                    f"modalities: {modality.name!r} has length {modality.length}, but {modality.rate} Hz over "
                    f"{self.windows.seconds} seconds (windows.seconds) are about {expected:.0f} samples"
                )
        if self.cohort.layout in ("simulated", "etri") and self.windows.seconds != 60:
            raise ValueError(f"windows.seconds: layout {self.cohort.layout} comes in files of 60 seconds")
        if self.newcomers.run and Path(self.newcomers.run).resolve() == Path(self.results).resolve():
            raise ValueError(f"newcomers.run: {self.results!r} is this run itself; give another folder as `results`")
        known = [target.name for target in self.targets]
        for name in self.targets_run:
            if name not in known:
                raise ValueError(f"targets_run: {name!r} is none of the targets {known}")
        if "global" not in self.schemes:
            raise ValueError("schemes: 'global' is needed, every other scheme is compared with it")
        if "importance" not in self.schemes and {"raw", "random"} & set(self.schemes):
            raise ValueError("schemes: 'raw' and 'random' are controls of 'importance', which is not there")
        within = [split.name for split in self.splits if split.method != "users"]
        for split in self.splits:
            if split.method == "users" and split.within not in within:
                raise ValueError(f"splits: {split.name!r} is within {split.within!r}, which is none of {within}")
        for predictor in self.predictors:
            if predictor.schemes != "all" and "global" not in predictor.schemes:
                raise ValueError(
                    f"predictors: {predictor.name!r} needs the scheme 'global', the others are compared to it"
                )
        return self

    def target(self, name: str) -> Target:
        return next(target for target in self.targets if target.name == name)

    def split(self, name: str) -> Split:
        return next(split for split in self.splits if split.name == name)

    def predictor(self, name: str) -> Predictor:
        return next(predictor for predictor in self.predictors if predictor.name == name)

    def models(self, split: Split) -> list[tuple[str, str]]:
        """(predictor, scheme) of every model that is compared under a split; `random` stands for each random grouping.

        Of a person who was never seen no personal model can be made.
        """
        pairs = []
        for predictor in self.predictors:
            for scheme in self.schemes:
                wanted = predictor.schemes == "all" or scheme in predictor.schemes
                if wanted and not (scheme == "personal" and split.method == "users"):
                    names = [f"random-{i + 1}" for i in range(self.groups.random)] if scheme == "random" else [scheme]
                    pairs += [(predictor.name, name) for name in names]
        return pairs


def load_config(raw: dict[str, Any]) -> Config:
    """Checked configuration from the merged dictionary that Snakemake hands over.

    Raises ConfigError with one line a mistake: key, value, what is allowed, nearest known key.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        lines = [explain(problem, Config) for problem in error.errors()]
        raise ConfigError("the configuration cannot be used:\n" + "\n".join(f"  - {line}" for line in lines)) from None
