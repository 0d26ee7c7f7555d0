"""What the report reads: the tables and figures of the run, and of each chapter (a target under a split)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.plan import Version, read_versions
from lifelog.groups.read import described_groups
from lifelog.importance.measures import MEASURES
from lifelog.report.catalogue import CATALOGUE, figures_of
from lifelog.report.files import Drawn, of_chapter, of_run, read_files
from lifelog.report.tables import cohort_yield, joined_random, problem_counts, split_overview
from lifelog.report.words import describe


@dataclass(frozen=True)
class Figure:
    """A figure as the page holds it.

    Attributes
    ----------
    name : str
        Of downloaded files.
    caption, alt : str
        Caption and text alternative.
    image, data : str
        Image and table, base64; the table is compressed, and so is the image if `packed`.
    packed : bool
        Whether the image is unpacked by the script of the page.
    table : pandas.DataFrame
        The table that the figure shows.
    """

    name: str
    caption: str
    alt: str
    image: str
    data: str
    packed: bool
    table: pd.DataFrame


@dataclass(frozen=True)
class SplitDetails:
    """Importance and groups."""

    importance: pd.DataFrame  # of score_importance
    values: pd.DataFrame
    heterogeneity: pd.DataFrame
    groups: pd.DataFrame
    clusters: pd.DataFrame  # of score_groups
    directions: dict[str, pd.DataFrame]  # of estimate_directions, by user
    curve: str  # the sentence about learning curves
    recovery: dict[str, Any] | None
    published: dict[str, Any] | None
    level: float  # of tests
    chance: float  # of a participant for whom no modality matters to have one that is found to

    @property
    def unstable(self) -> list[str]:
        """Users whose importance differs between training seeds, or is not measured."""
        return list(self.importance.user[~self.importance.stable])

    @property
    def mattering(self) -> pd.DataFrame:
        """Values of the modalities that matter, the largest ones first."""
        return self.values[self.values.matters.eq(True)].sort_values("shapley", ascending=False, kind="stable")

    @property
    def untested(self) -> pd.DataFrame:
        """Users for whom it cannot be tested whether a modality matters: user, reason and the detectable value."""
        rows = self.values[self.values.reason.notna()]
        return rows.groupby(["user", "reason"], as_index=False).detectable.median()

    @property
    def differing(self) -> list[str]:
        """Modalities in which users differ."""
        return list(self.heterogeneity.modality[self.heterogeneity.p_holm < self.level])

    @property
    def apart(self) -> pd.DataFrame:
        """Values whose intervals differ from the mean of the other users, of modalities in which users differ."""
        outside = (self.values.difference_low > 0) | (self.values.difference_high < 0)
        return self.values[outside & self.values.modality.isin(self.differing)]


@dataclass(frozen=True)
class Chapter:
    """One target under one split; `details` is None for a split without importance."""

    target: str
    split: str
    verdict: dict[str, Any]
    figures: dict[str, Figure]
    comparison: pd.DataFrame
    calibration: pd.DataFrame
    use: pd.DataFrame
    by_user: pd.DataFrame
    subsets: pd.DataFrame  # windows per user and subset
    reasons: dict[str, str]  # why users are excluded
    lacking: list[tuple[str, str]]  # users and the classes that a subset lacks
    details: SplitDetails | None
    user_figures: dict[str, list[Figure]]

    @property
    def key(self) -> str:
        """Anchor of the chapter; names hold no slash, so that it is unique."""
        return f"{self.target}/{self.split}"

    @property
    def title(self) -> str:
        """Title of the chapter."""
        return f"{self.target}, {self.split} split"

    @property
    def exploratory(self) -> str:
        """The addition to the title of a chapter that is not the one of the primary test."""
        return " (exploratory)" if self.verdict["exploratory"] else ""

    @property
    def decision(self) -> dict[str, Any]:
        """The decision between strategies, empty without one."""
        return self.verdict["decision"] or {}

    def tests(self, user: str) -> int:
        """Return the number of test windows of a user."""
        return int(self.subsets.test[self.subsets.user == user].iloc[0])

    def score(self, user: str, column: tuple[str, str]) -> float:
        """Return the score of a user under a model, NaN if there is none."""
        return float(self.by_user[column].get(user, float("nan")))


@dataclass(frozen=True)
class Run:
    """What belongs to no chapter: tables of `cohort_yield` and `problem_counts`, figures, and versions of the plan."""

    cohort: pd.DataFrame
    problems: pd.DataFrame
    figures: dict[str, Figure]
    plan: list[Version]


def read_run(results: str | Path, config: Config, users: list[str]) -> Run:
    """Read what the report shows of the whole run from the results folder."""
    read = read_files(Path(results), of_run(), users)
    quality = pd.concat(read["quality/{user}.parquet"].values(), ignore_index=True)
    starts = {user: windows.start for user, windows in read["windows/{user}.parquet"].items()}
    cohort = cohort_yield(quality, starts, config.cohort.zone, config.windows.seconds)
    return Run(cohort, problem_counts(quality), _figures(read, "", config), read_versions(read["plan.json"]))


def read_chapter(results: str | Path, config: Config, chapter: str, users: list[str]) -> Chapter:
    """Read a chapter, given as `target/split`, from the results folder."""
    target, split = chapter.split("/")
    read = read_files(Path(results, chapter), of_chapter(config, split), users)
    folds, importance = read["splits/{user}.parquet"], read.get("importance/{user}.parquet")
    # A network may fail.
    excluded = {u: importance[u]["excluded"] if importance else folds[u].excluded for u in users}
    reasons = {user: reason for user, reason in excluded.items() if reason}
    subsets, lacking = split_overview(folds, reasons)
    stem = f"{target}-{split}-"
    kinds = {kind: read[f"figures/{kind}"] for kind in figures_of("user") if f"figures/{kind}" in read}
    return Chapter(
        target=target,
        split=split,
        verdict=read["verdict.json"],
        figures=_figures(read, stem, config),
        comparison=joined_random(read["comparison.csv"]),
        calibration=_before_and_after(read["calibration.csv"]),
        use=read["use.csv"],
        by_user=_scores_by_user(read["scores.csv"], config.compare.metric),
        subsets=subsets,
        reasons=reasons,
        lacking=lacking,
        details=_details(read, config) if importance else None,
        user_figures={
            user: [_figure(kind, drawn[user], stem, config, user) for kind, drawn in kinds.items()] for user in users
        },
    )


def _figures(read: dict[str, Any], stem: str, config: Config) -> dict[str, Figure]:
    names = {Path(path).stem: drawn for path, drawn in read.items() if path.endswith(".svg")}
    return {name: _figure(name, drawn, stem, config) for name, drawn in names.items()}


def _figure(kind: str, drawn: Drawn, stem: str, config: Config, user: str | None = None) -> Figure:
    """Return a figure of the catalogue, which may be that of a user."""
    planted = " Framed cells are planted." if kind in MEASURES and config.cohort.is_simulated else ""
    caption = CATALOGUE[kind].caption.format(metric=METRICS[config.compare.metric].label, planted=planted)
    name = stem + (f"{kind}-{user}" if user else kind)
    return Figure(name, caption, describe(kind, drawn.table), drawn.image, drawn.data, user is not None, drawn.table)


def _details(read: dict[str, Any], config: Config) -> SplitDetails:
    return SplitDetails(
        importance=read["importance_scores.csv"],
        values=read["shapley.csv"],
        heterogeneity=read["heterogeneity.csv"],
        groups=described_groups(read["groups/importance.csv"]),
        clusters=read["groups/scores.csv"],
        directions=read["directions/{user}.csv"],
        curve=read["learning_curve.json"]["sentence"],
        recovery=read.get("recovery.json"),
        published=read.get("published.json"),
        level=config.compare.level,
        chance=1 - config.shapley.level,
    )


def _before_and_after(calibration: pd.DataFrame) -> pd.DataFrame:
    """Return one row per predictor, scheme and measure, with value, low and high before and after calibration."""
    keys = ["predictor", "scheme", "measure"]
    before, after = (calibration[calibration.calibrated == now].set_index(keys) for now in (False, True))
    numbers = ["value", "low", "high"]
    return after.join(before[numbers].add_suffix("_before")).reset_index()


def _scores_by_user(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return one row per user, one column per predictor and scheme, except random ones."""
    scores = scores[~scores.scheme.str.startswith("random")]
    columns = list(dict.fromkeys(zip(scores.predictor, scores.scheme, strict=True)))
    return scores.pivot(index="user", columns=["predictor", "scheme"], values=metric)[columns]
