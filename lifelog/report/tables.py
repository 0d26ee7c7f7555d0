"""Tables for the figures and the page."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lifelog.files import read_json
from lifelog.settings.splits import SUBSETS
from lifelog.settings.zones import DAY
from lifelog.splits.folds import Folds
from lifelog.windows.times import local_times

UNITS = (("days", DAY), ("hours", 3600), ("minutes", 60))  # of time, in seconds


def yield_shares(quality: pd.DataFrame, modalities: list[str], users: list[str]) -> pd.DataFrame:
    """Return the share of labelled windows in which each modality could be used, users by modalities; 0 without any."""
    rows = quality[quality.kind == "modality"]
    used = rows.reason.isna().groupby([rows.user, rows.modality]).mean().unstack()
    return used.reindex(index=users, columns=modalities).fillna(0.0).rename_axis(index="user", columns="modality")


def cohort_yield(
    quality: pd.DataFrame, starts: dict[str, pd.Series], zone: Callable[[str], str], seconds: int
) -> pd.DataFrame:
    """Return one row per user: labels = windows + lost labels with their reasons, and the first and last day.

    Parameters
    ----------
    quality : pandas.DataFrame
        Quality tables of all users.
    starts : dict of str to pandas.Series
        Starts of the windows of each user.
    zone : callable
        Returns the time zone of a user, for the days.
    seconds : int
        Window length in seconds.

    Returns
    -------
    pandas.DataFrame
        user, first_day, last_day, windows, labelled (time in windows), lost (labelled time in none), unit (of these:
        minutes, hours or days, by the window length), reasons (each with the number of pieces of labelled time that
        were lost).
    """
    rows, (unit, size) = [], next((unit for unit in UNITS if seconds >= unit[1]), UNITS[-1])
    for user, start in starts.items():
        count = len(start)
        days = [f"{day:%Y-%m-%d}" for day in local_times(start, zone(user)).agg(["min", "max"])] if count else ["", ""]
        lost = quality[(quality.user == user) & (quality.kind == "label")]
        reasons = ", ".join(f"{number} × {reason}" for reason, number in lost.reason.value_counts().items())
        rows.append(
            {"user": user, "first_day": days[0], "last_day": days[1], "windows": count}
            | {"labelled": _covered(start, seconds) / size, "lost": lost.seconds.fillna(seconds).sum() / size}
            | {"unit": unit, "reasons": reasons}
        )
    return pd.DataFrame(rows)


def _covered(starts: pd.Series, seconds: int) -> float:
    """Return the seconds that windows cover, which may overlap."""
    gaps = starts.sort_values().diff().dt.total_seconds()
    return float(gaps.clip(upper=seconds).sum() + seconds) if len(starts) else 0.0


def problem_counts(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the problems in the raw data with their counts, and the place of the first occurrence."""
    faults = quality[quality.reason.notna()]
    table = faults.groupby(["kind", "modality", "reason"], dropna=False).agg(
        times=("reason", "size"), users=("user", "nunique"), first=("detail", "first")
    )
    return table.reset_index().fillna({"modality": ""}).sort_values("times", ascending=False, kind="stable")


def training_histories(descriptions: list[str]) -> pd.DataFrame:
    """Return user, seed, fold, epoch, losses, validation score and selected epochs, from the JSON of checkpoints."""
    frames = []
    for path in descriptions:
        description = read_json(path)
        for fold, of_fold in description["folds"].items() if description["excluded"] is None else ():
            keys = {"user": Path(path).parent.name, "seed": description["seed"], "fold": int(fold)}
            frame = pd.DataFrame(of_fold["history"])
            frames.append(frame.assign(**keys, best=frame.epoch == of_fold["epoch"]))
    columns = ["user", "seed", "fold", "epoch", "train_loss", "validation_loss", "validation_score", "best"]
    return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)


def split_overview(folds: Mapping[str, Folds], excluded: Collection[str]) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return the windows per user and subset, and the users who are not excluded with what a subset of theirs lacks.

    Test windows are those of all folds, training and validation windows the mean over folds.
    """
    rows: list[dict[str, Any]] = []
    notes: list[tuple[str, str]] = []
    for user, of_user in folds.items():
        tested = of_user.tested
        counts = pd.DataFrame([of_user.fold(fold).subset.value_counts() for fold in tested])
        counts = counts.reindex(columns=SUBSETS).fillna(0)
        unused = untested_reasons(of_user).value_counts()
        rows.append(
            {"user": user, "folds": len(tested), "test": int(counts.test.sum())}
            | {subset: round(counts[subset].mean()) if tested else 0 for subset in ("train", "validation")}
            | {"unused": int(unused.sum()), "why": ", ".join(f"{k} {v}" for k, v in unused.items())}
            | {"nearest": of_user.nearest_minutes, "blocks": of_user.described.block.nunique()}
        )
        lacking = {} if user in excluded else of_user.lacking
        for subset, classes in lacking.items():
            some = " of some fold" if subset == "train" and len(tested) > 1 else ""
            notes += [(user, f"no {' or '.join(classes)} in {subset}{some}")] if classes else []
    return pd.DataFrame(rows), notes


def untested_reasons(folds: Folds) -> pd.Series:
    """Return why windows are not used: with one fold, in any subset; with several folds, in none as a test window."""
    if not folds.numbered:
        return folds.described.reason
    reasons = pd.DataFrame({fold: rows.reason for fold, rows in folds.numbered.items()})
    if len(folds.numbered) > 1:
        tested = pd.DataFrame({fold: rows.subset == "test" for fold, rows in folds.numbered.items()}).any(axis=1)
        reasons = reasons[~tested].replace("embargo", None).bfill(axis=1)
    return reasons.iloc[:, 0]


def joined_random(comparison: pd.DataFrame) -> pd.DataFrame:
    """Return the comparison with one row for all random groupings of a predictor: mean, minimum and maximum."""
    is_random = comparison.scheme.str.startswith("random")
    by = comparison[is_random].groupby(["predictor", "metric"], sort=False)
    random = by[["users", "mean", "pooled", "difference"]].mean().astype({"users": int})
    limits = by["mean"].agg(low="min", high="max")
    # A single grouping has no range.
    random = random.join(limits.where(by.size() > 1)).reset_index().assign(scheme="random")
    table = pd.concat([comparison[~is_random], random], ignore_index=True)
    order = {column: list(dict.fromkeys(comparison[column])) for column in ("metric", "predictor")}
    ranks = pd.DataFrame({column: table[column].map(names.index) for column, names in order.items()})
    return table.loc[ranks.sort_values(["metric", "predictor"], kind="stable").index]
