"""Plain reference of reading and features, written from the study's description; `plain_training.py` has the training.

This module does not import torch, so that the memory of torch does not count for cases that do not need it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def read_minutes(session: Path, starts: list[int], names: list[str]) -> None:
    """Read every minute of every modality with pandas, file by file."""
    for start in starts:
        for name in names:
            pd.read_csv(session / name / f"{start}.csv").to_numpy()


def describe(windows: dict[str, NDArray[np.float32]], seconds: int, bins: int = 12) -> list[dict[str, float]]:
    """Return summary statistics and bin maxima per window, computed window by window and channel by channel."""
    rows = []
    for i in range(len(next(iter(windows.values())))):
        row: dict[str, float] = {}
        for name, values in windows.items():
            for c in range(values.shape[2]):
                x = values[i, :, c].astype(np.float64)
                row |= {f"{name}.{c}.{key}": value for key, value in _statistics(x, seconds, bins).items()}
        rows.append(row)
    return rows


def _statistics(x: NDArray[np.float64], seconds: int, bins: int) -> dict[str, Any]:
    """Return the statistics of one channel of one window, shape (length,)."""
    statistics: dict[str, Any] = {"mean": x.mean()}
    if len(x) == 1:
        return statistics
    t = np.arange(len(x)) * (seconds / len(x))
    power = np.abs(np.fft.rfft(x - x.mean())) ** 2
    statistics |= {"std": x.std(), "min": x.min(), "max": x.max(), "slope": np.polyfit(t, x, 1)[0]}
    statistics |= {"change": np.abs(np.diff(x)).mean(), "peak_hz": (1 + power[1:].argmax()) / seconds}
    return statistics | {f"bin_{b}": part.max() for b, part in enumerate(np.array_split(x, bins))}
