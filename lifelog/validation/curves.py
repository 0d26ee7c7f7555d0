"""The figure of the validation: importance and groups against the number of windows and the effect."""

import matplotlib.pyplot as plt
import pandas as pd

from lifelog.report.style import Drawing, colours, markers, style

LINES = ("-", "--", ":", "-.")  # of effects
PANELS = {"on_top": "planted modalities on top", "rand": "adjusted Rand index of groups"}


def plot_validation(table: pd.DataFrame) -> Drawing:
    """Plot the results of plain cohorts by windows: a colour per measure, a line style per effect.

    Parameters
    ----------
    table : pandas.DataFrame
        Table of `summarise_importance`.
    path : str or Path
        SVG file to write; a CSV file of the data is written beside it.
    """
    rows = table[(table.scenario == "plain") & (table.effect > 0)]
    measures, effects = list(dict.fromkeys(rows.measure)), sorted(set(rows.effect), reverse=True)
    colour_of = dict(zip(measures, colours(len(measures)), strict=True))
    look_of = dict(zip(effects, zip(LINES, markers(len(LINES)), strict=True), strict=False))
    ticks = sorted(set(rows.windows))
    with style():
        figure, axes = plt.subplots(1, len(PANELS), figsize=(8.5, 3.4), sharex=True, sharey=True)
        for ax, (column, label) in zip(axes, PANELS.items(), strict=True):
            for (measure, effect), own in rows[rows[column].notna()].groupby(["measure", "effect"], sort=False):
                known, (line, marker) = own.sort_values("windows"), look_of[effect]
                look = dict(color=colour_of[measure], ls=line, marker=marker, ms=4, lw=1.2)
                ax.plot(known.windows, known[column], label=f"{measure}, {effect:g}", **look)
            ax.set(xlabel="windows per participant", ylabel=label, xscale="log", ylim=(-0.05, 1.05))
            ax.set_xticks(ticks, [str(tick) for tick in ticks])
            ax.minorticks_off()
        axes[0].legend(fontsize="xx-small", title="measure, effect", ncols=2)
        return figure, rows
