"""The configuration of a run: the settings of all stages, and checks between them.

`config.yaml` is generated from these models (`make config`).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Union, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from lifelog.config_errors import explain
from lifelog.settings import splits as split_models
from lifelog.settings.base import Section, etri_settings
from lifelog.settings.compare import NEEDS, Compare, LearningCurve
from lifelog.settings.groups import Groups, Tsne
from lifelog.settings.importance import Shapley
from lifelog.settings.levels import matches
from lifelog.settings.mil import Mil
from lifelog.settings.predict import UNGROUPED, PredictorSettings, Scheme, predictor_kinds, predictor_settings
from lifelog.settings.report import Report
from lifelog.settings.score import Score
from lifelog.settings.windows import Cohort, Modality, Simulation, Windows
from lifelog.settings.zones import DAY

if TYPE_CHECKING:
    Predictor = PredictorSettings
else:
    Predictor = Annotated[Union[tuple(predictor_kinds().values())], Field(discriminator="name")]  # noqa: UP007


class ConfigError(ValueError):
    """An unusable configuration; the message names key, value and allowed values."""


class Primary(NamedTuple):
    """The primary test: target, split, and predictor (None if no sensor predictor has importance groups)."""

    target: str
    split: str
    predictor: str | None


class Config(Section):
    """The whole configuration; `Config()` is the default run.

    Unknown keys and invalid values are refused. Keyword arguments override sections, for example
    ``Config(mil={"epochs": 5})``. `docs/config.md` lists every key.
    """

    renamed: ClassVar[dict[str, str]] = {"value": "shapley", "embedding": "tsne"}
    removed: ClassVar[dict[str, str]] = dict.fromkeys(
        ("newcomers", "new_users"), "a bundle of the finished run scores new participants (score.bundle)"
    )

    results: str = "results"
    """folder of all outputs; use another one for a second run"""

    cohort: Cohort = Cohort()
    """the recordings"""

    simulation: Simulation = Simulation()
    """the simulated cohort (layout: simulated)"""

    windows: Windows = Windows()
    """windows of the recordings, one per label"""

    modalities: list[Modality] = Field([Modality(**keys) for keys in etri_settings("modalities")])
    """sensors; a list in a preset replaces the whole list"""

    targets: list[split_models.Target] = Field(
        [split_models.Target(**keys) for keys in etri_settings("targets")], min_length=1
    )
    """label columns to predict; the default run uses `targets_run`"""

    targets_run: list[str] = Field(["tension"], min_length=1)
    """targets of the default run and the report"""

    splits: list[split_models.Split] = Field(
        [
            split_models.BlockedSplit(name="blocked"),
            split_models.RandomSplit(name="random", importance=False, fast=True),
        ],
        min_length=1,
    )
    """assignment of windows to training, validation and test subsets, by method; all entries are run"""

    shapley: Shapley = Shapley()
    """the Shapley value of each modality: what it adds to the prediction of held-out windows"""

    mil: Mil = Mil()
    """the personal network; its attention is the importance of the modalities in the study"""

    groups: Groups = Groups()
    """groups of users with similar importance"""

    tsne: Tsne = Tsne()
    """t-SNE of windows"""

    schemes: list[Scheme] = Field(list(get_args(Scheme)), min_length=1)
    """grouping schemes, i.e. which users share a predictor: all, a group, or none; and controls"""

    predictors: list[Predictor] = Field(
        [
            predictor_settings("lda"),
            predictor_settings("boosting", schemes=["global", "importance", "personal"]),
            predictor_settings("mil", schemes=["global", "tuned", "importance", "personal"]),
            predictor_settings("lifelognet", schemes=["global", "importance"]),
            predictor_settings("majority", schemes=["global", "personal"]),
            predictor_settings("nearest_minute", schemes=["global"]),
            predictor_settings("last_label", schemes=["global"]),
            predictor_settings("clock", schemes=["global", "personal"]),
        ],
        min_length=1,
    )
    """models that predict the target"""

    compare: Compare = Compare()
    """scores, intervals and the verdict"""

    learning_curve: LearningCurve = LearningCurve()
    """a new user with few answers, by the predictor lda: which strategy is best with how many"""

    report: Report = Report()
    """the report"""

    score: Score = Score()
    """other recordings, predicted with a bundle"""

    @model_validator(mode="before")
    @classmethod
    def _set_seconds(cls, value: Any) -> Any:
        """Set the length of windows to the time that every answer describes, unless the configuration has a length."""
        if not isinstance(value, dict) or not isinstance(windows := value.get("windows") or {}, dict):
            return value
        modalities = value.get("modalities")
        if windows.get("seconds") is not None or not isinstance(modalities, list):
            return value
        described = _described_seconds(value.get("cohort"))
        if described is None or any(isinstance(entry, dict) and "length" in entry for entry in modalities):
            return value
        return value | {"windows": windows | {"seconds": described}}

    @field_validator("splits", mode="before")
    @classmethod
    def _has_no_users_split(cls, value: Any) -> Any:
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, dict) and entry.get("method") == "users":
                raise ValueError("the method 'users' is now called 'participants'")
        return value

    @field_validator("results")
    @classmethod
    def _is_plain_path(cls, value: str) -> str:
        if not re.fullmatch(r"[\w./ -]+", value) or value != value.strip() or ".." in PurePosixPath(value).parts:
            raise ValueError("a path may hold letters, digits, blanks, '.', '_', '-' and '/', without '..'")
        return value.rstrip("/") or "/"

    @model_validator(mode="after")
    def _is_consistent(self) -> Config:
        for check in CHECKS:
            check(self)
        return self

    def target(self, name: str) -> split_models.Target:
        """Return the target of a name."""
        return next(target for target in self.targets if target.name == name)

    def split(self, name: str) -> split_models.AnySplit:
        """Return the split of a name."""
        return next(split for split in self.splits if split.name == name)

    def predictor(self, name: str) -> PredictorSettings:
        """Return the settings of a predictor."""
        return next(predictor for predictor in self.predictors if predictor.name == name)

    def trained(self, scheme: Scheme) -> list[str]:
        """Return the predictors that are trained under a scheme."""
        return [x.name for x in self.predictors if scheme in self.schemes and x.wants(scheme)]

    def tested_predictors(self) -> list[str]:
        """Return the predictors that see sensors and are trained in importance groups."""
        return [name for name in self.trained("importance") if self.predictor(name).uses_sensors]

    @property
    def primary(self) -> Primary:
        """The primary test of `compare`."""
        target, split = self.compare.target or self.targets_run[0], self.compare.split or self.splits[0].name
        return Primary(target, split, self.compare.predictor or next(iter(self.tested_predictors()), None))

    @property
    def describing(self) -> str | None:
        """The first split under which importance is measured, for those under which it is not."""
        return next((split.name for split in self.splits if split.importance), None)

    def has_scheme(self, scheme: Scheme, split: split_models.AnySplit) -> bool:
        """Return whether models of a scheme are possible under a split."""
        if isinstance(split, split_models.ParticipantsSplit):  # nothing personal, and no controls that use labels
            return scheme == "global" or (scheme in ("importance", "random") and self.describing is not None)
        return split.importance or scheme in UNGROUPED

    def models(self, split: split_models.AnySplit) -> list[tuple[str, str]]:
        """Return (predictor, scheme) of every model that is compared under a split."""
        pairs: list[tuple[str, str]] = []
        for predictor in self.predictors:
            for scheme in self.schemes:
                if scheme == "attention" == self.groups.importance:  # the same as importance
                    continue
                if predictor.wants(scheme) and self.has_scheme(scheme, split) and (predictor.fast or not split.fast):
                    pairs.append((predictor.name, scheme))
        return pairs


def _described_seconds(cohort: Any) -> int | None:
    """Return the seconds before each answer, or those of its day, if they are the same for all tables of labels."""
    tables = cohort.get("labels") if isinstance(cohort, dict) else None
    lengths = {
        DAY if table.get("lasts") == "day" else table.get("before")
        for table in (tables if isinstance(tables, list) else [tables])
        if isinstance(table, dict)
    }
    length = lengths.pop() if len(lengths) == 1 else None
    return length if isinstance(length, int) and 0 < length <= DAY else None


def _check_number(config: Config) -> None:
    if len(config.modalities) < 2:
        remedy = "add another one, or divide this one, such as the axes or the features of a sensor, into several"
        raise ValueError(
            f"modalities: importance compares two modalities or more, not {len(config.modalities)}; {remedy}"
        )


def _check_names(config: Config) -> None:
    for key in ("modalities", "targets", "splits", "predictors"):
        names = [entry.name for entry in getattr(config, key)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{key}: the name {name!r} is used twice")


def _check_lengths(config: Config) -> None:
    seconds = config.windows.seconds
    for modality in config.modalities:
        if modality.rate is not None and modality.kind == "sequence":
            expected = modality.rate * seconds
            if not 0.95 * expected <= modality.length <= 1.05 * expected:
                samples = f"{modality.rate} Hz over windows.seconds ({seconds}) are about {expected:.0f} samples"
                raise ValueError(f"modalities: {modality.name!r} has length {modality.length}, but {samples}")
    if config.cohort.layout in ("simulated", "etri") and seconds != 60:
        raise ValueError(f"windows.seconds: layout {config.cohort.layout} has files of 60 seconds")


def _check_zone(config: Config) -> None:
    layout = config.cohort.layout
    if config.cohort.timezone is None and layout not in ("simulated", "etri"):
        remedy = "set it to that of the participants, such as Europe/Berlin; local times and days depend on it"
        raise ValueError(f"cohort.timezone: recordings of the layout {layout!r} may be from anywhere: {remedy}")


def _check_tables(config: Config) -> None:
    tables = {table.name: table for table in config.cohort.samples}
    for modality in config.modalities:
        if modality.samples is not None and modality.samples not in tables:
            known = f"the tables of samples (cohort.samples) are {list(tables)}"
            raise ValueError(f"modalities: {modality.name!r} is read from {modality.samples!r}; {known}")
        if modality.kind == "events" and config.cohort.layout != "tables":
            raise ValueError(f"modalities: {modality.name!r} has kind events, which only the layout tables has")
        daily = config.cohort.table_of(modality).carry is not None
        if daily and (modality.kind in ("sequence", "events") or modality.rate):
            raise ValueError(f"modalities: {modality.name!r} has daily values: set kind: scalar, without a rate")


def _check_splits(config: Config) -> None:
    primary, predictor = config.split(config.primary.split), config.primary.predictor
    for split in config.splits:
        if not config.models(split):
            remedy = "add a fast predictor, such as lda, or set `fast: false`"
            raise ValueError(f"splits: {split.name!r} is fast, and no predictor takes seconds; {remedy}")
    if primary.fast and predictor and not config.predictor(predictor).fast:
        raise ValueError(f"splits: the primary test is that of {predictor!r}, but {primary.name!r} is fast")


def _check_targets(config: Config) -> None:
    known = [target.name for target in config.targets]
    for name in config.targets_run:
        if name not in known:
            raise ValueError(f"targets_run: {name!r} is not among the targets {known}")
    missing = [value for table in config.cohort.labels for value in table.missing]
    for target in config.targets:
        for name, level in ((name, level) for name, levels in target.bins.items() for level in levels):
            if matches(str(level), missing):
                cause = f"holds {level!r}, which stands for a missing answer; leave it out of `missing` of the labels"
                raise ValueError(f"targets: the bin {name!r} of {target.name!r} {cause}")


def _check_groups(config: Config) -> None:
    groups = config.groups
    if groups.unit == "windows" and groups.algorithm == "mixture":
        raise ValueError("groups.unit: a mixture groups users; set groups.algorithm to kmeans or agglomerative")
    if groups.importance == "shapley" and "test" in groups.subsets:
        raise ValueError("groups.subsets: test windows have no Shapley value; they are used with attention or ablation")
    networks = groups.importance != "shapley" or "attention" in config.schemes
    if networks and not {"validation", "test"} & set(groups.subsets):
        raise ValueError("groups.subsets: networks explain validation and test windows; add validation")


def _check_schemes(config: Config) -> None:
    if "global" not in config.schemes:
        raise ValueError("schemes: 'global' is required, since every other scheme is compared with it")
    controls = {"attention", "raw", "class-shares", "random"}
    if "importance" not in config.schemes and controls & set(config.schemes):
        names = "'attention', 'raw', 'class-shares' and 'random'"
        raise ValueError(f"schemes: {names} are controls of 'importance', which is missing")
    for predictor in config.predictors:
        for scheme in predictor.schemes if predictor.schemes != "all" else ():
            if not predictor.supports(scheme):
                raise ValueError(f"predictors: {predictor.name!r} does not support the scheme {scheme!r}")
        predictor.check({modality.name: modality.channel_names for modality in config.modalities})
        if predictor.schemes != "all" and "global" not in predictor.schemes:
            needed = "needs the scheme 'global', with which its other schemes are compared"
            raise ValueError(f"predictors: {predictor.name!r} {needed}")


def _check_compare(config: Config) -> None:
    tested = config.tested_predictors()
    allowed = {"target": config.targets_run, "split": [split.name for split in config.splits], "predictor": tested}
    for key, names in allowed.items():
        value = getattr(config.compare, key)
        if value is not None and value not in names:
            of = "sensor predictors with importance groups" if key == "predictor" else f"{key}s of the run"
            raise ValueError(f"compare.{key}: {value!r} is not among the {of}: {names}")


def _check_order(config: Config) -> None:
    metric = config.compare.metric
    needs = [(f"compare.metric {metric!r}", NEEDS[metric])] if metric in NEEDS else []
    needs += [(f"predictor {x.name!r}", x.needs) for x in config.predictors if x.needs]
    for name in config.targets_run:
        target = config.target(name)
        fulfilled = {"ordinal: true": target.ordinal, "kind: rating": target.kind == "rating"}
        for user, need in needs:
            if not fulfilled[need]:
                raise ValueError(f"targets: {user} needs `{need}`, which {name!r} does not have")


def _check_labels(config: Config) -> None:
    if not config.cohort.labels and not config.score.bundle:
        remedy = "name tables of labels, or a bundle that predicts recordings without labels (score.bundle)"
        raise ValueError(f"cohort.labels: there are none, and models need labels; {remedy}")


CHECKS = (
    *(_check_number, _check_names, _check_lengths, _check_zone, _check_tables, _check_targets),
    *(_check_groups, _check_schemes, _check_compare, _check_splits, _check_order, _check_labels),
)


def load_config(raw: dict[str, Any]) -> Config:
    """Validate a configuration.

    Parameters
    ----------
    raw : dict
        The merged configuration, as Snakemake or `yaml.safe_load` returns it; missing keys take their defaults.

    Returns
    -------
    Config
        The validated configuration.

    Raises
    ------
    ConfigError
        If a key is unknown or a value is invalid. The message has one line per mistake, with the key, the value, the
        allowed values and the most similar known key.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        lines = [explain(problem, Config) for problem in error.errors()]
        raise ConfigError("the configuration is invalid:\n" + "\n".join(f"  - {line}" for line in lines)) from None
