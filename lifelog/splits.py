"""assign_splits: assignment of a user's windows to training, validation and test subsets, for a target and a split.

random   single windows, as published: neighbours in time fall into different subsets, which rewards proximity in time.
blocked  whole sessions; blocks of minutes with an embargo between subsets for users with few sessions; runs of
         tasks for a protocol with tasks.

The method `users` uses the subsets of another split; only the training of predictors differs.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.blocks import Codes, Minutes, time_blocks, whole_answers
from lifelog.settings.levels import Level, matches
from lifelog.settings.splits import SUBSETS, BlockedSplit, RandomSplit, Target, WindowSplit
from lifelog.tables import TEXT, TIME, read_notes, write_table
from lifelog.windows.labels import shared_rows
from lifelog.windows.read import read_labels

DRAWS = 500  # random assignments of blocks to compare
# level: the raw label value; label: the target's class, null if the value is in no bin; subset: null if the window is
# not used, for the reason. block: its windows are not independent; whole answers; null if the label is in no bin.
KEYS = dict(user=TEXT, session=TEXT, start=TIME)
SCHEMA = pa.schema(KEYS | dict(level=TEXT, label=TEXT, block=pa.int32(), subset=TEXT, reason=TEXT))

Texts = NDArray[np.object_]


def assign_splits(
    windows_path: str | Path,
    target: Target,
    split: WindowSplit,
    splits_path: str | Path,
    seconds: int = 60,
    quality_path: str | Path | None = None,
) -> None:
    """Assign the windows of a user to subsets, and write one row per window in the order of the windows.

    The notes of the table hold why the user is excluded, the classes that each subset lacks, and the minutes between
    the nearest test and training windows.

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
    frame["block"], frame["subset"], frame["reason"] = None, None, None
    frame.loc[frame.label.isna(), "reason"] = "label in no bin"
    used = frame.label.notna().to_numpy()
    codes = frame.label[used].map({name: i for i, name in enumerate(target.classes)}).to_numpy(dtype=int)
    minutes = (frame.start[used].dt.as_unit("s").astype("int64") / 60).to_numpy()
    sessions = frame.session[used].to_numpy()
    shared = np.array(shared_rows(rows.get(target.column, []) for rows in windows.label_rows[used]), dtype=int)
    excluded, nearest = None, None
    if len(codes):
        frame.loc[used, "block"] = whole_answers(time_blocks(sessions, minutes, split.block_minutes), shared)
    if len(codes) < 3:
        excluded = f"too few windows: {len(codes)} with a label in a bin{_cause(frame, target, quality_path)}"
    elif len(set(codes)) < 2:
        excluded = f"one class only: all {len(codes)} windows are {target.classes[codes[0]]!r}"
    else:
        runs = (
            None
            if tasks is None
            else windows[tasks].astype(object).where(windows[tasks].notna(), None)[used].to_numpy()
        )
        if isinstance(split, RandomSplit):
            together = _overlapping(minutes, seconds)
            rows = (
                [*own.get(target.column, []), f"time {run}"]
                for own, run in zip(windows.label_rows[used], together, strict=True)
            )
            shared = np.array(shared_rows(rows), dtype=int)
            subsets = random_subsets(codes, split, shared)
            if shared.max() < 2:
                excluded = "too few windows that can be separated: labels or overlapping times hold them together"
        else:
            subsets = blocked_subsets(codes, sessions, minutes, split, runs, seconds, shared)
        _check_apart(subsets, minutes, seconds)
        frame.loc[used, "subset"] = subsets
        frame.loc[used & frame.subset.isna().to_numpy(), "reason"] = "embargo"
        excluded = excluded or _without_held_out_task(split, runs) or _unusable(codes, subsets, target.classes)
        nearest = None if excluded else nearest_minutes(minutes[subsets == "test"], minutes[subsets == "train"])
    frame = frame.astype({"subset": object, "reason": object})
    lacking = _lacking(frame, target.classes)
    notes = {"excluded": excluded, "lacking": lacking, "classes": target.classes, "nearest_minutes": nearest}
    write_table(frame, splits_path, SCHEMA, notes)


def _overlapping(minutes: Minutes, seconds: int) -> Codes:
    """Number windows such that those which overlap in time, directly or through others, have the same number."""
    order = minutes.argsort(kind="stable")
    runs = np.zeros(len(minutes), dtype=int)
    runs[order[1:]] = np.cumsum(np.diff(minutes[order]) * 60 > seconds - 1e-3)
    return runs


def _check_apart(subsets: Texts, minutes: Minutes, seconds: int) -> None:
    """Raise ValueError if windows of two subsets overlap: the samples of a test window would be trained on."""
    for subset in SUBSETS:
        own = subsets == subset
        others = ~own & np.isin(subsets.astype(str), SUBSETS)
        if own.any() and others.any() and _distances(minutes[own], minutes[others]).min() * 60 < seconds - 1e-3:
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


def nearest_minutes(test: Minutes, train: Minutes) -> int:
    """Compute the minimum time between test and training windows, which bounds how much a split can leak.

    Parameters
    ----------
    test, train : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.

    Returns
    -------
    int
        Minutes.
    """
    return int(_distances(test, train).min())


def _distances(minutes: Minutes, others: Minutes) -> Minutes:
    """Return the distance of each time to the nearest of the others."""
    others = np.sort(others)
    after = np.searchsorted(others, minutes)
    before = np.abs(minutes - others[np.maximum(after - 1, 0)])
    return np.minimum(before, np.abs(minutes - others[np.minimum(after, len(others) - 1)]))


def random_subsets(codes: Codes, split: RandomSplit, answers: Codes | None = None) -> Texts:
    """Assign single windows at random, as published: scikit-learn's train_test_split twice with the same seed.

    Windows of one answer, and windows that overlap in time, stay together: where an answer has one window, as in the
    study, windows are assigned singly.

    Parameters
    ----------
    codes : ndarray of int, shape (n_windows,)
        Class numbers.
    split : RandomSplit
        Shares and seed.
    answers : ndarray of int, shape (n_windows,), optional
        Windows with the same number, from 0, stay together; by default each window has its own.

    Returns
    -------
    ndarray of object, shape (n_windows,)
        Subset of each window.
    """
    answers = np.arange(len(codes)) if answers is None else answers
    count = int(answers.max()) + 1
    subsets = np.full(count, "train", dtype=object)
    n_test = math.ceil(split.test * count)
    n_validation = math.ceil(split.validation * (count - n_test))
    order = np.random.RandomState(split.seed).permutation(count)
    rest = order[n_test:]
    subsets[order[:n_test]] = "test"
    subsets[rest[np.random.RandomState(split.seed).permutation(len(rest))[:n_validation]]] = "validation"
    return subsets[answers]


def blocked_subsets(
    codes: Codes,
    sessions: Texts,
    minutes: Minutes,
    split: BlockedSplit,
    tasks: Texts | None = None,
    seconds: int = 60,
    answers: Codes | None = None,
) -> Texts:
    """Assign whole blocks of windows, such that subsets have all classes in the user's proportions.

    Of many random assignments the best is used: the one that misses the fewest classes (in training first, then test,
    then validation), then the one nearest to the wanted sizes and the user's distribution of classes.

    Parameters
    ----------
    codes : ndarray of int, shape (n_windows,)
        Class numbers.
    sessions : ndarray of object, shape (n_windows,)
        Session of each window.
    minutes : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.
    split : BlockedSplit
        Shares, blocks, embargo and seed.
    tasks : ndarray of object, shape (n_windows,), optional
        Task of each window, for a split by tasks. Held-out tasks are the test subset of every user; validation blocks
        are then drawn from blocks of minutes of the rest.
    seconds : int, default 60
        Window length in seconds.
    answers : ndarray of int, shape (n_windows,), optional
        Number of the answer of each window: no answer is in two subsets, except for those between tasks.

    Returns
    -------
    ndarray of object, shape (n_windows,)
        Subset of each window; None under embargo.
    """
    answers = np.arange(len(codes)) if answers is None else answers
    share = np.array([(1 - split.test) * (1 - split.validation), (1 - split.test) * split.validation, split.test])
    gap = split.embargo_minutes + seconds / 60  # between the starts of windows
    if tasks is None:
        subsets = _draw(codes, whole_answers(_blocks(sessions, minutes, split), answers), share, split.seed)
        return _embargo(subsets, minutes, gap)
    blocks, names = _task_blocks(sessions, minutes, tasks, split.between)
    between = np.array([split.between is not None and matches(task, [split.between]) for task in tasks])
    answers = np.where(between, answers.max() + 1 + np.arange(len(codes)), answers)  # may be cut in the middle
    if not split.hold_out:
        return _embargo(_draw(codes, whole_answers(blocks, answers), share, split.seed), minutes, gap)
    test = np.array([matches(name, split.hold_out) for name in names[blocks]])
    subsets = np.full(len(codes), "test", dtype=object)
    if not test.all():
        share = np.array([1 - split.validation, split.validation, 0])
        rest = pd.factorize(pd.Series(list(zip(blocks, minutes // split.block_minutes, strict=True)))[~test])[0]
        subsets[~test] = _draw(codes[~test], whole_answers(rest, answers[~test]), share, split.seed)
        subsets[~test & np.isin(answers, answers[test])] = None  # answers about a held-out task and another one
    return _embargo(subsets, minutes, gap)


def _draw(codes: Codes, blocks: Codes, share: Minutes, seed: int) -> Texts:
    """Return the best of many random assignments of blocks to subsets."""
    count = blocks.max() + 1
    table = np.zeros((count, codes.max() + 1), dtype=int)  # windows per block and class
    np.add.at(table, (blocks, codes), 1)
    rng = np.random.default_rng(seed)
    best, best_cost = np.zeros(count, dtype=int), np.inf
    for _ in range(DRAWS):
        assigned = _fill(table.sum(axis=1)[order := rng.permutation(count)], share)
        draw = np.empty(count, dtype=int)
        draw[order] = assigned
        cost = _cost(table, draw, share)
        if cost < best_cost:
            best, best_cost = draw, cost
    return np.array(SUBSETS, dtype=object)[best[blocks]]


def _blocks(sessions: Texts, minutes: Minutes, split: BlockedSplit) -> Codes:
    """Return the number of each window's block: its session, or its `block_minutes` within the session."""
    names: Codes = pd.factorize(sessions)[0]
    return names if names.max() + 1 >= split.min_sessions else time_blocks(sessions, minutes, split.block_minutes)


def _task_blocks(sessions: Texts, minutes: Minutes, tasks: Texts, between: Level | None) -> tuple[Codes, Texts]:
    """Return the number of each window's block, and the task of each block.

    A block is a run of a task with half of the adjacent time between tasks. Windows are in time order within sessions.
    A session without any task is one block.
    """
    frame = pd.DataFrame({"session": sessions, "minute": minutes, "task": pd.Series(tasks).fillna("")})
    change = (frame.task != frame.task.shift()) | (frame.session != frame.session.shift())
    frame["run"] = change.cumsum()
    # A window between tasks belongs to the nearest task of its session.
    between_tasks = frame.task.map(lambda task: between is not None and matches(task, [between]))
    runs = frame[~between_tasks.astype(bool)].groupby("run")
    runs = runs.agg(
        session=("session", "first"), first=("minute", "min"), last=("minute", "max"), task=("task", "first")
    )
    names = []
    for row in frame.itertuples():
        own = runs[runs.session == row.session]
        if own.empty:
            names.append((row.session, -1, row.task))
            continue
        gap = np.maximum(np.maximum(own["first"] - row.minute, row.minute - own["last"]), 0)
        nearest = gap.idxmin()
        names.append((row.session, nearest, own.task[nearest]))
    blocks, unique = pd.factorize(pd.Series(names))
    return blocks, np.array([name[2] for name in unique], dtype=object)


def _fill(sizes: Codes, share: Minutes) -> Codes:
    """Return the subset of each block in drawn order: test up to its share, then validation, then training."""
    before = np.cumsum(sizes) - sizes
    # A block belongs to the subset in which its middle falls, so that few large blocks still fill every subset.
    middle = (before + sizes / 2) / sizes.sum()
    subsets = np.select([middle < share[2], middle < share[2] + share[1]], [2, 1], default=0)
    if share[2] > 0:
        subsets[0] = 2
    if 1 not in subsets:
        subsets[np.argmax(subsets == 0)] = 1
    return subsets


def _cost(table: Codes, draw: Codes, share: Minutes) -> float:
    """Return the cost of an assignment: missing classes, then deviations from shares and distribution."""
    total = table.sum(axis=0)
    cost = 0.0
    for subset, weight in zip(range(3), (100, 3, 10), strict=True):
        if share[subset] == 0:
            continue
        counts = table[draw == subset].sum(axis=0)
        size = counts.sum()
        cost += 1000 * (size == 0) + weight * ((counts == 0) & (total > 0)).sum()
        cost += 2 * abs(size / total.sum() - share[subset])
        cost += 0.5 * np.abs(counts / max(size, 1) - total / total.sum()).sum()
    return cost


def _embargo(subsets: Texts, minutes: Minutes, gap: float) -> Texts:
    """Remove training windows near validation or test windows, and validation windows near test windows.

    By the clock, not within sessions: a restarted recorder makes two sessions of one stretch of time.
    """
    subsets = subsets.copy()
    for yielding, kept in (("validation", ("test",)), ("train", ("test", "validation"))):
        near = minutes[np.isin(subsets.astype(str), kept)]
        rows = np.flatnonzero(subsets == yielding)
        if len(near) and len(rows):
            subsets[rows[_distances(minutes[rows], near) < gap]] = None
    return subsets


def _unusable(codes: Codes, subsets: Texts, classes: list[str]) -> str | None:
    """Return why subsets cannot be used, or None."""
    for subset in SUBSETS:
        if not (subsets == subset).any():
            return f"too few windows: the {subset} subset is empty"
    trained = np.unique(codes[subsets == "train"])
    if len(trained) < 2:
        return f"one class only in the train subset: {classes[trained[0]]!r}"
    return None


def _without_held_out_task(split: WindowSplit, runs: Texts | None) -> str | None:
    """Return why a user without any held-out task is excluded, or None."""
    held_out = split.hold_out if isinstance(split, BlockedSplit) else []
    if not held_out or runs is None or any(matches(run, held_out) for run in runs):
        return None
    known = ", ".join(sorted({str(run) for run in runs}))
    return f"no window of a held-out task ({', '.join(map(str, held_out))}); the user's tasks are {known}"


def _lacking(frame: pd.DataFrame, classes: list[str]) -> dict[str, list[str]]:
    """Return the user's classes that each subset lacks."""
    own = set(frame.label.dropna())
    found = {subset: set(frame.label[frame.subset == subset]) for subset in SUBSETS}
    return {subset: [name for name in classes if name in own - found[subset]] for subset in SUBSETS}
