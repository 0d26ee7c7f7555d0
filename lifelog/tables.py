"""Files of a run: tables as parquet, written beside and renamed, so that no half-written file is ever seen."""

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


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`; it takes the place of `path` when the block ends well, else it is removed.

    Its name holds host and process: a job that outlived its killed workflow and its successor do not write into each
    other's file. What a killed process left is removed by the next one that writes the same file here.
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
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def damage(path: str | Path) -> str | None:
    """Why a file that a run made cannot be read, cut in half for instance; None if it can, or is of another kind."""
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
    """Write a text file whole."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(value: Any, path: str | Path) -> None:
    """Write JSON whole; the order of keys is kept, for the order of classes has a meaning."""
    write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", path)


def plain(value: Any) -> Any:
    """A number for JSON, which knows neither NaN nor numpy: None for what is missing, whole numbers as such."""
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a small table for people whole."""
    with written_whole(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n")


def read_csv(path: str | Path) -> pd.DataFrame:
    """A small table; users and groups stay text, also one who is called 101 or NA."""
    return pd.read_csv(path, dtype={"user": str, "group": str}, keep_default_na=False, na_values=[""])


def write_table(
    frame: pd.DataFrame | pa.Table, path: str | Path, schema: pa.Schema, notes: dict[str, Any] | None = None
) -> None:
    """Write a table in its schema; `notes` go into the file's metadata as JSON under the key `lifelog`."""
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, schema, preserve_index=False)
    table = table.cast(schema).replace_schema_metadata({"lifelog": json.dumps(notes or {}, sort_keys=True)})
    with written_whole(path) as part:
        pq.write_table(table, part, compression="zstd")


def read_tables(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The parquet tables of several users as one."""
    return pa.concat_tables([pq.read_table(path) for path in paths]).to_pandas()


def read_notes(path: str | Path) -> dict[str, Any]:
    """The notes that were written into a table's metadata."""
    return json.loads((pq.read_schema(path).metadata or {}).get(b"lifelog", b"{}"))
