import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from lifelog.settings.splits import SUBSETS, BlockedSplit, ParticipantsSplit, RandomSplit, SessionsSplit
from lifelog.splits.subsets import balanced_folds, blocked_subsets, random_subsets, unseen_folds

BLOCKED = BlockedSplit(name="b", folds=1, min_sessions=3)


def labels(sessions: int, minutes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    codes = np.random.default_rng(seed).integers(0, 3, sessions * minutes)
    names = np.repeat([f"s{i}" for i in range(sessions)], minutes)
    clock = np.concatenate([1000 * i + np.arange(minutes) for i in range(sessions)])
    return codes, names, clock


def test_random_subsets_equal_the_published_ones() -> None:
    """The windows are those of two calls of train_test_split with seed 32; the counts are those of user 101."""
    n = 1290 + 185 + 369
    subsets = random_subsets(np.zeros(n, int), RandomSplit(name="r"))
    rest, test = train_test_split(np.arange(n), test_size=0.2, random_state=32)
    train, validation = train_test_split(rest, test_size=0.125, random_state=32)
    for name, rows in zip(SUBSETS, (train, validation, test), strict=True):
        assert set(np.flatnonzero(subsets == name)) == set(rows)
    assert [(subsets == name).sum() for name in SUBSETS] == [1290, 185, 369]


@pytest.mark.parametrize("seed", range(5))
def test_blocked_keeps_sessions_whole(seed: int) -> None:
    codes, sessions, minutes = labels(8, 12, seed)
    (subsets,) = blocked_subsets(codes, sessions, minutes, BLOCKED)
    for session in np.unique(sessions):
        assert len(set(subsets[sessions == session])) == 1
    for subset in SUBSETS:
        assert set(codes[subsets == subset]) == {0, 1, 2}
    assert 0.1 < (subsets == "test").mean() < 0.35


@pytest.mark.parametrize(("sessions", "tested"), [(2, 1), (5, 1), (10, 2)])
def test_the_last_sessions_are_tested(sessions: int, tested: int) -> None:
    """With two sessions, validation windows are blocks of minutes of the first one."""
    codes, names, minutes = labels(sessions, 60)
    order = np.random.default_rng(0).permutation(len(codes))
    (subsets,) = blocked_subsets(codes[order], names[order], minutes[order], SessionsSplit(name="s"))
    assert set(names[order][subsets == "test"]) == {f"s{i}" for i in range(sessions - tested, sessions)}
    assert set(subsets) >= set(SUBSETS) and (subsets == "train").sum() > 20
    nearest = np.abs(minutes[order][subsets == "train"][:, None] - minutes[order][subsets == "validation"]).min()
    assert nearest > 8 if sessions < 5 else nearest > 900


def test_no_subset_is_empty_if_the_blocks_allow_it() -> None:
    """Classes that occur in few sessions must not leave the validation subset empty."""
    table = {"low": [2, 3, 0, 0, 1, 2], "middle": [2, 2, 0, 2, 1, 2], "high": [0, 0, 5, 3, 0, 0]}
    counts = np.array(list(table.values())).T
    codes = np.concatenate([np.repeat(np.arange(3), row) for row in counts])
    sessions = np.repeat(np.arange(6), counts.sum(axis=1))
    (subsets,) = blocked_subsets(codes, sessions, np.arange(len(codes)), BLOCKED)
    assert all((subsets == subset).any() for subset in SUBSETS)


@pytest.mark.parametrize("seed", range(5))
def test_blocks_of_minutes_are_separated_by_the_embargo(seed: int) -> None:
    codes, sessions, minutes = labels(1, 60, seed)
    split = BLOCKED.model_copy(update={"block_minutes": 6, "embargo_minutes": 2})
    (subsets,) = blocked_subsets(codes, sessions, minutes, split)
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        gaps = np.abs(minutes[subsets == one][:, None] - minutes[subsets == other])
        assert gaps.min() > 2
    assert all((subsets == subset).any() for subset in SUBSETS)


PROTOCOL = np.repeat(["rest", "stroop", "rest", "talk", "rest", "breathe", "rest"], [10, 6, 4, 10, 6, 4, 10])


def protocol(**keys: object) -> tuple[np.ndarray, np.ndarray]:
    """Subsets of a protocol with three tasks and one window per minute; the class is task or rest."""
    split = BLOCKED.model_copy(update={"tasks": "task", "between": "rest"} | keys)
    minutes = np.arange(len(PROTOCOL))
    codes = (PROTOCOL != "rest").astype(int)
    (subsets,) = blocked_subsets(codes, np.zeros(len(codes)), minutes, split, PROTOCOL)
    return subsets, minutes


def test_runs_of_a_task_stay_together_with_half_of_the_adjacent_rest() -> None:
    subsets, _ = protocol(embargo_minutes=0)
    for task in ("stroop", "talk", "breathe"):
        assert len(set(subsets[task == PROTOCOL])) == 1
    assert {subsets[task == PROTOCOL][0] for task in ("stroop", "talk", "breathe")} == set(SUBSETS)
    # The rest is divided in the middle: two minutes go to the task before it, two to the task after it.
    assert subsets[16] == subsets[17] == subsets[15] and subsets[18] == subsets[19] == subsets[20]


def test_a_held_out_task_is_tested_and_no_window_near_it_is_used_for_training() -> None:
    subsets, minutes = protocol(hold_out=["talk"], block_minutes=3)
    assert (subsets[PROTOCOL == "talk"] == "test").all() and (PROTOCOL[subsets == "train"] != "talk").all()
    assert {"stroop", "breathe"} & set(PROTOCOL[subsets == "train"]) and (subsets == "validation").any()
    assert np.abs(minutes[subsets == "test"][:, None] - minutes[subsets == "train"]).min() > 1
    assert set(PROTOCOL[subsets == "test"]) == {"rest", "talk"}


def test_the_embargo_applies_to_windows_of_any_length() -> None:
    codes, sessions, minutes = labels(1, 60)
    split = BLOCKED.model_copy(update={"block_minutes": 6, "embargo_minutes": 1})
    (subsets,) = blocked_subsets(codes, sessions, 2.0 * minutes, split, seconds=120)
    assert np.abs(2 * minutes[subsets == "test"][:, None] - 2 * minutes[subsets == "train"]).min() > 2


def test_the_embargo_applies_between_adjacent_sessions() -> None:
    codes, sessions, _ = labels(4, 10)
    (subsets,) = blocked_subsets(codes, sessions, np.arange(40), BLOCKED)
    assert np.abs(np.flatnonzero(subsets == "train")[:, None] - np.flatnonzero(subsets == "test")).min() > 1


@pytest.mark.parametrize("seed", range(4))
def test_folds_have_similar_numbers_of_windows_of_each_class(seed: int) -> None:
    codes, sessions, _ = labels(12, 10, seed)
    blocks = pd.factorize(sessions)[0]
    folds = balanced_folds(codes, blocks, 4, seed)
    counts = pd.crosstab(folds, codes)
    rng = np.random.default_rng(0)
    drawn = [pd.crosstab((rng.permutation(12) % 4)[blocks], codes) for _ in range(200)]
    assert len(counts) == 4 and counts.var().sum() < np.quantile([table.var().sum() for table in drawn], 0.1)
    assert all(len(set(folds[blocks == block])) == 1 for block in range(12))
    assert len(set(balanced_folds(codes, blocks, 20, seed))) == 12  # no fold is empty
    others = [balanced_folds(codes, blocks, 4, other) for other in range(4)]
    assert len({tuple(own) for own in others}) > 1


def test_rotated_blocks_of_minutes_are_separated_by_the_embargo() -> None:
    codes, sessions, minutes = labels(1, 60)
    split = BLOCKED.model_copy(update={"folds": 5, "block_minutes": 4, "embargo_minutes": 1})
    found = blocked_subsets(codes, sessions, minutes, split)
    assert len(found) == 5 and (np.sum([subsets == "test" for subsets in found], axis=0) == 1).all()
    for subsets in found:
        for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
            assert np.abs(minutes[subsets == one][:, None] - minutes[subsets == other]).min() > 1


def test_held_out_tasks_are_tested_in_turn() -> None:
    split = BLOCKED.model_copy(update={"tasks": "task", "between": "rest", "hold_out": ["talk", "breathe"]})
    codes, minutes = (PROTOCOL != "rest").astype(int), np.arange(len(PROTOCOL))
    assert split.rotates and not split.model_copy(update={"hold_out": ["talk"]}).rotates
    first, second = blocked_subsets(codes, np.zeros(len(codes)), minutes, split, PROTOCOL)
    assert set(PROTOCOL[first == "test"]) == {"rest", "talk"} and set(PROTOCOL[second == "test"]) == {"rest", "breathe"}
    drawn = blocked_subsets(
        codes, np.zeros(len(codes)), minutes, split.model_copy(update={"hold_out": [], "folds": 3}), PROTOCOL
    )
    assert [set(PROTOCOL[own == "test"]) - {"rest"} for own in drawn] != [set()] * 3
    assert sorted(task for own in drawn for task in set(PROTOCOL[own == "test"]) - {"rest"}) == [
        "breathe",
        "stroop",
        "talk",
    ]


def test_every_participant_is_tested_in_one_fold_of_similar_size() -> None:
    users = [f"u{i}" for i in range(11)]
    folds = unseen_folds(users, ParticipantsSplit(name="new", folds=4))
    assert sorted(folds) == sorted(users) and sorted(pd.Series(folds).value_counts()) == [2, 3, 3, 3]
    assert folds == unseen_folds(users[::-1], ParticipantsSplit(name="new", folds=4))
    assert len(set(unseen_folds(users, ParticipantsSplit(name="new", folds=50)).values())) == 11
