"""The figure of one user: labels and usable signals over time, training, and importance under every seed."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lifelog.importance.measures import MEASURES
from lifelog.report.style import MAX_VECTOR_MARKS, Drawing, colours, markers, style
from lifelog.settings.levels import as_number
from lifelog.settings.splits import SUBSETS
from lifelog.splits.folds import Folds

UNUSED = "not used"
USED = "used"


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


def _plot_labels(ax: Axes, rows: pd.DataFrame, classes: list[str]) -> None:
    is_rating = len(rows) > 0 and rows.value.map(as_number).notna().all()
    places = {name: place for place, name in enumerate(classes)}
    heights = rows.value.map(as_number) if is_rating else rows.value.map(places)
    names = sorted(set(rows.series) - {UNUSED}, key=lambda name: (SUBSETS.index(name) if name in SUBSETS else 9, name))
    looks = zip([*names, UNUSED], [*colours(len(names)), "0.75"], markers(len(names) + 1), strict=True)
    for name, colour, marker in looks:
        own = rows[rows.series == name]
        if len(own):
            look = {"color": colour, "ms": 4, "rasterized": len(rows) > MAX_VECTOR_MARKS}
            ax.plot(own.x, heights[own.index], marker, label=name, **look)
    first = rows.groupby("mark", sort=False).x.min()
    for x in first.iloc[1:]:
        ax.axvline(x - 0.5, color="0.6", lw=0.8)
    if is_rating:
        ax.set(ylabel="rating")
    else:
        ax.set_yticks(range(len(classes)), classes)
        ax.set(ylim=(-0.5, len(classes) - 0.5))
    ax.legend(fontsize="x-small", ncols=len(names) + 1, loc="lower right", bbox_to_anchor=(1, 1))


def _plot_signals(ax: Axes, rows: pd.DataFrame) -> None:
    names = list(dict.fromkeys(rows.value))
    places = {name: place for place, name in enumerate(names)}
    reasons = sorted(set(rows.series) - {USED})
    looks = zip([USED, *reasons], ["0.85", *colours(len(reasons))], strict=True)
    for reason, colour in looks:
        own = rows[rows.series == reason]
        look = {"color": colour, "ms": 5, "mew": 1.5, "rasterized": len(rows) > MAX_VECTOR_MARKS}
        ax.plot(own.x, own.value.map(places), "|", label=reason, **look)
    ax.set_yticks(range(len(names)), names, fontsize="x-small")
    ax.set(xlabel="labelled window (lines separate sessions)", ylim=(len(names) - 0.5, -0.5))
    ax.legend(fontsize="x-small", ncols=max(1, len(reasons) + 1), loc="lower right", bbox_to_anchor=(1, 1))


def _plot_training(ax: Axes, rows: pd.DataFrame) -> None:
    seeds = rows.series.astype(str).str.split("/").str[0]
    for (seed, own), colour in zip(rows.groupby(seeds), colours(seeds.nunique()), strict=True):
        for number, (_, line) in enumerate(own.groupby("series")):
            ax.plot(line.x, line.value, color=colour, lw=0.8, label=None if number else f"seed {seed}")
        best = own[own["mark"] == True]  # noqa: E712 (the column holds text too)
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
        own = rows[rows.series == seed].set_index("x").value.reindex(names)
        ax.plot(range(len(names)), own, marker, color=colour, ms=4)
    ax.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize="x-small")


def _empty(ax: Axes) -> None:
    ax.text(0.5, 0.5, "no network", ha="center", va="center", transform=ax.transAxes, color="0.4")
