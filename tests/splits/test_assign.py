import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.predict.samples import Person
from lifelog.report.tables import split_overview
from lifelog.settings.splits import SUBSETS, BlockedSplit, ParticipantsSplit, RandomSplit, SessionsSplit, Target
from lifelog.splits.assign import _check_apart, assign_splits
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput, Label
from lifelog.windows.quality import QualityLog, no_modality
from lifelog.windows.read import read_labels

BLOCKED = BlockedSplit(name="b", folds=1, min_sessions=3)


@pytest.fixture
def recorded(tables: Path) -> pd.DataFrame:
    """The windows of a user of the tiny cohort."""
    return read_labels(tables / "windows/101.parquet")


def test_a_missing_held_out_task_excludes_the_user_with_the_existing_tasks(
    recorded: pd.DataFrame, config: Config
) -> None:
    split = BlockedSplit(name="b", tasks="place", hold_out=["Home"])
    excluded = assign_splits(recorded, config.target("tension"), split).excluded
    assert re.match("no window whose place is Home; the user's values are outdoors, workplace", excluded)


def test_a_second_visit_is_tested_by_models_of_the_first(recorded: pd.DataFrame, config: Config) -> None:
    half = np.isin(recorded.session, sorted(set(recorded.session))[: recorded.session.nunique() // 2])
    rows = recorded.assign(visit=np.where(half, "1", "2"))
    split = SessionsSplit(name="next", column="visit", train_on=[1], test_on=[2], block_minutes=1)
    folds = assign_splits(rows, config.target("tension"), split)
    subset = folds.fold(1).subset.to_numpy()
    used = folds.described.label.notna().to_numpy()
    assert folds.tested == [1] and (subset[used & ~half] == "test").all()
    assert set(subset[used & half]) - {None} == {"train", "validation"}
    first = assign_splits(rows[half], config.target("tension"), split)
    assert first.excluded == "no window whose visit is 2; the user's values are 1"
    alone = rows.assign(session="one", start=rows.start.iloc[0] + pd.to_timedelta(np.arange(len(rows)), "min"))
    last = assign_splits(alone, config.target("tension"), SessionsSplit(name="last"))
    assert last.excluded == "one session only: there is no later one to test"


def test_a_participant_is_tested_as_a_whole_in_one_fold_and_trains_in_the_others(
    recorded: pd.DataFrame, config: Config
) -> None:
    split = ParticipantsSplit(name="new", block_minutes=1)
    folds = assign_splits(recorded, config.target("tension"), split, unseen=3)
    used = folds.described.label.notna().to_numpy()
    assert folds.tested == [3] and set(folds.fold(3).subset[used]) == {"test"}
    assert set(folds.fold(1).subset[used]) - {None} == {"train", "validation"}
    alone = recorded.assign(session="one")  # one block cannot be divided: it trains
    whole = assign_splits(alone, config.target("tension"), ParticipantsSplit(name="new", block_minutes=10_000_000))
    assert set(whole.fold(2).subset[used]) == {"train"}
    same = recorded.assign(emotionTension="1")
    assert "one class only" in str(assign_splits(same, config.target("tension"), split, unseen=3).excluded)


def test_an_unknown_task_column_raises_an_error_with_the_existing_columns(
    recorded: pd.DataFrame, config: Config
) -> None:
    with pytest.raises(ValueError, match=r"splits: 'b' uses the label column 'tsak'.*emotionTension"):
        assign_splits(recorded, config.target("tension"), BlockedSplit(name="b", tasks="tsak"))


def test_one_session_is_split_into_blocks_of_minutes(config: Config, raw: Path, tmp_path: Path) -> None:
    """From the raw files, in real units of time: there is an embargo between blocks."""
    sessions = sorted(path for path in (raw / "101").iterdir())[:2]
    for session in sessions:
        shutil.copytree(session, tmp_path / "raw" / session.name)
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("101", tmp_path / "raw", config.cohort, config.windows, config.modalities, *paths)
    split = BLOCKED.model_copy(update={"block_minutes": 1, "embargo_minutes": 1})
    target = Target(name="t", column="emotionTension", bins={"a": [1, 3, 5, 7], "b": [2, 4, 6]})
    frame = assign_splits(read_labels(paths[0]), target, split).fold(1)
    assert "embargo" in set(frame.reason)
    minutes = (frame.start - frame.start.min()).dt.total_seconds() / 60
    train, test = minutes[frame.subset == "train"], minutes[frame.subset == "test"]
    assert len(test) and all(abs(a - b) > 1 for a in train for b in test)


def test_the_minutes_to_the_nearest_training_window_are_noted(recorded: pd.DataFrame, config: Config) -> None:
    for split, near in (("blocked", False), ("random", True)):
        folds = assign_splits(recorded, config.target("tension"), config.split(split))
        assert (folds.nearest_minutes < 5) == near


def test_every_window_is_in_a_subset_or_has_a_reason(people: dict[str, Person]) -> None:
    for person in people.values():
        rows = dict(person.folds.items())
        assert list(rows) == [None, 1, 2, 3]
        for frame in rows.values():
            assert (frame.subset.isna() == frame.reason.notna()).all()
            assert frame.start.tolist() == person.features.rows.start.tolist()


@pytest.mark.parametrize(
    ("bins", "reason"),
    [
        ({"all": [1, 2, 3, 4, 5, 6, 7], "none": [9]}, "one class only"),
        ({"none": [8], "neither": [9]}, "too few windows"),
    ],
)
def test_a_user_without_enough_windows_or_classes_is_excluded_with_the_reason(
    recorded: pd.DataFrame, bins: dict, reason: str
) -> None:
    folds = assign_splits(recorded, Target(name="t", column="emotionTension", bins=bins), BLOCKED)
    assert reason in folds.excluded and folds.described.subset.isna().all() and not folds.tested


def test_an_unknown_label_column_raises_an_error_with_the_existing_columns(recorded: pd.DataFrame) -> None:
    target = Target(name="t", column="tensoin", bins={"a": [1], "b": [2]})
    with pytest.raises(ValueError, match=r"tensoin.*emotionTension"):
        assign_splits(recorded, target, BLOCKED)


# --- windows of one answer -------------------------------------------------------------------------------------------


def windows_of(
    stress: list[str | None], rows: list[list[str]], sessions: int = 1, starts: list[int] | None = None
) -> pd.DataFrame:
    """Return windows of consecutive minutes by default."""
    count = len(stress)
    table = {
        "user": ["u"] * count,
        "session": [str(i * sessions // count) for i in range(count)],
        "start": pd.to_datetime(starts or [1_644_227_580 + 60 * i for i in range(count)], unit="s", utc=True),
        "label_rows": [{"stress": own} for own in rows],
        "stress": pd.Series(stress, dtype=object),
    }
    return pd.DataFrame(table)


SHORT = BlockedSplit(name="b", folds=1, block_minutes=2, embargo_minutes=0, min_sessions=8)
STRESS = Target(name="stress", column="stress", bins={"low": [0], "high": [1]})


@pytest.mark.parametrize(
    "split",
    [RandomSplit(name="r"), SHORT, BlockedSplit(name="s", folds=1, min_sessions=3, embargo_minutes=0)],
    ids=lambda split: split.name,
)
def test_windows_of_one_answer_are_in_one_subset(split: RandomSplit | BlockedSplit) -> None:
    """Ratings about five minutes make five windows each."""
    rows = [[f"labels.csv:{2 + i // 5}"] for i in range(100)]
    windows = windows_of([str(i // 5 % 2) for i in range(100)], rows, sessions=7)
    frame = assign_splits(windows, STRESS, split).fold(1)
    answers = frame.subset.groupby(np.arange(100) // 5)
    assert (answers.nunique() <= 1).all() and set(frame.subset.dropna()) == set(SUBSETS)


@pytest.mark.parametrize("split", [RandomSplit(name="r"), SHORT], ids=lambda s: s.name)
def test_windows_that_overlap_in_time_are_in_one_subset(split: RandomSplit | BlockedSplit) -> None:
    """Prompts about the last two minutes, four a minute apart and then a pause."""
    starts = 1_644_227_580 + 60 * (np.arange(100) + 6 * (np.arange(100) // 4))
    rows = [[f"labels.csv:{2 + i}"] for i in range(100)]
    windows = windows_of([str(i // 5 % 2) for i in range(100)], rows, starts=starts.tolist())
    subsets = assign_splits(windows, STRESS, split, seconds=120).fold(1).subset
    assert set(subsets.dropna()) == set(SUBSETS)
    for i in np.flatnonzero(np.diff(starts) < 120):
        assert subsets[i : i + 2].dropna().nunique() <= 1


def test_every_window_is_tested_once_and_is_in_no_other_subset_of_its_fold(people: dict[str, Person]) -> None:
    """All windows describe the user; the subsets of a fold are in different sessions."""
    folds = people["101"].folds
    assert set(folds.described.subset.dropna()) == {"train"} and folds.tested == [1, 2, 3]
    tested = sum((folds.fold(fold).subset == "test").astype(int) for fold in (1, 2, 3))
    assert (tested == folds.described.label.notna()).all()
    for own in folds.numbered.values():
        of_subset = [set(own.session[own.subset == subset]) for subset in SUBSETS]
        assert all(of_subset) and sum(map(len, of_subset)) == len(set.union(*of_subset))


def test_a_split_with_one_fold_has_all_windows_and_a_tested_fold(recorded: pd.DataFrame, config: Config) -> None:
    folds = assign_splits(recorded, config.target("tension"), RandomSplit(name="r"))
    assert list(folds.numbered) == folds.tested == [1] and set(folds.fold(1).subset.dropna()) == set(SUBSETS)
    assert (folds.described.subset.notna() == folds.described.label.notna()).all()
    assert set(folds.described.subset.dropna()) == {"train"}


def test_a_fold_whose_training_windows_have_one_class_is_not_tested() -> None:
    """The rarer class is in one session; when that is tested or validates, the others have a single class."""
    stress = ["0"] * 40 + ["1"] * 5 + ["0"] * 5
    windows = windows_of(stress, [[f"l:{i}"] for i in range(50)], sessions=5)
    folds = assign_splits(windows, STRESS, BlockedSplit(name="b", embargo_minutes=0))
    assert folds.excluded is None and list(folds.numbered) == [1, 2, 3, 4, 5] and 0 < len(folds.tested) < 5
    for fold in set(folds.numbered) - set(folds.tested):
        lost = folds.fold(fold)[folds.fold(fold).subset.isna()]
        assert len(lost) == 10 and lost.reason.str.startswith("one class only in the train subset").all()
    overview, _ = split_overview({"u": folds}, {})
    assert overview.test[0] + overview.unused[0] == 50 and "one class only" in overview.why[0]


def test_a_user_with_fewer_folds_trains_in_the_further_ones(people: dict[str, Person]) -> None:
    folds = people["101"].folds
    pd.testing.assert_frame_equal(folds.fold(4), folds.described)


def test_overlapping_windows_in_two_subsets_are_an_error() -> None:
    subsets = np.array(["train", "test", "validation"], dtype=object)
    _check_apart(subsets, np.array([0.0, 1.0, 2.0]), 60)
    with pytest.raises(ValueError, match="overlaps one of another subset"):
        _check_apart(subsets, np.array([0.0, 0.5, 2.0]), 60)


def test_an_answer_about_a_held_out_task_and_another_one_is_not_used_for_training() -> None:
    tasks = ["speech"] * 20 + ["walk"] * 40
    rows = [f"l:{i // 8}" for i in range(60)]  # the third answer describes minutes 16 to 23
    windows = windows_of([str(i // 8 % 2) for i in range(60)], [[]] * 60).assign(
        label_rows=[{"stress": [row], "task": [f"t:{task}"]} for row, task in zip(rows, tasks, strict=True)], task=tasks
    )
    split = BlockedSplit(name="b", tasks="task", hold_out=["speech"], embargo_minutes=0, block_minutes=2)
    subsets = assign_splits(windows, STRESS, split).fold(1).subset
    assert (subsets[:20] == "test").all() and subsets[20:24].isna().all() and subsets[24:].notna().any()
    assert (subsets[24:].groupby(np.arange(24, 60) // 8).nunique() <= 1).all()


def test_an_answer_that_labels_everything_cannot_be_split() -> None:
    folds = assign_splits(windows_of(["0", "1"] * 20, [["labels.csv:2"]] * 40), STRESS, RandomSplit(name="r"))
    assert "too few windows that can be separated" in (folds.excluded or "")


def test_an_exclusion_names_the_values_in_no_bin_or_the_cause_of_lost_windows() -> None:
    windows = windows_of(["no"] * 9 + ["yes"], [[f"l:{i}"] for i in range(10)])
    excluded = assign_splits(windows, STRESS, RandomSplit(name="r")).excluded or ""
    assert excluded.endswith("0 with a label in a bin; stress is 'no' (9), 'yes' (1)")
    log = QualityLog("u", {"hr": 1})
    for i in range(40):
        log.label("", Label(60 * i, {}), no_modality({"eda": BadInput("no file", "EDA.csv"), "hr": BadInput("x", "y")}))
    folds = assign_splits(windows_of([], []), STRESS, RandomSplit(name="r"), lost=log.table().to_pandas())
    assert (folds.excluded or "").endswith("; no file: eda in 40 of 40 labelled windows")


def test_a_user_without_any_answer_is_excluded() -> None:
    folds = assign_splits(windows_of([None] * 9, [[f"l:{i}"] for i in range(9)]), STRESS, BLOCKED)
    assert (folds.excluded or "").endswith("stress is 'no answer' (9)")
    assert folds.described.label.isna().all()
