"""Files parsed together are what they are one by one, and whatever is odd is left to the slow way."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifelog.windows.csvfile import numbers, read_csv, read_together
from lifelog.windows.layout import BadInput

PLAIN = b"timestamp,x\n0.0,1\n0.5,2.5\n1.0,-3e2\n"
CELLS = st.one_of(
    st.floats(width=32).map(str), st.sampled_from(["", "NA", "inf", "-1", "1e5", "oops", '"3"', "0x1", "1 "])
)
BODIES = st.lists(st.lists(CELLS, min_size=1, max_size=3).map(",".join), max_size=5)


def one_by_one(path: Path) -> np.ndarray | None:
    try:
        table = read_csv(path)
        return numbers(table, table.column_names, path)
    except BadInput:
        return None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(BODIES, min_size=1, max_size=4), ending=st.sampled_from(["\n", "\r\n", ""]))
def test_together_is_one_by_one(tmp_path: Path, bodies: list[list[str]], ending: str) -> None:
    paths = {}
    for key, lines in enumerate(bodies):
        paths[key] = tmp_path / f"{key}.csv"
        paths[key].write_bytes(("timestamp,x\n" + "\n".join(lines) + (ending if lines else "")).encode())
    names, found = read_together(tmp_path, list(paths))
    for key, rows in found.items():
        assert names == ["timestamp", "x"]
        np.testing.assert_array_equal(rows, one_by_one(paths[key]))


@pytest.mark.parametrize(
    "other",
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
def test_an_odd_file_is_left_out_and_the_others_stay(tmp_path: Path, other: bytes) -> None:
    files = {1: PLAIN, 2: other, 4: PLAIN}
    for key, data in files.items():
        (tmp_path / f"{key}.csv").write_bytes(data)
    _, found = read_together(tmp_path, [1, 2, 3, 4])
    assert set(found) == {1, 4} and found[4].tolist() == [[0.0, 1.0], [0.5, 2.5], [1.0, -300.0]]


def test_quoted_names_in_the_header_are_names(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(b'"timestamp","x"\n0,1\n')
    names, found = read_together(tmp_path, [1])
    assert names == ["timestamp", "x"] and found[1].tolist() == [[0.0, 1.0]]


NO_NUMBERS = [
    "[1,2]",
    "[1\n2],3",
    "true,1",
    "0,1\n1\n,2",
    "0,NaN",
    "1,2]",
    '{"a":1},2',
    "01,2",
    "+1,2",
    "1.,2",
    "- 1,2",
]


@pytest.mark.parametrize("line", NO_NUMBERS)
def test_lines_that_are_no_plain_numbers_are_left_out(tmp_path: Path, line: str) -> None:
    for key, data in {1: PLAIN, 2: f"timestamp,x\n{line}\n".encode()}.items():
        (tmp_path / f"{key}.csv").write_bytes(data)
    _, found = read_together(tmp_path, [1, 2])
    assert set(found) == {1}
