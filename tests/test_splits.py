import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.model_selection import train_test_split

from lifelog.config import Config
from lifelog.settings.splits import SUBSETS, BlockedSplit, RandomSplit, Target
from lifelog.splits import assign_splits, blocked_subsets, exclusion, nearest_minutes, random_subsets
from lifelog.tables import read_notes
from lifelog.windows.extract import extract_windows

BLOCKED = BlockedSplit(name="b")


def labels(sessions: int, minutes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    codes = np.random.default_rng(seed).integers(0, 3, sessions * minutes)
    names = np.repeat([f"s{i}" for i in range(sessions)], minutes)
    clock = np.concatenate([1000 * i + np.arange(minutes) for i in range(sessions)])
    return codes, names, clock


def test_random_is_the_published_draw() -> None:
    """Same windows as scikit-learn's train_test_split twice with seed 32, and user 101's counts."""
    n = 1290 + 185 + 369
    parts = random_subsets(np.zeros(n, int), RandomSplit(name="r"))
    rest, test = train_test_split(np.arange(n), test_size=0.2, random_state=32)
    train, validation = train_test_split(rest, test_size=0.125, random_state=32)
    for name, rows in zip(SUBSETS, (train, validation, test), strict=True):
        assert set(np.flatnonzero(parts == name)) == set(rows)
    assert [(parts == name).sum() for name in SUBSETS] == [1290, 185, 369]


@pytest.mark.parametrize("seed", range(5))
def test_blocked_keeps_sessions_whole(seed: int) -> None:
    codes, sessions, minutes = labels(8, 12, seed)
    parts = blocked_subsets(codes, sessions, minutes, BLOCKED)
    for session in np.unique(sessions):
        assert len(set(parts[sessions == session])) == 1
    for part in SUBSETS:
        assert set(codes[parts == part]) == {0, 1, 2}
    assert 0.1 < (parts == "test").mean() < 0.35


def test_no_part_is_empty_where_the_blocks_allow_it() -> None:
    """Classes that hang on single sessions must not cost the validation part."""
    table = {"low": [2, 3, 0, 0, 1, 2], "middle": [2, 2, 0, 2, 1, 2], "high": [0, 0, 5, 3, 0, 0]}
    counts = np.array(list(table.values())).T
    codes = np.concatenate([np.repeat(np.arange(3), row) for row in counts])
    sessions = np.repeat(np.arange(6), counts.sum(axis=1))
    parts = blocked_subsets(codes, sessions, np.arange(len(codes)), BLOCKED)
    assert all((parts == part).any() for part in SUBSETS)


@pytest.mark.parametrize("seed", range(5))
def test_blocks_of_minutes_leave_no_neighbour_in_training(seed: int) -> None:
    codes, sessions, minutes = labels(1, 60, seed)
    split = BLOCKED.model_copy(update={"block_minutes": 6, "embargo_minutes": 2})
    parts = blocked_subsets(codes, sessions, minutes, split)
    for mine, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        gaps = np.abs(minutes[parts == mine][:, None] - minutes[parts == other])
        assert gaps.min() > 2
    assert all((parts == part).any() for part in SUBSETS)


PROTOCOL = np.repeat(["rest", "stroop", "rest", "talk", "rest", "breathe", "rest"], [10, 6, 4, 10, 6, 4, 10])


def protocol(**keys: object) -> tuple[np.ndarray, np.ndarray]:
    """Parts of an hour of three tasks, one window a minute; tasks are the class."""
    split = BLOCKED.model_copy(update={"tasks": "task", "between": "rest"} | keys)
    minutes = np.arange(len(PROTOCOL))
    codes = (PROTOCOL != "rest").astype(int)
    return blocked_subsets(codes, np.zeros(len(codes)), minutes, split, PROTOCOL), minutes


def test_runs_of_a_task_stay_together_with_half_the_rest_beside_them() -> None:
    parts, _ = protocol(embargo_minutes=0)
    for task in ("stroop", "talk", "breathe"):
        assert len(set(parts[task == PROTOCOL])) == 1
    assert {parts[task == PROTOCOL][0] for task in ("stroop", "talk", "breathe")} == set(SUBSETS)
    # Cut in the middle of a rest: two of its four minutes with the task before, two with the one after.
    assert parts[16] == parts[17] == parts[15] and parts[18] == parts[19] == parts[20]


def test_a_task_that_is_held_out_is_tested_and_nothing_near_it_trains() -> None:
    parts, minutes = protocol(hold_out=["talk"], block_minutes=3)
    assert (parts[PROTOCOL == "talk"] == "test").all() and (PROTOCOL[parts == "train"] != "talk").all()
    assert {"stroop", "breathe"} & set(PROTOCOL[parts == "train"]) and (parts == "validation").any()
    assert np.abs(minutes[parts == "test"][:, None] - minutes[parts == "train"]).min() > 1
    assert set(PROTOCOL[parts == "test"]) == {"rest", "talk"}


def test_the_embargo_is_between_windows_however_long_they_are() -> None:
    codes, sessions, minutes = labels(1, 60)
    split = BLOCKED.model_copy(update={"block_minutes": 6, "embargo_minutes": 1})
    parts = blocked_subsets(codes, sessions, 2.0 * minutes, split, seconds=120)
    assert np.abs(2 * minutes[parts == "test"][:, None] - 2 * minutes[parts == "train"]).min() > 2


def test_a_task_that_nobody_did_is_named_with_those_there_are(tables: Path, config: Config, tmp_path: Path) -> None:
    split = BlockedSplit(name="b", tasks="place", hold_out=["Home"])
    assign_splits(tables / "windows/101.parquet", config.target("tension"), split, tmp_path / "s")
    assert re.match(
        r"no window of a held-out task \(Home\); the user's tasks are outdoors, workplace", exclusion(tmp_path / "s")
    )


def test_an_unknown_task_column_names_those_there_are(tables: Path, config: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"splits: 'b' uses the label column 'tsak'.*emotionTension"):
        split = BlockedSplit(name="b", tasks="tsak")
        assign_splits(tables / "windows/101.parquet", config.target("tension"), split, tmp_path / "s")


def test_one_session_goes_through_the_tables_as_blocks_of_minutes(config: Config, raw: Path, tmp_path: Path) -> None:
    """From the files on, in real units of time: cuts between blocks are under embargo."""
    sessions = sorted(path for path in (raw / "101").iterdir())[:1]
    for session in sessions:
        shutil.copytree(session, tmp_path / "raw" / session.name)
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("101", tmp_path / "raw", config.cohort, config.windows, config.modalities, *paths)
    split = BLOCKED.model_copy(update={"block_minutes": 1, "embargo_minutes": 1})
    target = Target(name="t", column="emotionTension", bins={"a": [1, 3, 5, 7], "b": [2, 4, 6]})
    assign_splits(paths[0], target, split, tmp_path / "s.parquet")
    frame = pq.read_table(tmp_path / "s.parquet").to_pandas()
    assert "embargo" in set(frame.reason)
    minutes = (frame.start - frame.start.min()).dt.total_seconds() / 60
    train, test = minutes[frame.subset == "train"], minutes[frame.subset == "test"]
    assert len(test) and all(abs(a - b) > 1 for a in train for b in test)


def test_nearness_in_time_is_told(tables: Path, config: Config, tmp_path: Path) -> None:
    assert nearest_minutes(np.array([10, 50]), np.array([0, 13, 90])) == 3
    for split, near in (("blocked", False), ("random", True)):
        assign_splits(tables / "windows/101.parquet", config.target("tension"), config.split(split), tmp_path / "s")
        assert (read_notes(tmp_path / "s")["nearest_minutes"] < 5) == near


def test_sessions_back_to_back_are_under_embargo_too() -> None:
    codes, sessions, _ = labels(4, 10)
    parts = blocked_subsets(codes, sessions, np.arange(40), BLOCKED)
    assert np.abs(np.flatnonzero(parts == "train")[:, None] - np.flatnonzero(parts == "test")).min() > 1


def test_every_window_is_in_a_part_or_has_a_reason(tables: Path) -> None:
    for path in (tables / "splits").glob("*.parquet"):
        frame = pq.read_table(path).to_pandas()
        assert (frame.subset.isna() == frame.reason.notna()).all()
        assert len(frame) == pq.read_metadata(tables / "windows" / path.name).num_rows


@pytest.mark.parametrize(
    ("bins", "reason"),
    [
        ({"all": [1, 2, 3, 4, 5, 6, 7], "none": [9]}, "one class only"),
        ({"none": [8], "neither": [9]}, "too few windows"),
    ],
)
def test_a_user_that_cannot_be_trained_is_excluded_by_reason(
    tables: Path, tmp_path: Path, bins: dict, reason: str
) -> None:
    target = Target(name="t", column="emotionTension", bins=bins)
    assign_splits(tables / "windows" / "101.parquet", target, BLOCKED, tmp_path / "s.parquet")
    assert reason in exclusion(tmp_path / "s.parquet")


def test_an_unknown_label_column_names_those_there_are(tables: Path, config: Config, tmp_path: Path) -> None:
    target = Target(name="t", column="tensoin", bins={"a": [1], "b": [2]})
    with pytest.raises(ValueError, match=r"tensoin.*emotionTension"):
        assign_splits(tables / "windows" / "101.parquet", target, BLOCKED, tmp_path / "s.parquet")
