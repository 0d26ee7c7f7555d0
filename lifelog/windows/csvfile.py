"""Reading a CSV of numbers strictly: what is wrong is said with file, line and cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from lifelog.windows.layout import BadInput


def read_csv(path: Path, head: int = 0) -> pa.Table:
    """A whole file; `head` rows before the data stand for column names. Raises BadInput where it cannot be read."""
    options = pacsv.ReadOptions(use_threads=False, skip_rows=head, autogenerate_column_names=head > 0)
    try:
        return pacsv.read_csv(path, read_options=options)
    except FileNotFoundError:
        raise BadInput("no file", str(path)) from None
    except (OSError, pa.ArrowException) as error:
        raise BadInput("unreadable file", f"{path}: {error}") from None


def read_alike(paths: dict[int, Path]) -> tuple[list[str], dict[int, NDArray]]:
    """Files of numbers under one header, parsed as one: their columns, and by key the rows, (rows, columns) float64.

    A file that is missing, has another header or anything but plain lines is left out, and so are all if there is text
    among the numbers: whoever asks reads those one by one, and learns what is wrong with them. Parsing hundreds of
    small files one by one takes several times as long.
    """
    header, bodies, counts = None, [], {}
    for key, path in paths.items():
        try:
            head, _, body = path.read_bytes().partition(b"\n")
        except OSError:
            continue
        header = header or head
        if head != header or not body or body[0] == 10 or b"\n\n" in body or b'"' in body or b"\r" in body:
            continue
        bodies.append(body if body.endswith(b"\n") else body + b"\n")
        counts[key] = bodies[-1].count(b"\n")
    if header is None or not counts:
        return [], {}
    names = [name.strip('"') for name in header.decode("utf-8", "replace").split(",")]
    source = pa.py_buffer(b"".join([header, b"\n", *bodies]))
    try:
        table = pacsv.read_csv(
            pa.BufferReader(source),
            read_options=pacsv.ReadOptions(use_threads=False),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64())),
        )
    except pa.ArrowException:
        return [], {}
    if table.num_rows != sum(counts.values()) or len(set(names)) != len(names) or table.column_names != names:
        return [], {}
    rows = np.column_stack([column.to_numpy() for column in table.columns])
    ends = np.cumsum(list(counts.values()))[:-1]
    return names, dict(zip(counts, np.split(rows, ends), strict=True))


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
