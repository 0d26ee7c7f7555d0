"""Subsets of a user's windows: training, validation and test, for one fold or for folds that are tested in turn."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats, Texts
from lifelog.blocks import time_blocks, whole_answers
from lifelog.settings.levels import Level, matches
from lifelog.settings.splits import SUBSETS, BlockedSplit, ParticipantsSplit, RandomSplit, SeparatedSplit, SessionsSplit

DRAWS = 500  # random assignments of blocks to compare
ORDERS = 50  # in which blocks are assigned to folds
LEAST_EMBARGO = 1  # minute


class Timed(NamedTuple):
    """The labelled windows of a participant: class, session, start, answer, and the length of windows in seconds."""

    codes: Codes
    sessions: Texts
    minutes: Floats
    answers: Codes
    seconds: int

    def blocks(self, rest: Bools, split: SeparatedSplit) -> Codes:
        """Return the blocks of some windows, of whole answers: their sessions, or `block_minutes` within few ones."""
        blocks = np.zeros(len(self.codes), dtype=int)
        if rest.any():
            found = _blocks(self.sessions[rest], self.minutes[rest], split)
            blocks[rest] = whole_answers(found, self.answers[rest])
        return blocks


def distances(minutes: Floats, others: Floats) -> Floats:
    """Compute the distance of each time to the nearest other time.

    Parameters
    ----------
    minutes, others : ndarray of float
        Times in minutes.

    Returns
    -------
    ndarray of float
        In minutes, in the order of `minutes`; infinity without other times.
    """
    if not len(others):
        return np.full(len(minutes), np.inf)
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
    minutes: Floats,
    split: BlockedSplit | SessionsSplit,
    places: Texts | None = None,
    seconds: int = 60,
    answers: Codes | None = None,
) -> list[Texts]:
    """Assign whole blocks of windows, such that subsets have all classes in the user's proportions.

    With several folds, each of them is the test subset once. The folds are held-out tasks, or have a similar number of
    windows of each class; in a split by tasks, all runs of a task are in one fold. A split of sessions has one fold.

    Parameters
    ----------
    codes : ndarray of int, shape (n_windows,)
        Class numbers.
    sessions : ndarray of object, shape (n_windows,)
        Session of each window.
    minutes : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.
    split : BlockedSplit or SessionsSplit
        Folds, shares, blocks, embargo and seed.
    places : ndarray of object, shape (n_windows,), optional
        Value of the split's label column: the task of each window, or what sorts windows of sessions. Validation blocks
        beside a held-out task are drawn from blocks of minutes of the rest.
    seconds : int, default 60
        Window length in seconds.
    answers : ndarray of int, shape (n_windows,), optional
        Number of the answer of each window: no answer is in two subsets, except for those between tasks.

    Returns
    -------
    list of ndarray of object, shape (n_windows,)
        Subset of each window, by fold; None under embargo. A user with fewer blocks than folds has fewer folds.
    """
    answers, names = np.arange(len(codes)) if answers is None else answers, np.empty(0, dtype=object)
    timed = Timed(codes, sessions, minutes, answers, seconds)
    if isinstance(split, SessionsSplit):
        return [_session_subsets(timed, split, places)]
    gap = _gap(sessions, split, seconds)
    if places is None:
        blocks = _blocks(sessions, minutes, split)
    else:
        blocks, names = _task_blocks(sessions, minutes, places, split.between)
        answers = _cut_between(answers, places, split)
    if split.hold_out:
        in_minutes = pd.factorize(pd.Series(list(zip(blocks, minutes // split.block_minutes, strict=True))))[0]
        pieces, folds = whole_answers(in_minutes, answers), []
        for task in split.hold_out:
            test = np.array([matches(name, [task]) for name in names[blocks]])
            shared = np.isin(answers, answers[test])  # answers about a held-out task and another one
            near = shared | (distances(minutes, minutes[test]) < gap)
            folds.append(_divide_rest(timed, test, ~test & ~near, pieces, split, gap))
    elif split.folds > 1:
        blocks = whole_answers(blocks if places is None else pd.factorize(names[blocks])[0], answers)
        of_window = balanced_folds(codes, blocks, split.folds, split.seed)
        tests = [of_window == fold for fold in range(of_window.max() + 1)]
        rests = [~test & (distances(minutes, minutes[test]) >= gap) for test in tests]
        folds = [_divide_rest(timed, *pair, blocks, split, gap) for pair in zip(tests, rests, strict=True)]
    else:
        share = np.array([(1 - split.test) * (1 - split.validation), (1 - split.test) * split.validation, split.test])
        folds = [_embargo(_draw(codes, whole_answers(blocks, answers), share, split.seed), minutes, gap, gap)]
    return folds


def unseen_folds(users: Sequence[str], split: ParticipantsSplit) -> dict[str, int]:
    """Return the fold, from 1, in which each participant is tested: each fold has about as many."""
    shuffled = np.random.default_rng(split.seed).permutation(sorted(users)).tolist()
    return {user: 1 + place % split.folds for place, user in enumerate(shuffled)}


def training_subsets(
    codes: Codes, sessions: Texts, minutes: Floats, split: ParticipantsSplit, seconds: int, answers: Codes
) -> Texts:
    """Return the subsets of a participant who is not tested: training, and some blocks for validation if possible."""
    timed, rest = Timed(codes, sessions, minutes, answers, seconds), np.ones(len(codes), dtype=bool)
    gap = _gap(sessions, split, seconds)
    subsets = _divide_rest(timed, ~rest, rest, timed.blocks(rest, split), split, gap)
    return subsets if (subsets == "train").any() else np.full(len(codes), "train", dtype=object)


def _session_subsets(timed: Timed, split: SessionsSplit, places: Texts | None) -> Texts:
    """Return subsets whose test windows are the last sessions, or those with values of a label column.

    Validation windows are whole sessions of the others, or blocks of minutes if these are few.
    """
    sessions, minutes, answers = timed.sessions, timed.minutes, timed.answers
    if places is None:
        test = _last_sessions(sessions, minutes, split.test)
        rest = ~test
    else:
        test, rest = (
            np.array([matches(place, values) for place in places]) for values in (split.test_on, split.train_on)
        )
    gap = _gap(sessions[rest], split, timed.seconds)
    rest &= ~np.isin(answers, answers[test]) & (distances(minutes, minutes[test]) >= gap)
    return _divide_rest(timed, test, rest, timed.blocks(rest, split), split, gap)


def _last_sessions(sessions: Texts, minutes: Floats, share: float) -> Bools:
    """Return the windows of the last sessions, which have about a share of the windows; never of all sessions."""
    frame = pd.DataFrame({"session": sessions, "minute": minutes}).groupby("session").minute.agg(["min", "size"])
    frame = frame.sort_values("min", kind="stable")
    middle = (frame["size"].cumsum() - frame["size"] / 2) / len(sessions)
    late = (middle > 1 - share) & (np.arange(len(frame)) > 0)
    late.iloc[-1] = len(frame) > 1
    return np.isin(sessions, late.index[late])


def _divided(sessions: Texts, split: SeparatedSplit) -> bool:
    """Return whether sessions are so few that they are divided into blocks of minutes."""
    return len(set(sessions)) < split.min_sessions


def _gap(sessions: Texts, split: BlockedSplit | SessionsSplit | ParticipantsSplit, seconds: int) -> float:
    """Return the minimum time between the starts of windows of different subsets in minutes.

    Neighbouring blocks of minutes are as alike as neighbouring windows, so that subsets are a block apart by default.
    """
    embargo = split.embargo_minutes
    if embargo is None:
        embargo = split.block_minutes if split.tasks is None and _divided(sessions, split) else LEAST_EMBARGO
    return embargo + seconds / 60


def _divide_rest(timed: Timed, test: Bools, rest: Bools, blocks: Codes, split: SeparatedSplit, gap: float) -> Texts:
    """Return subsets with given test windows; the rest is for training and validation, others are under embargo.

    Validation windows choose settings only. Where whole blocks, or the embargo, would cost training a class, validation
    windows are blocks of minutes, which may be of the same answers as training windows and are nearer to them.
    """
    subsets = np.full(len(timed.codes), None, dtype=object)
    subsets[test] = "test"
    if not rest.any():
        return subsets
    share = np.array([1 - split.validation, split.validation, 0])
    subsets[rest] = _draw(timed.codes[rest], pd.factorize(blocks[rest])[0], share, split.seed)
    divided = _embargo(subsets, timed.minutes, gap, gap)
    if set(timed.codes[divided == "train"]) == set(timed.codes[rest]):
        return divided
    blocks = time_blocks(timed.sessions, timed.minutes, split.block_minutes)
    subsets[rest] = _draw(timed.codes[rest], pd.factorize(blocks[rest])[0], share, split.seed)
    return _embargo(subsets, timed.minutes, gap, LEAST_EMBARGO + timed.seconds / 60)


def _cut_between(answers: Codes, tasks: Texts, split: BlockedSplit) -> Codes:
    """Return answers in which the windows between tasks have their own: that time may be cut in the middle."""
    between = np.array([split.between is not None and matches(task, [split.between]) for task in tasks])
    return np.where(between, answers.max() + 1 + np.arange(len(answers)), answers)


def balanced_folds(codes: Codes, blocks: Codes, folds: int, seed: int) -> Codes:
    """Divide blocks into folds with similar numbers of windows of each class.

    Blocks are assigned one after the other, large ones first, to the fold that needs them most. Of several random
    orders the best one is used.

    Parameters
    ----------
    codes, blocks : ndarray of int, shape (n_windows,)
        Class and block of each window, numbered from 0.
    folds : int
        Number of folds; there are fewer if there are fewer blocks.
    seed : int
        Seed of the orders.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Fold of each window.
    """
    table = _class_counts(codes, blocks)
    folds, rng = min(folds, len(table)), np.random.default_rng(seed)
    best, least = np.zeros(len(table), dtype=int), np.inf
    for _ in range(ORDERS):
        order = rng.permutation(len(table))
        order = order[np.argsort(-table[order].sum(axis=1), kind="stable")]
        assigned, deviation = _assign_blocks(table, order, folds)
        if deviation < least:
            best, least = assigned, deviation
    return best[blocks]


def _assign_blocks(table: Codes, order: Codes, folds: int) -> tuple[Codes, float]:
    """Return the fold of each block, and the deviation of the folds from equal numbers of each class."""
    wanted = np.maximum(table.sum(axis=0) / folds, 1e-9)
    filled, assigned = np.zeros((folds, table.shape[1])), np.empty(len(table), dtype=int)
    for done, block in enumerate(order):
        cost = (((filled + table[block] - wanted) ** 2 - (filled - wanted) ** 2) / wanted).sum(axis=1)
        empty = filled.sum(axis=1) == 0
        if empty.sum() >= len(table) - done:
            cost[~empty] = np.inf
        assigned[block] = int(cost.argmin())
        filled[assigned[block]] += table[block]
    return assigned, float(((filled - wanted) ** 2 / wanted).sum())


def _class_counts(codes: Codes, blocks: Codes) -> Codes:
    """Return the number of windows per block and class."""
    table = np.zeros((blocks.max() + 1, codes.max() + 1), dtype=int)
    np.add.at(table, (blocks, codes), 1)
    return table


def _draw(codes: Codes, blocks: Codes, share: Floats, seed: int) -> Texts:
    """Return the best of many random assignments of blocks to subsets.

    It is the one that misses the fewest classes (in training first, then test, then validation), then the one nearest
    to the wanted sizes and the user's distribution of classes.
    """
    table, rng = _class_counts(codes, blocks), np.random.default_rng(seed)
    orders = np.array([rng.permutation(len(table)) for _ in range(DRAWS)])
    draws = np.empty_like(orders)
    np.put_along_axis(draws, orders, _fill(table.sum(axis=1)[orders], share), axis=1)
    best: Codes = draws[_cost(table, draws, share).argmin()]
    return np.array(SUBSETS, dtype=object)[best[blocks]]


def _blocks(sessions: Texts, minutes: Floats, split: SeparatedSplit) -> Codes:
    """Return the number of each window's block: its session, or its `block_minutes` within the session."""
    if _divided(sessions, split):
        return time_blocks(sessions, minutes, split.block_minutes)
    names: Codes = pd.factorize(sessions)[0]
    return names


def _task_blocks(sessions: Texts, minutes: Floats, tasks: Texts, between: Level | None) -> tuple[Codes, Texts]:
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
        session=("session", "first"), start=("minute", "min"), end=("minute", "max"), task=("task", "first")
    )
    names = []
    for row in frame.itertuples():
        nearest, task, of_session = -1, row.task, runs[runs.session == row.session]
        if len(of_session):
            nearest = np.maximum(np.maximum(of_session.start - row.minute, row.minute - of_session.end), 0).idxmin()
            task = of_session.task[nearest]
        names.append((row.session, nearest, task))
    blocks, unique = pd.factorize(pd.Series(names))
    return blocks, np.array([name[2] for name in unique], dtype=object)


def _fill(sizes: Codes, share: Floats) -> Codes:
    """Return the subset of each block by draw, in drawn order: test up to its share, then validation, then training."""
    before = np.cumsum(sizes, axis=1) - sizes
    # A block belongs to the subset in which its middle falls, so that few large blocks still fill every subset.
    middle = (before + sizes / 2) / sizes.sum(axis=1, keepdims=True)
    subsets = np.select([middle < share[2], middle < share[2] + share[1]], [2, 1], default=0)
    if share[2] > 0:
        subsets[:, 0] = 2
    lacking = np.flatnonzero(~(subsets == 1).any(axis=1))
    subsets[lacking, (subsets[lacking] == 0).argmax(axis=1)] = 1
    return subsets


def _cost(table: Codes, draws: Codes, share: Floats) -> Floats:
    """Return the cost of each draw: missing classes, then deviations from shares and distribution."""
    total, cost = table.sum(axis=0), np.zeros(len(draws))
    for subset, weight in zip(range(3), (100, 3, 10), strict=True):
        if share[subset] == 0:
            continue
        counts = (draws == subset) @ table
        size = counts.sum(axis=1)
        cost += 1000 * (size == 0) + weight * ((counts == 0) & (total > 0)).sum(axis=1)
        cost += 2 * np.abs(size / total.sum() - share[subset])
        cost += 0.5 * np.abs(counts / np.maximum(size, 1)[:, None] - total / total.sum()).sum(axis=1)
    return cost


def _embargo(subsets: Texts, minutes: Floats, gap: float, least: float) -> Texts:
    """Remove windows within a gap of test windows, and training windows within another of validation windows.

    By the clock, not within sessions: a restarted recorder makes two sessions of one stretch of time.
    """
    subsets = subsets.copy()
    for kept, yielding, minimum in (("test", ("validation", "train"), gap), ("validation", ("train",), least)):
        near, rows = minutes[subsets == kept], np.flatnonzero(np.isin(subsets.astype(str), yielding))
        if len(near) and len(rows):
            subsets[rows[distances(minutes[rows], near) < minimum]] = None
    return subsets
