"""Reading tables of windows and features into arrays; without the computation of features, which imports much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.settings.windows import Modality
from lifelog.tables import read_notes
from lifelog.windows.schema import read_modalities

BATCH_ROWS = 256
MAXIMA = "bin_maxima"


def read_labels(path: str | Path) -> pd.DataFrame:
    """Read everything but the sensors of a windows table.

    Parameters
    ----------
    path : str or Path
        A file of `extract_windows`.

    Returns
    -------
    pandas.DataFrame
        One row per window: user, session, start (UTC), label_rows (a dict of lists by label column) and the raw label
        columns.
    """
    sensors = {modality.name for modality in read_modalities(path)}
    schema = pq.read_schema(path)
    table = pq.read_table(path, columns=[name for name in schema.names if name not in sensors])
    return table.to_pandas(maps_as_pydicts="strict")


def window_arrays(batch: pa.RecordBatch | pa.Table, modality: Modality) -> NDArray[np.float32]:
    """Return a modality of some windows as an array.

    Parameters
    ----------
    batch : pyarrow.RecordBatch or pyarrow.Table
        Rows of a windows table.
    modality : Modality
        The column to return.

    Returns
    -------
    ndarray of float32, shape (n_windows, length, n_channels)
        In the modality's unit; NaN throughout a window in which the modality is missing.
    """
    column = batch.column(modality.name)
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = []
    for chunk in chunks:
        size = chunk.type.list_size
        flat = chunk.values.to_numpy(zero_copy_only=False)[chunk.offset * size : (chunk.offset + len(chunk)) * size]
        values = flat.reshape(len(chunk), modality.length, modality.channels)
        missing = chunk.is_null().to_numpy(zero_copy_only=False)
        parts.append(np.where(missing[:, None, None], np.float32(np.nan), values))
    return np.concatenate(parts) if parts else np.empty((0, modality.length, modality.channels), np.float32)


def iter_windows(path: str | Path, modalities: list[Modality]) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Yield the sensors of a windows table in batches, so that memory does not grow with the file.

    Parameters
    ----------
    path : str or Path
        A file of `extract_windows`.
    modalities : list of Modality
        The columns to read.

    Yields
    ------
    dict of str to ndarray of float32, shape (n_windows, length, n_channels)
        By modality; NaN throughout where it is missing. An empty file yields one batch without windows.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        if not file.metadata.num_rows:
            yield {m.name: np.empty((0, m.length, m.channels), np.float32) for m in modalities}
        for batch in file.iter_batches(BATCH_ROWS, columns=[modality.name for modality in modalities]):
            yield {modality.name: window_arrays(batch, modality) for modality in modalities}


def read_windows(
    path: str | Path, modalities: list[Modality], rows: NDArray[np.int_] | None = None
) -> dict[str, NDArray[np.float32]]:
    """Read the sensors of a windows table.

    Parameters
    ----------
    path : str or Path
        A file of `extract_windows`.
    modalities : list of Modality
        The columns to read.
    rows : ndarray of int, shape (n_windows,), optional
        Row numbers; all rows by default.

    Returns
    -------
    dict of str to ndarray of float32, shape (n_windows, length, n_channels)
        By modality, in the modality's unit; NaN throughout a window in which the modality is missing.
    """
    if rows is None:
        rows = np.arange(pq.read_metadata(path).num_rows)
    arrays = {m.name: np.empty((len(rows), m.length, m.channels), np.float32) for m in modalities}
    start = 0
    for batch in iter_windows(path, modalities):
        count = len(next(iter(batch.values())))
        here = np.flatnonzero((rows >= start) & (rows < start + count))
        for name, values in batch.items():
            arrays[name][here] = values[rows[here] - start]
        start += count
    return arrays


def read_features(
    features_path: str | Path, rows: NDArray[np.bool_] | slice = slice(None)
) -> dict[str, NDArray[np.float64]]:
    """Read the summary features of some windows.

    Parameters
    ----------
    features_path : str or Path
        A file of `extract_features`.
    rows : ndarray of bool, shape (n_all_windows,), optional
        The windows to return; all by default.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows, n_features)
        By modality; NaN where it is missing.
    """
    columns, values = read_summaries(features_path, rows)
    of_column = np.array([column.split(".")[0] for column in columns])
    names = [Modality(**entry).name for entry in read_notes(features_path)["modalities"]]
    return {name: values[:, of_column == name] for name in names}


def read_summaries(
    features_path: str | Path, rows: NDArray[np.bool_] | slice = slice(None)
) -> tuple[list[str], NDArray[np.float64]]:
    """Read the summary features of some windows as one array.

    Parameters
    ----------
    features_path : str or Path
        A file of `extract_features`.
    rows : ndarray of bool, shape (n_all_windows,), optional
        The windows to return; all by default.

    Returns
    -------
    columns : list of str
        Names, as `modality.channel.feature`.
    values : ndarray of float, shape (n_windows, n_features)
        NaN where a modality is missing.
    """
    columns = list(filter(is_summary, pq.read_schema(features_path).names))
    table = pq.read_table(features_path, columns=columns)
    return columns, np.stack([table.column(c).to_numpy()[rows] for c in columns], axis=1).astype(np.float64)


def maxima_name(modality: str) -> str:
    """Return the column of a modality's bin maxima, bins x channels."""
    return f"{modality}.{MAXIMA}"


def is_summary(column: str) -> bool:
    """Return whether a column of the features table is one number per window and feature, not the maxima of bins."""
    return "." in column and not column.endswith(f".{MAXIMA}")
