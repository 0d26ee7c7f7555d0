"""The ETRI layout: its folder structures, damaged files, and a reason for every lost minute."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.settings.windows import Cohort, Simulation
from lifelog.tables import read_tables
from lifelog.windows.etri import EtriSession
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels, read_windows
from tests.windows.test_data_quality import LABELS

USER = "101"


@pytest.fixture
def folder(raw: Path, tmp_path: Path) -> Path:
    """A copy of a user's recordings that a test may change."""
    return Path(shutil.copytree(raw / USER, tmp_path / "raw" / USER))


class Read:
    """The extracted tables of a user's folder."""

    def __init__(self, config: Config, folder: Path, processes: int = 1) -> None:
        out = folder.parents[1]
        self.path, self.quality_path = out / f"w{processes}.parquet", out / f"q{processes}.parquet"
        settings = config.cohort, config.windows, config.modalities
        extract_windows(USER, folder, *settings, self.path, self.quality_path, processes)
        self.labels = read_labels(self.path)
        self.quality = read_tables([self.quality_path])
        self.lost = self.quality[self.quality.kind == "label"]

    def reason(self, modality: str, start: int) -> tuple[str | None, str | None]:
        rows = self.quality[(self.quality.modality == modality) & (self.quality.start == stamp(start))]
        return rows.reason.iloc[0], rows.detail.iloc[0]


def stamp(seconds: int) -> pd.Timestamp:
    return pd.Timestamp(seconds, unit="s", tz="UTC")


def labelled(folder: Path) -> int:
    return sum(len(pd.read_csv(path)) for path in folder.glob("*/*_label.csv"))


def minute(folder: Path, modality: str) -> Path:
    return sorted(folder.glob(f"*/{modality}/*.csv"))[0]


def test_windows_have_the_values_of_the_files(config: Config, folder: Path) -> None:
    read = Read(config, folder)
    sensors = read_windows(read.path, config.modalities)
    path = minute(folder, "e4Acc")
    row = read.labels.index[read.labels.start == stamp(int(path.stem))][0]
    expected = pd.read_csv(path)[["x", "y", "z"]].to_numpy(dtype=np.float32)
    np.testing.assert_array_equal(sensors["e4Acc"][row], expected)
    hr = minute(folder, "e4Hr")
    row = read.labels.index[read.labels.start == stamp(int(hr.stem))][0]
    assert sensors["e4Hr"][row, 0, 0] == pytest.approx(pd.read_csv(hr).x.mean(), rel=1e-6)
    label = pd.read_csv(path.parents[1] / f"{path.parents[1].name}_label.csv").set_index("ts")
    assert read.labels.emotionTension[row] == str(label.emotionTension[int(hr.stem)])


@pytest.mark.parametrize(
    "location", ["dataset_2019/dataset_2019/101", "user01-06/user01", "2018/7", "user11-12/user11"]
)
def test_users_are_found_in_the_folder_structures_of_all_three_years(raw: Path, tmp_path: Path, location: str) -> None:
    shutil.copytree(raw / USER, tmp_path / location)
    (tmp_path / "readme.txt").write_text("not a user")
    users = find_users(Cohort.model_validate({"layout": "etri", "root": str(tmp_path)}), Simulation())
    assert users == {Path(location).name: tmp_path / location}


def test_columns_of_2020_and_extra_columns_give_the_same_windows(config: Config, folder: Path) -> None:
    before = read_windows(Read(config, folder).path, config.modalities)
    for name, column in {"e4Bvp": "value", "e4Eda": "eda", "e4Hr": "hr", "e4Temp": "temp"}.items():
        for path in folder.glob(f"*/{name}/*.csv"):
            path.write_text(path.read_text().replace('"x"', f'"{column}"', 1))
    for path in folder.glob("*/mGyr/*.csv"):
        frame = pd.read_csv(path)
        frame.assign(roll=1.0, pitch=2.0, yaw=3.0).to_csv(path, index=False)
    after = read_windows(Read(config, folder).path, config.modalities)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_a_truncated_file_is_recorded_with_its_number_of_samples(config: Config, folder: Path) -> None:
    path = minute(folder, "e4Eda")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:100]))
    assert Read(config, folder).reason("e4Eda", int(path.stem)) == ("too few samples", "99 of 240")


def test_few_missing_samples_are_interpolated_in_time(config: Config, folder: Path) -> None:
    path = minute(folder, "e4Temp")
    frame = pd.read_csv(path).assign(x=25 + np.arange(240.0) / 10)
    frame.drop(index=[50, 51, 52]).sample(frac=1, random_state=0).to_csv(path, index=False)
    read = Read(config, folder)
    row = read.labels.index[read.labels.start == stamp(int(path.stem))][0]
    window = read_windows(read.path, config.modalities)["e4Temp"][row, :, 0]
    np.testing.assert_allclose(window, 25 + np.arange(240.0) / 10, atol=1e-3)


def test_stray_entries_are_noted(config: Config, folder: Path) -> None:
    (folder / "desktop.ini").write_text("x")
    (folder / "notes").mkdir()
    read = Read(config, folder)
    assert (read.quality.reason == "stray entry").sum() == 2


def test_incomplete_windows_are_dropped_if_configured(config: Config, folder: Path) -> None:
    minute(folder, "mMag").unlink()
    windows = config.windows.model_copy(update={"keep": "complete"})
    read = Read(config.model_copy(update={"windows": windows}), folder)
    assert "incomplete window" in set(read.lost.reason)
    assert len(read.labels) + len(read.lost) == labelled(folder)
    sensors = read_windows(read.path, config.modalities)
    assert not any(np.isnan(values).any() for values in sensors.values())


@pytest.mark.parametrize("name", ["<script>", "a b", ".."])
def test_unsafe_user_names_are_rejected(tmp_path: Path, name: str) -> None:
    from lifelog.windows.layout import users_by_name

    with pytest.raises(BadInput, match="unsafe name"):
        users_by_name([tmp_path / "x" / name if name != ".." else Path("..")])


def test_huge_timestamps_do_not_stop_the_run(config: Config, folder: Path) -> None:
    path = minute(folder, "e4Temp")
    path.write_text("timestamp,x\n" + "".join(f"{10**18 + i},1\n" for i in range(240)))
    assert Read(config, folder).reason("e4Temp", int(path.stem)) == ("too few samples", "no sample in the window")


def test_a_minute_of_two_sessions_becomes_one_window(config: Config, folder: Path) -> None:
    session = min(folder.iterdir())
    twin = folder / str(int(session.name) + 1)
    shutil.copytree(session, twin)
    (twin / f"{session.name}_label.csv").rename(twin / f"{twin.name}_label.csv")
    read = Read(config, folder)
    assert read.labels.start.is_unique
    assert (read.lost.reason == "duplicate label").sum() == len(pd.read_csv(next(twin.glob("*_label.csv"))))
    assert len(read.labels) + len(read.lost) == labelled(folder)


@pytest.mark.parametrize("reverse", [False, True])
def test_two_answers_for_a_minute_lose_that_column_in_any_order(config: Config, folder: Path, reverse: bool) -> None:
    path = min(folder.glob("*/*_label.csv"))
    header, first, *rows = path.read_text().splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    other = ",".join((cells | {"emotionTension": "1" if cells["emotionTension"] != "1" else "7"}).values())
    unanswered = ",".join(
        (dict(zip(header.split(","), rows[0].split(","), strict=True)) | {"emotionTension": ""}).values()
    )
    lines = [first, other, unanswered, *rows]
    path.write_text("\n".join([header, *(reversed(lines) if reverse else lines)]) + "\n")
    read = Read(config, folder)
    assert set(read.lost.reason) == {"duplicate label"} and len(read.lost) == 2
    doubtful = read.labels[read.labels.start == stamp(int(cells["ts"]))]
    assert doubtful.emotionTension.isna().all() and doubtful.action.tolist() == [cells["action"]]
    notes = read.quality[read.quality.reason == "conflicting labels"]
    assert notes.kind.tolist() == ["note"] and "emotionTension is" in notes.detail.iloc[0]
    kept = read.labels[read.labels.start == stamp(int(rows[0].split(",")[0]))]
    assert kept.emotionTension.notna().all() and len(kept) == 1


def test_any_number_of_processes_gives_the_same_bytes(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifelog.windows.etri.READ_TOGETHER", 3)
    label_files = sorted(folder.glob("*/*_label.csv"))
    LABELS["a minute that is labelled twice"](label_files[1])
    LABELS["a session without sensor folders"](label_files[0])
    minute(folder, "e4Temp").write_text("timestamp,x\n0,1\n0.25,abc\n")
    one, three = (Read(config, folder, processes) for processes in (1, 3))
    assert one.path.read_bytes() == three.path.read_bytes()
    assert one.quality_path.read_bytes() == three.quality_path.read_bytes()
    assert {"text in a number", "duplicate label", "no usable modality"} <= set(one.quality.reason)


def test_a_minute_without_a_label_can_be_read(folder: Path, config: Config) -> None:
    session = EtriSession(min(folder.iterdir()))
    path = minute(folder, "e4Temp")
    (path.parent / "1.csv").write_bytes(path.read_bytes())
    temperature = next(m for m in config.modalities if m.name == "e4Temp")
    read = [session.read(temperature, start, start + 60).values for start in (1, int(path.stem))]
    np.testing.assert_array_equal(*read)


def test_the_simulated_layout_rejects_a_folder_of_recordings(raw: Path, tmp_path: Path) -> None:
    shutil.copytree(raw / USER, tmp_path / "dataset_2019" / USER)
    with pytest.raises(BadInput, match=r"set cohort.layout"):
        find_users(Cohort.model_validate({"root": str(tmp_path / "dataset_2019")}), Simulation())


def test_a_missing_root_and_an_unknown_user_raise_an_error_with_the_cause(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no folder"):
        find_users(Cohort.model_validate({"layout": "etri", "root": str(tmp_path / "nowhere")}), Simulation())
    with pytest.raises(BadInput, match="did you mean '101'"):
        find_users(Cohort.model_validate({"layout": "etri", "root": str(raw), "users": ["1011"]}), Simulation())
