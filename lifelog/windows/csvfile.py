"""Strict reading of CSV files of numbers; errors name file, line and cause."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from lifelog.windows.layout import BadInput

MAX_MINUTE_BYTES = 2**26  # of a file of one minute: a hundred times the output of the fastest sensor
PIECE, BLOCK = 2**24, 2**22  # bytes that are searched and parsed at a time
NUMERALS, NEWLINE = b"0123456789.-+eE", ord("\n")


class Openable(Protocol):
    """A file that is not on disk by itself, such as a member of an archive."""

    def open(self) -> BinaryIO:
        """Open the file for reading bytes."""


def read_csv(path: Path | Openable, head: int = 0, max_bytes: int | None = None) -> pa.Table:
    """Read a whole file; raise BadInput if it is unreadable or larger than `max_bytes`.

    If `head` is positive, so many rows before the data are skipped, and columns have generated names.
    """
    options = pacsv.ReadOptions(use_threads=False, skip_rows=head, autogenerate_column_names=head > 0)
    # An empty row of a file without times is a sample.
    parse = pacsv.ParseOptions(ignore_empty_lines=not head)
    try:
        if max_bytes is not None and isinstance(path, Path) and (size := path.stat().st_size) > max_bytes:
            raise BadInput("file too large", f"{path}: {size} bytes; the maximum is {max_bytes}")
        data = bytes_of(path)
        check_quotes(data, path, ",")
        source = path if isinstance(path, Path) else pa.BufferReader(data)
        table = pacsv.read_csv(source, read_options=options, parse_options=parse)
        _ = table.column_names  # raises if the header is not text
        return table
    except FileNotFoundError:
        raise BadInput("no file", str(path)) from None
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise BadInput("unreadable file", f"{path}: {error}") from None


def bytes_of(path: Path | Openable) -> NDArray[np.uint8]:
    """Return the bytes of a file, which are not read yet if it is on disk."""
    if not isinstance(path, Path):
        with path.open() as file:
            return np.frombuffer(file.read(), np.uint8)
    return np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)


def check_quotes(data: NDArray[np.uint8], path: Path | Openable, separator: str) -> None:
    """Raise BadInput if a quote is inside a cell, since Arrow would read `""48` as 48.

    Parameters
    ----------
    data : ndarray of shape (bytes,)
        The bytes of the file.
    path : Path or Openable
        The file, for the message.
    separator : str
        The character between two cells.

    Raises
    ------
    BadInput
        If a quote is inside a cell, with its line, or is not closed.
    """
    before, after = (np.frombuffer((separator + ends).encode(), np.uint8) for ends in ('"\r\n \ufeff', '"\r\n'))
    opens = 0  # the number of quotes so far, modulo 2: every second quote opens a cell, or doubles the one before it
    for start in range(0, len(data), PIECE):
        quotes = start + np.flatnonzero(data[start : start + PIECE] == ord('"'))
        if not len(quotes):
            continue
        opening, closing = quotes[opens::2], quotes[1 - opens :: 2]
        opens = (opens + len(quotes)) % 2
        opening, closing = opening[opening > 0], closing[closing < len(data) - 1]
        inside = np.r_[opening[~np.isin(data[opening - 1], before)], closing[~np.isin(data[closing + 1], after)]]
        if len(inside):
            line = 1 + int((data[: inside.min()] == ord("\n")).sum())
            raise BadInput("unreadable file", f"{path} line {line}: a quote inside a cell")
    if opens:
        raise BadInput("unreadable file", f"{path}: the last quote is not closed")


def read_together(folder: Path, keys: list[int]) -> tuple[list[str], dict[int, NDArray[np.float64]]]:
    """Parse many small files with the same header at once, several times faster than one by one.

    Parameters
    ----------
    folder : Path
        Folder of the files `<key>.csv`.
    keys : list of int
        Names of the files to read.

    Returns
    -------
    names : list of str
        The columns of the header.
    rows : dict of int to ndarray of float, shape (n_rows, n_columns)
        Content by key. Files that are missing, have another header, or hold anything but plain decimal numbers are
        left out: read alone, they raise an error with the cause.
    """
    header = b""
    bodies: dict[int, memoryview] = {}
    for key in keys:
        try:
            with open(f"{folder}/{key}.csv", "rb", buffering=0) as file:  # noqa: PTH123 (a Path takes as long as the read)
                data = file.read() if os.fstat(file.fileno()).st_size <= MAX_MINUTE_BYTES else b""
        except OSError:
            continue
        header = header or data[: data.find(b"\n") + 1]
        if data.startswith(header) and len(data) > len(header):
            bodies[key] = memoryview(data if data.endswith(b"\n") else data + b"\n")[len(header) :]
    if not header or not bodies or not header.isascii() or b"\r" in header:
        return [], {}
    names = next(csv.reader([header.decode("ascii")]), [])
    plain, quoted = ",".join(names), ",".join(f'"{name}"' for name in names)
    if '"' in plain or header.rstrip(b"\n").decode() not in (plain, quoted):
        return [], {}  # a quote inside a name, or an open one
    together = _plain_numbers(list(bodies.values()), len(names))
    if together is not None:
        ends = np.cumsum([np.count_nonzero(np.frombuffer(body, np.uint8) == NEWLINE) for body in bodies.values()])
        starts = [0, *ends[:-1]]
        return names, {key: together[a:b] for key, a, b in zip(bodies, starts, ends, strict=True)}
    each = {key: _plain_numbers([body], len(names)) for key, body in bodies.items()}
    return names, {key: rows for key, rows in each.items() if rows is not None}


def _plain_numbers(bodies: list[memoryview], columns: int) -> NDArray[np.float64] | None:
    """Parse lines of decimal numbers, shape (n_rows, n_columns), all finite; None if any line is anything else."""
    text = b"".join(bodies)
    marks = text.translate(None, NUMERALS)
    if marks != (b"," * (columns - 1) + b"\n") * (len(marks) // columns):
        return None
    names = [str(column) for column in range(columns)]
    options = pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 1)
    parse = pacsv.ParseOptions(ignore_empty_lines=False)
    convert = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()))
    try:
        table = pacsv.read_csv(pa.BufferReader(text), options, parse, convert)
    except pa.ArrowException:
        return None
    values = np.stack([column.to_numpy() for column in table.columns], axis=1)
    return values if np.isfinite(values).all() else None


def number_blocks(file: Path | Openable, head: int) -> Iterator[NDArray[np.float64]]:
    """Yield the numbers of a file block by block, so that memory is that of what the caller keeps.

    Parameters
    ----------
    file : Path or Openable
        A CSV file without names of columns.
    head : int
        Rows before the data.

    Yields
    ------
    ndarray of float, shape (n_rows, n_columns)
        An empty cell, or row, is NaN.

    Raises
    ------
    BadInput
        If the file is unreadable, or a cell is text; the detail has its line.
    """
    data = bytes_of(file)
    check_quotes(data, file, ",")
    ends = np.flatnonzero(data[:PIECE] == NEWLINE)
    if len(ends) < head:
        return
    start = int(ends[head - 1]) + 1
    row = bytes(data[start : int(ends[head]) if len(ends) > head else None])
    if not row.strip():
        yield from _whole(file, head)
        return
    names = [str(column) for column in range(row.count(b",") + 1)]
    read = pacsv.ReadOptions(use_threads=False, column_names=names, block_size=BLOCK)
    parse = pacsv.ParseOptions(ignore_empty_lines=False)  # an empty row is a sample
    convert = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()))
    try:
        with pacsv.open_csv(pa.BufferReader(pa.py_buffer(data[start:])), read, parse, convert) as batches:
            for batch in batches:
                yield np.stack([column.to_numpy(zero_copy_only=False) for column in batch.columns], axis=1)
    except pa.ArrowException:  # read again for the message
        yield from _whole(file, head)


def _whole(file: Path | Openable, head: int) -> Iterator[NDArray[np.float64]]:
    table = read_csv(file, head)
    yield numbers(table, table.column_names, file, head)


def missing_column(header: list[str], names: list[str]) -> str | None:
    """Return what is wrong with a header in which one of the columns is missing or occurs twice, or None."""
    missing = [name for name in names if header.count(name) != 1]
    return f"column {missing[0]!r} must occur once; the header is {header[:30]}" if missing else None


def numbers(table: pa.Table, names: list[str], path: object, head: int = 1) -> NDArray[np.float64]:
    """Convert columns to numbers.

    Parameters
    ----------
    table : pyarrow.Table
        Content of the file.
    names : list of str
        Columns to convert.
    path : object
        The file, for messages.
    head : int, default 1
        Rows before the data, for line numbers in messages.

    Returns
    -------
    ndarray of float, shape (n_rows, n_columns)
        Empty cells are NaN.

    Raises
    ------
    BadInput
        If a cell is text; the detail has its line.
    """
    return np.stack([_column(table[name], name, path, head) for name in names], axis=1)


def _column(column: pa.ChunkedArray, name: str, path: object, head: int) -> NDArray[np.float64]:
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type):
        values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
        return values
    # A cell that is not text has bytes.
    cells = [cell.decode(errors="replace") if isinstance(cell, bytes) else cell for cell in column.to_pylist()]
    texts = pd.Series(cells, dtype=object)
    bad = texts.notna() & (texts != "") & pd.to_numeric(texts, errors="coerce").isna()
    row = int(bad.to_numpy().argmax())
    raise BadInput("text in a number", f"{path} line {row + head + 1}: column {name!r} holds {texts[row]!r}")
