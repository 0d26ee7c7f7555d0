"""Reading window tables into arrays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Modality
from lifelog.windows.extract import read_modalities

ROWS_AT_ONCE = 256


def read_labels(path: str | Path) -> pd.DataFrame:
    """Everything but the sensors: user, session, start and the raw label columns, one row a window."""
    sensors = {modality.name for modality in read_modalities(path)}
    schema = pq.read_schema(path)
    return pq.read_table(path, columns=[name for name in schema.names if name not in sensors]).to_pandas()


def window_arrays(batch: pa.RecordBatch | pa.Table, modality: Modality) -> NDArray:
    """A modality of some windows, shape (windows, length, channels) float32, NaN throughout where it is missing."""
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


def iter_windows(path: str | Path, modalities: list[Modality]) -> Iterator[dict[str, NDArray]]:
    """The sensors of a file, some windows at a time, by modality: memory does not grow with the file.

    A file without windows gives one batch without windows, so that shapes and columns are known.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        if not file.metadata.num_rows:
            yield {m.name: np.empty((0, m.length, m.channels), np.float32) for m in modalities}
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=[modality.name for modality in modalities]):
            yield {modality.name: window_arrays(batch, modality) for modality in modalities}


def read_windows(path: str | Path, modalities: list[Modality], rows: NDArray | None = None) -> dict[str, NDArray]:
    """The sensors of the given rows of a file (all of them without `rows`), by modality; nothing is held twice."""
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
