"""Classes relative to a participant's own answers: no answer of a test window moves the ends of a bin."""

import numpy as np
import pandas as pd
import pytest

from lifelog.config import ConfigError, load_config
from lifelog.predict.samples import Person, make_samples
from lifelog.settings.splits import BlockedSplit, ParticipantsSplit, RandomSplit, SessionsSplit, Target
from lifelog.splits.assign import assign_splits
from lifelog.splits.classes import FEWEST_ANSWERS, find_cuts, label_windows
from lifelog.windows.read import Features

MORE = Target.model_validate(
    {"name": "t", "column": "stress", "bins": {"usual": "0..67", "more": "67..100"}, "relative": "user"}
)
BLOCKED = BlockedSplit(name="b", folds=4)
SPLITS = [BLOCKED, BlockedSplit(name="one", folds=1), SessionsSplit(name="s"), RandomSplit(name="r")]


def windows(low: int = 0, sessions: int = 8, length: int = 10, seed: int = 0) -> pd.DataFrame:
    """Answers on a part of the scale that begins with `low`; an answer lasts two windows."""
    count = sessions * length
    answers = low + np.random.default_rng(seed).integers(0, 4, count // 2).repeat(2)
    minutes = np.arange(sessions).repeat(length) * 1440 + np.tile(np.arange(length), sessions)
    return pd.DataFrame(
        {
            "user": "u",
            "session": np.arange(sessions).repeat(length).astype(str),
            "start": pd.to_datetime(60 * minutes, unit="s", utc=True),
            "label_rows": [{"stress": [str(i // 2)]} for i in range(count)],
            "stress": answers.astype(str),
        }
    )


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.name)
def test_test_answers_change_neither_subsets_nor_the_classes_of_other_windows(split: BlockedSplit) -> None:
    rows = windows()
    folds = assign_splits(rows, MORE, split)
    assert folds.excluded is None and folds.relative and MORE.ordinal
    for number in folds.tested:
        fold = folds.fold(number)
        test = (fold.subset == "test").to_numpy()
        flipped = rows.assign(stress=np.where(test, (3 - rows.stress.astype(int)).astype(str), rows.stress))
        other = assign_splits(flipped, MORE, split).fold(number)
        assert other.subset.equals(fold.subset)
        assert other.label[~test].equals(fold.label[~test]) and not other.label[test].equals(fold.label[test])


def test_the_part_of_the_scale_that_a_participant_uses_does_not_matter() -> None:
    low, high = (assign_splits(windows(first), MORE, BLOCKED) for first in (0, 4))
    assert low.described.label.equals(high.described.label) and low.fold(2).label.equals(high.fold(2).label)
    assert not low.described.level.equals(high.described.level)


def test_each_cut_is_between_two_answers_where_the_share_below_is_nearest_to_the_wanted_one() -> None:
    values = np.array([1, 1, 1, 2, 3, 3, 7, 7, 7, 7, 7, 7], dtype=float)
    answers = np.array([0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 7, 8])  # the longest answer counts once
    assert np.array_equal(find_cuts(values, answers, [1 / 3, 2 / 3]), [1.5, 5])
    assert find_cuts(values[:4], answers[:4], [0.5]) is None
    assert find_cuts(np.ones(20), np.arange(20), [0.5]) is None


def test_a_new_participant_is_compared_with_the_answers_before() -> None:
    folds = assign_splits(windows(), MORE, ParticipantsSplit(name="new"), unseen=2)
    fold, levels = folds.fold(2), windows().stress.astype(int).to_numpy()
    first = 2 * FEWEST_ANSWERS
    early = fold.subset[:first]
    assert early.isna().all() and set(fold.reason[:first]) == {"too few answers before it"}
    for place in range(first, len(levels), 2):
        before = levels[:place:2]
        expected = find_cuts(before.astype(float), np.arange(len(before)), MORE.shares)
        assert expected is not None and fold.label[place] == MORE.classes[int(levels[place] > expected[0])]
    later = levels.copy()
    later[40:] = 3 - later[40:]
    other = assign_splits(windows().assign(stress=later.astype(str)), MORE, ParticipantsSplit(name="new"), unseen=2)
    assert other.fold(2).label[:40].equals(fold.label[:40])


def test_equal_answers_and_text_have_no_relative_class() -> None:
    same = assign_splits(windows().assign(stress="3"), MORE, BLOCKED)
    assert "or all equal: none is more or less than usual" in str(same.excluded)
    used, labels = label_windows(windows().assign(stress=["much", *windows().stress[1:]]), MORE)
    assert not used[0] and used[1:].all() and len(labels.codes()) == len(used) - 1


def test_ratings_are_distances_from_the_mean_of_the_training_windows() -> None:
    target = MORE.model_copy(update={"kind": "rating"})
    folds, rows = assign_splits(windows(4), target, BLOCKED), windows(4)
    features = Features(rows, ["a.x"], np.zeros((len(rows), 1)), {}, [])
    table = make_samples([Person(features, folds)], 1).rows
    train = table[table.subset == "train"]
    assert abs(train.rating.mean()) < 1e-9 and np.allclose(table.level - table.rating, train.level.mean())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"bins": {"usual": "0..60", "more": "67..100"}}, "percentages without gaps"),
        ({"bins": {"usual": "0..67", "more": "67..90"}}, "percentages without gaps"),
        ({"bins": {"usual": [1, 2], "more": [3]}}, "percentages without gaps"),
        ({"bins": {"usual": "0..100", "more": "100..100"}}, "percentages without gaps"),
        ({"bins": {"usual": "0..67", "more": "67..100"}, "ordinal": False}, "remove `ordinal: false`"),
        ({"bins": {"usual": "0..67", "more": "67..100"}, "relative": "group"}, "relative"),
    ],
)
def test_bins_of_a_relative_target_are_percentages(keys: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config({"targets": [{"name": "t", "column": "c", "relative": "user"} | keys], "targets_run": ["t"]})
