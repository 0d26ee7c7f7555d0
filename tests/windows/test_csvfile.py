"""Files that are parsed together give the same values as files that are read alone; irregular files are left out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifelog.windows import csvfile
from lifelog.windows.csvfile import number_blocks, numbers, read_csv, read_together
from lifelog.windows.layout import BadInput

PLAIN = b"timestamp,x\n0.0,1\n0.5,2.5\n1.0,-3e2\n"
CELLS = st.one_of(
    st.floats(width=32).map(str), st.sampled_from(["", "NA", "inf", "-1", "1e5", "oops", '"3"', "0x1", "1 "])
)
BODIES = st.lists(st.lists(CELLS, min_size=1, max_size=3).map(",".join), max_size=5)


def read_alone(path: Path) -> np.ndarray | None:
    try:
        table = read_csv(path)
        return numbers(table, table.column_names, path)
    except BadInput:
        return None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(BODIES, min_size=1, max_size=4), ending=st.sampled_from(["\n", "\r\n", ""]))
def test_files_read_together_equal_files_read_alone(tmp_path: Path, bodies: list[list[str]], ending: str) -> None:
    paths = {}
    for key, lines in enumerate(bodies):
        paths[key] = tmp_path / f"{key}.csv"
        paths[key].write_bytes(("timestamp,x\n" + "\n".join(lines) + (ending if lines else "")).encode())
    names, values = read_together(tmp_path, list(paths))
    for key, rows in values.items():
        assert names == ["timestamp", "x"]
        np.testing.assert_array_equal(rows, read_alone(paths[key]))


@pytest.mark.parametrize(
    "irregular",
    [
        b"timestamp,y\n0,1\n",
        b"",
        b"timestamp,x\n",
        b"timestamp,x\n\n0,1\n",
        b'timestamp,x\n"0",1\n',
        b"timestamp,x\r\n0,1\r\n",
        b"timestamp,x\n0,\n",
        b"timestamp,x\n0,oops\n",
        b"timestamp,x\n0,1,2\n",
        b"timestamp,x\n0,1e999\n",
        b"timestamp,x\n0\n1\n",
    ],
)
def test_an_irregular_file_is_left_out_and_the_others_are_read(tmp_path: Path, irregular: bytes) -> None:
    files = {1: PLAIN, 2: irregular, 4: PLAIN}
    for key, data in files.items():
        (tmp_path / f"{key}.csv").write_bytes(data)
    _, values = read_together(tmp_path, [1, 2, 3, 4])
    assert set(values) == {1, 4} and values[4].tolist() == [[0.0, 1.0], [0.5, 2.5], [1.0, -300.0]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,b\n1,2\n", None),
        ('"a","b"\r\n"1","2"\r\n', None),
        ('\ufeff"a","b"\n"x ""y"" z","line\nmore"\n"","""q"""\n', None),
        ('a, "b"\n1, "2"\n', None),
        ("", None),
        ('a,b\n""48,2\n', "line 2"),
        ('a,b\n1,2\n"4"8,2\n', "line 3"),
        ('a,b\n4"8,2\n', "line 2"),
        ('a,b\n1,"2\n', "the last quote"),
    ],
)
@pytest.mark.parametrize("piece", [3, 2**24])
def test_quotes_inside_cells_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: str | None, piece: int
) -> None:
    monkeypatch.setattr(csvfile, "PIECE", piece)
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    if line is None:
        csvfile.check_quotes(csvfile.bytes_of(path), path, ",")
    else:
        with pytest.raises(BadInput, match=line):
            csvfile.check_quotes(csvfile.bytes_of(path), path, ",")


def test_a_quote_inside_a_cell_of_a_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('timestamp,x\n0.0,1\n0.5,""48\n')
    with pytest.raises(BadInput, match="line 3: a quote inside a cell"):
        read_csv(path)


def test_quoted_column_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(b'"timestamp","x"\n0,1\n')
    names, values = read_together(tmp_path, [1])
    assert names == ["timestamp", "x"] and values[1].tolist() == [[0.0, 1.0]]


NOT_PLAIN_NUMBERS = [
    "[1,2]",
    "[1\n2],3",
    "true,1",
    "0,1\n1\n,2",
    "0,NaN",
    "1,2]",
    '{"a":1},2',
    "- 1,2",
    ",2",
    "1e999,2",
]


@pytest.mark.parametrize("line", NOT_PLAIN_NUMBERS)
def test_files_with_anything_but_plain_numbers_are_left_out(tmp_path: Path, line: str) -> None:
    for key, data in {1: PLAIN, 2: f"timestamp,x\n{line}\n".encode()}.items():
        (tmp_path / f"{key}.csv").write_bytes(data)
    _, values = read_together(tmp_path, [1, 2])
    assert set(values) == {1}


@pytest.mark.parametrize("line", ["01,2", "+1,2", "1.,2", "-.5e-3,2"])
def test_numbers_are_read_together_as_they_are_read_alone(tmp_path: Path, line: str) -> None:
    (tmp_path / "1.csv").write_text(f"timestamp,x\n{line}\n")
    _, values = read_together(tmp_path, [1])
    assert np.array_equal(values[1], numbers(read_csv(tmp_path / "1.csv"), ["timestamp", "x"], "1.csv"))


@pytest.mark.parametrize("header", ['"timestamp,x', 'timestamp,"x', 'time"stamp,x'])
def test_files_with_a_damaged_header_are_left_out(tmp_path: Path, header: str) -> None:
    (tmp_path / "1.csv").write_text(f"{header}\n0,1\n")
    assert read_together(tmp_path, [1]) == ([], {})


def test_blocks_hold_the_same_numbers_as_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 64)
    path = tmp_path / "ACC.csv"
    rows = ["1,2,3", "-4,,6.5", "7,8,9"] * 20
    path.write_text("1700000000,1700000000,1700000000\n32,32,32\n" + "\n".join(rows) + "\n")
    blocks = list(number_blocks(path, 2))
    table = read_csv(path, 2)
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks), numbers(table, table.column_names, path, 2))
    path.write_text(path.read_text() + "1,x,3\n")
    with pytest.raises(BadInput, match="line 63: column"):
        list(number_blocks(path, 2))
    path.write_text("1700000000\n32\n")
    with pytest.raises(BadInput, match="unreadable file"):
        list(number_blocks(path, 2))
