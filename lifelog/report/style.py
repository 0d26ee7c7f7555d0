"""The style of all figures: one font size, colour-blind safe colours, the same bytes for the same data."""

import base64
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from lifelog.files import write_atomically
from lifelog.registry import Registry
from lifelog.tables import write_csv

T = TypeVar("T")
Drawing = tuple[Figure, pd.DataFrame]  # a figure, and the table that it shows

STYLE = str(Path(__file__).with_name("figures.mplstyle"))
SEQUENTIAL = "cividis"  # for amounts; readable with every colour vision and in grey
# In the order of the palette.
SCHEMES = ["global", "importance", "personal", "attention", "raw", "class-shares", "pooled", "random", "tuned", "blend"]
# The palette "colorblind" of seaborn, whose import takes a second.
PALETTE = ["#0173B2", "#DE8F05", "#029E73", "#D55E00", "#CC78BC", "#CA9161", "#FBAFE4", "#949494", "#ECE133", "#56B4E9"]
MAX_VECTOR_MARKS = 1000  # above, marks are rasterised: as shapes they would dominate the size of the page


@contextmanager
def style() -> Iterator[None]:
    """Draw the figures of a block in the common style, reproducibly."""
    np.random.seed(0)  # noqa: NPY002 - seaborn jitters points with the global generator
    with plt.style.context(STYLE):
        yield


def colours(n: int) -> list[Any]:
    """Return n distinguishable colours: the colour-blind palette, or a colour wheel beyond ten."""
    if n <= len(PALETTE):
        return [to_rgb(colour) for colour in PALETTE[:n]]
    import seaborn as sns

    return list(sns.color_palette("husl", n))


def scheme_colour(scheme: str) -> Any:
    """Return the colour of a kind of scheme."""
    return colours(len(SCHEMES))[SCHEMES.index(scheme)]


def markers(n: int) -> list[str]:
    """Return n markers, so that colour is not the only distinction."""
    shapes = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]
    return [shapes[i % len(shapes)] for i in range(n)]


def margins(rows: pd.DataFrame, centre: str = "mean", low: str = "low", high: str = "high") -> Any:
    """Return the lengths of the error bars of intervals, shape (2, n_rows)."""
    return np.abs([rows[centre] - rows[low], rows[high] - rows[centre]])


def save(drawing: Drawing, path: str | Path) -> None:
    """Write a figure as SVG and its data as CSV, and close it."""
    figure, data = drawing
    write_csv(data, Path(path).with_suffix(".csv"))
    with style(), write_atomically(path) as part:
        figure.savefig(part, format="svg", dpi=80, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def data_uri(drawing: Drawing) -> str:
    """Return a figure as the source of an image, and close it."""
    buffer = io.BytesIO()
    with style():
        drawing[0].savefig(buffer, format="svg", dpi=80, metadata={"Date": None, "Creator": None})
    plt.close(drawing[0])
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def long(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a table of users by modalities as rows of user, modality and value."""
    melted = table.rename_axis(index="user", columns=None).reset_index()
    return melted.melt(id_vars="user", var_name="modality", value_name=value)


def rows_height(users: int) -> float:
    """Return the height in inches of a figure with one row per user."""
    return 1.4 + 0.28 * users


def draw(figures: Registry[Callable[[T], Drawing]], tables: T, paths: Iterable[str]) -> None:
    """Draw the figure that each path names from the tables of its page."""
    for path in paths:
        save(figures[Path(path).stem](tables), path)
