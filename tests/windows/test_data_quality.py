"""The catalogue of docs/data-quality.md: every row of its tables is done to a recording, and must end as it says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.read import read_labels, read_windows
from tests.windows.test_empatica import START, root, settings  # noqa: F401 (root is a fixture)

DOC = (Path(__file__).parents[2] / "docs/data-quality.md").read_text(encoding="utf-8")
Spoil = Callable[[Path], object]


def catalogue(section: str) -> dict[str, str]:
    """What is met → the last column, of a section's table."""
    table = DOC.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {row[0]: row[-1].strip("`") for row in rows[2:]}


class Read:
    """The tables of a folder, with the rule that nothing is lost."""

    def __init__(self, config: Config, folder: Path, labelled: int) -> None:
        paths = folder.parents[1] / "w.parquet", folder.parents[1] / "q.parquet"
        extract_windows(folder.name, folder, config.cohort, config.windows, config.modalities, *paths)
        self.labels, self.quality = read_labels(paths[0]), read_tables([paths[1]])
        self.windows = read_windows(paths[0], config.modalities)
        assert len(self.labels) + (self.quality.kind == "label").sum() == labelled


def as_documented(before: Read, after: Read, expected: str) -> None:
    if not expected.startswith("–"):
        assert expected in set(after.quality.reason), after.quality[after.quality.reason.notna()].to_string()
        new = after.quality[after.quality.reason == expected]
        assert new.detail.str.len().gt(0).all()
        return
    pd.testing.assert_frame_equal(before.quality[["reason"]], after.quality[["reason"]])
    for name, values in before.windows.items():
        same = np.isclose(values, after.windows[name], rtol=1e-3, equal_nan=True)
        assert same.all() if expected == "–" else (~same).sum() <= 2, name


# --- a sensor file of a minute -------------------------------------------------------------------------------------


def replaced(old: str, new: str, count: int = -1) -> Spoil:
    return lambda path: path.write_text(path.read_text().replace(old, new, count))


def cells(row: int, column: int, value: str) -> Spoil:
    def spoil(path: Path) -> None:
        lines = [line.split(",") for line in path.read_text().splitlines()]
        for line in lines[1:] if row < 0 else [lines[row]]:
            line[column] = value
        path.write_text("\n".join(",".join(line) for line in lines) + "\n")

    return spoil


def frame(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    return lambda path: change(pd.read_csv(path)).to_csv(path, index=False)


def binary(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def instead(make: Spoil) -> Spoil:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def gigabyte(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**30)


def sixteen(data: bytes) -> bytes:
    return data.decode().encode("utf-16")


MINUTE: dict[str, Spoil] = {
    "no file": Path.unlink,
    "an empty file": lambda path: path.write_text(""),
    "a header only": lambda path: path.write_text(path.read_text().splitlines()[0] + "\n"),
    "no header": lambda path: path.write_text(path.read_text().partition("\n")[2]),
    "other columns": cells(0, 1, "volt"),
    "a column twice": lambda path: path.write_text(
        "\n".join(line + "," + line.split(",")[1] for line in path.read_text().splitlines()) + "\n"
    ),
    "more columns than needed": frame(lambda f: f.assign(roll=1.5)),
    "columns in another order": frame(lambda f: f[f.columns[::-1]]),
    "another separator": replaced(",", ";"),
    "Windows line ends": binary(lambda data: data.replace(b"\n", b"\r\n")),
    "a byte order mark": binary(lambda data: b"\xef\xbb\xbf" + data),
    "UTF-16": binary(sixteen),
    "NUL bytes between the numbers": binary(lambda data: data[:200] + b"\0" * 20 + data[200:]),
    "a text in place of a number": cells(7, 1, "abc"),
    "a decimal comma": replaced(".", ",", 30),
    "one NaN": cells(9, 1, "nan"),
    "one infinite value": cells(9, 1, "inf"),
    "NaN throughout": cells(-1, 1, "nan"),
    "the last row cut off": binary(lambda data: data[: data.rindex(b",")]),
    "half of the rows": frame(lambda f: f.iloc[: len(f) // 2]),
    "rows in disorder": frame(lambda f: f.sample(frac=1, random_state=0)),
    "a timestamp twice": frame(lambda f: f.assign(timestamp=f.timestamp.where(f.index != 9, f.timestamp[10]))),
    "a negative timestamp": cells(1, 0, "-5"),
    "a timestamp beyond the minute": cells(240, 0, "75.5"),
    "milliseconds in place of seconds": frame(lambda f: f.assign(timestamp=f.timestamp * 1000 + 1e6)),
    "a folder in place of the file": instead(Path.mkdir),
    "a link that leads to itself": instead(lambda path: path.symlink_to(path)),
    "a link that leads nowhere": instead(lambda path: path.symlink_to(path.parent / "nowhere")),
    "a file of a gigabyte": gigabyte,
}


@pytest.fixture
def folder(raw: Path, tmp_path: Path) -> Path:
    """A copy of a user's recordings that a test may spoil."""
    return Path(shutil.copytree(raw / "101", tmp_path / "raw" / "101"))


def lines(folder: Path) -> int:
    """Labelled minutes by the lines of the label files."""
    count = 0
    for path in folder.glob("*/*_label.csv"):
        data = path.read_bytes() if path.is_file() else b""
        count += len(data.splitlines()) - 1 if b"emotionTension" in data else 0  # of others nobody knows a label
    return count


@pytest.mark.parametrize(("met", "expected"), catalogue("A sensor file of one minute (ETRI)").items())
def test_a_minute_of_a_sensor(met: str, expected: str, config: Config, folder: Path) -> None:
    # The fourth minute, so that others are parsed with it; slow changes, so that what is filled in time is alike.
    path = sorted(folder.glob("*/e4Temp/*.csv"))[3]
    frame(lambda f: f.assign(x=30 + np.arange(len(f)) / 1000))(path)
    before = Read(config, folder, lines(folder))
    MINUTE[met](path)
    after = Read(config, folder, lines(folder))
    as_documented(before, after, expected)
    assert len(after.labels) == len(before.labels)  # the other modalities still make the window
    if not expected.startswith("–"):
        faults = after.quality[(after.quality.kind == "modality") & after.quality.reason.notna()]
        before_faults = before.quality[(before.quality.kind == "modality") & before.quality.reason.notna()]
        assert len(faults) == len(before_faults) + 1  # this minute of this modality, and nothing else


# --- labels and folders --------------------------------------------------------------------------------------------


def label_cell(column: str, value: str) -> Spoil:
    def spoil(path: Path) -> None:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.loc[1, column] = value
        table.to_csv(path, index=False)

    return spoil


def label_lines(change: Callable[[list[str]], list[str]]) -> Spoil:
    return lambda path: path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def second_session(path: Path) -> None:
    """One minute more for the next session: a minute that this one has too."""
    minute = path.read_text().splitlines()[1]
    other = sorted(path.parents[1].glob("*/*_label.csv"))[1]
    other.write_text(other.read_text() + minute + "\n")
    for modality in path.parent.iterdir():
        name = f"{minute.split(',')[0]}.csv"
        if (modality / name).exists():
            shutil.copy(modality / name, other.parent / modality.name / name)


LABELS: dict[str, Spoil] = {
    "no label file": Path.unlink,
    "an empty label file": lambda path: path.write_text(""),
    "a label file without its columns": replaced("emotionTension", "stress"),
    "a label file in UTF-16": binary(sixteen),
    "a label file that is a folder": instead(Path.mkdir),
    "a label file with byte order mark and Windows line ends": binary(
        lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
    ),
    "a label file with a header only": label_lines(lambda texts: texts[:1]),
    "a minute that is labelled twice": label_lines(lambda texts: [*texts, texts[1]]),
    "a minute that two sessions have": second_session,
    "a text in place of the time": label_cell("ts", "noon"),
    "a negative time": label_cell("ts", "-60"),
    "a text in place of a level": label_cell("emotionTension", "tense"),
    "a line with too many fields": label_lines(lambda texts: [texts[0], texts[1] + ",one,more", *texts[2:]]),
    "a label without data": label_cell("ts", "1999999980"),
    "data without a label": label_lines(lambda texts: texts[:-1]),
    "a session without sensor folders": lambda path: [shutil.rmtree(p) for p in path.parent.iterdir() if p.is_dir()],
    "a stray file in the user's folder": lambda path: (path.parents[1] / "desktop.ini").write_text("x"),
    "a name with blanks, quotes and HTML": lambda path: (path.parents[1] / "<b onload='x'> \"a b\"").mkdir(),
}


@pytest.mark.parametrize(("met", "expected"), catalogue("Labels and folders (ETRI)").items())
def test_labels_and_folders(met: str, expected: str, config: Config, folder: Path) -> None:
    before = Read(config, folder, lines(folder))
    LABELS[met](sorted(folder.glob("*/*_label.csv"))[0])
    after = Read(config, folder, lines(folder))
    as_documented(before, after, expected)


# --- native E4 exports ---------------------------------------------------------------------------------------------


def row(number: int, text: str) -> Spoil:
    def spoil(path: Path) -> None:
        texts = path.read_text().splitlines()
        texts[number] = text
        path.write_text("\n".join(texts) + "\n")

    return spoil


RECORDING: dict[str, Spoil] = {
    "no recording of a modality": Path.unlink,
    "an empty recording": lambda path: path.write_text(""),
    "a recording of start and rate only": lambda path: path.write_text("\n".join(path.read_text().splitlines()[:2])),
    "a text in place of the start": row(0, "today, today, today"),
    "a rate of zero": row(1, "0, 0, 0"),
    "a start in 1970": row(0, "5.0, 5.0, 5.0"),
    "a recording with a column too many": lambda path: path.write_text(
        "".join(line + ",1\n" for line in path.read_text().splitlines())
    ),
    "a text among the samples": row(50, "1,oops,2"),
    "a recording in UTF-16": binary(sixteen),
    "a recording with NUL bytes": binary(lambda data: data[:4000] + b"\0" * 20 + data[4000:]),
    "a recording with a byte order mark": binary(lambda data: b"\xef\xbb\xbf" + data),
    "a recording with Windows line ends": binary(lambda data: data.replace(b"\n", b"\r\n")),
    "a recording with its last row cut off": binary(lambda data: data[: data.rindex(b",")]),
    "a folder in place of a recording": instead(Path.mkdir),
    "a user without a folder": lambda path: shutil.rmtree(path.parent),
    "data without any label": lambda path: (path.parents[1] / "labels.csv").write_text(
        "user,start,end,task\nX,0,60,a\n"
    ),
    "an interval that ends inside a minute": lambda path: (path.parents[1] / "labels.csv").write_text(
        f"user,start,end,task\nS01,{START + 60},{START + 130},a\n"
    ),
}


@pytest.mark.parametrize(("met", "expected"), catalogue("Native E4 exports").items())
def test_native_exports(met: str, expected: str, root: Path) -> None:  # noqa: F811
    config, folder = settings(root), root / "S01"
    before = Read(config, folder, 5)
    RECORDING[met](folder / "ACC.csv")
    labelled = {"data without any label": 0, "an interval that ends inside a minute": 2}.get(met, 5)
    as_documented(before, Read(config, folder, labelled), expected)


def test_every_row_is_tried_and_every_trial_is_a_row() -> None:
    tried = {
        "A sensor file of one minute (ETRI)": MINUTE,
        "Labels and folders (ETRI)": LABELS,
        "Native E4 exports": RECORDING,
    }
    for section, cases in tried.items():
        assert list(catalogue(section)) == list(cases), section
    assert len(re.findall(r"^\| ", DOC, re.M)) > 75
