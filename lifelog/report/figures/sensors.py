"""The figure of how few sensors are enough."""

import matplotlib.pyplot as plt
import pandas as pd

from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.sensors import enough
from lifelog.report.style import Drawing, colours, margins, style
from lifelog.settings.compare import Compare


def plot_sensors(table: pd.DataFrame, compare: Compare) -> Drawing:
    """Plot the score by number of sensors, for everyone and for each participant; a ring marks what is enough."""
    scopes = list(dict.fromkeys(table.scope))
    with style():
        figure, axes = plt.subplots(1, len(scopes), figsize=(1 + 4 * len(scopes), 3.2), squeeze=False, sharey=True)
        for scope, ax in zip(scopes, axes[0], strict=True):
            rows = table[table.scope == scope]
            ax.errorbar(rows.sensors, rows["mean"], yerr=margins(rows), fmt="o-", color=colours(1)[0], capsize=3)
            every, number = rows["mean"].iloc[-1], enough(rows, compare.margin)
            sign = 1 if METRICS[compare.metric].lower else -1
            ax.axhline(every + sign * compare.margin, color="0.6", linestyle="--", label="all sensors, less the margin")
            ring = rows[rows.sensors == number]
            ax.plot(
                ring.sensors, ring["mean"], "o", markersize=13, markerfacecolor="none", color="black", label="enough"
            )
            ax.set_title(f"sensors chosen for {scope}")
            ax.set_xlabel("number of sensors")
            ax.set_xticks(rows.sensors)
        axes[0, 0].set_ylabel(f"{METRICS[compare.metric].label}, mean over participants")
        axes[0, 0].legend(loc="lower right")
    return figure, table
