"""Native E4 exports: a synthetic one, and real recordings where they are available."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lifelog.config import Config, load_config
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.intervals import read_intervals
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels, read_windows

PRESET = yaml.safe_load((Path(__file__).parents[2] / "presets/stress_predict.yaml").read_text())
RATES = {"ACC": 32, "BVP": 64, "EDA": 4, "HR": 1, "TEMP": 4}
START = 1_644_227_580  # a full minute


def settings(root: Path, **windows: object) -> Config:
    windows = {"anchor": "clock"} | windows
    return load_config(PRESET | {"cohort": PRESET["cohort"] | {"root": str(root)}, "windows": windows})


def users_of(config: Config) -> dict[str, Path]:
    return find_users(config.cohort, config.simulation)


def extract(
    config: Config, user: str, folder: Path, out: Path, processes: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    paths = out / f"{user}.w.parquet", out / f"{user}.q.parquet"
    extract_windows(user, folder, config.cohort, config.windows, config.modalities, *paths, processes)
    return read_labels(paths[0]), read_tables([str(paths[1])])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One participant, five minutes that start 10 s after a full minute; the label changes in the fourth minute."""
    folder = tmp_path / "raw" / "S01"
    folder.mkdir(parents=True)
    for name, rate in RATES.items():
        channels = 3 if name == "ACC" else 1
        values = np.tile(np.arange(300 * rate) % 100, (channels, 1)).T
        head = [", ".join([f"{START + 10}.000000"] * channels), ", ".join([f"{rate}.000000"] * channels)]
        rows = [",".join(f"{v}" for v in row) for row in values]
        (folder / f"{name}.csv").write_text("\n".join(head + rows) + "\n")
    labels = (
        f"user,start,end,task,tension\nS01,{START + 5},{START + 190},rest,0\nS01,{START + 190},{START + 300},stroop,1\n"
    )
    (tmp_path / "raw" / "labels.csv").write_text(labels)
    return tmp_path / "raw"


def test_windows_start_at_full_minutes_and_have_the_predominant_label(root: Path, tmp_path: Path) -> None:
    config = settings(root)
    labels, quality = extract(config, "S01", root / "S01", tmp_path)
    assert [int(t.timestamp()) - START for t in labels.start] == [60, 120, 180, 240]
    assert list(labels.tension) == ["0", "0", "1", "1"]
    assert [rows["tension"] for rows in labels.label_rows] == [["labels.csv:2"]] * 2 + [["labels.csv:3"]] * 2
    assert list(labels.task) == ["rest", "rest", "stroop", "stroop"]
    lost = quality[quality.kind == "label"]
    assert list(lost.reason) == ["window not fully labelled"]
    acc = read_windows(tmp_path / "S01.w.parquet", config.modalities)["e4Acc"]
    np.testing.assert_allclose(acc[0, :3, 0], np.array([0, 1, 2]) / 64 + (50 * 32 % 100) / 64)


@pytest.mark.parametrize("processes", [1, 2])
def test_reading_a_recording_in_pieces_gives_the_same_windows(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    (root / "S01" / "TEMP.csv").unlink()
    config = settings(root, keep="any")
    labels, quality = extract(config, "S01", root / "S01", tmp_path)
    whole = read_windows(tmp_path / "S01.w.parquet", config.modalities)
    monkeypatch.setattr("lifelog.windows.extract.MAX_PIECE", 2)
    again = extract(config, "S01", root / "S01", tmp_path, processes)
    pd.testing.assert_frame_equal(again[0], labels)
    pd.testing.assert_frame_equal(again[1], quality)
    for name, values in read_windows(tmp_path / "S01.w.parquet", config.modalities).items():
        np.testing.assert_array_equal(values, whole[name])


def test_windows_below_the_purity_are_dropped_with_a_reason(root: Path, tmp_path: Path) -> None:
    labels, quality = extract(settings(root, purity=1.0), "S01", root / "S01", tmp_path)
    assert len(labels) == 3
    assert "mixed labels" in set(quality.reason)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("user,begin,end\n", "no column 'start'"),
        ("user,start,end,session\nS01,1,2,a\n", "'session' cannot be the name of a label column"),
        ("user,start,end,tension\n,1600000000,1600000060,0\n", "line 2: the user is missing"),
        ("user,start,end,tension\nS01,noon,5,1\n", "line 2: start is 'noon'"),
        ("user,start,end,tension\nS01,1600000060,1600000000,1\n", "line 2: the interval ends before it starts"),
        ("user,start,end,tension\nS01,1600000000,1.7e9,1\n", "line 2: the interval is longer than a year"),
        (
            "user,start,end,t\n../../etc,1600000000,1600000060,1\n",
            r"line 2: the user '../../etc' may hold only letters",
        ),
        ("user,start,end,t\nS01,0,60,1,1\n", "line 2: 5 fields, 4 expected"),
        ("user;start;end;tension\n", "set separator: ';'"),
        ("user,start,end,tension\nS01,1600000000000,1600000060000,1\n", "looks like milliseconds; set unit: ms"),
        ("user,start,end,tension\nS01,5,60,1\n", "is not a time of the years 1973 to 2286"),
        ("user,start,end\n", "no label column"),
    ],
)
def test_an_invalid_label_table_raises_an_error_with_the_cause(root: Path, table: str, message: str) -> None:
    (root / "labels.csv").write_text(table)
    with pytest.raises(BadInput, match=message):
        read_intervals(root, settings(root).cohort)


def test_label_columns_may_have_any_name_and_other_folders_are_not_users(root: Path, tmp_path: Path) -> None:
    text = (root / "labels.csv").read_text()
    (root / "labels.csv").write_text(text.replace("task", "stress task as rated"))
    (root / ".git").mkdir()
    (root / "notes").mkdir()
    assert list(users_of(settings(root))) == ["S01"]
    labels, _ = extract(settings(root), "S01", root / "S01", tmp_path)
    assert list(labels["stress task as rated"]) == ["rest", "rest", "stroop", "stroop"]


def test_an_unusable_file_removes_only_its_modality(root: Path, tmp_path: Path) -> None:
    (root / "S01" / "EDA.csv").write_text(f"{START}.0\n4.0\n0.1\noops\n")
    (root / "S01" / "BVP.csv").unlink()
    labels, quality = extract(settings(root), "S01", root / "S01", tmp_path)
    assert len(labels) == 4
    reasons = quality[quality.kind == "modality"].groupby("modality").reason.first()
    assert reasons["e4Eda"] == "text in a number" and reasons["e4Bvp"] == "no file"
    assert quality.detail.str.contains("EDA.csv line 4: column 'f0' holds 'oops'", regex=False).any()


def test_every_minute_of_a_user_without_a_folder_has_a_reason(root: Path, tmp_path: Path) -> None:
    with (root / "labels.csv").open("a") as file:
        file.write(f"S02,{START},{START + 120},rest,0\n")
    config = settings(root)
    folder = users_of(config)["S02"]
    labels, quality = extract(config, "S02", folder, tmp_path)
    assert len(labels) == 0 and (quality[quality.kind == "label"].reason == "no usable modality").sum() == 2


@pytest.fixture(scope="module")
def real(stress_predict: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path]:
    config, out = settings(stress_predict, coverage=1.0), tmp_path_factory.mktemp("real")
    for user, folder in users_of(config).items():
        extract(config, user, folder, out)
    return config, out


def test_windows_of_real_recordings_agree_with_an_independent_count(real: tuple[Config, Path]) -> None:
    config, out = real
    complete = stress = ties = 0
    for path in sorted(out.glob("*.w.parquet")):
        labels, sensors = read_labels(path), read_windows(path, config.modalities)
        whole = ~np.any([np.isnan(values[:, 0, 0]) for values in sensors.values()], axis=0)
        complete += whole.sum()
        stress += (labels.tension[whole] == "1").sum()
        ties += (read_tables([str(path).replace(".w.", ".q.")]).reason == "mixed labels").sum()
    # The independent count gave windows with equal shares to the label with the greater value.
    assert (complete + ties, stress + ties) == (1037, 340)


def test_every_labelled_minute_of_real_recordings_is_a_window_or_has_a_reason(
    real: tuple[Config, Path], stress_predict: Path
) -> None:
    _, out = real
    intervals = pd.read_csv(stress_predict / "labels.csv")
    for user, own in intervals.groupby("user"):
        labelled = {t for a, b in zip(own.start, own.end, strict=True) for t in range(a // 60 * 60, b, 60)}
        quality = read_tables([str(out / f"{user}.q.parquet")])
        lost = quality[quality.kind == "label"]
        assert len(read_labels(out / f"{user}.w.parquet")) + len(lost) == len(labelled)


def test_windows_of_a_session_with_files_of_different_lengths_equal_an_independent_reading(tmp_path: Path) -> None:
    folder = os.environ.get("RECORDINGS")
    if not folder:
        pytest.skip("the environment variable RECORDINGS does not name the folder of real recordings")
    session = next(Path(folder).rglob("e4-session"))
    shutil.copytree(session, tmp_path / "raw/P01/session")
    begin = int(float((session / "EDA.csv").read_text().partition("\n")[0]))
    rows = [f"P01,{begin + 7 + 61 * i},{begin + 67 + 61 * i},rest,{i % 2}" for i in range(90)]
    (tmp_path / "raw/labels.csv").write_text("\n".join(["user,start,end,task,tension", *rows]) + "\n")
    config = settings(tmp_path / "raw", anchor="label", coverage=1.0)
    labels, quality = extract(config, "P01", tmp_path / "raw/P01", tmp_path)
    windows = read_windows(tmp_path / "P01.w.parquet", config.modalities)
    compared = 0
    for modality in config.modalities:
        table = pd.read_csv(session / f"{modality.source}.csv", header=None).to_numpy(dtype=float)
        times = table[0, 0] + np.arange(len(table) - 2) / table[1, 0]
        for start, window in zip(labels.start, windows[modality.name], strict=True):
            inside = (times >= start.timestamp()) & (times < start.timestamp() + 60)
            assert np.isnan(window).any() == (inside.sum() < modality.length), (modality.name, start)
            if inside.sum() == modality.length:
                np.testing.assert_allclose(window, table[2:][inside] * modality.scale, rtol=1e-6)
                compared += 1
    assert compared > 130 and len(labels) + (quality.kind == "label").sum() == 90


def to_etri(folder: Path, labels: pd.DataFrame, modalities: list, target: Path) -> None:
    """Write an E4 export in the ETRI layout: a session of minute files, and labels from the windows table."""
    session = int(labels.start[0].timestamp())
    for modality in modalities:
        lines = (folder / f"{modality.source}.csv").read_text().splitlines()
        start, rate = (float(line.split(",")[0]) for line in lines[:2])
        values = np.array([line.split(",") for line in lines[2:]], dtype=float) * modality.scale
        seconds = start + np.arange(len(values)) / rate
        for minute in labels.start.map(lambda t: int(t.timestamp())):
            rows = (seconds >= minute) & (seconds < minute + 60)
            path = target / str(session) / modality.name / f"{minute}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            if rows.any():
                frame = pd.DataFrame(values[rows], columns=modality.columns)
                frame.insert(0, "timestamp", seconds[rows] - minute)
                frame.to_csv(path, index=False)
    frame = pd.DataFrame({"ts": labels.start.map(lambda t: int(t.timestamp())), "emotionPositive": 4})
    frame["emotionTension"] = labels.tension.astype(int)
    frame.to_csv(target / str(session) / f"{session}_label.csv", index=False)


def test_the_same_recordings_in_the_etri_layout_give_the_same_windows(
    real: tuple[Config, Path], stress_predict: Path, tmp_path: Path
) -> None:
    config, out = real
    labels = read_labels(out / "S05.w.parquet")
    to_etri(stress_predict / "S05", labels, config.modalities, tmp_path / "raw" / "user05")
    plain = [m.model_copy(update={"source": None, "scale": 1.0}) for m in config.modalities]
    etri = config.model_copy(
        update={"cohort": config.cohort.model_copy(update={"layout": "etri"}), "modalities": plain}
    )
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("user05", tmp_path / "raw" / "user05", etri.cohort, etri.windows, plain, *paths)
    again = read_labels(paths[0])
    assert list(again.start) == list(labels.start)
    assert list(again.emotionTension) == list(labels.tension)
    before, after = read_windows(out / "S05.w.parquet", config.modalities), read_windows(paths[0], plain)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-6, err_msg=name)
