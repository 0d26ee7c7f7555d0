"""The figures of one user.

The first figure shows labels and usable signals over time, training, and importance under every seed. The second one
shows labels, and the features that differ most between classes, by local time.
"""

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from lifelog.importance.measures import MEASURES
from lifelog.report.style import MAX_VECTOR_MARKS, Drawing, colours, markers, style
from lifelog.settings.levels import as_number
from lifelog.settings.splits import SUBSETS
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features
from lifelog.windows.times import local_times

UNUSED = "not used"
USED = "used"
MOST_FEATURES = 4  # one per modality
LABEL = "label"  # panel


def user_table(folds: Folds, history: pd.DataFrame, importance: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Return the data of a user's figure in rows of panel, series, x, value and mark.

    Panel `label`: series is the subset, or the fold that tests the window, x the number of the labelled window, value
    the class or the rating, mark the session. Panel `signal`: series is the reason why the modality is missing in
    the window, or `used`, x the number of the labelled window, value the modality. Panel `training`: series is the seed
    and the fold, x the epoch, value the validation score, mark True at the kept epoch. One panel per importance
    measure: series is the seed, x the modality, value the mean over the windows that describe the user.
    """
    ordered = _with_series(folds).sort_values("start")
    used = ordered.label.isin(folds.classes).to_numpy()
    windows = np.arange(1, len(ordered) + 1)[used]
    labels = dict(series=ordered.series.to_numpy()[used], x=windows, mark=ordered.session[used])
    values = ordered.level[used].map(as_number) if folds.rating else ordered.label[used]
    signals = quality[quality.kind == "modality"]
    number = signals.start.map(dict(zip(ordered.start, range(1, len(ordered) + 1), strict=True)))
    shown = dict(series=signals.reason.fillna(USED), x=number, value=signals.modality, panel="signal", mark="")
    runs = history.seed.astype(str) + "/" + history.fold.astype(str)
    training = dict(series=runs, x=history.epoch, value=history.validation_score, mark=history.best)
    tables = [
        pd.DataFrame(labels | dict(panel="label", value=values)),
        pd.DataFrame(shown).dropna(subset=["x"]).astype({"x": int}),
        pd.DataFrame(training | dict(panel="training")),
    ]
    for name in MEASURES:
        rows = importance[importance.measure == name]
        means = rows.groupby(["seed", "modality"], sort=False).importance.mean().reset_index()
        renamed = means.rename(columns={"seed": "series", "modality": "x", "importance": "value"})
        tables.append(renamed.assign(panel=name, mark=""))
    table = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    return table[["panel", "series", "x", "value", "mark"]]


def _with_series(folds: Folds) -> pd.DataFrame:
    """Return the windows with a series: the subset, or in a split with several folds the one that tests the window."""
    windows = folds.described
    if len(folds.numbered) < 2:
        return windows.assign(series=folds.fold(1).subset.fillna(UNUSED))
    series = pd.Series(UNUSED, windows.index, dtype=object)
    for fold in folds.tested:
        series[folds.fold(fold).subset == "test"] = f"fold {fold}"
    return windows.assign(series=series)


def plot_user(user: str, rows: pd.DataFrame, classes: list[str]) -> Drawing:
    """Plot the data of `user_table`; empty panels are labelled."""
    with style():
        figure = plt.figure(figsize=(9, 7), layout="none")  # constrained layout takes longer than the drawing
        place = dict(left=0.09, right=0.98, top=0.93, bottom=0.13, hspace=0.6, wspace=0.35)
        grid = figure.add_gridspec(3, 1 + len(MEASURES), **place)
        label = figure.add_subplot(grid[0, :])
        signal = figure.add_subplot(grid[1, :], sharex=label)
        below = [figure.add_subplot(grid[2, i]) for i in range(1 + len(MEASURES))]
        _plot_labels(label, rows[rows.panel == "label"], classes)
        _plot_signals(signal, rows[rows.panel == "signal"])
        _plot_training(below[0], rows[rows.panel == "training"])
        for ax, (name, measure) in zip(below[1:], MEASURES.items(), strict=True):
            _plot_importance(ax, rows[rows.panel == name], measure.label)
        figure.suptitle(f"user {user}", fontsize="medium")
        return figure, rows


def _plot_marks(
    ax: Axes, rows: pd.DataFrame, x: str, looks: Iterable[tuple[Any, ...]], classes: list[str] | None, **look: Any
) -> None:
    """Plot the values of each (series, colour, marker): classes, which become the ticks of the axis, or numbers."""
    places = None if classes is None else {name: place for place, name in enumerate(classes)}
    heights = rows.value.map(as_number if places is None else places).astype(float)
    look["rasterized"] = len(rows) > MAX_VECTOR_MARKS
    for name, colour, marker in looks:
        of_series = (rows.series == name).to_numpy()
        ax.plot(rows[x][of_series], heights[of_series], marker, color=colour, label=name, **look)
    if classes is not None:
        ax.set_yticks(range(len(classes)), classes)
        ax.set(ylim=(-0.5, len(classes) - 0.5))


def _legend_above(ax: Axes, columns: int) -> None:
    ax.legend(fontsize="x-small", ncols=columns, loc="lower right", bbox_to_anchor=(1, 1))


def _plot_labels(ax: Axes, rows: pd.DataFrame, classes: list[str]) -> None:
    is_rating = len(rows) > 0 and rows.value.map(as_number).notna().all()
    present = set(rows.series)
    names = sorted(present - {UNUSED}, key=lambda name: (SUBSETS.index(name) if name in SUBSETS else 9, name))
    looks = zip([*names, UNUSED], [*colours(len(names)), "0.75"], markers(len(names) + 1), strict=True)
    shown = [look for look in looks if look[0] in present]
    _plot_marks(ax, rows, "x", shown, None if is_rating else classes, ms=4)
    first = rows.groupby("mark", sort=False).x.min()
    for x in first.iloc[1:]:
        ax.axvline(x - 0.5, color="0.6", lw=0.8)
    if is_rating:
        ax.set(ylabel="rating")
    _legend_above(ax, len(names) + 1)


def _plot_signals(ax: Axes, rows: pd.DataFrame) -> None:
    names, reasons = list(rows.value.unique()), sorted(set(rows.series) - {USED})
    looks = zip([USED, *reasons], ["0.85", *colours(len(reasons))], repeat("|"), strict=False)
    _plot_marks(ax, rows, "x", looks, names, ms=5, mew=1.5)
    ax.set_yticks(range(len(names)), names, fontsize="x-small")
    ax.set(xlabel="labelled window (lines separate sessions)", ylim=(len(names) - 0.5, -0.5))
    _legend_above(ax, len(reasons) + 1)


def _plot_training(ax: Axes, rows: pd.DataFrame) -> None:
    seeds = rows.series.astype(str).str.split("/").str[0]
    for (seed, of_seed), colour in zip(rows.groupby(seeds), colours(seeds.nunique()), strict=True):
        for number, (_, line) in enumerate(of_seed.groupby("series")):
            ax.plot(line.x, line.value, color=colour, lw=0.8, label=None if number else f"seed {seed}")
        best = of_seed[of_seed["mark"] == True]  # noqa: E712 (the column holds text too)
        ax.plot(best.x, best.value, "o", color=colour, ms=4)
    ax.set(xlabel="epoch (dot: selected)", ylim=(0, 1.05))
    ax.set_title("validation score", fontsize="small")  # a label of the axis would cover the panel beside it
    if len(rows):
        ax.legend(fontsize="x-small")
    else:
        _empty(ax)


def _plot_importance(ax: Axes, rows: pd.DataFrame, label: str) -> None:
    ax.set_title(label, fontsize="small")
    if rows.empty:
        _empty(ax)
        return
    names = list(dict.fromkeys(rows.x))
    means = rows.groupby("x").value.mean().reindex(names)
    ax.bar(range(len(names)), means, color="0.8")
    seeds = sorted(set(rows.series))
    for seed, colour, marker in zip(seeds, colours(len(seeds)), markers(len(seeds)), strict=True):
        of_seed = rows[rows.series == seed].set_index("x").value.reindex(names)
        ax.plot(range(len(names)), of_seed, marker, color=colour, ms=4)
    ax.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize="x-small")


def _empty(ax: Axes) -> None:
    ax.text(0.5, 0.5, "no network", ha="center", va="center", transform=ax.transAxes, color="0.4")


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
    time = local_times(rows.start, zone)
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
    table = pd.concat([panel.sort_values("time", kind="stable") for panel in tables], ignore_index=True)
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
        _legend_above(axes[0, 0], len(classes))
        figure.suptitle(f"user {user}", fontsize="medium")
        return figure, rows


def _plot_panel(ax: Axes, rows: pd.DataFrame, panel: str, classes: list[str]) -> None:
    numbers, days = rows.value.map(as_number), rows.time.dt.normalize()
    is_number = numbers.notna().all()
    looks = zip(classes, colours(len(classes)), markers(len(classes)), strict=True)
    _plot_marks(ax, rows, "time", looks, None if is_number else classes, ms=3.5, alpha=0.7)
    if is_number and days.nunique() > 1:
        medians = numbers.astype(float).groupby(days).median()
        ax.plot(rows.time.groupby(days).median(), medians, color="0.35", lw=1)
    ax.set_title(panel.replace(".", " ", 1), fontsize="x-small", loc="left", pad=3)
    ax.tick_params(labelsize="x-small")
