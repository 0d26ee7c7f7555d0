"""The figure of the validation: importance and groups against the number of windows and the effect."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from lifelog.report.style import colours, markers, save, style

PANELS = {"on_top": "planted modalities on top", "rand": "adjusted Rand index of groups"}


def plot_validation(table: pd.DataFrame, path: str | Path) -> None:
    """Plot the results of plain cohorts by windows, one line per measure and effect.

    Parameters
    ----------
    table : pandas.DataFrame
        Table of `summarise_importance`.
    path : str or Path
        SVG file to write; a CSV file of the data is written beside it.
    """
    rows = table[(table.scenario == "plain") & (table.effect > 0)]
    lines = list(rows.groupby(["measure", "effect"], sort=False))
    with style():
        figure, axes = plt.subplots(1, len(PANELS), figsize=(8.5, 3.4), sharex=True, sharey=True)
        for ax, (column, label) in zip(axes, PANELS.items(), strict=True):
            for (key, own), colour, marker in zip(lines, colours(len(lines)), markers(len(lines)), strict=True):
                known = own[own[column].notna()].sort_values("windows")
                ax.plot(known.windows, known[column], marker=marker, color=colour, ms=4, label=f"{key[0]}, {key[1]}")
            ax.set(xlabel="windows per participant", ylabel=label, xscale="log", ylim=(-0.05, 1.05))
        axes[0].legend(fontsize="xx-small", title="measure, effect", ncols=2)
        save(figure, path, rows)
