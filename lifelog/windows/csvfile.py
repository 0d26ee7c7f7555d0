"""Reading a CSV of numbers strictly: what is wrong is said with file, line and cause."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import simdjson
from numpy.typing import NDArray

from lifelog.windows.layout import BadInput

MINUTE_BYTES = 2**26  # of a file that holds a minute: a hundred times what the fastest sensor writes
NUMERALS, NEWLINE = b"0123456789.-+eE", ord("\n")
PARSER = simdjson.Parser()  # one: its memory is used again


def read_csv(path: Path, head: int = 0, most: int | None = None) -> pa.Table:
    """A whole file; `head` rows before the data stand for column names. Raises BadInput where it cannot be read.

    most: bytes above which it is refused unread.
    """
    options = pacsv.ReadOptions(use_threads=False, skip_rows=head, autogenerate_column_names=head > 0)
    try:
        if most is not None and (size := path.stat().st_size) > most:
            raise BadInput("file too large", f"{path}: {size} bytes; at most {most} are read")
        table = pacsv.read_csv(path, read_options=options)
        _ = table.column_names  # a header that is no text is found out here
        return table
    except FileNotFoundError:
        raise BadInput("no file", str(path)) from None
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
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
                data = file.read() if os.fstat(file.fileno()).st_size <= MINUTE_BYTES else b""
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
    # Bytes, where a cell is no text at all.
    cells = [cell.decode(errors="replace") if isinstance(cell, bytes) else cell for cell in column.to_pylist()]
    texts = pd.Series(cells, dtype=object)
    bad = texts.notna() & pd.to_numeric(texts, errors="coerce").isna()
    row = int(bad.to_numpy().argmax())
    raise BadInput("text in a number", f"{path} line {row + head + 1}: column {name!r} holds {texts[row]!r}")
