"""The figure of one person: labels in time, training, and importance under every seed."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lifelog.groups.vectors import METHODS
from lifelog.report.style import MANY, colours, markers, save, style

PARTS = ("train", "validation", "test", "not used")
IMPORTANCE_LABELS = {"attention": "attention (share)", "ablation": "ablation (nats)"}


def person_tables(
    split: pd.DataFrame, classes: list[str], history: pd.DataFrame, importance: pd.DataFrame, parts: list[str]
) -> pd.DataFrame:
    """What is drawn of a person, in rows of panel, series, x and value.

    label: series the part, x the number of the labelled window in time, value the class; training: series the seed, x
    the epoch, value the validation score; attention and ablation: series the seed, x the modality, value the mean over
    the windows of `parts`. `mark` is the session, or True at the kept epoch.
    """
    ordered = split.sort_values("start")
    used = ordered.label.isin(classes).to_numpy()
    tables = [
        pd.DataFrame(
            {
                "panel": "label",
                "series": ordered.part.fillna("not used").to_numpy()[used],
                "x": np.arange(1, len(ordered) + 1)[used],
                "value": ordered.label.to_numpy()[used],
                "mark": ordered.session.to_numpy()[used],
            }
        ),
        pd.DataFrame(
            {
                "panel": "training",
                "series": history.seed,
                "x": history.epoch,
                "value": history.validation_score,
                "mark": history.best,
            }
        ),
    ]
    rows = importance[importance.part.isin(parts)]
    for method in METHODS:
        means = rows[rows.method == method].groupby(["seed", "modality"], sort=False).value.mean().reset_index()
        renamed = means.rename(columns={"seed": "series", "modality": "x"})
        tables.append(renamed.assign(panel=method, mark="")[["panel", "series", "x", "value", "mark"]])
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def plot_person(user: str, rows: pd.DataFrame, classes: list[str], path: str | Path) -> None:
    """Draw `person_tables`; panels of which nothing is known say so."""
    with style():
        figure = plt.figure(figsize=(9, 4.8), layout="none")  # a layout that is worked out takes longer than to draw
        grid = figure.add_gridspec(2, 3, left=0.09, right=0.98, top=0.9, bottom=0.19, hspace=0.55, wspace=0.35)
        label = figure.add_subplot(grid[0, :])
        below = [figure.add_subplot(grid[1, i]) for i in range(3)]
        _labels(label, rows[rows.panel == "label"], classes)
        _training(below[0], rows[rows.panel == "training"])
        for ax, method in zip(below[1:], METHODS, strict=True):
            _importance(ax, rows[rows.panel == method], IMPORTANCE_LABELS[method])
        figure.suptitle(f"user {user}", fontsize="medium")
        save(figure, path, rows)


def _labels(ax: Axes, rows: pd.DataFrame, classes: list[str]) -> None:
    places = {name: place for place, name in enumerate(classes)}
    for part, colour, marker in zip(PARTS, [*colours(3), "0.75"], markers(4), strict=True):
        own = rows[rows.series == part]
        if len(own):
            ax.plot(own.x, own.value.map(places), marker, color=colour, ms=4, label=part, rasterized=len(rows) > MANY)
    first = rows.groupby("mark", sort=False).x.min()
    for x in first.iloc[1:]:
        ax.axvline(x - 0.5, color="0.6", lw=0.8)
    ax.set_yticks(range(len(classes)), classes)
    ax.set(xlabel="labelled window, in time (lines: between sessions)", ylim=(-0.5, len(classes) - 0.5))
    ax.legend(fontsize="x-small", ncols=4, loc="lower right", bbox_to_anchor=(1, 1))


def _training(ax: Axes, rows: pd.DataFrame) -> None:
    for (seed, line), colour in zip(rows.groupby("series"), colours(rows.series.nunique()), strict=True):
        ax.plot(line.x, line.value, color=colour, lw=1.2, label=f"seed {seed}")
        best = line[line["mark"] == True]  # noqa: E712  (the column holds text too)
        ax.plot(best.x, best.value, "o", color=colour, ms=5)
    ax.set(xlabel="epoch (dot: kept)", ylabel="validation score", ylim=(0, 1.05))
    if len(rows):
        ax.legend(fontsize="x-small")
    else:
        _nothing(ax)


def _importance(ax: Axes, rows: pd.DataFrame, label: str) -> None:
    ax.set(ylabel=label)
    if rows.empty:
        _nothing(ax)
        return
    names = list(dict.fromkeys(rows.x))
    means = rows.groupby("x").value.mean().reindex(names)
    ax.bar(range(len(names)), means, color="0.8")
    seeds = sorted(set(rows.series))
    for seed, colour, marker in zip(seeds, colours(len(seeds)), markers(len(seeds)), strict=True):
        own = rows[rows.series == seed].set_index("x").value.reindex(names)
        ax.plot(range(len(names)), own, marker, color=colour, ms=4)
    ax.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize="x-small")


def _nothing(ax: Axes) -> None:
    ax.text(0.5, 0.5, "no model", ha="center", va="center", transform=ax.transAxes, color="0.4")
