"""The figures of the importance page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from lifelog.importance.measures import MEASURES
from lifelog.importance.vectors import user_vectors
from lifelog.registry import Registry
from lifelog.report.style import SEQUENTIAL, Drawing, colours, long, margins, markers, rows_height, style


@dataclass(frozen=True)
class ImportanceTables:
    """Importance that describes users, Shapley values with intervals, deletion curves, planted modalities by user."""

    importance: pd.DataFrame
    values: pd.DataFrame
    deletion: pd.DataFrame
    planted: dict[str, list[str]]


def plot_measure(measure: str, tables: ImportanceTables) -> Drawing:
    """Plot the mean importance by one measure, users by modalities; frames mark planted modalities."""
    vectors = user_vectors(tables.importance, measure, [])
    planted, label = tables.planted, MEASURES[measure].label
    with style():
        figure, ax = plt.subplots(figsize=(7.5, rows_height(len(vectors))))
        shown = vectors.round(2) + 0.0  # no -0.00
        notes = _annotations(shown, measure, tables.values)
        sns.heatmap(shown, ax=ax, cmap=SEQUENTIAL, annot=notes, fmt="", linewidths=0.5, cbar_kws={"label": label})
        for row, user in enumerate(vectors.index):
            for modality in planted.get(str(user), []):
                if modality in vectors.columns:
                    x = list(vectors.columns).index(modality)
                    ax.add_patch(Rectangle((x + 0.04, row + 0.06), 0.92, 0.88, fill=False, ec="#d55e00", lw=2))
        ax.set(xlabel="modality" + (" (framed: planted)" if planted else ""), ylabel="user")
        ax.tick_params(axis="y", rotation=0)
        data = long(vectors, "importance")
        if planted:
            data["planted"] = [row.modality in planted.get(row.user, []) for row in data.itertuples()]
        return figure, data


def _annotations(shown: pd.DataFrame, measure: str, values: pd.DataFrame) -> pd.DataFrame:
    """Return the texts of cells: the number, with a star for a modality that matters."""
    texts = shown.map("{:.2f}".format).where(shown.notna(), "")
    if MEASURES[measure].of_networks:
        return texts
    matters = values.assign(matters=values.matters.eq(True)).pivot(index="user", columns="modality", values="matters")
    matters = matters.reindex(index=shown.index, columns=shown.columns).eq(True)
    return texts.where(~matters, texts + "*")


def plot_shapley_intervals(tables: ImportanceTables) -> Drawing:
    """Plot the Shapley value of each modality for each user with its interval, and shrunk towards similar users."""
    values = tables.values
    modalities, users = values.modality.unique(), values.user.unique()
    with style():
        size = (9.5, 1.2 + 0.22 * len(users))
        figure, axes = plt.subplots(1, len(modalities), figsize=size, sharex=True, sharey=True, squeeze=False)
        places = {user: place for place, user in enumerate(reversed(users))}
        for ax, modality in zip(axes[0], modalities, strict=True):
            known = values[(values.modality == modality) & values.shapley.notna()]
            for is_clear, colour in ((True, "#d55e00"), (False, "0.6")):
                rows = known[known.matters.eq(True) == is_clear]
                error = margins(rows, "shapley")
                ax.errorbar(rows.shapley, rows.user.map(places), xerr=error, fmt="o", ms=3, lw=0.8, color=colour)
            ax.plot(known.shrunken, known.user.map(places), "|", color="0.1", ms=6)
            ax.axvline(0, color="0.4", lw=0.6)
            ax.set_xlim(-0.6, 0.6)  # an AUROC differs from 0.5 by 0.5 at most; intervals of few blocks are longer
            ax.set_title(modality, fontsize="small")
            ax.tick_params(labelsize="x-small")
        axes[0, 0].set_yticks(list(places.values()), list(places), fontsize="x-small")
        axes[0, 0].set_ylabel("user")
        figure.supxlabel("Shapley value (AUROC)", fontsize="small")
        return figure, values


def plot_deletion(tables: ImportanceTables) -> Drawing:
    """Plot the decrease of the predicted class's likelihood as modalities are removed, mean over users, per order."""
    users = tables.deletion.groupby(["order", "removed", "user"]).decrease.mean().reset_index()
    orders = sorted(set(users.order))
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.2))
        looks = zip(orders, colours(len(orders)), markers(len(orders)), strict=True)
        for number, (order, colour, marker) in enumerate(looks):
            line = ":" if order == "random" else ("--", "-", "-.")[number % 3]
            decrease = users[users.order == order].groupby("removed").decrease
            mean, error = decrease.mean(), decrease.sem().fillna(0)
            ax.fill_between(mean.index, mean - error, mean + error, color=colour, alpha=0.15, lw=0)
            ax.plot(mean.index, mean, color=colour, ls=line, marker=marker, markersize=4, label=order)
        ax.set(xlabel="number of removed modalities", ylabel="decrease of log-likelihood (nats)")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(fontsize="small", title="order (band: standard error over users)")
        return figure, users


FIGURES: Registry[Callable[[ImportanceTables], Drawing]] = Registry(
    "figure",
    {
        **{measure: partial(plot_measure, measure) for measure in MEASURES},
        "shapley_intervals": plot_shapley_intervals,
        "deletion": plot_deletion,
    },
)
