"""Drawing the figures of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from lifelog.registry import Registry

T = TypeVar("T")


def draw(figures: Registry[Callable[[T, str | Path], None]], tables: T, paths: Iterable[str]) -> None:
    """Draw the figure that each path names from the tables of its page."""
    for path in paths:
        figures[Path(path).stem](tables, path)
