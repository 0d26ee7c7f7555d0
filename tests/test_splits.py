import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.model_selection import train_test_split

from lifelog.config import Config, ConfigError, load_config
from lifelog.report.tables import split_overview
from lifelog.settings.splits import SUBSETS, BlockedSplit, RandomSplit, Target
from lifelog.settings.windows import Modality
from lifelog.splits.assign import (
    _check_apart,
    assign_splits,
    exclusion,
    folds_tested,
    nearest_minutes,
    read_folds,
    read_split,
)
from lifelog.splits.subsets import balanced_folds, blocked_subsets, random_subsets, rotated_subsets
from lifelog.tables import read_notes
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput, Label
from lifelog.windows.quality import QualityLog, no_modality
from lifelog.windows.schema import windows_schema

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
    subsets = blocked_subsets(codes, sessions, minutes, BLOCKED)
    for session in np.unique(sessions):
        assert len(set(subsets[sessions == session])) == 1
    for subset in SUBSETS:
        assert set(codes[subsets == subset]) == {0, 1, 2}
    assert 0.1 < (subsets == "test").mean() < 0.35


def test_no_subset_is_empty_if_the_blocks_allow_it() -> None:
    """Classes that occur in few sessions must not leave the validation subset empty."""
    table = {"low": [2, 3, 0, 0, 1, 2], "middle": [2, 2, 0, 2, 1, 2], "high": [0, 0, 5, 3, 0, 0]}
    counts = np.array(list(table.values())).T
    codes = np.concatenate([np.repeat(np.arange(3), row) for row in counts])
    sessions = np.repeat(np.arange(6), counts.sum(axis=1))
    subsets = blocked_subsets(codes, sessions, np.arange(len(codes)), BLOCKED)
    assert all((subsets == subset).any() for subset in SUBSETS)


@pytest.mark.parametrize("seed", range(5))
def test_blocks_of_minutes_are_separated_by_the_embargo(seed: int) -> None:
    codes, sessions, minutes = labels(1, 60, seed)
    split = BLOCKED.model_copy(update={"block_minutes": 6, "embargo_minutes": 2})
    subsets = blocked_subsets(codes, sessions, minutes, split)
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
    return blocked_subsets(codes, np.zeros(len(codes)), minutes, split, PROTOCOL), minutes


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
    subsets = blocked_subsets(codes, sessions, 2.0 * minutes, split, seconds=120)
    assert np.abs(2 * minutes[subsets == "test"][:, None] - 2 * minutes[subsets == "train"]).min() > 2


def test_a_missing_held_out_task_excludes_the_user_with_the_existing_tasks(
    tables: Path, config: Config, tmp_path: Path
) -> None:
    split = BlockedSplit(name="b", tasks="place", hold_out=["Home"])
    assign_splits(tables / "windows/101.parquet", config.target("tension"), split, tmp_path / "s")
    assert re.match(
        r"no window of a held-out task \(Home\); the user's tasks are outdoors, workplace", exclusion(tmp_path / "s")
    )


def test_an_unknown_task_column_raises_an_error_with_the_existing_columns(
    tables: Path, config: Config, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"splits: 'b' uses the label column 'tsak'.*emotionTension"):
        split = BlockedSplit(name="b", tasks="tsak")
        assign_splits(tables / "windows/101.parquet", config.target("tension"), split, tmp_path / "s")


def test_one_session_is_split_into_blocks_of_minutes(config: Config, raw: Path, tmp_path: Path) -> None:
    """From the raw files, in real units of time: there is an embargo between blocks."""
    sessions = sorted(path for path in (raw / "101").iterdir())[:2]
    for session in sessions:
        shutil.copytree(session, tmp_path / "raw" / session.name)
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("101", tmp_path / "raw", config.cohort, config.windows, config.modalities, *paths)
    split = BLOCKED.model_copy(update={"block_minutes": 1, "embargo_minutes": 1})
    target = Target(name="t", column="emotionTension", bins={"a": [1, 3, 5, 7], "b": [2, 4, 6]})
    assign_splits(paths[0], target, split, tmp_path / "s.parquet")
    frame = read_split(tmp_path / "s.parquet")
    assert "embargo" in set(frame.reason)
    minutes = (frame.start - frame.start.min()).dt.total_seconds() / 60
    train, test = minutes[frame.subset == "train"], minutes[frame.subset == "test"]
    assert len(test) and all(abs(a - b) > 1 for a in train for b in test)


def test_the_minutes_to_the_nearest_training_window_are_noted(tables: Path, config: Config, tmp_path: Path) -> None:
    assert nearest_minutes(np.array([10, 50]), np.array([0, 13, 90])) == 3
    for split, near in (("blocked", False), ("random", True)):
        assign_splits(tables / "windows/101.parquet", config.target("tension"), config.split(split), tmp_path / "s")
        assert (read_notes(tmp_path / "s")["nearest_minutes"] < 5) == near


def test_the_embargo_applies_between_adjacent_sessions() -> None:
    codes, sessions, _ = labels(4, 10)
    subsets = blocked_subsets(codes, sessions, np.arange(40), BLOCKED)
    assert np.abs(np.flatnonzero(subsets == "train")[:, None] - np.flatnonzero(subsets == "test")).min() > 1


def test_every_window_is_in_a_subset_or_has_a_reason(tables: Path) -> None:
    for path in (tables / "splits").glob("*.parquet"):
        frame = pq.read_table(path).to_pandas()
        assert (frame.subset.isna() == frame.reason.notna()).all()
        windows = pq.read_metadata(tables / "windows" / path.name).num_rows
        assert frame.fold.value_counts().tolist() == [windows] * 4


@pytest.mark.parametrize(
    ("bins", "reason"),
    [
        ({"all": [1, 2, 3, 4, 5, 6, 7], "none": [9]}, "one class only"),
        ({"none": [8], "neither": [9]}, "too few windows"),
    ],
)
def test_a_user_without_enough_windows_or_classes_is_excluded_with_the_reason(
    tables: Path, tmp_path: Path, bins: dict, reason: str
) -> None:
    target = Target(name="t", column="emotionTension", bins=bins)
    assign_splits(tables / "windows" / "101.parquet", target, BLOCKED, tmp_path / "s.parquet")
    assert reason in exclusion(tmp_path / "s.parquet")


def test_an_unknown_label_column_raises_an_error_with_the_existing_columns(
    tables: Path, config: Config, tmp_path: Path
) -> None:
    target = Target(name="t", column="tensoin", bins={"a": [1], "b": [2]})
    with pytest.raises(ValueError, match=r"tensoin.*emotionTension"):
        assign_splits(tables / "windows" / "101.parquet", target, BLOCKED, tmp_path / "s.parquet")


# --- windows of one answer -------------------------------------------------------------------------------------------


def write_windows(
    path: Path,
    stress: list[str | None],
    rows: list[list[str]],
    sessions: int = 1,
    starts: list[int] | None = None,
) -> None:
    """Write a windows table, of consecutive minutes by default."""
    modality = Modality(name="hr", kind="scalar", columns=["hr"])
    schema = windows_schema(["stress"], [modality])
    count = len(stress)
    table = {
        "user": ["u"] * count,
        "session": [str(i * sessions // count) for i in range(count)],
        "start": starts or [1_644_227_580 + 60 * i for i in range(count)],
        "label_rows": [{"stress": own} for own in rows],
        "stress": stress,
        "hr": [[1.0]] * count,
    }
    pq.write_table(pa.table(table, schema=schema), path)


SHORT = BlockedSplit(name="b", folds=1, block_minutes=2, embargo_minutes=0, min_sessions=8)
STRESS = Target(name="stress", column="stress", bins={"low": [0], "high": [1]})


@pytest.mark.parametrize(
    "split",
    [
        RandomSplit(name="r"),
        SHORT,
        BlockedSplit(name="s", folds=1, min_sessions=3, embargo_minutes=0),
    ],
    ids=lambda split: split.name,
)
def test_windows_of_one_answer_are_in_one_subset(tmp_path: Path, split: RandomSplit | BlockedSplit) -> None:
    """Ratings about five minutes make five windows each."""
    rows = [[f"labels.csv:{2 + i // 5}"] for i in range(100)]
    write_windows(tmp_path / "w", [str(i // 5 % 2) for i in range(100)], rows, sessions=7)
    assign_splits(tmp_path / "w", STRESS, split, tmp_path / "s")
    frame = pq.read_table(tmp_path / "s").to_pandas()
    answers = frame.subset.groupby(np.arange(100) // 5)
    assert (answers.nunique() <= 1).all() and set(frame.subset.dropna()) == set(SUBSETS)


@pytest.mark.parametrize(
    "split",
    [RandomSplit(name="r"), SHORT],
    ids=lambda s: s.name,
)
def test_windows_that_overlap_in_time_are_in_one_subset(tmp_path: Path, split: RandomSplit | BlockedSplit) -> None:
    """Prompts about the last two minutes, four a minute apart and then a pause."""
    starts = 1_644_227_580 + 60 * (np.arange(100) + 6 * (np.arange(100) // 4))
    rows = [[f"labels.csv:{2 + i}"] for i in range(100)]
    write_windows(tmp_path / "w", [str(i // 5 % 2) for i in range(100)], rows, starts=starts.tolist())
    assign_splits(tmp_path / "w", STRESS, split, tmp_path / "s", seconds=120)
    subsets = pq.read_table(tmp_path / "s").to_pandas().subset
    assert set(subsets.dropna()) == set(SUBSETS)
    for i in np.flatnonzero(np.diff(starts) < 120):
        assert subsets[i : i + 2].dropna().nunique() <= 1


def test_every_window_is_tested_once_and_is_in_no_other_subset_of_its_fold(tables: Path) -> None:
    """Fold 0 holds out nothing; the subsets of the other folds are in different sessions."""
    folds = read_folds(tables / "splits/101.parquet")
    assert set(folds[0].subset.dropna()) == {"train"} and folds_tested(folds) == [1, 2, 3]
    tested = sum((folds[fold].subset == "test").astype(int) for fold in (1, 2, 3))
    assert (tested == folds[0].label.notna()).all()
    for fold in (1, 2, 3):
        own = folds[fold]
        of_subset = [set(own.session[own.subset == subset]) for subset in SUBSETS]
        assert all(of_subset) and sum(map(len, of_subset)) == len(set.union(*of_subset))


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
    found = rotated_subsets(codes, sessions, minutes, split)
    assert len(found) == 5 and (np.sum([subsets == "test" for subsets in found], axis=0) == 1).all()
    for subsets in found:
        for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
            assert np.abs(minutes[subsets == one][:, None] - minutes[subsets == other]).min() > 1


def test_held_out_tasks_are_tested_in_turn() -> None:
    split = BLOCKED.model_copy(update={"tasks": "task", "between": "rest", "hold_out": ["talk", "breathe"]})
    codes, minutes = (PROTOCOL != "rest").astype(int), np.arange(len(PROTOCOL))
    assert split.rotates and not split.model_copy(update={"hold_out": ["talk"]}).rotates
    first, second = rotated_subsets(codes, np.zeros(len(codes)), minutes, split, PROTOCOL)
    assert set(PROTOCOL[first == "test"]) == {"rest", "talk"} and set(PROTOCOL[second == "test"]) == {"rest", "breathe"}
    drawn = rotated_subsets(
        codes, np.zeros(len(codes)), minutes, split.model_copy(update={"hold_out": [], "folds": 3}), PROTOCOL
    )
    assert [set(PROTOCOL[own == "test"]) - {"rest"} for own in drawn] != [set()] * 3
    assert sorted(task for own in drawn for task in set(PROTOCOL[own == "test"]) - {"rest"}) == [
        "breathe",
        "stroop",
        "talk",
    ]


def test_a_fold_whose_training_windows_have_one_class_is_not_tested(tmp_path: Path) -> None:
    """The rarer class is in one session; when that is tested or validates, the others have a single class."""
    stress = ["0"] * 40 + ["1"] * 5 + ["0"] * 5
    write_windows(tmp_path / "w", stress, [[f"l:{i}"] for i in range(50)], sessions=5)
    assign_splits(tmp_path / "w", STRESS, BlockedSplit(name="b", embargo_minutes=0), tmp_path / "s")
    folds = read_folds(tmp_path / "s")
    assert exclusion(tmp_path / "s") is None and len(folds) == 6 and 0 < len(folds_tested(folds)) < 5
    for fold, own in folds.items():
        if fold and fold not in folds_tested(folds):
            lost = own[own.subset.isna()]
            assert len(lost) == 10 and lost.reason.str.startswith("one class only in the train subset").all()
    overview, _ = split_overview([str(tmp_path / "s")], [str(tmp_path / "s")])
    assert overview.test[0] + overview.unused[0] == 50 and "one class only" in overview.why[0]


def test_a_user_with_fewer_folds_trains_in_the_further_ones(tables: Path) -> None:
    further = read_split(tables / "splits/101.parquet", 4)
    pd.testing.assert_frame_equal(further, read_split(tables / "splits/101.parquet"))


def test_overlapping_windows_in_two_subsets_are_an_error() -> None:
    subsets = np.array(["train", "test", "validation"], dtype=object)
    _check_apart(subsets, np.array([0.0, 1.0, 2.0]), 60)
    with pytest.raises(ValueError, match="overlaps one of another subset"):
        _check_apart(subsets, np.array([0.0, 0.5, 2.0]), 60)


def test_an_answer_about_a_held_out_task_and_another_one_is_not_used_for_training(tmp_path: Path) -> None:
    modality = Modality(name="hr", kind="scalar", columns=["hr"])
    tasks = ["speech"] * 20 + ["walk"] * 40
    rows = [f"l:{i // 8}" for i in range(60)]  # the third answer describes minutes 16 to 23
    table = {
        "user": ["u"] * 60,
        "session": ["s"] * 60,
        "start": [1_644_227_580 + 60 * i for i in range(60)],
        "label_rows": [{"stress": [row], "task": [f"t:{task}"]} for row, task in zip(rows, tasks, strict=True)],
        "stress": [str(i // 8 % 2) for i in range(60)],
        "task": tasks,
        "hr": [[1.0]] * 60,
    }
    pq.write_table(pa.table(table, schema=windows_schema(["stress", "task"], [modality])), tmp_path / "w")
    split = BlockedSplit(name="b", tasks="task", hold_out=["speech"], embargo_minutes=0, block_minutes=2)
    assign_splits(tmp_path / "w", STRESS, split, tmp_path / "s")
    subsets = pq.read_table(tmp_path / "s").to_pandas().subset
    assert (subsets[:20] == "test").all() and subsets[20:24].isna().all() and subsets[24:].notna().any()
    assert (subsets[24:].groupby(np.arange(24, 60) // 8).nunique() <= 1).all()


def test_an_answer_that_labels_everything_cannot_be_split(tmp_path: Path) -> None:
    write_windows(tmp_path / "w", ["0", "1"] * 20, [["labels.csv:2"]] * 40)
    assign_splits(tmp_path / "w", STRESS, RandomSplit(name="r"), tmp_path / "s")
    assert "too few windows that can be separated" in (exclusion(tmp_path / "s") or "")


def test_an_exclusion_names_the_values_in_no_bin_or_the_cause_of_lost_windows(tmp_path: Path) -> None:
    write_windows(tmp_path / "w", ["no"] * 9 + ["yes"], [[f"l:{i}"] for i in range(10)])
    assign_splits(tmp_path / "w", STRESS, RandomSplit(name="r"), tmp_path / "s")
    assert (exclusion(tmp_path / "s") or "").endswith("0 with a label in a bin; stress is 'no' (9), 'yes' (1)")
    log = QualityLog("u", {"hr": 1})
    for i in range(40):
        log.label("", Label(60 * i, {}), no_modality({"eda": BadInput("no file", "EDA.csv"), "hr": BadInput("x", "y")}))
    pq.write_table(log.table(), tmp_path / "q")
    write_windows(tmp_path / "w", [], [])
    assign_splits(tmp_path / "w", STRESS, RandomSplit(name="r"), tmp_path / "s", quality_path=tmp_path / "q")
    assert (exclusion(tmp_path / "s") or "").endswith("; no file: eda in 40 of 40 labelled windows")


@pytest.mark.parametrize(
    ("bins", "value", "expected"),
    [
        ({"low": [1, 1.5, 2], "high": [3.5, 4]}, "1.5", "low"),
        ({"low": "0..33", "high": "67..100"}, "33.0", "low"),
        ({"low": "0..33", "high": "67..100"}, "50", None),
        ({"low": "-3..0", "high": ["0.5..3"]}, "-1", "low"),
        ({"no": ["no"], "yes": ["yes"]}, "yes", "yes"),
        ({"no": ["FALSE"], "yes": ["TRUE"]}, "TRUE", "yes"),
        ({"no": [0], "yes": ["1"]}, "1.0", "yes"),
        ({"no": [0], "yes": [1]}, "1_0", None),
        ({"none": ["None"], "some": ["NA"]}, "None", "none"),
        ({"none": ["nan"], "some": ["inf"]}, "nan", "none"),
    ],
)
def test_bins_compare_numbers_with_numbers_and_text_with_text(bins: dict, value: str, expected: str | None) -> None:
    assert Target.model_validate({"name": "t", "column": "c", "bins": bins}).class_of(value) == expected


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ({"rest": [False], "stress": [True]}, 'write "no"'),
        ({False: [1], "stress": [2]}, 'write the bin "no"'),
        ({"low": "0..33", "high": "33..66"}, "in two bins"),
        ({"low": [1], "high": ["1.0"]}, "in two bins"),
        ({"low": "0..5", "high": [3]}, "in two bins"),
        ({"low": "5..0", "high": [9]}, "ends before it starts"),
    ],
)
def test_ambiguous_bins_are_refused(bins: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config({"targets": [{"name": "t", "column": "c", "bins": bins}], "targets_run": ["t"]})


def test_a_user_without_any_answer_is_excluded(tmp_path: Path) -> None:
    write_windows(tmp_path / "w", [None] * 9, [[f"l:{i}"] for i in range(9)])
    assign_splits(tmp_path / "w", STRESS, BLOCKED, tmp_path / "s")
    assert (exclusion(tmp_path / "s") or "").endswith("stress is 'no answer' (9)")
    assert pq.read_table(tmp_path / "s").to_pandas().label.isna().all()
