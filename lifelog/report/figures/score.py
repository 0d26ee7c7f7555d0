"""The figures of scored recordings: predictions by local day and time of day, and the comparison with other models."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from lifelog.arrays import Floats
from lifelog.evaluate.metrics import METRICS
from lifelog.intervals import CHANCE
from lifelog.report.style import SEQUENTIAL, Drawing, colours, margins, style
from lifelog.windows.times import local_times

MOST_SHOWN = 12  # participants; the table has all
BINS = 48  # of a day
FAINT = 0.25  # opacity of a time whose windows are all unknown


def scored_days(tables: dict[str, pd.DataFrame], zones: dict[str, str], last: str) -> pd.DataFrame:
    """Return what is predicted by participant, local day and time of day.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        By participant, tables of `score_windows`.
    zones : dict of str to str
        Time zones of the participants.
    last : str
        Name of the last class.

    Returns
    -------
    pandas.DataFrame
        user, day, hour (start of a half hour), probability (mean of the last class), single (share of windows with one
        class), windows.
    """
    parts = []
    for user, table in tables.items():
        rows = table[table[f"p_{last}"].notna()]
        local = local_times(rows.start, zones[user])
        place = (local.dt.hour * 60 + local.dt.minute) * BINS // (24 * 60)
        keys = {"user": user, "day": local.dt.strftime("%Y-%m-%d"), "hour": place * 24 / BINS}
        parts.append(pd.DataFrame(keys | {"probability": rows[f"p_{last}"], "single": rows["class"].notna()}))
    whole = pd.concat(parts, ignore_index=True)
    found = whole.groupby(["user", "day", "hour"]).agg(
        probability=("probability", "mean"), single=("single", "mean"), windows=("single", "size")
    )
    return found.reset_index()


def plot_scored(days: pd.DataFrame, last: str) -> Drawing:
    """Plot the data of `scored_days`: a panel per participant, a row per day; faint where the class is unknown."""
    users = sorted(days.user.unique())[:MOST_SHOWN]
    heights = [days[days.user == user].day.nunique() for user in users] or [1]
    with style():
        size = 1.2 + sum(0.5 + 0.18 * height for height in heights)
        figure, axes = plt.subplots(
            len(heights), 1, figsize=(9, size), squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights}
        )
        for user, ax in zip(users, axes[:, 0], strict=False):
            image = _plot_user(ax, days[days.user == user], user)
        axes[-1, 0].set_xlabel("local time in hours")
        if users:
            label = f"probability of {last}\n(faint: unknown)"
            figure.colorbar(image, ax=axes[:, 0].tolist(), label=label, shrink=min(1.0, 2.5 / size), aspect=12)
        else:
            axes[0, 0].text(0.5, 0.5, "no window is predicted", ha="center", transform=axes[0, 0].transAxes)
    return figure, days


def _plot_user(ax: Axes, rows: pd.DataFrame, user: str) -> plt.cm.ScalarMappable:
    names = sorted(rows.day.unique())
    probability: Floats = np.full((len(names), BINS), np.nan)
    opacity = np.zeros((len(names), BINS))
    place = rows.day.map({name: i for i, name in enumerate(names)}), (rows.hour * BINS / 24).round().astype(int)
    probability[place] = rows.probability
    opacity[place] = FAINT + (1 - FAINT) * rows.single
    colour = plt.cm.ScalarMappable(Normalize(0, 1), SEQUENTIAL)
    pixels = colour.to_rgba(np.nan_to_num(probability))
    pixels[..., 3] = opacity
    ax.imshow(pixels, extent=(0, 24, len(names) - 0.5, -0.5), aspect="auto", interpolation="nearest")
    step = max(1, len(names) // 8)
    ax.set_yticks(range(0, len(names), step), names[::step])
    ax.set_xticks(range(0, 25, 3))
    ax.set_title(user, loc="left")
    ax.grid(visible=False)
    return colour


def plot_transfer(table: pd.DataFrame, metric: str) -> Drawing:
    """Plot the scores of `compare_transfer` with their intervals, by a metric and by AUROC."""
    metrics = list(dict.fromkeys([metric, "auroc"]))
    with style():
        names = list(dict.fromkeys(table.model))
        size = (4 * len(metrics) + 2, 1 + 0.4 * len(names))
        figure, axes = plt.subplots(1, len(metrics), figsize=size, squeeze=False, sharey=True)
        for name, ax in zip(metrics, axes[0], strict=True):
            rows = table[table.metric == name].set_index("model").loc[names]
            place = np.arange(len(names))
            ax.errorbar(rows["mean"], place, xerr=margins(rows), fmt="o", color=colours(1)[0], capsize=3)
            ax.set_yticks(place, names)
            ax.set_ylim(len(names) - 0.5, -0.5)
            ax.set_xlabel(f"{METRICS[name].label}, mean over participants")
            if name == "auroc":
                ax.axvline(CHANCE, color="0.6", linestyle="--")
    return figure, table
