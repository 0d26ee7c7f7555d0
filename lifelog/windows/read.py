"""Reading tables of windows and features into arrays; without the computation of features, which imports much."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.arrays import Bools, Codes, Floats
from lifelog.settings.windows import Modality
from lifelog.tables import TEXT, TIME, read_notes, write_table
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


def _window_array(batch: pa.RecordBatch, modality: Modality) -> Floats:
    """Return a modality of some windows, shape (n_windows, length, n_channels); NaN where it is missing."""
    column = batch.column(modality.name)
    start, stop = column.offset * modality.size, (column.offset + len(column)) * modality.size
    flat = column.values.to_numpy(zero_copy_only=False)[start:stop]
    values = flat.reshape(len(column), modality.length, modality.channels)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return np.where(missing[:, None, None], np.float32(np.nan), values)


def iter_windows(path: str | Path, modalities: list[Modality]) -> Iterator[dict[str, Floats]]:
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
            yield {modality.name: _window_array(batch, modality) for modality in modalities}


def read_windows(path: str | Path, modalities: list[Modality], rows: Codes | None = None) -> dict[str, Floats]:
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


@dataclass(frozen=True)
class Features:
    """The features of a participant's windows.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per window: user, start.
    names : list of str
        Columns of `summary`, as `modality.channel.feature`.
    summary : ndarray of float32, shape (n_windows, n_features)
        Features that are one number per window; NaN where a modality is missing.
    maxima : dict of str to ndarray of float32, shape (n_windows, bins, n_channels)
        Maxima of equal bins of time by modality; empty if they were not read.
    modalities : list of Modality
        The modalities.
    """

    rows: pd.DataFrame
    names: list[str]
    summary: Floats
    maxima: dict[str, Floats]
    modalities: list[Modality]

    def by_modality(self, rows: Bools | slice = slice(None)) -> dict[str, Floats]:
        """Return the summary features of some windows in double precision, by modality."""
        values, of_column = self.summary[rows].astype(np.float64), np.array([x.split(".")[0] for x in self.names])
        return {m.name: values[:, of_column == m.name] for m in self.modalities}


def read_features(path: str | Path, maxima: bool = False) -> Features:
    """Read the features of a participant.

    Parameters
    ----------
    path : str or Path
        A file of `write_features`.
    maxima : bool, default False
        Whether to read the maxima of bins too.

    Returns
    -------
    Features
        In the order of the windows.
    """
    notes = read_notes(path)
    modalities = [Modality(**entry) for entry in notes["modalities"]]
    names = [name for name in pq.read_schema(path).names if is_summary(name)]
    bins = {m.name: f"{m.name}.{MAXIMA}" for m in modalities} if maxima else {}
    table = pq.read_table(path, columns=["user", "start", *names, *bins.values()])
    arrays = {}
    for modality in modalities if maxima else ():
        flat = table.column(bins[modality.name]).combine_chunks().flatten().to_numpy()
        arrays[modality.name] = flat.reshape(len(table), notes["bins"], modality.channels)
    summary = np.stack([table.column(name).to_numpy() for name in names], axis=1)
    return Features(table.select(["user", "start"]).to_pandas(), names, summary, arrays, modalities)


def write_features(features: Features, path: str | Path) -> None:
    """Write the features of a participant, in the order of the windows.

    Parameters
    ----------
    features : Features
        Of `extract_features`.
    path : str or Path
        Parquet file to write.
    """
    table = pa.Table.from_pandas(features.rows, pa.schema(dict(user=TEXT, start=TIME)), preserve_index=False)
    summary = dict(zip(features.names, features.summary.T, strict=True))
    for modality in features.modalities:
        for name in (name for name in features.names if name.split(".")[0] == modality.name):
            table = table.append_column(name, pa.array(summary[name]))
        maxima = features.maxima[modality.name]
        column = pa.FixedSizeListArray.from_arrays(maxima.ravel(), maxima.shape[1] * maxima.shape[2])
        table = table.append_column(f"{modality.name}.{MAXIMA}", column)
    bins = next(iter(features.maxima.values())).shape[1]
    notes = {"bins": bins, "modalities": [m.model_dump() for m in features.modalities]}
    write_table(table, path, table.schema, notes)


def is_summary(column: str) -> bool:
    """Return whether a column of the features table is one number per window and feature, not the maxima of bins."""
    return "." in column and not column.endswith(f".{MAXIMA}")
