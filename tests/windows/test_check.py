"""Problems that are reported before any job, and the kinds of problems behind inputs that failed."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config, load_config
from lifelog.settings.splits import BlockedSplit
from lifelog.tables import read_tables
from lifelog.windows.check import _many_windows, _travelled, check_recordings
from lifelog.windows.extract import extract_windows
from lifelog.windows.intervals import Interval
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels, read_windows

START = 1_644_227_580
MODALITIES = [
    {"name": "eda", "source": "EDA", "columns": ["eda"], "rate": 4, "length": 240},
    {"name": "temp", "source": "TEMP", "columns": ["temp"], "rate": 4, "length": 240},
]
BINS = {"rest": [0], "stress": [1]}


def record(folder: Path, start: float = START, seconds: int = 360, rate: int = 4, header: str | None = None) -> None:
    """Write two files of an E4 session; values are their second since the start."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("EDA", "TEMP"):
        values = [f"{i / rate:.6f}" for i in range(seconds * rate)]
        (folder / f"{name}.csv").write_text("\n".join([header or f"{start:.6f}", f"{rate}.000000", *values]) + "\n")


def label(root: Path, *rows: str, header: str = "user,start,end,stress") -> None:
    (root / "labels.csv").write_text("\n".join([header, *rows]) + "\n")


def minutes(user: str, start: int = START, count: int = 6) -> list[str]:
    return [f"{user},{start + 60 * i},{start + 60 * i + 60},{i % 2}" for i in range(count)]


def settings(root: Path, modalities: list[dict] = MODALITIES, bins: dict = BINS, **more: object) -> Config:
    cohort = {"layout": "e4", "root": str(root), "timezone": "Europe/Berlin"} | more
    targets = [{"name": "stress", "column": "stress", "bins": bins}]
    return load_config({"cohort": cohort, "modalities": modalities, "targets": targets, "targets_run": ["stress"]})


def check(config: Config) -> list[str]:
    users = find_users(config.cohort, config.simulation)
    return check_recordings(config, users)


def read(config: Config, user: str) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:
    root = Path(config.cohort.root)
    paths = root.parent / "w.parquet", root.parent / "q.parquet"
    folder = find_users(config.cohort, config.simulation)[user]
    extract_windows(user, folder, config.cohort, config.windows, config.modalities, *paths)
    return read_labels(paths[0]), read_tables([paths[1]]), read_windows(paths[0], config.modalities)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    record(folder / "S01")
    label(folder, *minutes("S01"))
    return folder


# --- before any job ------------------------------------------------------------------------------------------------


def test_a_sound_cohort_has_no_problem(root: Path) -> None:
    assert check(settings(root)) == []


def test_a_missing_column_of_tasks_and_a_label_named_like_a_modality_are_found_before_any_job(root: Path) -> None:
    config = settings(root)
    tasks = config.model_copy(update={"splits": [BlockedSplit(name="held", tasks="phase", hold_out=["speech"])]})
    with pytest.raises(BadInput, match=r"'held' uses the label column 'phase'; the labels have \['stress'\]"):
        check(tasks)
    label(root, *(f"{row},1" for row in minutes("S01")), header=f"user,start,end,stress,{config.modalities[0].name}")
    with pytest.raises(BadInput, match="is also a label column; rename the modality"):
        check(config)


@pytest.mark.parametrize(("user", "hint"), [("s01", "did you mean 'S01'?"), ("X", "no user has both labels and rec")])
def test_users_of_labels_and_folders_must_match(root: Path, user: str, hint: str) -> None:
    label(root, *minutes(user))
    with pytest.raises(BadInput) as caught:
        check(settings(root))
    assert hint in str(caught.value)


def test_folders_one_level_deeper_are_named(root: Path) -> None:
    shutil.copytree(root / "S01", root / "data/S01")
    shutil.rmtree(root / "S01")
    with pytest.raises(BadInput, match=r"the folders of the users are in .*/data; set cohort.root to it"):
        check(settings(root))


def test_values_in_no_bin_are_listed(root: Path) -> None:
    with pytest.raises(BadInput, match=r"no label is in a bin of 'stress'; the values of 'stress' are '0', '1'"):
        check(settings(root, bins={"rest": ["no"], "stress": ["yes"]}))
    (warning,) = check(settings(root, bins={"rest": ["0"], "stress": [1], "more": ["2..5"]}))
    assert "no label is in the bin 'more'" in warning


def test_bins_that_leave_one_class_are_refused_with_their_remedy(root: Path) -> None:
    with pytest.raises(BadInput, match="labels are in one bin only, 'rest', of 'stress'"):
        check(settings(root, bins={"rest": ["0..33"], "stress": ["67..100"]}))
    with pytest.raises(BadInput, match=r"write a range as 0\.\.4"):
        check(settings(root, bins={"rest": ["0-4"], "stress": ["5-10"]}))


def test_unused_labels_and_users_without_recordings_or_labels_are_reported(root: Path) -> None:
    record(root / "P03", seconds=380)
    label(root, *minutes("S01"), *minutes("P3"), f'S01,{START + 360},{START + 420},"0,5"')
    users, values = check(settings(root))[:2], check(settings(root))[2]
    assert users == [
        "users with labels but without recordings: 'P3' (did you mean 'P03'?)",
        "users with recordings but without labels: 'P03' (did you mean 'P3'?)",
    ]
    assert "1 of 13 labels of 'stress' are in no bin of 'stress' and are not used: '0,5' (1)" in values
    assert 'need `decimal: ","`' in values


def test_a_missing_label_column_is_named_with_the_columns(root: Path) -> None:
    label(root, *minutes("S01"), header="user,start,end,tension")
    with pytest.raises(BadInput, match=r"uses the label column 'stress'; the labels have \['tension'\]"):
        check(settings(root))


@pytest.mark.parametrize("hours", [1, -1, 5.5, 9])
def test_labels_in_another_time_zone_are_reported_with_both_spans(root: Path, hours: float) -> None:
    record(root / "S02", seconds=380)
    label(root, *minutes("S01"), *minutes("S02", START + int(hours * 3600)))
    (problem,) = check(settings(root))
    assert "6 of 6 labels of user 'S02' are outside the recordings (labels 2022-02-0" in problem
    assert f"{abs(hours):g} h {'after' if hours > 0 else 'before'} the recordings" in problem
    label(root, *minutes("S02", START + int(hours * 3600)))
    with pytest.raises(BadInput, match="outside the recordings"):
        check(settings(root))


def test_milliseconds_are_reported_together_with_other_problems(root: Path) -> None:
    record(root / "S02")
    label(root, *(f"S01,{START}000,{START + 60}000,0" for _ in range(3)), *minutes("S02", START + 3600))
    with pytest.raises(BadInput) as caught:
        check(settings(root))
    assert "looks like milliseconds; set unit: ms (3 rows)" in str(caught.value) and "1 h after" in str(caught.value)


def test_hidden_folders_are_skipped(root: Path) -> None:
    for name in (".ipynb_checkpoints", "__MACOSX"):
        (root / name).mkdir()
        (root / name / "._ACC.csv").write_text("x")
        (root / name / "labels-checkpoint.csv").write_text("x")
    assert list(find_users(settings(root).cohort, settings(root).simulation)) == ["S01"]


@pytest.mark.parametrize(("name", "read_as"), [("007", 7), ("010", 8), ("012", 12)])
def test_a_name_that_yaml_reads_as_a_number_is_to_be_quoted(root: Path, name: str, read_as: int) -> None:
    record(root / name)
    with pytest.raises(BadInput, match=f'YAML reads {name} as the number {read_as}; quote it: users: \\["{name}"\\]'):
        check(settings(root, users=[read_as]))


def test_the_root_may_start_with_a_tilde_and_be_spelled_in_any_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.chdir(root.parent)
    spelled = ["~/raw", "raw", "./raw/../raw/", str(root)]
    found = [find_users(settings(Path()).cohort.model_copy(update={"root": s}), Config().simulation) for s in spelled]
    assert all(users == found[0] for users in found) and found[0]["S01"] == root / "S01"


# --- right, or missing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["folders", "zips", "zips with folders", "deeper folders", "folder and its zip"])
def test_sessions_as_folders_or_zips(tmp_path: Path, form: str) -> None:
    root = tmp_path / "raw"
    for number in range(2):
        start = START + 7200 * number
        name = f"{start}_A001FA"
        place = root / "P01" / ("E4/raw" if form == "deeper folders" else ".") / name
        record(place, start)
        if "zip" in form:
            with zipfile.ZipFile(root / "P01" / f"{name}.zip", "w") as archive:
                for file in place.iterdir():
                    archive.write(file, f"{name}/{file.name}" if form == "zips with folders" else file.name)
            if form != "folder and its zip":
                shutil.rmtree(place)
    label(root, *minutes("P01"), *minutes("P01", START + 7200))
    assert check(settings(root)) == []
    labels, quality, windows = read(settings(root), "P01")
    assert len(labels) == 12 and labels.session.nunique() == 2
    assert quality.reason.isna().all()
    np.testing.assert_allclose(windows["eda"][:6, 0, 0], np.arange(6) * 60)
    np.testing.assert_allclose(windows["eda"][6:, 0, 0], np.arange(6) * 60)


@pytest.mark.parametrize("damage", ["truncated", "no zip", "damaged content"])
def test_a_damaged_zip_costs_its_session_with_its_cause(tmp_path: Path, damage: str) -> None:
    root = tmp_path / "raw"
    record(root / "P01/1_A", START)
    record(tmp_path / "2_A", START + 7200)
    path = root / "P01/2_A.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((tmp_path / "2_A").iterdir()):
            archive.write(file, file.name)
    data = path.read_bytes()
    middle = len(data) // 4
    damaged = {
        "truncated": data[: len(data) // 2],
        "no zip": b"<html>",
        "damaged content": data[:middle] + b"\xff" * 50,
    }
    path.write_bytes(damaged[damage] + (data[middle + 50 :] if damage == "damaged content" else b""))
    label(root, *minutes("P01"), *minutes("P01", START + 7200))
    check(settings(root))
    labels, quality, windows = read(settings(root), "P01")
    assert np.isfinite(windows["eda"][:6]).all() and len(labels) in (6, 12)
    assert "2_A.zip" in " ".join(quality.detail.dropna())


def test_two_recordings_at_one_time_are_not_mixed(root: Path) -> None:
    record(root / "S01" / "other", START + 120)
    labels, quality, _ = read(settings(root), "S01")
    assert len(labels) == 2
    assert set(quality[quality.kind == "label"].reason) == {"two recordings at one time"}


def test_a_window_may_hold_the_end_of_a_session_and_the_start_of_the_next(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    record(root / "P01/a", START, 90)
    record(root / "P01/b", START + 91, 120)
    label(root, *minutes("P01", count=3))
    labels, quality, windows = read(settings(root), "P01")
    assert list(labels.session) == ["a", "a + b", "b"]
    assert quality.interpolated.max() == 4 and np.isfinite(windows["eda"]).all()


def test_a_file_of_beats_without_any_beat_does_not_end_in_the_future(root: Path) -> None:
    (root / "S01/IBI.csv").write_text(f"{START}.000000, IBI\n")
    record(root / "S01/later", START + 7200)
    label(root, *minutes("S01"), *minutes("S01", START + 7200))
    assert len(read(settings(root), "S01")[0]) == 12


def test_a_time_zone_of_an_unknown_user_is_refused(root: Path) -> None:
    with pytest.raises(BadInput, match=r"cohort.timezones: no user 's01'; did you mean 'S01'"):
        check(settings(root, timezones={"s01": "Europe/Lisbon"}))


@pytest.mark.parametrize("header", ["2022-02-07 09:53:00", "2022-02-07T09:53:00Z", f"{START}"])
def test_the_start_may_be_unix_time_or_date_and_time(root: Path, header: str) -> None:
    record(root / "S01", header=header)
    labels, _, windows = read(settings(root), "S01")
    assert len(labels) == 6 and windows["eda"][1, 0, 0] == 60


@pytest.mark.parametrize("header", [f"{START}000", "12", "0.5"])
def test_an_impossible_start_is_refused(root: Path, header: str) -> None:
    record(root / "S01", header=header)
    labels, quality, _ = read(settings(root), "S01")
    assert len(labels) == 0 and {"unreadable file"} == set(quality[quality.kind == "modality"].reason)


@pytest.mark.parametrize(("rate", "used"), [(4, True), (8, False), (2, False), (0, False), (1e9, False), (1e12, False)])
def test_the_rate_of_the_header_is_compared_with_the_configuration(root: Path, rate: float, used: bool) -> None:
    path = root / "S01/EDA.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], f"{rate}", *lines[2:]]) + "\n")
    labels, quality, windows = read(settings(root), "S01")
    assert len(labels) == 6 and np.isfinite(windows["eda"]).all() == used and np.isnan(windows["eda"]).all() != used
    if rate in (2, 8):
        assert f"{rate} Hz in the file, 4 Hz configured" in " ".join(quality.detail.dropna())


def test_joined_recordings_are_read_at_their_times(root: Path) -> None:
    for name in ("EDA", "TEMP"):
        path = root / f"S01/{name}.csv"
        lines = path.read_text().splitlines()
        again = [f"{START + 7200}.000000", *lines[1:]]
        path.write_text("\n".join([*lines[: 2 + 120 * 4], *again]) + "\n")
    label(root, *minutes("S01", count=3), *minutes("S01", START + 7200, 2))
    labels, quality, windows = read(settings(root), "S01")
    assert len(labels) == 4 and list(windows["eda"][:, 0, 0]) == [0, 60, 0, 60]
    assert "not recorded" in quality[quality.kind == "label"].detail.iloc[0]


def test_a_time_among_the_samples_without_a_rate_is_refused(root: Path) -> None:
    path = root / "S01/EDA.csv"
    lines = path.read_text().splitlines()
    lines[300] = f"{START + 9000}"
    path.write_text("\n".join(lines) + "\n")
    _, quality, windows = read(settings(root), "S01")
    assert np.isnan(windows["eda"]).all() and "a time among the samples" in set(quality.reason)


def test_an_empty_row_does_not_move_later_samples(root: Path) -> None:
    path = root / "S01/EDA.csv"
    lines = path.read_text().splitlines()
    lines[10] = ""
    path.write_text("\n".join(lines) + "\n")
    _, _, windows = read(settings(root), "S01")
    np.testing.assert_allclose(windows["eda"][0, :, 0], np.arange(240) / 4, atol=1e-6)


def test_beats_are_read_at_their_times(root: Path) -> None:
    beats = np.arange(0.9, 350, 0.9)
    text = f"{START}.000000, IBI\n" + "".join(f"{beat:.6f},{0.7 + beat // 60 / 100:.6f}\n" for beat in beats)
    (root / "S01/IBI.csv").write_text(text)
    ibi = {"name": "ibi", "source": "IBI", "kind": "scalar"}
    _, _, windows = read(settings(root, [*MODALITIES, ibi | {"columns": ["ibi"]}]), "S01")
    np.testing.assert_allclose(windows["ibi"][:, 0, 0], 0.7 + np.arange(6) / 100, atol=1e-6)
    _, quality, windows = read(settings(root, [*MODALITIES, ibi | {"columns": ["time", "ibi"]}]), "S01")
    assert np.isnan(windows["ibi"]).all() and "IBI.csv has no rate" in " ".join(quality.detail.dropna())


def test_mean_is_over_several_columns(root: Path) -> None:
    values = np.arange(360 * 4 * 3).reshape(-1, 3)
    rows = [",".join([f"{START}.0"] * 3), "4.0,4.0,4.0", *(",".join(map(str, row)) for row in values)]
    (root / "S01/ACC.csv").write_text("\n".join(rows) + "\n")
    acc = {"name": "acc", "source": "ACC", "kind": "mean", "columns": ["x", "y", "z"]}
    _, _, windows = read(settings(root, [*MODALITIES, acc]), "S01")
    np.testing.assert_allclose(windows["acc"][:, 0], values.reshape(6, -1, 3).mean(axis=1))  # of each column


def test_an_excluded_user_is_given_the_first_cause(root: Path) -> None:
    for file in (root / "S01").iterdir():
        file.write_text("")
    _, quality, _ = read(settings(root), "S01")
    assert set(quality[quality.kind == "label"].reason) == {"no usable modality"}
    assert "unreadable file: eda, temp" in quality[quality.kind == "label"].detail.iloc[0]


def minute_tables(root: Path, shift: int, count: int, unsorted: bool = False) -> Config:
    """Tables of two sensors with an hour of samples; labels are `shift` seconds later."""
    (root / "S1").mkdir(parents=True)
    lines = [f"{START + i},{60 + i % 9}" for i in range(3600)]
    lines = lines[1800:] + lines[:1800] if unsorted else lines
    for name in ("hr", "act"):
        (root / f"S1/{name}.csv").write_text("\n".join(["timestamp,v", *lines]) + "\n")
    label(root, *minutes("S1", START + shift, count))
    modalities = [{"name": name, "kind": "scalar", "columns": ["v"]} for name in ("hr", "act")]
    return settings(root, modalities, layout="tables", timezone="UTC")


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        (9 * 3600, "9 h after the recordings: are they local times"),
        (978_307_200, "times of the recordings count from 2001"),
    ],
)
def test_labels_outside_tables_are_refused_before_any_job(tmp_path: Path, shift: int, message: str) -> None:
    with pytest.raises(BadInput, match="58 of 58 labels of user 'S1' are outside the recordings") as caught:
        check(minute_tables(tmp_path / "raw", shift, 58))
    assert message in str(caught.value)


@pytest.mark.parametrize("unsorted", [False, True])
def test_labels_inside_tables_are_right_in_any_order_of_rows(tmp_path: Path, unsorted: bool) -> None:
    assert check(minute_tables(tmp_path / "raw", 2400, 15, unsorted)) == []


def test_windows_are_as_long_as_the_time_of_an_answer_and_many_windows_per_answer_are_reported() -> None:
    raw = {
        "cohort": {"layout": "tables", "timezone": "UTC", "labels": [{"file": "l.csv", "time": "t", "before": 3600}]},
        "modalities": [{"name": name, "kind": "scalar", "columns": ["x"]} for name in "ab"],
    }
    assert load_config(raw).windows.seconds == 3600
    raw["cohort"]["labels"][0] |= {"before": None, "lasts": "day"}
    assert load_config(raw).windows.seconds == 86400
    assert load_config(raw | {"windows": {"seconds": 600}}).windows.seconds == 600
    (problem,) = _many_windows(load_config(raw | {"windows": {"seconds": 600}}))
    assert (
        "each answer of 'l.csv' labels 144 windows of 600 s" in problem and "set windows: {seconds: 86400}" in problem
    )
    raw["modalities"][0] |= {"kind": "sequence", "rate": 1.0, "length": 60}
    assert load_config(raw).windows.seconds == 60


def test_exchanged_day_and_month_are_named(root: Path) -> None:
    july = int(pd.Timestamp("2022-07-02 09:53", tz="UTC").timestamp()) - 3600  # without the hour of summer time
    label(root, *minutes("S01", july))  # 7 February
    with pytest.raises(BadInput, match="day and month are exchanged"):
        check(settings(root))


def test_copied_participants_are_named(root: Path) -> None:
    for user in ("S02", "S03"):
        record(root / user, START + 86400)
    record(root / "S04", START + 86400 * 2)
    label(root, *minutes("S01"), *(row for i in (2, 3) for row in minutes(f"S0{i}", START + 86400)))
    problems = check(settings(root))
    assert "the files of user 'S03' equal those of 'S02'; leave out the copy (cohort.users)" in problems
    assert len([problem for problem in problems if "equal those" in problem]) == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_code_that_differs_between_shared_tables_and_labels_is_named(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"id": ["P01"] * 60 + ["P02"] * 60, "timestamp": [*range(START, START + 60)] * 2, "v": 1.0})
    for name in ("hr", "act"):
        path = tmp_path / f"{name}{suffix}"
        frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    label(tmp_path, *minutes("P01"), *minutes("P2"))
    modalities = [{"name": name, "kind": "scalar", "columns": ["v"]} for name in ("hr", "act")]
    samples = {"file": "{source}" + suffix, "user": "id"}
    problems = check(settings(tmp_path, modalities, layout="tables", timezone="UTC", samples=samples))
    assert "users with labels but without recordings: 'P2' (did you mean 'P02'?)" in problems
    assert "users with recordings but without labels: 'P02' (did you mean 'P2'?)" in problems


def test_labels_of_a_journey_are_named_with_their_shift() -> None:
    def at(day: int, hours: int) -> Interval:
        start = START + 86400 * day + 3600 * hours
        return Interval(start, start + 60, {"stress": "1"}, f"labels.csv:{day}")

    spans = [(START + 86400.0 * day, START + 86400.0 * day + 3600) for day in range(14)]
    rows = [at(day, 0 if day < 9 else 5) for day in range(14)]
    found = _travelled("S01", rows, spans, "Asia/Seoul")
    assert found is not None
    assert "5 of 14 labels of user 'S01', from 2022-02-16 14:53 to 2022-02-20 14:54 UTC" in found
    assert "they would be inside 5 h earlier), set timezones: {S01: 'Asia/Seoul, from 2022-02-16" in found
    rows[11] = at(11, 0)  # the watch was only taken off
    assert _travelled("S01", rows, spans, "Asia/Seoul") is None
