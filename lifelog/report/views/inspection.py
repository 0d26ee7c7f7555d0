"""inspect_recordings: what is recorded, what would be lost and why, and the labels; without any training.

The first page for own data (`snakemake inspect`) reads only the windows and quality tables. With the Shapley values of
the modalities (`snakemake preview`) it also shows which sensors matter for whom.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.importance.measures import MEASURES
from lifelog.report.html import render_page
from lifelog.report.tables import cohort_yield, problem_counts, untested_reasons
from lifelog.report.views.answers import too_few_blocks
from lifelog.report.views.parts import NOTHING, Column, Row, Texts, count, mark, show
from lifelog.settings.splits import AnySplit, BlockedSplit
from lifelog.settings.windows import Modality
from lifelog.settings.zones import DAY
from lifelog.splits.assign import assign_splits
from lifelog.splits.classes import class_names, label_windows
from lifelog.splits.folds import Folds
from lifelog.windows.times import local_times
from lifelog.windows.times import show as show_time

HOURS = ("0-3", "3-6", "6-9", "9-12", "12-15", "15-18", "18-21", "21-24")
MOST_CAUSES, MOST_VALUES = 60, 12  # that are listed
phrase = Texts("inspection")


@dataclass(frozen=True)
class LabelsView:
    """The labels of a target."""

    name: str
    counts: dict[str, pd.DataFrame]  # of label_counts

    @property
    def unused(self) -> str:
        """Label values that are in no bin."""
        windows = self.counts["values"].windows.head(MOST_VALUES)
        values = ", ".join(f"{value} ({count(number, 'window')})" for value, number in windows.items())
        return phrase("unused", values=values) if values else ""

    @property
    def tables(self) -> list[tuple[list[Column], list[Row]]]:
        """Columns and rows of the numbers of windows by user, and by time of day."""
        return [
            (
                # The key 0 is no name of a class.
                [Column("user" if kind == "users" else kind, 0), *(Column(name, form="d") for name in counts)],
                [{0: index} | row for index, row in counts.to_dict("index").items()],
            )
            for kind, counts in self.counts.items()
            if kind != "values"
        ]


@dataclass(frozen=True)
class SplitView:
    """What a split would test of a target, before any training."""

    target: str
    split: AnySplit
    folds: Mapping[str, Folds]  # by user

    @property
    def about(self) -> str:
        """Which question the split answers, and for how many participants."""
        usable = sum(not folds.excluded for folds in self.folds.values())
        in_tasks = isinstance(self.split, BlockedSplit) and self.split.tasks
        kind = "tasks" if in_tasks else self.split.method
        return phrase(
            "tests", question=phrase(f"of_{kind}"), usable=usable, users=len(self.folds), divided=self._divided
        )

    @property
    def _divided(self) -> str:
        """For how many users sessions are divided into blocks of minutes."""
        if not isinstance(self.split, BlockedSplit) or self.split.tasks:
            return ""
        sessions = [folds.described.dropna(subset=["label"]).session.nunique() for folds in self.folds.values()]
        users = sum(0 < number < self.split.min_sessions for number in sessions)
        return phrase("divided", users=users, least=self.split.min_sessions) if users else ""

    @property
    def columns(self) -> list[Column]:
        """Tested windows by class, and the others."""
        classes = next(iter(self.folds.values())).classes if self.folds else []
        names = [Column(name, (name,), form="d") for name in classes]
        return [Column("user", 0), *names, Column("not tested", 1, form="d"), Column("unused", 2, form="wrap")]

    @property
    def rows(self) -> list[Row]:
        """One row per user."""
        rows = []
        for user, folds in self.folds.items():
            used = folds.described.label.notna().to_numpy()
            tested = [(rows.subset == "test").to_numpy() for rows in folds.numbered.values()]
            some = np.any(tested, axis=0) if tested else np.zeros(len(used), dtype=bool)
            counts = folds.described.label[some].value_counts()
            reasons = untested_reasons(folds)[lambda reasons: reasons != "label in no bin"].value_counts()
            why = folds.excluded or ", ".join(f"{reason} ({number})" for reason, number in reasons.items())
            row: Row = {0: user, 1: int((used & ~some).sum()), 2: why}
            rows.append(row | {(name,): int(counts.get(name, 0)) for name in folds.classes})
        return rows


@dataclass(frozen=True)
class InspectionView:
    """The page about the recordings."""

    config: Config
    frames: Mapping[str, pd.DataFrame]  # by user, everything but the sensors of the windows table
    quality: pd.DataFrame
    known_problems: list[str]  # of check_recordings
    values: pd.DataFrame | None
    planted: Mapping[str, list[str]]
    picture: str = ""  # source of the image of plot_coverage

    @cached_property
    def cohort(self) -> pd.DataFrame:
        """Windows and lost time by user."""
        starts = {user: frame.start for user, frame in self.frames.items()}
        return cohort_yield(self.quality, starts, self.config.cohort.zone, self.config.windows.seconds)

    @property
    def causes(self) -> pd.DataFrame:
        """What is lost, the commonest causes first."""
        return problem_counts(self.quality).head(MOST_CAUSES)

    @property
    def problems(self) -> list[str]:
        """Problems of the recordings, and targets whose labels are too few to measure importance."""
        split = self.config.split(self.config.primary.split)
        problems = list(self.known_problems)
        for view in self.splits:
            if view.split == split:
                blocks = {user: folds.described.block.nunique() for user, folds in view.folds.items()}
                few = too_few_blocks(pd.Series(blocks, dtype=int))
                problems += [f"{view.target}: {few}"] if few else []
        return problems

    @property
    def labels(self) -> list[LabelsView]:
        """The labels of each target."""
        return [LabelsView(name, label_counts(self.config, name, self.frames)) for name in self.config.targets_run]

    @cached_property
    def splits(self) -> list[SplitView]:
        """What each split would test."""
        seconds, lost = self.config.windows.seconds, dict(list(self.quality.groupby("user")))
        return [
            SplitView(
                target.name,
                split,
                {
                    user: assign_splits(frame, target, split, seconds, lost.get(user))
                    for user, frame in self.frames.items()
                    if {target.column, split.label_column or target.column} <= set(frame.columns)
                },
            )
            for target in map(self.config.target, self.config.targets_run)
            for split in self.config.splits
        ]

    @property
    def configured(self) -> str:
        """Layout and windows."""
        when = ", before any training" if self.values is None else ""
        return phrase("configured", when=when, config=self.config, modalities=len(self.config.modalities))

    @property
    def about_values(self) -> str:
        """What the Shapley values are."""
        return phrase("values", caption=MEASURES["shapley"].caption, primary=self.config.primary)

    @property
    def columns(self) -> list[Column]:
        """Columns of the Shapley values."""
        names = [] if self.values is None else dict.fromkeys(self.values.modality)
        planted = [Column("planted", 1)] if self.planted else []
        return [Column("user", 0), *(Column(name, form="n") for name in names), *planted]

    @property
    def shapley(self) -> list[Row]:
        """Shapley values by user and modality; those whose interval is above 0 are marked."""
        rows: dict[str, Row] = {}
        for value in () if self.values is None else self.values.itertuples():
            row = rows.setdefault(value.user, {0: value.user, 1: ", ".join(self.planted.get(value.user, []))})
            shown = show(value.shapley, "+.2f")
            row[value.modality] = mark("strong", f"{shown}*") if value.matters is True else shown
        return list(rows.values())

    @property
    def modalities(self) -> list[Row]:
        """What is recorded of each modality of each user, with local times."""
        rows = modality_yield(self.quality, self.config.modalities, self.config.windows.seconds).to_dict("records")
        return [row | {key: self._local(row, key) for key in ("first", "last")} for row in rows]

    def _local(self, row: Row, key: str) -> str:
        zone = self.config.cohort.zone(row["user"])
        return NOTHING if pd.isna(row[key]) else show_time(row[key].timestamp(), zone)


def inspect_recordings(
    config: Config,
    labels: Mapping[str, pd.DataFrame],
    quality: pd.DataFrame,
    problems: list[str],
    values: pd.DataFrame | None = None,
    planted: Mapping[str, list[str]] | None = None,
    picture: str = "",
) -> str:
    """Render the page.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    labels : mapping of str to pandas.DataFrame
        By user, everything but the sensors of the windows table.
    quality : pandas.DataFrame
        Quality tables of all users.
    problems : list of str
        Problems of `check_recordings`.
    values : pandas.DataFrame, optional
        Table of `compare_shapley` under the primary split.
    planted : mapping of str to list of str, optional
        By user of a simulated cohort, the modalities that depend on the label.
    picture : str, optional
        Figure of `plot_coverage`, as the source of an image.

    Returns
    -------
    str
        HTML.
    """
    view = InspectionView(config, labels, quality, problems, values, planted or {}, picture)
    return render_page("inspection.html", page=view)


def modality_yield(quality: pd.DataFrame, modalities: list[Modality], seconds: int) -> pd.DataFrame:
    """Summarise each modality of each user over the labelled windows.

    Parameters
    ----------
    quality : pandas.DataFrame
        Quality tables of all users.
    modalities : list of Modality
        The configured modalities.
    seconds : int
        Window length in seconds.

    Returns
    -------
    pandas.DataFrame
        user, modality, first and last (start of windows with samples), windows, usable (share), rate (median samples
        per second where any sample was found), configured (Hz, NaN if irregular), recorded (share of windows with any
        sample), interpolated (share of the samples of usable windows), gaps and flat (shares of windows), causes of
        missing windows.
    """
    labelled = quality[quality.kind == "modality"]
    rates = {m.name: m.length / seconds if m.kind == "sequence" else m.rate for m in modalities}
    summary = []
    for (user, name), rows in labelled.groupby(["user", "modality"], sort=False):
        used, some = rows.reason.isna(), rows.found > 0
        summary.append(
            {
                "user": user,
                "modality": name,
                "first": rows.start[some].min(),
                "last": rows.start[some].max(),
                "windows": len(rows),
                "usable": used.mean(),
                "rate": rows.found[some].median() / seconds,
                "configured": rates.get(str(name)) or np.nan,
                "recorded": some.mean(),
                "interpolated": rows.interpolated[used].sum() / max(1, rows.expected[used].sum()),
                "gaps": (rows.reason == "too few samples").mean(),
                "flat": (rows.reason == "flat signal").mean(),
                "causes": ", ".join(f"{reason} {number}" for reason, number in rows.reason.value_counts().items()),
            }
        )
    return pd.DataFrame(summary)


def label_counts(config: Config, name: str, labels: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Count the windows of a target by class.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    name : str
        Name of the target.
    labels : mapping of str to pandas.DataFrame
        By user, everything but the sensors of the windows table.

    Returns
    -------
    dict of str to pandas.DataFrame
        `users`: windows by user and class; `time of day`, or `day of the week` for windows of days: windows by local
        time and class; `values`: labels in no bin.
    """
    target, of_days = config.target(name), config.windows.seconds == DAY
    parts = []
    for user, frame in labels.items():
        level = frame[target.column] if target.column in frame else pd.Series(None, index=frame.index, dtype=object)
        used, own = label_windows(frame.assign(**{target.column: level}), target)
        classes = np.full(len(frame), "in no bin", dtype=object)
        classes[used] = [name or "in no bin" for name in class_names(own.codes(), target)]
        local = local_times(frame.start, config.cohort.zone(user)).dt
        times = local.day_name() if of_days else [HOURS[hour // 3] for hour in local.hour]
        columns = {"user": user, "value": level.fillna("no answer"), "time": times}
        parts.append(pd.DataFrame(columns | {"class": classes}))
    table = pd.concat(parts) if parts else pd.DataFrame(columns=["user", "value", "class", "time"])
    names = [*target.classes, "in no bin"]
    users = pd.crosstab(table.user, table["class"]).reindex(index=list(labels), columns=names, fill_value=0)
    index = [*calendar.day_name] if of_days else [*HOURS]
    times = pd.crosstab(table.time, table["class"]).reindex(index=index, columns=names, fill_value=0)
    values = table.value[table["class"] == "in no bin"].value_counts().rename("windows").to_frame()
    return {"users": users, "day of the week" if of_days else "time of day": times, "values": values}
