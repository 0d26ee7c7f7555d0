"""A chapter of the report: everything about one target under one split."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.files import read_json
from lifelog.groups.read import described_groups, read_groups, read_scores
from lifelog.importance.measures import MEASURES
from lifelog.report.catalogue import CATALOGUE, Page, figures_of
from lifelog.report.tables import joined_random, split_overview
from lifelog.report.words import describe
from lifelog.settings.splits import AnySplit
from lifelog.splits.folds import read_folds
from lifelog.tables import read_csv, read_notes

MOST_DIRECTIONS = 10  # features in the table of a user


def _compressed(path: Path) -> str:
    return base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()


@dataclass
class Figure:
    """A figure, its data, and its text alternative."""

    path: Path
    name: str  # of downloaded files
    caption: str
    kind: str

    @property
    def source(self) -> str:
        """The image as a data URL."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.path.read_bytes()).decode()

    @property
    def packed(self) -> str:
        """The image, compressed: the figures of a thousand participants would be most of the page."""
        return _compressed(self.path)

    @property
    def data(self) -> str:
        """The table, compressed."""
        return _compressed(self.path.with_suffix(".csv"))

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table that the figure shows."""
        return read_csv(self.path.with_suffix(".csv"))

    @property
    def alt(self) -> str:
        """The text alternative."""
        return describe(self.kind, self.table)


@dataclass
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

    @property
    def unstable(self) -> list[str]:
        """Users whose importance differs between training seeds, or who have no interval of a value above 0."""
        return list(self.importance.user[~self.importance.stable])

    @property
    def apart(self) -> pd.DataFrame:
        """Values whose intervals differ from the mean of the other users, of modalities in which users differ."""
        differing = self.heterogeneity.modality[self.heterogeneity.p_holm < 0.05]
        outside = (self.values.difference_low > 0) | (self.values.difference_high < 0)
        return self.values[outside & self.values.modality.isin(differing)]


@dataclass
class Chapter:
    """One target under one split; `details` is None for a split without importance."""

    target: str
    split: str
    verdict: dict[str, Any]
    figures: dict[str, Figure]
    comparison: pd.DataFrame
    calibration: pd.DataFrame
    by_user: pd.DataFrame
    subsets: pd.DataFrame  # windows per user and subset
    notes: list[dict[str, Any]]
    excluded: list[dict[str, Any]]
    details: SplitDetails | None
    grouped_by: str  # the importance measure that forms the groups
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
    def class_counts(self) -> dict[str, int]:
        """Number of test windows by class."""
        table = self.figures["confusion"].table
        _, own = next(iter(table.groupby(["predictor", "scheme"], sort=False)))
        return {str(name): int(count) for name, count in own.groupby("true").windows.sum().items()}

    @property
    def headline_scores(self) -> pd.DataFrame:
        """Scores in importance groups and with one global model, of predictors that have both."""
        grouped = [predictor for predictor, scheme in self.by_user.columns if scheme == "importance"]
        columns = [(p, s) for p, s in self.by_user.columns if p in grouped and s in ("global", "importance")]
        return self.by_user[columns]

    def score(self, user: str, column: tuple[str, str]) -> float:
        """Return the score of a user under a model, NaN if there is none."""
        return float(self.by_user[column].get(user, float("nan")))

    def clear_directions(self, user: str) -> pd.DataFrame:
        """Return the features of a user with the largest differences between classes, of those that exclude 0."""
        assert self.details is not None
        rows = self.details.directions[user]
        return rows[(rows.low > 0) | (rows.high < 0)].head(MOST_DIRECTIONS)

    def about(self, user: str, several_seeds: bool) -> dict[str, Any]:
        """Return group, most important modalities and stability of a user, or why the user is excluded."""
        tests = int(self.subsets.set_index("user").test[user])
        about: dict[str, Any] = {"figures": self.user_figures[user], "excluded": None, "tests": tests}
        assert self.details is not None
        for note in self.excluded:
            if note["user"] == user:
                return about | {"excluded": note["reason"]}
        groups = self.details.groups.set_index("user")
        group, certainty = groups.loc[user, ["group", "certainty"]]
        others = sorted(set(groups.index[groups.group == group]) - {user})
        scores = self.details.importance.set_index("user").loc[user]
        top = {}
        for measure in MEASURES:
            own = self.figures[measure].table
            top[measure] = list(own[own.user == user].nlargest(2, "importance").modality) if scores.stable else []
        seeds = f"seeds_{self.grouped_by}"
        compared = several_seeds and pd.notna(scores[seeds]) if seeds in scores else True
        stable = ("yes" if scores.stable else "no") if compared else "–"
        return about | {"group": group, "certainty": certainty, "others": others, "top": top, "stable": stable}


def read_chapter(folder: str | Path, config: Config, users: list[str]) -> Chapter:
    """Read a chapter from the results folder of a target and split."""
    folder = Path(folder)
    target, split = folder.parent.name, config.split(folder.name)
    pages: tuple[Page, ...] = ("comparison", "importance", "groups") if split.importance else ("comparison",)
    folds = {user: read_folds(folder / "splits" / f"{user}.parquet") for user in users}
    excluded = {user: of_user.excluded for user, of_user in folds.items()}
    if split.importance:  # a network may fail
        excluded = {u: read_notes(folder / "importance" / f"{u}.parquet")["excluded"] for u in users}
    subsets, notes = split_overview(folds, excluded)
    figures, stem = folder / "figures", f"{target}-{split.name}"
    names = [name for page in pages for name in figures_of(page)]
    return Chapter(
        target=target,
        split=split.name,
        verdict=read_json(folder / "verdict.json"),
        figures={name: _figure(figures, name, f"{stem}-{name}", config) for name in names},
        comparison=joined_random(pd.read_csv(folder / "comparison.csv")),
        calibration=_before_and_after(read_csv(folder / "calibration.csv")),
        by_user=_scores_by_user(read_csv(folder / "scores.csv"), config.compare.metric),
        subsets=subsets,
        notes=[note for note in notes if not note["excluded"]],
        excluded=[note for note in notes if note["excluded"]],
        details=_read_details(folder, config, split, users) if split.importance else None,
        grouped_by=config.groups.importance,
        user_figures={
            u: [_figure(figures / kind, u, f"{stem}-{kind}-{u}", config, kind) for kind in figures_of("user")]
            for u in users
            if split.importance
        },
    )


def run_figures(folder: str | Path, config: Config) -> dict[str, Figure]:
    """Return the figures that belong to no chapter."""
    pages: tuple[Page, ...] = ("overview", "cohort", "run")
    return {name: _figure(Path(folder), name, name, config) for page in pages for name in figures_of(page)}


def _figure(folder: Path, name: str, stem: str, config: Config, kind: str | None = None) -> Figure:
    """Return a figure with its caption; its kind is its name unless given."""
    kind = kind or name
    planted = " Framed cells are planted." if kind in MEASURES and config.cohort.layout == "simulated" else ""
    caption = CATALOGUE[kind].caption.format(metric=METRICS[config.compare.metric].label, planted=planted)
    return Figure(folder / f"{name}.svg", stem, caption, kind)


def _read_details(folder: Path, config: Config, split: AnySplit, users: list[str]) -> SplitDetails:
    return SplitDetails(
        importance=read_csv(folder / "importance_scores.csv"),
        values=read_csv(folder / "shapley.csv"),
        heterogeneity=read_csv(folder / "heterogeneity.csv"),
        groups=described_groups(read_groups(folder / "groups" / "importance.csv")),
        clusters=read_scores(folder / "groups" / "scores.csv"),
        directions={user: read_csv(folder / "directions" / f"{user}.csv") for user in users},
        curve=read_json(folder / "learning_curve.json")["sentence"],
        recovery=read_json(folder / "recovery.json") if config.cohort.layout == "simulated" else None,
        published=read_json(folder / "published.json") if config.report.published and not split.rotates else None,
    )


def _before_and_after(calibration: pd.DataFrame) -> pd.DataFrame:
    """Return one row per predictor, scheme and measure, with value, low and high before and after scaling."""
    keys = ["predictor", "scheme", "measure"]
    before, after = (calibration[calibration.scaled == scaled].set_index(keys) for scaled in (False, True))
    numbers = ["value", "low", "high"]
    return before[numbers].join(after[numbers], lsuffix="_before", rsuffix="_after").reset_index()


def _scores_by_user(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return one row per user, one column per predictor and scheme, except random ones."""
    scores = scores[~scores.scheme.str.startswith("random")]
    columns = list(dict.fromkeys(zip(scores.predictor, scores.scheme, strict=True)))
    return scores.pivot(index="user", columns=["predictor", "scheme"], values=metric)[columns]
