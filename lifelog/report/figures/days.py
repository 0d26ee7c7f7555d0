"""The figure of one user over days: labels, and the features that differ most between classes, by local time."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from lifelog.report.style import MAX_VECTOR_MARKS, Drawing, colours, markers, style
from lifelog.settings.levels import as_number
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features

MOST_FEATURES = 4  # one per modality
LABEL = "label"


def days_table(folds: Folds, features: Features, directions: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Return the data of the figure.

    Parameters
    ----------
    folds : Folds
        Windows of the user.
    features : Features
        Their features.
    directions : pandas.DataFrame
        Table of `estimate_directions` of the user.
    zone : str
        Time zone of the user.

    Returns
    -------
    pandas.DataFrame
        panel, time (local, without an offset), series (class) and value. Panel `label`: value is the class or the
        rating. The other panels are features, as `modality.feature`, of the modalities in which classes differ most,
        otherwise of the first ones.
    """
    used = folds.described.label.notna().to_numpy()
    rows = folds.described[used]
    time = rows.start.dt.tz_convert(zone).dt.tz_localize(None)
    keys = {"time": time.to_numpy(), "series": rows.label.to_numpy()}
    shown = rows.level.map(as_number) if folds.rating else rows.label
    tables = [pd.DataFrame(keys | {"panel": LABEL, "value": shown})]
    columns, values = features.names, features.summary[used].astype(float)
    first: dict[str, str] = {}  # feature by modality
    for name in [*(directions.modality + "." + directions.feature), *columns]:
        first.setdefault(name.split(".")[0], name)
    tables += [
        pd.DataFrame(keys | {"panel": name, "value": values[:, columns.index(name)]})
        for name in list(first.values())[:MOST_FEATURES]
    ]
    table = pd.concat([own.sort_values("time", kind="stable") for own in tables], ignore_index=True)
    return table[["panel", "time", "series", "value"]].dropna()


def plot_days(user: str, rows: pd.DataFrame, classes: list[str]) -> Drawing:
    """Plot the data of `days_table`: one row per panel, marks are windows, lines join the medians of days."""
    panels = list(dict.fromkeys(rows.panel)) or [LABEL]
    height = 1.2 + 1.1 * len(panels)
    with style():
        # Constrained layout takes longer than the drawing.
        shape: dict[str, Any] = dict(squeeze=False, sharex=True, figsize=(9, height), layout="none")
        figure, axes = plt.subplots(len(panels), 1, **shape)
        figure.subplots_adjust(left=0.09, right=0.98, top=1 - 0.6 / height, bottom=0.6 / height, hspace=0.35)
        for ax, panel in zip(axes[:, 0], panels, strict=True):
            _plot_panel(ax, rows[rows.panel == panel], panel, classes)
        locator: Any = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes[-1, 0].xaxis.set_major_locator(locator)
        axes[-1, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes[-1, 0].set_xlabel("local time")
        axes[0, 0].legend(fontsize="x-small", ncols=len(classes), loc="lower right", bbox_to_anchor=(1, 1))
        figure.suptitle(f"user {user}", fontsize="medium")
        return figure, rows


def _plot_panel(ax: Axes, rows: pd.DataFrame, panel: str, classes: list[str]) -> None:
    places = {name: place for place, name in enumerate(classes)}
    is_number = rows.value.map(as_number).notna().all()
    heights = rows.value.map(as_number if is_number else places).astype(float)
    for name, colour, marker in zip(classes, colours(len(classes)), markers(len(classes)), strict=True):
        own = (rows.series == name).to_numpy()
        look = {"color": colour, "ms": 3.5, "alpha": 0.7, "rasterized": len(rows) > MAX_VECTOR_MARKS}
        ax.plot(rows.time[own], heights[own], marker, label=name, **look)
    days = rows.time.dt.normalize()
    if is_number and days.nunique() > 1:
        ax.plot(rows.time.groupby(days).median(), heights.groupby(days).median(), color="0.35", lw=1)
    if not is_number:
        ax.set_yticks(range(len(classes)), classes)
        ax.set(ylim=(-0.5, len(classes) - 0.5))
    ax.set_title(panel.replace(".", " ", 1), fontsize="x-small", loc="left", pad=3)
    ax.tick_params(labelsize="x-small")
