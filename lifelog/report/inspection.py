"""inspect_recordings: what is recorded, what would be lost and why, and the labels; without any training.

The first page for own data (`snakemake inspect`) reads only the windows and quality tables. With the values of the
modalities (`snakemake preview`) it also shows which sensors matter for whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.files import write_text
from lifelog.importance.measures import MEASURES
from lifelog.report.overview import too_few_blocks
from lifelog.report.page import render_page
from lifelog.report.tables import cohort_yield, problem_counts
from lifelog.settings.windows import Modality
from lifelog.splits.assign import independent_blocks

HOURS = ("0-3", "3-6", "6-9", "9-12", "12-15", "15-18", "18-21", "21-24")


def inspect_recordings(
    config: Config,
    labels: Mapping[str, pd.DataFrame],
    quality: pd.DataFrame,
    problems: list[str],
    path: str | Path,
    values: pd.DataFrame | None = None,
    planted: Mapping[str, list[str]] | None = None,
) -> None:
    """Write the page.

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
    path : str or Path
        HTML file to write.
    values : pandas.DataFrame, optional
        Table of `compare_shapley` under the primary split.
    planted : mapping of str to list of str, optional
        By user of a simulated cohort, the modalities that depend on the label.
    """
    starts = {user: frame.start for user, frame in labels.items()}
    page = render_page(
        "inspection.html",
        config=config,
        local=lambda time, user: (
            "–" if pd.isna(time) else f"{time.tz_convert(config.cohort.zone(user)):%Y-%m-%d %H:%M}"
        ),
        problems=[*problems, *_too_few(config, labels)],
        cohort=cohort_yield(quality, starts, config.cohort.zone, config.windows.seconds),
        modalities=modality_yield(quality, config.modalities, config.windows.seconds),
        causes=problem_counts(quality),
        values=values,
        caption=MEASURES["shapley"].caption,
        planted=planted or {},
        targets={name: label_counts(config, name, labels) for name in config.targets_run},
    )
    write_text(page, path)


def _too_few(config: Config, labels: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return a sentence for each target whose labels are too few to measure importance."""
    found = []
    for target in map(config.target, config.targets_run):
        counts = {}
        for user, frame in labels.items():
            if target.column in frame:
                own = frame[frame[target.column].map(target.class_of, na_action="ignore").notna()]
                counts[user] = len(set(independent_blocks(own, target, config.split(config.primary.split))))
        few = too_few_blocks(pd.Series(counts, dtype=int))
        found += [f"{target.name}: {few}"] if few else []
    return found


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
    rows = quality[quality.kind == "modality"]
    rates = {m.name: m.length / seconds if m.kind == "sequence" else m.rate for m in modalities}
    found = []
    for (user, name), own in rows.groupby(["user", "modality"], sort=False):
        used, some = own.reason.isna(), own.found > 0
        causes = own.reason.value_counts()
        found.append(
            {
                "user": user,
                "modality": name,
                "first": own.start[some].min(),
                "last": own.start[some].max(),
                "windows": len(own),
                "usable": used.mean(),
                "rate": own.found[some].median() / seconds,
                "configured": rates.get(str(name)) or np.nan,
                "recorded": some.mean(),
                "interpolated": own.interpolated[used].sum() / max(1, own.expected[used].sum()),
                "gaps": (own.reason == "too few samples").mean(),
                "flat": (own.reason == "flat signal").mean(),
                "causes": ", ".join(f"{reason} {count}" for reason, count in causes.items()),
            }
        )
    return pd.DataFrame(found)


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
        `users`: windows by user and class; `hours`: by local time of day and class; `values`: labels in no bin.
    """
    target = config.target(name)
    parts = []
    for user, frame in labels.items():
        level = frame[target.column] if target.column in frame else pd.Series(None, index=frame.index, dtype=object)
        parts.append(
            pd.DataFrame(
                {
                    "user": user,
                    "value": level.fillna("no answer"),
                    "class": level.map(target.class_of, na_action="ignore").fillna("in no bin"),
                    "hours": [HOURS[hour // 3] for hour in frame.start.dt.tz_convert(config.cohort.zone(user)).dt.hour],
                }
            )
        )
    table = pd.concat(parts) if parts else pd.DataFrame(columns=["user", "value", "class", "hours"])
    classes = [*target.classes, "in no bin"]
    users = pd.crosstab(table.user, table["class"]).reindex(index=list(labels), columns=classes, fill_value=0)
    hours = pd.crosstab(table.hours, table["class"]).reindex(index=list(HOURS), columns=classes, fill_value=0)
    values = table.value[table["class"] == "in no bin"].value_counts().rename("windows").to_frame()
    return {"users": users, "hours": hours, "values": values}
