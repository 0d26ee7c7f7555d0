"""The figure of the cohort page."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

from lifelog.report.style import SEQUENTIAL, Drawing, long, rows_height, style


def plot_yield(shares: pd.DataFrame) -> Drawing:
    """Plot the share of labelled windows in which a modality could be used, users by modalities."""
    with style():
        figure, ax = plt.subplots(figsize=(7.5, rows_height(len(shares))))
        sns.heatmap(
            100 * shares, ax=ax, cmap=SEQUENTIAL, vmin=0, vmax=100, annot=True, fmt=".0f", linewidths=0.5,
            cbar_kws={"label": "windows with usable data (%)"},
        )  # fmt: skip
        ax.set(xlabel="modality", ylabel="user")
        ax.tick_params(axis="y", rotation=0)
        return figure, long(shares, "usable_share")
