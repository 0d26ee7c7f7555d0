"""Text files of a run. Files are written under a temporary name and renamed, so that no incomplete file is visible."""

import glob
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def write_text(text: str, path: str | Path) -> None:
    """Write a text file."""
    with write_atomically(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(value: Any, path: str | Path) -> None:
    """Write JSON; the order of keys is kept, since the order of classes matters."""
    write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
