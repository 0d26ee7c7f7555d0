"""Files of a run. Files are written under a temporary name and renamed, so that no incomplete file is ever visible."""

from __future__ import annotations

import glob
import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors

TEXT, TIME = pa.string(), pa.timestamp("s", tz="UTC")  # types of columns

# Importance: one row per fold, window, seed, measure and modality. fold: 0 describes the user; the others form the
# groups of the models that are tested in them. block: windows of a block are not independent. value: null if the
# modality is missing.
KEYS = dict(user=TEXT, start=TIME, fold=pa.int16(), subset=TEXT, block=pa.int32(), seed=pa.int32())
IMPORTANCE = pa.schema(KEYS | dict(measure=TEXT, modality=TEXT, value=pa.float32()))


@contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` when the block succeeds, and is removed otherwise.

    Its name holds host and process, so that a job that survives its killed workflow does not write into the file of its
    successor. Files of killed processes are removed by the next process that writes the same path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = f".{path.name}.{socket.gethostname()}-"
    for left in path.parent.glob(f"{glob.escape(beside)}*.part"):
        process = left.name.removeprefix(beside).removesuffix(".part")
        if process.isdigit() and not _alive(int(process)):
            left.unlink(missing_ok=True)
    part = path.with_name(f"{beside}{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    """Return whether a process exists on this host."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a process of another user
        pass
    return True


def damage(path: str | Path) -> str | None:
    """Return why an output of the workflow is unreadable; None if it is readable or of another type."""
    try:
        if str(path).endswith(".parquet"):
            pq.read_table(path)
        elif str(path).endswith(".json"):
            read_json(path)
        elif str(path).endswith(".safetensors"):
            with safetensors.safe_open(path, framework="numpy"):
                pass
    except (OSError, ValueError, pa.ArrowException, safetensors.SafetensorError) as error:
        return str(error)
    return None


def write_text(text: str, path: str | Path) -> None:
    """Write a text file."""
    with write_atomically(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(value: Any, path: str | Path) -> None:
    """Write JSON; the order of keys is kept, since the order of classes matters."""
    write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", path)


def plain(value: Any) -> Any:
    """Convert a number for JSON, which has neither NaN nor numpy types; missing values become None."""
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


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
