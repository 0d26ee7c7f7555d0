"""assign_splits: which windows of a user train, validate and test, under a protocol and for a target.

random   single minutes, as published: neighbours in time land in different parts, so closeness in time is rewarded.
blocked  whole sessions; of a user with too few sessions, blocks of minutes with an embargo between the parts; of a
         protocol, the runs of its tasks.

The method `users` draws nothing here: it takes the parts of another split, and only the predictors differ.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.config import BlockedSplit, RandomSplit, Target
from lifelog.tables import read_notes, write_table
from lifelog.windows.read import read_labels

PARTS = ("train", "validation", "test")
DRAWS = 500  # assignments of blocks that are tried
SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("session", pa.string()),
        ("start", pa.timestamp("s", tz="UTC")),
        ("level", pa.string()),  # the raw label value
        ("label", pa.string()),  # the target's class, null where the value is in no bin
        ("part", pa.string()),  # train, validation, test; null where the window is not used
        ("reason", pa.string()),  # why it is not used
    ]
)


def assign_splits(
    windows_path: str | Path,
    target: Target,
    split: RandomSplit | BlockedSplit,
    splits_path: str | Path,
    seconds: int = 60,
) -> None:
    """Write one row a window of so many seconds, in the windows' order.

    The notes name why a user is excluded, what parts lack, and how near in time test windows lie to training windows.
    """
    windows = read_labels(windows_path)
    tasks = getattr(split, "tasks", None)
    for key, name, column in (("targets", target.name, target.column), ("splits", split.name, tasks)):
        if column is not None and column not in windows:
            labels = [label for label in windows.columns if label not in ("user", "session", "start")]
            raise ValueError(f"{key}: {name!r} asks for label column {column!r}; the data have {labels}")
    frame = windows[["user", "session", "start"]].copy()
    frame["level"] = [_text(value) for value in windows[target.column]]
    classes = {str(level): name for name, levels in target.bins.items() for level in levels}
    frame["label"] = frame.level.map(classes)
    frame["part"], frame["reason"] = None, None
    frame.loc[frame.label.isna(), "reason"] = "label in no bin"
    used = frame.label.notna().to_numpy()
    codes = frame.label[used].map({name: i for i, name in enumerate(target.classes)}).to_numpy(dtype=int)
    minutes = (frame.start[used].dt.as_unit("s").astype("int64") / 60).to_numpy()
    excluded, nearest = None, None
    if len(codes) < 3:
        excluded = f"too few windows: {len(codes)} with a label in a bin"
    elif len(set(codes)) < 2:
        excluded = f"one class only: all {len(codes)} windows are {target.classes[codes[0]]!r}"
    else:
        if split.method == "random":
            parts = random_parts(codes, split)
        else:
            runs = None if tasks is None else np.array([_text(value) for value in windows[tasks][used]], dtype=object)
            parts = blocked_parts(codes, frame.session[used].to_numpy(), minutes, split, runs, seconds)
        frame.loc[used, "part"] = parts
        frame.loc[used & frame.part.isna().to_numpy(), "reason"] = "embargo"
        excluded = _unusable(codes, parts, target.classes)
        held_out = [_text(value) for value in getattr(split, "hold_out", [])]
        if held_out and not np.isin(runs.astype(str), held_out).any():
            known = ", ".join(sorted(set(runs.astype(str))))
            excluded = f"no window of a task held out ({', '.join(held_out)}); there are {known}"
        nearest = None if excluded else nearest_minutes(minutes[parts == "test"], minutes[parts == "train"])
    frame = frame.astype({"part": object, "reason": object})
    notes = {"excluded": excluded, "lacking": _lacking(frame, target.classes), "classes": target.classes}
    notes["nearest_minutes"] = nearest
    write_table(frame, splits_path, SCHEMA, notes)


def exclusion(splits_path: str | Path) -> str | None:
    """Why a user takes no part, or None."""
    return read_notes(splits_path)["excluded"]


def nearest_minutes(test: NDArray, train: NDArray) -> int:
    """The least distance in time of a test window to a training window: how much a split can leak."""
    return int(_distances(test, train).min())


def _distances(minutes: NDArray, others: NDArray) -> NDArray:
    """Of each minute, the distance to the nearest of the others, which stands just before or just after it."""
    others = np.sort(others)
    after = np.searchsorted(others, minutes)
    before = np.abs(minutes - others[np.maximum(after - 1, 0)])
    return np.minimum(before, np.abs(minutes - others[np.minimum(after, len(others) - 1)]))


def random_parts(codes: NDArray, split: RandomSplit) -> NDArray:
    """The published protocol: scikit-learn's train_test_split twice with one seed, same draws for the same data."""
    parts = np.full(len(codes), "train", dtype=object)
    n_test = math.ceil(split.test * len(codes))
    n_validation = math.ceil(split.validation * (len(codes) - n_test))
    order = np.random.RandomState(split.seed).permutation(len(codes))
    rest = order[n_test:]
    parts[order[:n_test]] = "test"
    parts[rest[np.random.RandomState(split.seed).permutation(len(rest))[:n_validation]]] = "validation"
    return parts


def blocked_parts(
    codes: NDArray,
    sessions: NDArray,
    minutes: NDArray,
    split: BlockedSplit,
    tasks: NDArray | None = None,
    seconds: int = 60,
) -> NDArray:
    """Blocks that stay together, drawn so that the parts have all classes and their shares; None under embargo.

    Of many random assignments the one is taken that misses fewest classes (in training first, then test, then
    validation) and then lies nearest to the wanted sizes and the user's distribution of classes.
    tasks: of each window, where the split is about tasks. Those held out are the test part of everyone; validation is
    then drawn from blocks of minutes of the rest.
    """
    share = np.array([(1 - split.test) * (1 - split.validation), (1 - split.test) * split.validation, split.test])
    near = split.embargo_minutes + seconds / 60  # between the starts of windows
    if tasks is None:
        parts = _draw(codes, _blocks(sessions, minutes, split), share, split.seed)
        return _embargo(parts, minutes, near)
    blocks, names = _task_blocks(sessions, minutes, tasks, _text(split.between))
    if not split.hold_out:
        return _embargo(_draw(codes, blocks, share, split.seed), minutes, near)
    test = np.isin(names[blocks].astype(str), [_text(value) for value in split.hold_out])
    parts = np.full(len(codes), "test", dtype=object)
    if not test.all():
        share = np.array([1 - split.validation, split.validation, 0])
        rest = pd.factorize(pd.Series(list(zip(blocks, minutes // split.block_minutes, strict=True)))[~test])[0]
        parts[~test] = _draw(codes[~test], rest, share, split.seed)
    return _embargo(parts, minutes, near)


def _draw(codes: NDArray, blocks: NDArray, share: NDArray, seed: int) -> NDArray:
    """The best of many random assignments of blocks to parts."""
    count = blocks.max() + 1
    table = np.zeros((count, codes.max() + 1), dtype=int)  # windows a block and class
    np.add.at(table, (blocks, codes), 1)
    rng = np.random.default_rng(seed)
    best, best_cost = None, np.inf
    for _ in range(DRAWS):
        assigned = _fill(table.sum(axis=1)[order := rng.permutation(count)], share)
        draw = np.empty(count, dtype=int)
        draw[order] = assigned
        cost = _cost(table, draw, share)
        if cost < best_cost:
            best, best_cost = draw, cost
    return np.array(PARTS, dtype=object)[best[blocks]]


def _blocks(sessions: NDArray, minutes: NDArray, split: BlockedSplit) -> NDArray:
    """Number of each window's block: its session, or its stretch of `block_minutes` in the session."""
    names = pd.factorize(sessions)[0]
    if names.max() + 1 >= split.min_sessions:
        return names
    first = pd.Series(minutes).groupby(names).transform("min").to_numpy()
    stretch = (minutes - first) // split.block_minutes
    return pd.factorize(pd.Series(list(zip(names, stretch, strict=True))))[0]


def _task_blocks(sessions: NDArray, minutes: NDArray, tasks: NDArray, between: str | None) -> tuple[NDArray, NDArray]:
    """Number of each window's block, and each block's task: a task's run with half of the runs `between` beside it.

    Windows are in order of time within their session. A session that is nothing but `between` is a block of its own.
    """
    frame = pd.DataFrame({"session": sessions, "minute": minutes, "task": pd.Series(tasks).fillna("")})
    change = (frame.task != frame.task.shift()) | (frame.session != frame.session.shift())
    frame["run"] = change.cumsum()
    # Each window of a run between belongs to the nearer of the tasks beside it, in its session.
    runs = frame[frame.task != between].groupby("run")
    runs = runs.agg(
        session=("session", "first"), first=("minute", "min"), last=("minute", "max"), task=("task", "first")
    )
    names = []
    for row in frame.itertuples():
        beside = runs[runs.session == row.session]
        if beside.empty:
            names.append((row.session, -1, row.task))
            continue
        gap = np.maximum(np.maximum(beside["first"] - row.minute, row.minute - beside["last"]), 0)
        near = gap.idxmin()
        names.append((row.session, near, beside.task[near]))
    blocks, found = pd.factorize(pd.Series(names))
    return blocks, np.array([name[2] for name in found], dtype=object)


def _fill(sizes: NDArray, share: NDArray) -> NDArray:
    """Part of each block in drawn order: test until its share is reached, validation likewise, the rest trains."""
    before = np.cumsum(sizes) - sizes
    # A block belongs to the part in which its middle falls; few large blocks must still give every part one.
    middle = (before + sizes / 2) / sizes.sum()
    parts = np.select([middle < share[2], middle < share[2] + share[1]], [2, 1], default=0)
    if share[2] > 0:
        parts[0] = 2
    if 1 not in parts:
        parts[np.argmax(parts == 0)] = 1
    return parts


def _cost(table: NDArray, draw: NDArray, share: NDArray) -> float:
    total = table.sum(axis=0)
    cost = 0.0
    for part, weight in zip(range(3), (100, 3, 10), strict=True):
        if share[part] == 0:
            continue
        counts = table[draw == part].sum(axis=0)
        size = counts.sum()
        cost += 1000 * (size == 0) + weight * ((counts == 0) & (total > 0)).sum()
        cost += 2 * abs(size / total.sum() - share[part])
        cost += 0.5 * np.abs(counts / max(size, 1) - total / total.sum()).sum()
    return cost


def _embargo(parts: NDArray, minutes: NDArray, gap: float) -> NDArray:
    """Take out training windows near validation or test, and validation windows near test.

    By the clock, not within sessions: a recorder that was restarted makes two sessions of one stretch.
    """
    parts = parts.copy()
    for yielding, kept in (("validation", ("test",)), ("train", ("test", "validation"))):
        near = minutes[np.isin(parts.astype(str), kept)]
        rows = np.flatnonzero(parts == yielding)
        if len(near) and len(rows):
            parts[rows[_distances(minutes[rows], near) < gap]] = None
    return parts


def _unusable(codes: NDArray, parts: NDArray, classes: list[str]) -> str | None:
    for part in PARTS:
        if not (parts == part).any():
            return f"too few windows: none is left for {part}"
    trained = np.unique(codes[parts == "train"])
    if len(trained) < 2:
        return f"one class only in training: {classes[trained[0]]!r}"
    return None


def _lacking(frame: pd.DataFrame, classes: list[str]) -> dict[str, list[str]]:
    """Classes the user has that a part has not."""
    own = set(frame.label.dropna())
    return {part: [c for c in classes if c in own and c not in set(frame.label[frame.part == part])] for part in PARTS}


def _text(value: object) -> str | None:
    """A label value as text: 3 and 3.0 are the same level."""
    if value is None or pd.isna(value):
        return None
    return str(int(value)) if isinstance(value, (int, float, np.number)) and float(value).is_integer() else str(value)
