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
