"""The tables of docs/data-quality.md: each problem is applied to a recording, and must have the documented result."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config, load_config
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.read import read_labels, read_windows
from tests.windows.test_e4 import START, root, settings  # noqa: F401 (root is a fixture)
from tests.windows.test_embraceplus import settings as embraceplus_settings
from tests.windows.test_embraceplus import write_avro
from tests.windows.test_fuzz import TABLES

DOC = (Path(__file__).parents[2] / "docs/data-quality.md").read_text(encoding="utf-8")
Damage = Callable[[Path], object]


def documented(section: str) -> dict[str, str]:
    """Return the first and the last column of the table of a section."""
    table = DOC.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {row[0]: row[-1].strip("`") for row in rows[2:]}


class Read:
    """The extracted tables of a folder; every labelled minute must be a window or have a reason."""

    def __init__(self, config: Config, folder: Path, labelled: int) -> None:
        paths = folder.parents[1] / "w.parquet", folder.parents[1] / "q.parquet"
        extract_windows(folder.name, folder, config.cohort, config.windows, config.modalities, *paths)
        self.labels, self.quality = read_labels(paths[0]), read_tables([paths[1]])
        self.windows = read_windows(paths[0], config.modalities)
        assert len(self.labels) + (self.quality.kind == "label").sum() == labelled


def assert_documented(before: Read, after: Read, expected: str) -> None:
    if not expected.startswith("–"):
        assert expected in set(after.quality.reason), after.quality[after.quality.reason.notna()].to_string()
        new = after.quality[after.quality.reason == expected]
        assert new.detail.str.len().gt(0).all()
        return
    pd.testing.assert_frame_equal(before.quality[["reason"]], after.quality[["reason"]])
    for name, values in before.windows.items():
        same = np.isclose(values, after.windows[name], rtol=1e-3, equal_nan=True)
        assert same.all() if expected == "–" else (~same).sum() <= 2, name


# --- a sensor file of one minute ------------------------------------------------------------------------------------


def replaced(old: str, new: str, count: int = -1) -> Damage:
    return lambda path: path.write_text(path.read_text().replace(old, new, count))


def cell(row: int, column: int, value: str) -> Damage:
    def damage(path: Path) -> None:
        lines = [line.split(",") for line in path.read_text().splitlines()]
        for line in lines[1:] if row < 0 else [lines[row]]:
            line[column] = value
        path.write_text("\n".join(",".join(line) for line in lines) + "\n")

    return damage


def frame(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Damage:
    return lambda path: change(pd.read_csv(path)).to_csv(path, index=False)


def binary(change: Callable[[bytes], bytes]) -> Damage:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def replaced_by(make: Damage) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def gigabyte(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**30)


def to_utf16(data: bytes) -> bytes:
    return data.decode().encode("utf-16")


MINUTE: dict[str, Damage] = {
    "no file": Path.unlink,
    "an empty file": lambda path: path.write_text(""),
    "only a header": lambda path: path.write_text(path.read_text().splitlines()[0] + "\n"),
    "no header": lambda path: path.write_text(path.read_text().partition("\n")[2]),
    "other column names": cell(0, 1, "volt"),
    "a duplicate column": lambda path: path.write_text(
        "\n".join(line + "," + line.split(",")[1] for line in path.read_text().splitlines()) + "\n"
    ),
    "additional columns": frame(lambda f: f.assign(roll=1.5)),
    "columns in another order": frame(lambda f: f[f.columns[::-1]]),
    "another separator": replaced(",", ";"),
    "Windows line endings": binary(lambda data: data.replace(b"\n", b"\r\n")),
    "a byte order mark": binary(lambda data: b"\xef\xbb\xbf" + data),
    "UTF-16": binary(to_utf16),
    "NUL bytes between the numbers": binary(lambda data: data[:200] + b"\0" * 20 + data[200:]),
    "text instead of a number": cell(7, 1, "abc"),
    "a decimal comma": replaced(".", ",", 30),
    "one NaN": cell(9, 1, "nan"),
    "one infinite value": cell(9, 1, "inf"),
    "only NaN values": cell(-1, 1, "nan"),
    "a truncated last row": binary(lambda data: data[: data.rindex(b",")]),
    "only half of the rows": frame(lambda f: f.iloc[: len(f) // 2]),
    "unsorted rows": frame(lambda f: f.sample(frac=1, random_state=0)),
    "a duplicate timestamp": frame(lambda f: f.assign(timestamp=f.timestamp.where(f.index != 9, f.timestamp[10]))),
    "a negative timestamp": cell(1, 0, "-5"),
    "a timestamp after the end of the minute": cell(240, 0, "75.5"),
    "milliseconds instead of seconds": frame(lambda f: f.assign(timestamp=f.timestamp * 1000 + 1e6)),
    "a folder instead of the file": replaced_by(Path.mkdir),
    "a symbolic link to itself": replaced_by(lambda path: path.symlink_to(path)),
    "a broken symbolic link": replaced_by(lambda path: path.symlink_to(path.parent / "nowhere")),
    "a file of one gigabyte": gigabyte,
}


@pytest.fixture
def folder(raw: Path, tmp_path: Path) -> Path:
    """A copy of a user's recordings that a test may change."""
    return Path(shutil.copytree(raw / "101", tmp_path / "raw" / "101"))


def count_labels(folder: Path) -> int:
    """Count labelled minutes by the lines of the label files."""
    count = 0
    for path in folder.glob("*/*_label.csv"):
        data = path.read_bytes() if path.is_file() else b""
        count += len(data.splitlines()) - 1 if b"emotionTension" in data else 0  # other files have no labels
    return count


@pytest.mark.parametrize(("problem", "expected"), documented("A sensor file of one minute (ETRI)").items())
def test_damaged_sensor_file_of_one_minute(problem: str, expected: str, config: Config, folder: Path) -> None:
    # The fourth minute is parsed together with others; values change slowly, so that interpolated ones are close.
    path = sorted(folder.glob("*/e4Temp/*.csv"))[3]
    frame(lambda f: f.assign(x=30 + np.arange(len(f)) / 1000))(path)
    before = Read(config, folder, count_labels(folder))
    MINUTE[problem](path)
    after = Read(config, folder, count_labels(folder))
    assert_documented(before, after, expected)
    assert len(after.labels) == len(before.labels)  # the other modalities keep the window
    if not expected.startswith("–"):
        problems = after.quality[(after.quality.kind == "modality") & after.quality.reason.notna()]
        problems_before = before.quality[(before.quality.kind == "modality") & before.quality.reason.notna()]
        assert len(problems) == len(problems_before) + 1  # only this minute of this modality


# --- labels and folders --------------------------------------------------------------------------------------------


def label_cell(column: str, value: str) -> Damage:
    def damage(path: Path) -> None:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.loc[1, column] = value
        table.to_csv(path, index=False)

    return damage


def label_lines(change: Callable[[list[str]], list[str]]) -> Damage:
    return lambda path: path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def second_session(path: Path) -> None:
    """Add the first minute of this session to the next session."""
    minute = path.read_text().splitlines()[1]
    other = sorted(path.parents[1].glob("*/*_label.csv"))[1]
    other.write_text(other.read_text() + minute + "\n")
    for modality in path.parent.iterdir():
        name = f"{minute.split(',')[0]}.csv"
        if (modality / name).exists():
            shutil.copy(modality / name, other.parent / modality.name / name)


def conflicting(path: Path) -> None:
    header, first, *rest = path.read_text().splitlines()
    column = header.split(",").index("emotionTension")
    cells = first.split(",")
    cells[column] = "1" if cells[column] != "1" else "7"
    path.write_text("\n".join([header, first, ",".join(cells), *rest]) + "\n")


LABELS: dict[str, Damage] = {
    "no label file": Path.unlink,
    "an empty label file": lambda path: path.write_text(""),
    "a label file without a required column": replaced("emotionTension", "stress"),
    "a label file in UTF-16": binary(to_utf16),
    "a label file that is a folder": replaced_by(Path.mkdir),
    "a label file with a byte order mark and Windows line endings": binary(
        lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
    ),
    "a label file with only a header": label_lines(lambda texts: texts[:1]),
    "a minute that is labelled twice": label_lines(lambda texts: [*texts, texts[1]]),
    "a minute with two different labels": conflicting,
    "a minute that occurs in two sessions": second_session,
    "text instead of the time": label_cell("ts", "noon"),
    "a negative time": label_cell("ts", "-60"),
    "text instead of a level": label_cell("emotionTension", "tense"),
    "a line with too many fields": label_lines(lambda texts: [texts[0], texts[1] + ",one,more", *texts[2:]]),
    "a label without data": label_cell("ts", "1999999980"),
    "data without a label": label_lines(lambda texts: texts[:-1]),
    "a session without sensor folders": lambda path: [shutil.rmtree(p) for p in path.parent.iterdir() if p.is_dir()],
    "a stray file in the user's folder": lambda path: (path.parents[1] / "desktop.ini").write_text("x"),
    "a folder name with spaces, quotes and HTML": lambda path: (path.parents[1] / "<b onload='x'> \"a b\"").mkdir(),
}


@pytest.mark.parametrize(("problem", "expected"), documented("Labels and folders (ETRI)").items())
def test_damaged_labels_and_folders(problem: str, expected: str, config: Config, folder: Path) -> None:
    before = Read(config, folder, count_labels(folder))
    LABELS[problem](sorted(folder.glob("*/*_label.csv"))[0])
    after = Read(config, folder, count_labels(folder))
    assert_documented(before, after, expected)


# --- native E4 exports ---------------------------------------------------------------------------------------------


def line(number: int, text: str) -> Damage:
    def damage(path: Path) -> None:
        texts = path.read_text().splitlines()
        texts[number] = text
        path.write_text("\n".join(texts) + "\n")

    return damage


def gap(path: Path) -> None:
    """Remove 20 s in the second minute and continue with a new header, as a joined recording."""
    texts = path.read_text().splitlines()
    rate, start = 32, START + 10
    head = [", ".join([f"{start + 85}.000000"] * 3), texts[1]]
    path.write_text("\n".join([*texts[: 2 + 65 * rate], *head, *texts[2 + 85 * rate :]]) + "\n")


def repeated_session(path: Path) -> None:
    folder = path.parent / "again"
    folder.mkdir()
    (folder / path.name).write_text(path.read_text())


def relabel(change: Callable[[str], str]) -> Damage:
    def damage(path: Path) -> None:
        table = path.parents[1] / "labels.csv"
        table.write_text(change(table.read_text()))

    return damage


RECORDING: dict[str, Damage] = {
    "no recording of a modality": Path.unlink,
    "an empty recording": lambda path: path.write_text(""),
    "a recording with only start time and rate": lambda path: path.write_text(
        "\n".join(path.read_text().splitlines()[:2])
    ),
    "text instead of the start time": line(0, "today, today, today"),
    "a sampling rate of zero": line(1, "0, 0, 0"),
    "a start time in 1970": line(0, "5.0, 5.0, 5.0"),
    "a recording with an additional column": lambda path: path.write_text(
        "".join(line + ",1\n" for line in path.read_text().splitlines())
    ),
    "text among the samples": line(50, "1,oops,2"),
    "a recording in UTF-16": binary(to_utf16),
    "a recording with NUL bytes": binary(lambda data: data[:4000] + b"\0" * 20 + data[4000:]),
    "a recording with a byte order mark": binary(lambda data: b"\xef\xbb\xbf" + data),
    "a recording with Windows line endings": binary(lambda data: data.replace(b"\n", b"\r\n")),
    "a recording with a truncated last row": binary(lambda data: data[: data.rindex(b",")]),
    "a folder instead of a recording": replaced_by(Path.mkdir),
    "a participant without a folder": lambda path: shutil.rmtree(path.parent),
    "data without any label": lambda path: (path.parents[1] / "labels.csv").write_text(
        f"user,start,end,task\nX,{START},{START + 60},a\n"
    ),
    "a recording at twice the configured rate": line(1, "64.0, 64.0, 64.0"),
    "a recording with a gap of 20 seconds": gap,
    "a constant recording": lambda path: path.write_text(
        "\n".join([*path.read_text().splitlines()[:2], *["1,1,1"] * 9600]) + "\n"
    ),
    "skin conductance near zero": lambda path: path.with_name("EDA.csv").write_text(
        f"{START + 10}.000000\n4.000000\n" + "".join(f"0.00{i % 7}\n" for i in range(1200))
    ),
    "a start time in milliseconds": line(0, ", ".join([f"{START + 10}000"] * 3)),
    "a start as date and time": line(0, ", ".join([str(pd.Timestamp(START + 10, unit="s"))] * 3)),
    "a time among the samples": line(500, ", ".join([f"{START + 5000}"] * 3)),
    "a second session at the same time": repeated_session,
    "an interval that ends inside a minute": lambda path: (path.parents[1] / "labels.csv").write_text(
        f"user,start,end,task\nS01,{START + 60},{START + 130},a\n"
    ),
    "a repeated row of labels": relabel(lambda text: text + text.splitlines()[1] + "\n"),
    "two answers for the same time": relabel(lambda text: text + f"S01,{START + 120},{START + 180},other,9\n"),
}


@pytest.mark.parametrize(("problem", "expected"), documented("Native E4 exports").items())
def test_damaged_native_exports(problem: str, expected: str, root: Path) -> None:  # noqa: F811
    config, folder = settings(root), root / "S01"
    before = Read(config, folder, 5)
    RECORDING[problem](folder / "ACC.csv")
    labelled = {"data without any label": 0, "an interval that ends inside a minute": 2}.get(problem, 5)
    assert_documented(before, Read(config, folder, labelled), expected)


# --- tables and EmbracePlus files -------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of a regular modality of two users in milliseconds, and one of an irregular modality."""
    raw = tmp_path / "raw"
    raw.mkdir()
    stamps = START * 1000 + np.arange(300 * 5) * 200
    slow = np.arange(1500) / 1000
    parts = [pd.DataFrame({"device": user, "t": stamps, "x": slow, "y": slow + 1}) for user in ("d0", "d1")]
    pd.concat(parts).sort_values("t", kind="stable").to_csv(raw / "acc.csv", index=False)
    pd.DataFrame({"device": "d0", "t": stamps[::50], "lux": 5}).to_csv(raw / "light.csv", index=False)
    (raw / "labels.csv").write_text(f"user,start,end,task\nd0,{START},{START + 300},task0\n")
    return raw / "acc.csv"


def without(rows: Callable[[pd.DataFrame], pd.Series]) -> Damage:
    return frame(lambda f: f[~rows(f)])


TABLE: dict[str, Damage] = {
    "no table of a modality": Path.unlink,
    "a table without a value column": replaced("t,x,y", "t,x,z"),
    "a table with another separator": replaced(",", ";"),
    "a table in UTF-16": binary(to_utf16),
    "times in another unit": frame(lambda f: f.assign(t=f.t // 1000)),
    "text instead of a time": cell(501, 1, "noon"),
    "text instead of a value": cell(501, 2, "fast"),
    "a quote inside a cell, or one that is not closed": cell(501, 2, '""48'),
    "a row with too few fields": binary(lambda data: data.rstrip(b"\n").rpartition(b",")[0] + b"\n"),
    "an empty value": cell(501, 2, ""),
    "rows written twice": frame(lambda f: f.loc[f.index.repeat(2)]),
    "rows in another order": frame(lambda f: f.sample(frac=1, random_state=0)),
    "a byte order mark and Windows line endings": binary(lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")),
    "two devices with the same user": frame(lambda f: f.assign(device="d0", x=f.x + (f.device == "d1"))),
    "a table at twice the configured rate": frame(
        lambda f: pd.concat([f, f.assign(t=f.t + 100)]).sort_values("t", kind="stable")
    ),
    "a table with a gap of 20 seconds": without(lambda f: f.t.between((START + 70) * 1000, (START + 90) * 1000)),
}


@pytest.mark.parametrize(("problem", "expected"), documented("Tables of samples").items())
def test_damaged_tables(problem: str, expected: str, table: Path) -> None:
    config = load_config(TABLES | {"cohort": TABLES["cohort"] | {"root": str(table.parent)}})
    folder = table.parent / "d0"
    before = Read(config, folder, 5)
    TABLE[problem](table)
    after = Read(config, folder, 5)
    assert_documented(before, after, expected)
    assert len(after.labels) == 5 and np.isfinite(after.windows["light"]).all()


def rewritten(**keys: object) -> Damage:
    return lambda path: write_avro(path, START + 60, 60, **keys)


AVRO: dict[str, Damage] = {
    "a truncated file": binary(lambda data: data[: len(data) // 2]),
    "a file that is not Avro": binary(lambda data: b"PK" + data),
    "another schema version": rewritten(major=5),
    "counts without a factor and without ranges": rewritten(factor=0.0, digital=(0, 0)),
    "a missing file between others": Path.unlink,
}


@pytest.mark.parametrize(("problem", "expected"), documented("EmbracePlus files").items())
def test_damaged_embraceplus_files(problem: str, expected: str, tmp_path: Path) -> None:
    folder = tmp_path / "raw/P1"
    for minute in range(3):
        write_avro(folder / f"{START + 60 * minute}.avro", START + 60 * minute, 60)
    (folder.parent / "labels.csv").write_text(f"user,start,end,task\nP1,{START},{START + 180},task0\n")
    config = embraceplus_settings(folder.parent)
    before = Read(config, folder, 3)
    AVRO[problem](folder / f"{START + 60}.avro")
    after = Read(config, folder, 3)
    assert_documented(before, after, expected)
    assert len(after.labels) == 2
    for name, values in after.windows.items():
        np.testing.assert_array_equal(values, before.windows[name][[0, 2]])


def test_documented_rows_and_test_cases_are_the_same() -> None:
    tested = {
        "A sensor file of one minute (ETRI)": MINUTE,
        "Labels and folders (ETRI)": LABELS,
        "Native E4 exports": RECORDING,
        "Tables of samples": TABLE,
        "EmbracePlus files": AVRO,
    }
    for section, cases in tested.items():
        assert list(documented(section)) == list(cases), section
    assert len(re.findall(r"^\| ", DOC, re.M)) > 75
