"""assign_splits: assignment of a participant's windows to training, validation and test subsets, in folds.

random   single windows, as published: neighbours in time fall into different subsets, which rewards proximity in time.
blocked  whole sessions; blocks of minutes with an embargo between subsets for participants with few sessions; runs of
         tasks for a protocol with tasks.
sessions the last sessions in time are tested, or those with values of a label column, such as a second visit.
participants  all windows are tested in one fold, by models of others; in the other folds they train.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats, Texts
from lifelog.blocks import independent_blocks, whole_answers
from lifelog.settings.levels import Level, matches
from lifelog.settings.splits import (
    SUBSETS,
    AnySplit,
    BlockedSplit,
    ParticipantsSplit,
    RandomSplit,
    SessionsSplit,
    Target,
)
from lifelog.splits.classes import FEWEST_ANSWERS, Labels, class_names, label_windows, shared_answers
from lifelog.splits.folds import Folds
from lifelog.splits.subsets import blocked_subsets, distances, random_subsets, training_subsets

DrawnSplit = RandomSplit | BlockedSplit | SessionsSplit


def assign_splits(
    windows: pd.DataFrame,
    target: Target,
    split: AnySplit,
    seconds: int = 60,
    lost: pd.DataFrame | None = None,
    unseen: int | None = None,
) -> Folds:
    """Assign the windows of a participant to subsets.

    Parameters
    ----------
    windows : pandas.DataFrame
        One row per window, as `read_labels` returns it: user, session, start, label_rows and the label columns.
    target : Target
        Label column and classes.
    split : RandomSplit, BlockedSplit, SessionsSplit or ParticipantsSplit
        How windows are assigned.
    seconds : int, default 60
        Window length in seconds.
    lost : pandas.DataFrame, optional
        The quality table of the participant, which names the cause of missing windows.
    unseen : int, optional
        Of a split of participants, the fold in which this one is tested (`unseen_folds`).

    Returns
    -------
    Folds
        All windows, and their subsets in each fold; the reason if the participant is excluded.

    Raises
    ------
    ValueError
        If the windows lack a label column of the target or the split.

    Examples
    --------
    >>> from lifelog import BlockedSplit, Target, assign_splits, make_cohort
    >>> (person,) = make_cohort(participants=1, windows=40)
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=4))
    >>> folds.tested
    [1, 2, 3, 4]
    >>> folds.fold(1).subset.value_counts().to_dict()
    {'train': 12, 'test': 9, 'validation': 6}
    """
    _check_columns(windows, target, split)
    frame = windows[["user", "session", "start"]].assign(level=_texts(windows[target.column]))
    frame = frame.assign(label=None, answer=None, block=None)
    used, labels = label_windows(windows, target)
    labelled, numbered, codes = windows[used], list[Texts](), labels.codes()
    sessions, excluded = labelled.session.to_numpy(), _exclusion(codes, target)
    if len(labelled):
        frame.loc[used, "label"], frame.loc[used, "answer"] = class_names(codes, target), labels.answers
        blocks = independent_blocks(sessions, labels.minutes, codes, split.block_minutes)
        frame.loc[used, "block"] = whole_answers(blocks, labels.answers)
    if len(labelled) < 3:
        excluded = f"{excluded}{_cause(frame, target, lost)}"
    elif isinstance(split, ParticipantsSplit):
        if excluded is None:
            trained = training_subsets(labels.balanced, sessions, labels.minutes, split, seconds, labels.answers)
            return _to_unseen(frame, used, trained, labels, unseen)
    elif excluded is None:
        numbered, excluded = _draw_folds(labelled, labels, split, seconds)
    return _to_folds(frame, used, labels, numbered, excluded)


def _draw_folds(
    labelled: pd.DataFrame, labels: Labels, split: DrawnSplit, seconds: int
) -> tuple[list[Texts], str | None]:
    """Return the subsets of the labelled windows in every fold, and why the participant is excluded, or None."""
    codes, answers, minutes, excluded = labels.balanced, labels.answers, labels.minutes, None
    if isinstance(split, RandomSplit):
        answers = shared_answers(labelled, labels.target, _overlapping(minutes, seconds))
        numbered = [random_subsets(codes, split, answers)]
        if answers.max() < 2:
            excluded = "too few windows that can be separated: labels or overlapping times hold them together"
    else:
        places = None if split.label_column is None else _texts(labelled[split.label_column]).to_numpy()
        sessions = labelled.session.to_numpy()
        numbered = blocked_subsets(codes, sessions, minutes, split, places, seconds, answers)
        excluded = _absent(places, split.needed, split.label_column)
        if isinstance(split, SessionsSplit) and places is None and len(set(sessions)) < 2:
            excluded = "one session only: there is no later one to test"
    for subsets in numbered:
        _check_apart(subsets, minutes, seconds)
    return numbered, excluded


def _to_unseen(frame: pd.DataFrame, used: Bools, trained: Texts, labels: Labels, unseen: int | None) -> Folds:
    """Return the folds of a participant who is tested as a whole in one fold, and trains in all others."""
    codes, target = labels.codes_from_before(), labels.target
    whole = np.full(len(codes), "test", dtype=object)
    whole[codes < 0] = None
    described = _fold_table(frame, used, trained, "embargo")
    tested = _fold_table(frame, used, whole, "too few answers before it", class_names(codes, target))
    return Folds(described, {unseen or 1: tested}, target.classes, target.kind == "rating", target.relative is not None)


def _absent(places: Texts | None, needed: list[list[Level]], column: str | None) -> str | None:
    """Return which values of the label column of a split a participant lacks, or None."""
    found = [] if places is None else sorted({str(place) for place in places})
    for values in needed if found else ():
        if values and not any(matches(place, values) for place in found):
            wanted, known = ", ".join(map(str, values)), ", ".join(found)
            return f"no window whose {column} is {wanted}; the user's values are {known}"
    return None


def _to_folds(frame: pd.DataFrame, used: Bools, labels: Labels, numbered: list[Texts], excluded: str | None) -> Folds:
    """Return the folds of all windows, without test windows where a fold cannot be tested."""
    minutes, blocks, target = labels.minutes, frame.block[used].to_numpy(), labels.target
    codes = [labels.codes(subsets == "train") for subsets in numbered]
    causes = [_unusable(*pair, target.classes, blocks) for pair in zip(codes, numbered, strict=True)]
    if numbered and all(causes):
        excluded = excluded or causes[0]
    everything = np.full(len(minutes), None if excluded else "train", dtype=object)
    described = _fold_table(frame, used, everything, excluded or "embargo")
    about = target.classes, target.kind == "rating", target.relative is not None, excluded
    folds = Folds(described, {}, *about)
    if excluded:
        return replace(folds, lacking=_lacking([labels.codes()], [everything], target.classes))
    tables, gaps = [], []
    for number, (subsets, cause) in enumerate(zip(numbered, causes, strict=True)):
        if cause is None:
            gaps.append(int(distances(minutes[subsets == "test"], minutes[subsets == "train"]).min()))
        else:  # A fold without training windows of two classes cannot be tested; its windows train in other folds.
            subsets[subsets == "test"] = None
            codes[number] = labels.codes()
        tables.append(_fold_table(frame, used, subsets, cause or "embargo", class_names(codes[number], target)))
    lacking = _lacking(codes, numbered, target.classes)
    return replace(folds, numbered=dict(enumerate(tables, 1)), lacking=lacking, nearest_minutes=min(gaps))


def _check_columns(windows: pd.DataFrame, target: Target, split: AnySplit) -> None:
    """Raise ValueError if the windows lack the label column of the target or of the split."""
    for key, name, column in (("targets", target.name, target.column), ("splits", split.name, split.label_column)):
        if column is not None and column not in windows:
            labels = [label for label in windows.columns if label not in ("user", "session", "start", "label_rows")]
            raise ValueError(f"{key}: {name!r} uses the label column {column!r}; the data have {labels}")


def _texts(column: pd.Series) -> pd.Series:
    """Return a label column as objects, with None for missing values."""
    return column.astype(object).where(column.notna(), None)


def _exclusion(codes: Codes, target: Target) -> str | None:
    """Return why the classes of the labelled windows exclude a participant, or None."""
    if len(codes) < 3:
        return f"too few windows: {len(codes)} with a label in a bin"
    if (codes < 0).any():
        return f"fewer than {FEWEST_ANSWERS} answers, or all equal: none is more or less than usual"
    if len(set(codes)) < 2:
        return f"one class only: all {len(codes)} windows are {target.classes[codes[0]]!r}"
    return None


def _fold_table(
    frame: pd.DataFrame, used: Bools, subsets: Texts, cause: str, classes: list[str | None] | None = None
) -> pd.DataFrame:
    """Return the rows of a fold, whose classes may differ from those of all windows.

    `cause` is why windows with a label in a bin are in no subset.
    """
    if classes is not None:
        frame = frame.copy()
        frame.loc[used, "label"] = classes
    rows = frame.assign(subset=None, reason=None).astype({"subset": object, "reason": object})
    rows.loc[used, "subset"] = subsets
    rows.loc[~used, "reason"] = "label in no bin"
    rows.loc[used & rows.subset.isna().to_numpy(), "reason"] = cause
    return rows.reset_index(drop=True)


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


def _cause(frame: pd.DataFrame, target: Target, quality: pd.DataFrame | None) -> str:
    """Return why so few windows have a label in a bin: the labels, or the commonest reason why windows were lost."""
    lost = pd.DataFrame() if quality is None else quality[quality.kind == "label"]
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


def _unusable(codes: Codes, subsets: Texts, classes: list[str], blocks: Texts) -> str | None:
    """Return why subsets cannot be used, or None."""
    for subset in SUBSETS:
        if not (subsets == subset).any():
            return f"too few windows: the {subset} subset is empty"
    if (codes < 0).any():
        return f"fewer than {FEWEST_ANSWERS} answers in the train subset, or all equal"
    trained = np.unique(codes[subsets == "train"])
    if len(trained) < 2:
        return f"one class only in the train subset: {classes[trained[0]]!r}"
    if len(set(blocks[np.isin(subsets.astype(str), ("train", "validation"))])) < 2:
        return "one block of time only outside the test subset"
    return None


def _lacking(codes: list[Codes], folds: list[Texts], classes: list[str]) -> dict[str, list[str]]:
    """Return the user's classes that each subset lacks: in all folds together, but in any fold for training."""
    lacking, present = {}, {code for own in codes for code in own}
    for subset in SUBSETS:
        of_folds = [set(own[subsets == subset]) for own, subsets in zip(codes, folds, strict=True)]
        found = set.intersection(*of_folds) if subset == "train" else set.union(*of_folds)
        lacking[str(subset)] = [name for i, name in enumerate(classes) if i in present - found]
    return lacking
