"""Reading a CSV of numbers strictly: what is wrong is said with file, line and cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import simdjson
from numpy.typing import NDArray

from lifelog.windows.layout import BadInput

NUMERALS, NEWLINE = b"0123456789.-+eE", ord("\n")
PARSER = simdjson.Parser()  # one: its memory is used again


def read_csv(path: Path, head: int = 0) -> pa.Table:
    """A whole file; `head` rows before the data stand for column names. Raises BadInput where it cannot be read."""
    options = pacsv.ReadOptions(use_threads=False, skip_rows=head, autogenerate_column_names=head > 0)
    try:
        return pacsv.read_csv(path, read_options=options)
    except FileNotFoundError:
        raise BadInput("no file", str(path)) from None
    except (OSError, pa.ArrowException) as error:
        raise BadInput("unreadable file", f"{path}: {error}") from None


def read_alike(folder: Path, keys: list[int]) -> tuple[list[str], dict[int, NDArray]]:
    """Files of numbers under one header, parsed as one: their columns, and by key the rows, (rows, columns) float64.

    The files are `folder`/<key>.csv. One that is missing, has another header or anything but lines of plain decimal
    numbers is left out: whoever asks reads it by itself, and learns what is wrong with it. Parsing hundreds of small
    files one by one takes several times as long.
    """
    header, bodies = b"", {}
    for key in keys:
        try:
            with open(f"{folder}/{key}.csv", "rb", buffering=0) as file:  # noqa: PTH123 (a Path takes as long as that)
                data = file.read()
        except OSError:
            continue
        header = header or data[: data.find(b"\n") + 1]
        if data.startswith(header) and len(data) > len(header):
            bodies[key] = memoryview(data if data.endswith(b"\n") else data + b"\n")[len(header) :]
    if not header or not bodies or not header.isascii() or b"\r" in header:
        return [], {}
    names = [name.strip('"') for name in header.decode("ascii").rstrip("\n").split(",")]
    together = _plain_numbers(list(bodies.values()), len(names))
    if together is not None:
        ends = np.cumsum([np.count_nonzero(np.frombuffer(body, np.uint8) == NEWLINE) for body in bodies.values()])
        starts = [0, *ends[:-1]]
        return names, {key: together[a:b] for key, a, b in zip(bodies, starts, ends, strict=True)}
    each = {key: _plain_numbers([body], len(names)) for key, body in bodies.items()}
    return names, {key: rows for key, rows in each.items() if rows is not None}


def _plain_numbers(bodies: list[memoryview], columns: int) -> NDArray | None:
    """Lines of decimal numbers as float64 (rows, columns), all finite; None where a line is anything else.

    With commas for line ends such lines are the inside of a JSON array, and reading JSON is what processors do fastest.
    """
    text = b"".join([b"[", *bodies, b"0]"])  # the last line end becomes a comma too: a number more, left out below
    marks = text.translate(None, NUMERALS)
    if marks != b"[" + (b"," * (columns - 1) + b"\n") * ((len(marks) - 2) // columns) + b"]":
        return None
    try:
        array = PARSER.parse(text.replace(b"\n", b","))
        return np.frombuffer(array.as_buffer(of_type="d"))[:-1].reshape(-1, columns)
    except ValueError:
        return None


def numbers(table: pa.Table, names: list[str], path: Path, head: int = 1) -> NDArray:
    """Columns as float64, shape (rows, columns), empty cells NaN. Raises BadInput with the line of the first text."""
    return np.stack([_column(table[name], name, path, head) for name in names], axis=1)


def _column(column: pa.ChunkedArray, name: str, path: Path, head: int) -> NDArray:
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy()
    texts = pd.Series(column.cast(pa.string()).to_pylist(), dtype=object)
    bad = texts.notna() & pd.to_numeric(texts, errors="coerce").isna()
    row = int(bad.to_numpy().argmax())
    raise BadInput("text in a number", f"{path} line {row + head + 1}: column {name!r} holds {texts[row]!r}")
