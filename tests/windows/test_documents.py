"""Tables of samples and labels as JSON, workbooks and Windows-1252 text, with damaged and hostile files."""

from __future__ import annotations

import datetime
import json
import os
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook

from lifelog.settings.tables import LabelTable, Table
from lifelog.settings.windows import Modality, Recordings
from lifelog.windows import documents
from lifelog.windows.documents import read_document
from lifelog.windows.files import RawFile
from lifelog.windows.intervals import read_intervals
from lifelog.windows.layout import BadInput
from lifelog.windows.tables import read_events, read_samples

CASES = int(os.environ.get("FUZZ_CASES", "200"))
START = 1_644_227_580
FITBIT = [
    {"dateTime": "02/07/22 09:53:00", "value": {"bpm": 61, "confidence": 2}, "levels": {"data": [1]}},
    {"dateTime": "02/07/22 09:53:05", "value": {"bpm": "62.5"}},
    {"dateTime": "02/07/22 09:53:10", "value": {"bpm": None}},
]


def samples(path: Path, columns: list[str], **keys: object) -> list[list[float]]:
    found = read_samples(path, Table.model_validate(keys), columns, "a", "UTC")
    return np.c_[found.seconds - START, found.values].tolist()


def test_records_of_records(tmp_path: Path) -> None:
    keys = {"time": "dateTime", "unit": "%m/%d/%y %H:%M:%S"}
    path = tmp_path / "heart.json"
    path.write_text(json.dumps(FITBIT))
    assert samples(path, ["value.bpm"], **keys) == [[0, 61], [5, 62.5]]
    path.write_text(json.dumps({"heart": FITBIT, "user": "a"}))
    assert samples(path, ["value.bpm"], **keys) == [[0, 61], [5, 62.5]]
    path.write_text("\n".join(map(json.dumps, FITBIT)))
    assert samples(path, ["value.bpm"], **keys) == [[0, 61], [5, 62.5]]


def workbook(path: Path, rows: Sequence[Sequence[object]], **sheets: Sequence[Sequence[object]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for name, of_sheet in sheets.items():
        page = book.create_sheet(name)
        for row in of_sheet:
            page.append(row)
    book.save(path)
    return path


def test_a_formula_without_a_saved_value_is_not_an_empty_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["timestamp", "hr"], [START, "=60+1"]], notes=[["x"], [1]])
    with pytest.raises(BadInput, match=r"a\.xlsx row 2: the formula '=60\+1' has no saved value"):
        read_document(RawFile(path))
    assert read_document(RawFile(path), "notes")["x"].tolist() == [1]


def test_a_workbook_of_samples(tmp_path: Path) -> None:
    time = datetime.datetime(2022, 2, 7, 9, 53)
    rows = [["time", "x", "note"], [time, 1, "a"], [], [time + datetime.timedelta(seconds=5), "2,5", None]]
    path = workbook(tmp_path / "t.xlsx", [["nothing here"]], data=rows)
    assert samples(path, ["x"], time="time", unit="iso", sheet="data", decimal=",") == [[0, 1], [5, 2.5]]
    with pytest.raises(BadInput, match="no sheet 'day'"):
        samples(path, ["x"], time="time", unit="iso", sheet="day")


def labels(root: Path, **keys: object) -> list[tuple]:
    table = LabelTable.model_validate({"user": "who", "time": "at", "before": 60, "unit": "iso"} | keys)
    found = read_intervals(root, Recordings(layout="tables", labels=[table], timezone="UTC"))
    return [(who, row.end - START, dict(row.values), row.row) for who, rows in found.users.items() for row in rows]


def test_labels_of_a_workbook_and_of_json(tmp_path: Path) -> None:
    time = datetime.datetime(2022, 2, 7, 9, 53)
    workbook(tmp_path / "l.xlsx", [["who", "at", "mood"], ["a", time, 3], ["b", time, "ängstlich"], ["a", time, None]])
    assert labels(tmp_path, file="l.xlsx")[0] == ("a", 0, {"mood": "3"}, "l.xlsx:2")
    assert labels(tmp_path, file="l.xlsx")[2] == ("b", 0, {"mood": "ängstlich"}, "l.xlsx:3")
    (tmp_path / "l.json").write_text(json.dumps([{"who": "a", "at": "2022-02-07T09:53:00Z", "mood": {"now": 3}}]))
    assert labels(tmp_path, file="l.json") == [("a", 0, {"mood.now": "3"}, "l.json:1")]


def test_text_of_windows(tmp_path: Path) -> None:
    text = "who,at,mood\na,2022-02-07 09:53,müde\n"
    (tmp_path / "l.csv").write_bytes(text.encode("cp1252"))
    assert labels(tmp_path, file="l.csv", encoding="windows-1252")[0][2] == {"mood": "müde"}
    with pytest.raises(BadInput, match="not UTF-8 text; set encoding: windows-1252"):
        labels(tmp_path, file="l.csv")
    (tmp_path / "s.csv").write_bytes(f"zeit,größe\n{START},1\n".encode("cp1252"))
    assert samples(tmp_path / "s.csv", ["größe"], time="zeit", encoding="windows-1252") == [[0, 1]]
    with pytest.raises(BadInput, match="set encoding: windows-1252"):
        samples(tmp_path / "s.csv", ["größe"], time="zeit")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"PK\x03\x04\x14\x00rest\xff", "a workbook or a zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file"),
        ("who,at,mood\n".encode("utf-16"), "UTF-16 text"),
    ],
)
def test_other_files_are_named_as_what_they_are(tmp_path: Path, data: bytes, cause: str) -> None:
    (tmp_path / "l.csv").write_bytes(data)
    with pytest.raises(BadInput, match=cause):
        labels(tmp_path, file="l.csv")
    with pytest.raises(BadInput, match=cause):
        samples(tmp_path / "l.csv", ["x"])


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[" * 10**6, "nested too deep"),
        ('[{"t": ' + '{"a": ' * 500 + "1" + "}" * 501 + "]", "nested too deep"),
        ("[1, 2]", "record 1 is no record"),
        ("[]", "an array of records is expected"),
        ('[{"t": 1}', "Expecting"),
        ('{"t": 1}\n{"t": \n', "line 2"),
        (f'[{{"t": {START}, "x": [1]}}]', "column 'x' must occur once"),
        (f'[{{"t": {START}, "x": [1]}}, {{"t": {START}, "x": 1}}]', r"column 'x' holds \[1\]"),
        (f'[{{"t": {START}, "a": {{"x": 1}}, "a.x": 2}}]', "record 1: 'a.x' occurs twice"),
        (f'[{{"t": {START}, "x": "fast"}}]', "row 1: column 'x' holds 'fast'"),
        (f'[{{"t": {START}, "x": {"9" * 400}}}]', "too large"),
        (f'[{{"t": {"9" * 400}, "x": 1}}]', "the first unreadable 't'"),
    ],
)
def test_damaged_json_ends_in_a_message(tmp_path: Path, text: str, cause: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(BadInput, match=cause):
        samples(tmp_path / "t.json", ["x"], time="t")


def test_hostile_workbooks_end_in_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "t.xlsx", [["t", "x"], [START, 1]])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def changed(name: str, data: bytes) -> RawFile:
        with zipfile.ZipFile(tmp_path / "bad.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in (members | {name: data}).items():
                archive.writestr(member, content)
        return RawFile(tmp_path / "bad.xlsx")

    sheet = members["xl/worksheets/sheet1.xml"]
    far = sheet.replace(b"</sheetData>", b'<row r="999999999999"><c r="XFD999999999999"><v>1</v></c></row></sheetData>')
    with pytest.raises(BadInput, match="more than 1048576 rows"):
        read_document(changed("xl/worksheets/sheet1.xml", far))
    levels = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{levels}]>'.encode()
    bomb = head + sheet.replace(b"</v>", b"&a11;</v>")
    with pytest.raises(BadInput, match="unreadable file"):
        read_document(changed("xl/worksheets/sheet1.xml", bomb))
    monkeypatch.setattr(documents, "MAX_CELLS", 10)
    with pytest.raises(BadInput, match="at most 10 cells"):
        read_document(RawFile(workbook(tmp_path / "wide.xlsx", [[f"c{i}" for i in range(9)], *[[1]] * 9])))
    (tmp_path / "wide.json").write_text(json.dumps([{f"c{i}": 1} for i in range(9)]))
    with pytest.raises(BadInput, match="9 rows with 9 columns"):
        read_document(RawFile(tmp_path / "wide.json"))
    monkeypatch.setattr(documents, "MAX_BYTES", 10**6)
    with pytest.raises(BadInput, match="unpacked, at most"):
        read_document(changed("xl/other.xml", b" " * 2 * 10**6))
    (tmp_path / "big.json").write_text(" " * 2 * 10**6)
    with pytest.raises(BadInput, match="file too large"):
        read_document(RawFile(tmp_path / "big.json"))


@pytest.mark.parametrize("suffix", [".json", ".xlsx", ".csv"])
def test_no_damaged_table_is_wrong_in_silence(tmp_path: Path, suffix: str) -> None:
    """A changed byte ends in a message, or in events of which at most one differs."""
    rows = [[START + i, ("on", "off")[i % 2], i] for i in range(20)]
    path = tmp_path / f"t{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps([{"t": t, "x": x, "d": d} for t, x, d in rows]))
    elif suffix == ".csv":
        path.write_text("t,x,d\n" + "".join(f"{t},{x},{d}\n" for t, x, d in rows))
    else:
        workbook(path, [["t", "x", "d"], *rows])
    modality = Modality(name="m", kind="events", columns=["x"], categories=["on", "off"], duration="d")
    good, chance, read = path.read_bytes(), random.Random(0), 0
    wanted = set(read_events(path, Table(time="t"), modality, "a", "UTC").itertuples(index=False, name=None))
    for _ in range(CASES):
        data = bytearray(good)
        data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            found = read_events(path, Table(time="t"), modality, "a", "UTC")
        except BadInput:
            continue
        read += 1
        seen = set(found.itertuples(index=False, name=None))
        assert len(wanted - seen) <= 1 and len(seen - wanted) <= 1
    assert read
