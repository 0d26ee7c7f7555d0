"""Tables of a run, as Parquet or CSV files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.files import write_atomically

TEXT, TIME = pa.string(), pa.timestamp("s", tz="UTC")  # types of columns


class Noted(NamedTuple):
    """A table, and notes about it: as rows of a Parquet file and its metadata."""

    table: pd.DataFrame
    notes: dict[str, Any]


def plain(value: Any) -> Any:
    """Convert a number for JSON, which has neither NaN nor numpy types; missing values become None."""
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a small table as CSV."""
    with write_atomically(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n")


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a small table; users and groups stay text, even 101 or NA."""
    return pd.read_csv(path, dtype={"user": str, "group": str}, keep_default_na=False, na_values=[""])


def write_table(
    frame: pd.DataFrame | pa.Table, path: str | Path, schema: pa.Schema, notes: dict[str, Any] | None = None
) -> None:
    """Write a parquet table in a schema; `notes` are stored as JSON in the metadata key `lifelog`."""
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, schema, preserve_index=False)
    table = table.cast(schema).replace_schema_metadata({"lifelog": json.dumps(notes or {}, sort_keys=True)})
    with write_atomically(path) as part:
        pq.write_table(table, part, compression="zstd")


def read_tables(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the parquet tables of several users as one."""
    return pa.concat_tables([pq.read_table(path) for path in paths]).to_pandas()


def read_notes(path: str | Path) -> dict[str, Any]:
    """Read the notes in the metadata of a parquet table."""
    return json.loads((pq.read_schema(path).metadata or {}).get(b"lifelog", b"{}"))
