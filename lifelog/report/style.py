"""How every figure looks: one size of type, colour-blind safe colours, the same bytes for the same data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from lifelog.tables import write_csv, written_whole

SEQUENTIAL = "cividis"  # for amounts; readable with every colour vision and in grey
SCHEMES = {"global": 0, "importance": 1, "personal": 2, "raw": 4, "random": 7}  # places in the colours


@contextmanager
def style() -> Iterator[None]:
    """Figures drawn inside look alike and are reproducible."""
    settings = {
        "svg.hashsalt": "lifelog",
        "svg.fonttype": "none",
        "figure.constrained_layout.use": True,
        "axes.titlesize": "medium",
        "font.family": "sans-serif",
    }
    np.random.seed(0)  # seaborn moves dots aside by the global generator
    with plt.rc_context(settings), sns.axes_style("whitegrid"), sns.plotting_context("notebook", font_scale=0.85):
        yield


def colours(n: int) -> list:
    """n colours that can be told apart: Okabe-Ito's as seaborn has them, a wheel beyond ten."""
    return list(sns.color_palette("colorblind", n)) if n <= 10 else list(sns.color_palette("husl", n))


MANY = 1000  # marks above which a figure holds them as a picture: each one as a shape would make the page huge


def markers(n: int) -> list[str]:
    """n markers, so that colour is not the only sign."""
    shapes = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]
    return [shapes[i % len(shapes)] for i in range(n)]


def save(figure: Figure, path: str | Path, data: pd.DataFrame) -> None:
    """Write a figure as SVG whole, what it shows beside it as CSV, and forget it."""
    write_csv(data, Path(path).with_suffix(".csv"))
    with written_whole(path) as part:
        figure.savefig(part, format="svg", dpi=80, metadata={"Date": None, "Creator": None})
    plt.close(figure)
