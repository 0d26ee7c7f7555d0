"""assign_splits: assignment of a user's windows to training, validation and test subsets, for a target and a split.

random   single windows, as published: neighbours in time fall into different subsets, which rewards proximity in time.
blocked  whole sessions; blocks of minutes with an embargo between subsets for users with few sessions; runs of
         tasks for a protocol with tasks.

The table has one row per fold and window. In a split with several folds, each of the folds 1, 2, ... is tested once,
and fold 0 holds out nothing: it describes the user, for the report and for new users. A split with one fold has only
fold 0, with a test subset.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.arrays import Bools, Codes, Floats, Texts
from lifelog.blocks import time_blocks, whole_answers
from lifelog.settings.levels import matches
from lifelog.settings.splits import SUBSETS, AnySplit, BlockedSplit, RandomSplit, Target
from lifelog.splits.subsets import blocked_subsets, distances, random_subsets, rotated_subsets
from lifelog.tables import TEXT, TIME, read_notes, write_table
from lifelog.windows.labels import shared_rows
from lifelog.windows.read import read_labels

DESCRIBED = 0  # the fold that describes a user
# level: the raw label value; label: the target's class, null if the value is in no bin; subset: null if the window is
# not used in the fold, for the reason. block: its windows are not independent; whole answers; null without a label.
KEYS = dict(user=TEXT, session=TEXT, start=TIME)
SCHEMA = pa.schema(KEYS | dict(level=TEXT, label=TEXT, block=pa.int32(), fold=pa.int16(), subset=TEXT, reason=TEXT))


def assign_splits(
    windows_path: str | Path,
    target: Target,
    split: AnySplit,
    splits_path: str | Path,
    seconds: int = 60,
    quality_path: str | Path | None = None,
) -> None:
    """Assign the windows of a user to subsets, and write one row per fold and window, in the order of the windows.

    The notes of the table hold why the user is excluded, the classes that each subset lacks (in any fold for training),
    and the minutes between the nearest test and training windows.

    Parameters
    ----------
    windows_path : str or Path
        A file of `extract_windows`.
    target : Target
        Label column and classes.
    split : RandomSplit or BlockedSplit
        How windows are assigned.
    splits_path : str or Path
        Parquet file to write.
    seconds : int, default 60
        Window length in seconds.
    quality_path : str or Path, optional
        The quality table of the user, which names the cause of missing windows.

    Raises
    ------
    ValueError
        If the windows lack a label column of the target or the split.
    """
    windows = read_labels(windows_path)
    tasks = split.tasks if isinstance(split, BlockedSplit) else None
    for key, name, column in (("targets", target.name, target.column), ("splits", split.name, tasks)):
        if column is not None and column not in windows:
            labels = [label for label in windows.columns if label not in ("user", "session", "start", "label_rows")]
            raise ValueError(f"{key}: {name!r} uses the label column {column!r}; the data have {labels}")
    frame = windows[["user", "session", "start"]].copy()
    frame["level"] = windows[target.column].astype(object).where(windows[target.column].notna(), None)
    frame["label"] = frame.level.map({value: target.class_of(value) for value in frame.level.dropna().unique()})
    frame["block"] = None
    used = frame.label.notna().to_numpy()
    codes = frame.label[used].map({name: i for i, name in enumerate(target.classes)}).to_numpy(dtype=int)
    minutes = (frame.start[used].dt.as_unit("s").astype("int64") / 60).to_numpy()
    sessions = frame.session[used].to_numpy()
    shared = np.array(shared_rows(rows.get(target.column, []) for rows in windows.label_rows[used]), dtype=int)
    runs = None if tasks is None else windows[tasks].astype(object).where(windows[tasks].notna(), None)[used].to_numpy()
    folds, excluded = [np.full(len(codes), None, dtype=object)], None
    if len(codes):
        frame.loc[used, "block"] = independent_blocks(windows[used], target, split)
    if len(codes) < 3:
        excluded = f"too few windows: {len(codes)} with a label in a bin{_cause(frame, target, quality_path)}"
    elif len(set(codes)) < 2:
        excluded = f"one class only: all {len(codes)} windows are {target.classes[codes[0]]!r}"
    elif isinstance(split, RandomSplit):
        together = _overlapping(minutes, seconds)
        rows = (
            [*own.get(target.column, []), f"time {run}"]
            for own, run in zip(windows.label_rows[used], together, strict=True)
        )
        shared = np.array(shared_rows(rows), dtype=int)
        folds = [random_subsets(codes, split, shared)]
        if shared.max() < 2:
            excluded = "too few windows that can be separated: labels or overlapping times hold them together"
    else:
        of_windows = codes, sessions, minutes, split, runs, seconds, shared
        folds = rotated_subsets(*of_windows) if split.rotates else [blocked_subsets(*of_windows)]
        excluded = _without_held_out_task(split, runs)
    for subsets in folds:
        _check_apart(subsets, minutes, seconds)
    blocks = frame.block[used].to_numpy()
    causes = [excluded or _unusable(codes, subsets, target.classes, blocks) for subsets in folds]
    if all(causes):
        excluded = causes[0]
    gaps = [
        nearest_minutes(minutes[subsets == "test"], minutes[subsets == "train"])
        for subsets, cause in zip(folds, causes, strict=True)
        if cause is None
    ]
    if excluded:
        folds, causes = [np.full(len(codes), None, dtype=object)], [excluded]
    elif split.rotates:
        # A fold without training windows of two classes cannot be tested, but its windows train in other folds.
        for subsets, cause in zip(folds, causes, strict=True):
            subsets[(subsets == "test") & (cause is not None)] = None
        folds, causes = [np.full(len(codes), "train", dtype=object), *folds], [None, *causes]
    tables = [
        _fold_table(frame, used, number, subsets, cause or "embargo")
        for number, (subsets, cause) in enumerate(zip(folds, causes, strict=True))
    ]
    nearest = min(gaps, default=None)
    notes = {
        "excluded": excluded,
        "lacking": _lacking(codes, folds, target.classes),
        "classes": target.classes,
        "rating": target.kind == "rating",
        "nearest_minutes": nearest,
    }
    write_table(pd.concat(tables, ignore_index=True), splits_path, SCHEMA, notes)


def independent_blocks(windows: pd.DataFrame, target: Target, split: AnySplit) -> Codes:
    """Number windows such that those which are not independent have the same number.

    Parameters
    ----------
    windows : pandas.DataFrame
        Labelled windows of a user, as `read_labels` returns them.
    target : Target
        Label column.
    split : RandomSplit or BlockedSplit
        Length of blocks of time.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Block of time within a session of each window; windows of an answer are in the block of the first of them.
    """
    minutes = (windows.start.dt.as_unit("s").astype("int64") / 60).to_numpy()
    answers = np.array(shared_rows(rows.get(target.column, []) for rows in windows.label_rows), dtype=int)
    return whole_answers(time_blocks(windows.session.to_numpy(), minutes, split.block_minutes), answers)


def _fold_table(frame: pd.DataFrame, used: Bools, fold: int, subsets: Texts, cause: str) -> pd.DataFrame:
    """Return the rows of a fold; `cause` is why windows with a label in a bin are in no subset."""
    own = frame.assign(fold=fold, subset=None, reason=None).astype({"subset": object, "reason": object})
    own.loc[used, "subset"] = subsets
    own.loc[~used, "reason"] = "label in no bin"
    own.loc[used & own.subset.isna().to_numpy(), "reason"] = cause
    return own


def read_split(path: str | Path, fold: int = DESCRIBED) -> pd.DataFrame:
    """Read the subsets of a user in a fold: one row per window, in the order of the windows.

    A user with fewer folds than others is not tested in the further ones: they are like fold 0.

    Parameters
    ----------
    path : str or Path
        A file of `assign_splits`.
    fold : int, default 0
        Number of the fold.

    Returns
    -------
    pandas.DataFrame
        user, session, start, level, label, block, fold, subset, reason.
    """
    folds = read_folds(path)
    return folds.get(fold, folds[DESCRIBED])


def read_folds(path: str | Path) -> dict[int, pd.DataFrame]:
    """Read the subsets of a user in every fold, by its number."""
    table = pq.read_table(path).to_pandas()
    folds = {int(fold): own.reset_index(drop=True) for fold, own in table.groupby("fold")}
    return folds or {DESCRIBED: table}


def folds_tested(folds: Mapping[int, pd.DataFrame]) -> list[int]:
    """Return the numbers of the folds with a test subset."""
    return [fold for fold, own in folds.items() if (own.subset == "test").any()]


def _overlapping(minutes: Floats, seconds: int) -> Codes:
    """Number windows such that those which overlap in time, directly or through others, have the same number."""
    order = minutes.argsort(kind="stable")
    runs = np.zeros(len(minutes), dtype=int)
    runs[order[1:]] = np.cumsum(np.diff(minutes[order]) * 60 > seconds - 1e-3)
    return runs


def _check_apart(subsets: Texts, minutes: Floats, seconds: int) -> None:
    """Raise ValueError if windows of two subsets overlap: the samples of a test window would be trained on."""
    for subset in SUBSETS:
        own = subsets == subset
        others = ~own & np.isin(subsets.astype(str), SUBSETS)
        if own.any() and others.any() and distances(minutes[own], minutes[others]).min() * 60 < seconds - 1e-3:
            raise ValueError(f"a window of the {subset} subset overlaps one of another subset")


def _cause(frame: pd.DataFrame, target: Target, quality_path: str | Path | None) -> str:
    """Return why so few windows have a label in a bin: the labels, or the commonest reason why windows were lost."""
    lost = pd.DataFrame() if quality_path is None else pq.read_table(quality_path).to_pandas().query("kind == 'label'")
    unused = frame.level[frame.label.isna()]
    if len(unused) and len(unused) >= len(lost):
        values = unused.fillna("no answer").value_counts().head(8)
        return f"; {target.column} is " + ", ".join(f"{value!r} ({count})" for value, count in values.items())
    if not len(lost):
        return ""
    # The reason of a window without any modality is that of its modalities.
    causes = lost.reason.where(lost.reason != "no usable modality", lost.detail.str.partition(";")[0])
    cause = causes.value_counts().index[0]
    return f"; {cause} in {(causes == cause).sum()} of {len(lost) + len(frame)} labelled windows"


def exclusion(splits_path: str | Path) -> str | None:
    """Return why a user is excluded, or None."""
    return read_notes(splits_path)["excluded"]


def nearest_minutes(test: Floats, train: Floats) -> int:
    """Compute the minimum time between test and training windows, which bounds how much a split can leak.

    Parameters
    ----------
    test, train : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.

    Returns
    -------
    int
        Floats.
    """
    return int(distances(test, train).min())


def _unusable(codes: Codes, subsets: Texts, classes: list[str], blocks: Texts) -> str | None:
    """Return why subsets cannot be used, or None."""
    for subset in SUBSETS:
        if not (subsets == subset).any():
            return f"too few windows: the {subset} subset is empty"
    trained = np.unique(codes[subsets == "train"])
    if len(trained) < 2:
        return f"one class only in the train subset: {classes[trained[0]]!r}"
    if len(set(blocks[np.isin(subsets.astype(str), ("train", "validation"))])) < 2:
        return "one block of time only outside the test subset"
    return None


def _without_held_out_task(split: AnySplit, runs: Texts | None) -> str | None:
    """Return why a user without any held-out task is excluded, or None."""
    held_out = split.hold_out if isinstance(split, BlockedSplit) else []
    if not held_out or runs is None or any(matches(run, held_out) for run in runs):
        return None
    known = ", ".join(sorted({str(run) for run in runs}))
    return f"no window of a held-out task ({', '.join(map(str, held_out))}); the user's tasks are {known}"


def _lacking(codes: Codes, folds: list[Texts], classes: list[str]) -> dict[str, list[str]]:
    """Return the user's classes that each subset lacks: in all folds together, but in any fold for training."""
    lacking = {}
    for subset in SUBSETS:
        of_folds = [set(codes[subsets == subset]) for subsets in folds]
        found = set.intersection(*of_folds) if subset == "train" else set.union(*of_folds)
        lacking[str(subset)] = [name for i, name in enumerate(classes) if i in set(codes) - found]
    return lacking
