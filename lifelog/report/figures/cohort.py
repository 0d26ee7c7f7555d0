"""The figures of the cohort page and of the page about recordings."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from lifelog.report.style import SEQUENTIAL, Drawing, long, rows_height, style

MOST_BINS, MOST_NAMES, LONGEST_NAME = 60, 40, 26  # bins of time, participants and letters that are written
WIDTHS = (60, 600, 3600, 21600, 86400, 604800)  # seconds of a bin
UNITS = (("days", 86400, 21600), ("hours", 3600, 600), ("minutes", 60, 0))  # of the axis: seconds, and narrowest bin
ANSWERS = "labelled windows"


def plot_yield(shares: pd.DataFrame) -> Drawing:
    """Plot the share of labelled windows in which a modality could be used, users by modalities."""
    import seaborn as sns  # takes a second, and is only used here

    with style():
        figure, ax = plt.subplots(figsize=(7.5, rows_height(len(shares))))
        sns.heatmap(
            100 * shares, ax=ax, cmap=SEQUENTIAL, vmin=0, vmax=100, annot=True, fmt=".0f", linewidths=0.5,
            cbar_kws={"label": "windows with usable data (%)"},
        )  # fmt: skip
        ax.set(xlabel="modality", ylabel="user")
        ax.tick_params(axis="y", rotation=0)
        return figure, long(shares, "usable_share")


def coverage_table(quality: pd.DataFrame, users: list[str]) -> tuple[pd.DataFrame, int]:
    """Count labelled windows, and those with a usable modality, over the time since the first one of a participant.

    Parameters
    ----------
    quality : pandas.DataFrame
        Quality tables of all users.
    users : list of str
        The rows, in this order.

    Returns
    -------
    table : pandas.DataFrame
        One row per user, panel (`labelled windows`, or a modality) and bin of time with windows: user, panel, bin, and
        value, the number of windows or the share of them in which the modality is usable.
    width : int
        Seconds of a bin.
    """
    rows = quality[(quality.kind == "modality") & quality.user.isin(users)]
    seconds = (rows.start - rows.groupby("user").start.transform("min")).dt.total_seconds()
    longest = float(seconds.max()) if len(rows) else 0.0
    width = next((width for width in WIDTHS if longest < MOST_BINS * width), WIDTHS[-1])
    table = rows[["user", "modality"]].assign(bin=(seconds // width).astype(int), usable=rows.reason.isna())
    shares = table.groupby(["user", "modality", "bin"]).usable.agg(["size", "mean"]).reset_index()
    counts = shares.groupby(["user", "bin"])["size"].max().rename("value").reset_index().assign(panel=ANSWERS)
    usable = shares.rename(columns={"modality": "panel", "mean": "value"})
    return pd.concat([counts, usable])[["user", "panel", "bin", "value"]].reset_index(drop=True), width


def plot_coverage(quality: pd.DataFrame, users: list[str], modalities: list[str]) -> Drawing:
    """Plot labelled windows, and the share of them with each modality, participants by time."""
    table, width = coverage_table(quality, users)
    unit, scale = next((name, width / seconds) for name, seconds, narrowest in UNITS if width >= narrowest)
    panels, bins = [ANSWERS, *modalities], int(table.bin.max()) + 1 if len(table) else 1
    across = min(4, len(panels))
    down = -(-len(panels) // across)
    height = min(8.0, max(2.2, 0.9 + 0.16 * len(users)))
    with style():
        figure, axes = plt.subplots(down, across, figsize=(10, down * height), sharex=True, sharey=True, squeeze=False)
        for ax, panel in zip(axes.flat, panels, strict=False):
            of_panel = table[table.panel == panel].pivot(index="user", columns="bin", values="value")
            values = of_panel.reindex(index=users, columns=range(bins)).to_numpy(dtype=float)
            top = 1.0 if panel != ANSWERS else max(1.0, float(np.nanmax(values, initial=1.0)))
            cmap = plt.get_cmap("Greens" if panel == ANSWERS else SEQUENTIAL).with_extremes(bad="white")
            extent = (0, bins * scale, len(users) - 0.5, -0.5)
            image = ax.imshow(
                values, aspect="auto", cmap=cmap, vmin=0, vmax=top, interpolation="nearest", extent=extent
            )
            name = f"{ANSWERS}, 0 to {top:.0f}" if panel == ANSWERS else panel
            ax.set_title(name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…")
            ax.grid(visible=False)
        figure.colorbar(image, ax=axes, label="share of windows with usable data", pad=0.01, aspect=12 * down)
        for ax in axes.flat[len(panels) :]:
            ax.set_axis_off()
        few = len(users) <= MOST_NAMES
        axes[0, 0].set_yticks(range(len(users)) if few else [], users if few else [])
        for ax in axes[:, 0]:
            ax.set_ylabel("" if few else f"{len(users)} participants")
        figure.supxlabel(f"{unit} since the first labelled window")
        return figure, table
