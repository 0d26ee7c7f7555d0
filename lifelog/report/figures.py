"""The figures of a run, each from its tables into one SVG."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import seaborn as sns

from lifelog.config import SENSORLESS, Compare
from lifelog.metrics import confusion
from lifelog.report.style import MANY, SCHEMES, SEQUENTIAL, colours, markers, save, style

METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "published_f1": "F1 as published (faulty)",
}


DRAWN = 5000  # windows of an embedding that are drawn


def long(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """A table of users by modalities as rows of user, modality and value."""
    names = {"id_vars": "user", "var_name": "modality", "value_name": value}
    return table.rename_axis(index="user", columns=None).reset_index().melt(**names)


def _per_user(users: int) -> float:
    """Height in inches of a figure with a row a user."""
    return 1.4 + 0.28 * users


def plot_yield(shares: pd.DataFrame, path: str | Path) -> None:
    """Share of labelled minutes in which a modality could be used, users by modalities."""
    with style():
        figure, ax = plt.subplots(figsize=(7.5, _per_user(len(shares))))
        sns.heatmap(
            100 * shares, ax=ax, cmap=SEQUENTIAL, vmin=0, vmax=100, annot=True, fmt=".0f", linewidths=0.5,
            cbar_kws={"label": "minutes with usable data (%)"},
        )  # fmt: skip
        ax.set(xlabel="modality", ylabel="user")
        ax.tick_params(axis="y", rotation=0)
        save(figure, path, long(shares, "usable_share"))


def plot_importance(vectors: pd.DataFrame, planted: dict[str, list[str]], label: str, path: str | Path) -> None:
    """Mean importance, users by modalities; a ring marks what was planted in a simulated cohort."""
    with style():
        figure, ax = plt.subplots(figsize=(7.5, _per_user(len(vectors))))
        shown = vectors.round(2) + 0.0  # no -0.00
        sns.heatmap(shown, ax=ax, cmap=SEQUENTIAL, annot=True, fmt=".2f", linewidths=0.5, cbar_kws={"label": label})
        for row, user in enumerate(vectors.index):
            for modality in planted.get(str(user), []):
                if modality in vectors.columns:
                    x = list(vectors.columns).index(modality)
                    ax.add_patch(plt.Rectangle((x + 0.04, row + 0.06), 0.92, 0.88, fill=False, ec="#d55e00", lw=2))
        ax.set(xlabel="modality" + (" (framed: planted)" if planted else ""), ylabel="user")
        ax.tick_params(axis="y", rotation=0)
        data = long(vectors, "importance")
        if planted:
            data["planted"] = [row.modality in planted.get(row.user, []) for row in data.itertuples()]
        save(figure, path, data)


def plot_group_importance(vectors: pd.DataFrame, groups: pd.DataFrame, label: str, path: str | Path) -> None:
    """Importance a modality in each group: bars of the mean over users, dots of the users."""
    of = groups.set_index("user").group
    data = long(vectors, "importance")
    data["group"] = data.user.map(of)
    names = sorted(set(of))
    with style():
        figure, axes = plt.subplots(
            len(names), 1, figsize=(7.5, 1.2 + 1.5 * len(names)), sharex=True, sharey=True, squeeze=False
        )
        for ax, name, colour in zip(axes[:, 0], names, colours(len(names)), strict=True):
            own = data[data.group == name]
            sns.barplot(own, x="modality", y="importance", ax=ax, color=colour, alpha=0.6, errorbar=None)
            sns.stripplot(own, x="modality", y="importance", ax=ax, color="0.2", size=3, jitter=0.15)
            members = ", ".join(sorted(own.user.unique()))
            title = f"{name}: {own.user.nunique()} users" + (f" ({members})" if len(members) < 80 else "")
            ax.set(title=title, xlabel="", ylabel="")
        figure.supylabel(label)
        axes[-1, 0].set_xlabel("modality")
        save(figure, path, data)


def plot_embedding(points: pd.DataFrame, groups: pd.DataFrame, path: str | Path) -> None:
    """t-SNE of windows: importance and raw features, coloured by user and by importance group.

    Of many windows a sample is drawn; the table has all.
    """
    of = groups.set_index("user").group
    points = points.assign(group=points.user.map(of))
    if len(points) > 2 * DRAWN:  # more would only lie on each other
        points = points.groupby("space").sample(DRAWN, random_state=0).sort_index()
    titles = {"importance": "importance vectors", "raw": "raw summary features"}
    with style():
        figure, axes = plt.subplots(2, 2, figsize=(8.5, 7.2), sharex="row", sharey="row")
        for row, (space, title) in enumerate(titles.items()):
            for ax, by in zip(axes[row], ("user", "group"), strict=True):
                own, names = points[points.space == space], sorted(set(points[by]))
                look = {"s": 12, "linewidths": 0, "rasterized": len(own) > MANY}
                for name, colour, marker in zip(names, colours(len(names)), markers(len(names)), strict=True):
                    of_name = own[own[by] == name]
                    ax.scatter(of_name.x, of_name.y, color=colour, marker=marker, label=name, **look)
                ax.set(title=f"{title}, by {by}", xticks=[], yticks=[])
                if row == 0:
                    ax.legend(fontsize="x-small", ncols=2 if len(names) > 6 else 1, loc="best", markerscale=1.2)
        figure.supxlabel("t-SNE 1 (no unit)")
        figure.supylabel("t-SNE 2 (no unit)")
        save(figure, path, points.round({"x": 2, "y": 2}))


def plot_cluster_scores(scores: pd.DataFrame, path: str | Path) -> None:
    """Silhouette, stability and entropy over the number of clusters, both algorithms; a ring marks what was taken."""
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(8.5, 2.8))
        palette = dict(zip(("kmeans", "agglomerative"), colours(2), strict=True))
        labels = {
            "silhouette": "silhouette (higher: clearer)",
            "stability": "stability under resampling\n(adjusted Rand index)",
            "entropy": "entropy within users\n(nats, summed)",
        }
        for ax, (measure, label) in zip(axes, labels.items(), strict=True):
            for algorithm, line in scores.groupby("algorithm"):
                # Both often agree: the wide line still shows under the dashed one.
                look = {"lw": 4, "marker": "s"} if algorithm == "agglomerative" else {"ls": "--", "marker": "o"}
                ax.plot(line.k, line[measure], color=palette[algorithm], label=algorithm, markersize=4, **look)
            taken = scores[scores.chosen]
            ax.plot(taken.k, taken[measure], "o", ms=13, mfc="none", mec="0.2", label="taken")
            ax.set(xlabel="number of clusters k", ylabel=label)
            ax.xaxis.get_major_locator().set_params(integer=True)
        axes[0].legend(fontsize="small")
        save(figure, path, scores)


def plot_confusion(tables: dict[tuple[str, str], pd.DataFrame], classes: list[str], path: str | Path) -> None:
    """Confusion matrices over all test windows, a row a predictor, a column a scheme; cells are shares of the truth.

    Random groupings are left out: there may be hundreds.
    """
    tables = {key: table for key, table in tables.items() if not key[1].startswith("random")}
    predictors = list(dict.fromkeys(key[0] for key in tables))
    schemes = list(dict.fromkeys(key[1] for key in tables))
    cells = pd.MultiIndex.from_product([classes, classes], names=["true", "predicted"])
    data = []
    with style():
        size = (2.6 * len(schemes) + 0.8, 2.4 * len(predictors) + 0.4)
        figure, axes = plt.subplots(
            len(predictors), len(schemes), figsize=size, sharex=True, sharey=True, squeeze=False
        )
        figure.set_layout_engine("none")  # every heatmap draws the whole figure: once laid out is enough
        for ax in axes.flat:
            ax.set_visible(False)
        for (predictor, scheme), table in tables.items():
            ax = axes[predictors.index(predictor), schemes.index(scheme)]
            predicted = table[[f"p_{name}" for name in classes]].to_numpy().argmax(axis=1)
            counts = confusion(table.truth.to_numpy(), predicted, len(classes))
            data.append(
                pd.DataFrame({"predictor": predictor, "scheme": scheme, "windows": counts.ravel()}, index=cells)
            )
            share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            ax.set_visible(True)
            sns.heatmap(
                share, ax=ax, cmap=SEQUENTIAL, vmin=0, vmax=1, annot=counts, fmt="d", cbar=False, square=True,
                xticklabels=classes, yticklabels=classes,
            )  # fmt: skip
            ax.set_title(f"{predictor}, {scheme}")
            ax.tick_params(axis="y", rotation=0)
        figure.supxlabel("predicted")
        figure.supylabel("true (colour: share of the true class, number: windows)")
        figure.set_layout_engine("constrained")
        save(figure, path, pd.concat(data).reset_index()[["predictor", "scheme", "true", "predicted", "windows"]])


def plot_deletion(deletion: pd.DataFrame, path: str | Path) -> None:
    """Fall of the predicted class's likelihood as modalities are taken away, mean over users; a line an order."""
    users = deletion.groupby(["order", "removed", "user"]).fall.mean().reset_index()
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.2))
        looks = zip(("ablation", "attention", "random"), colours(3), ("--", "-", ":"), markers(3), strict=True)
        for order, colour, line, marker in looks:
            own = users[users.order == order].groupby("removed").fall
            mean, error = own.mean(), own.sem().fillna(0)
            ax.fill_between(mean.index, mean - error, mean + error, color=colour, alpha=0.15, lw=0)
            ax.plot(mean.index, mean, color=colour, ls=line, marker=marker, markersize=4, label=order)
        ax.set(xlabel="modalities taken away, in this order", ylabel="fall of log-likelihood (nats)")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(fontsize="small", title="order (band: standard error over users)")
        save(figure, path, users)


def plot_comparison(comparison: pd.DataFrame, metric: str, confidence: float, path: str | Path) -> None:
    """Mean over users with interval, and the difference to the global scheme with interval, a row a predictor.

    Random groupings are small marks without intervals: their spread is what matters.
    """
    rows = comparison[comparison.metric == metric]
    predictors, schemes = list(dict.fromkeys(rows.predictor)), list(dict.fromkeys(rows.scheme))
    kinds = list(dict.fromkeys(scheme.partition("-")[0] for scheme in schemes))
    shape = dict(zip(kinds, markers(len(kinds)), strict=True))
    # Around the middle of its line, whatever schemes a predictor has.
    present = {p: [kind for kind in kinds if kind in set(rows[rows.predictor == p].scheme.str.partition("-")[0])]
               for p in predictors}  # fmt: skip
    panels = {
        "mean": ("low", "high", f"{METRIC_NAMES[metric]}, mean over users"),
        "difference": ("difference_low", "difference_high", "difference to one model for everyone"),
    }
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.5, 1.2 + 0.8 * len(predictors)), sharey=True)
        for ax, (centre, (low, high, label)) in zip(axes, panels.items(), strict=True):
            for scheme in schemes:
                own = rows[rows.scheme == scheme].set_index("predictor").reindex(predictors)
                if centre == "difference" and scheme == "global":
                    continue
                kind = scheme.partition("-")[0]
                y = [place + 0.15 * (own_kinds.index(kind) - (len(own_kinds) - 1) / 2) if kind in own_kinds else place
                     for place, own_kinds in enumerate(present.values())]  # fmt: skip
                look = {"color": colours(10)[SCHEMES[kind]], "fmt": shape[kind]}
                if kind == "random":
                    ax.errorbar(own[centre], y, alpha=0.6, ms=4, label=kind if scheme == "random-1" else None, **look)
                    continue
                spread = np.abs(np.stack([own[centre] - own[low], own[high] - own[centre]]))
                ax.errorbar(own[centre], y, xerr=spread, label=kind, capsize=3, **look)
            ax.set(xlabel=f"{label}\n({confidence:.0%} interval over users)", yticks=range(len(predictors)))
            ax.set_yticklabels(predictors)
        axes[1].axvline(0, color="0.4", lw=1)
        axes[0].invert_yaxis()
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(kinds))
        save(figure, path, rows)


def plot_verdict(comparisons: dict[str, pd.DataFrame], settings: Compare, path: str | Path) -> None:
    """Does grouping help? Each predictor's difference of importance groups to one model for everyone, with interval.

    A row a predictor and split (the keys of `comparisons`); beside it the controls, raw and random groups.
    """
    rows = pd.concat([frame.assign(where=name) for name, frame in comparisons.items()], ignore_index=True)
    rows = rows[
        (rows.metric == settings.metric) & ~rows.scheme.isin(["global", "personal"]) & ~rows.predictor.isin(SENSORLESS)
    ]
    grouped = rows.groupby(["where", "predictor"]).scheme.transform(lambda schemes: "importance" in set(schemes))
    rows = rows[grouped.astype(bool)].assign(kind=rows.scheme.str.split("-").str[0])
    places = {key: -place for place, key in enumerate(rows.groupby(["where", "predictor"], sort=False).groups)}
    looks = {"importance": ("o", 8, 0.0), "raw": ("s", 5, -0.18), "random": ("D", 4, -0.32)}
    with style():
        figure, ax = plt.subplots(figsize=(8.5, 1.3 + 0.55 * max(1, len(places))))
        for kind, (marker, size, below) in looks.items():
            own = rows[rows.kind == kind]
            y = [places[row.where, row.predictor] + below for row in own.itertuples()]
            colour = colours(10)[SCHEMES[kind]]
            if kind == "importance":
                spread = np.abs(np.stack([own.difference - own.difference_low, own.difference_high - own.difference]))
                ax.errorbar(own.difference, y, xerr=spread, fmt="none", ecolor=colour, capsize=4, lw=2)
                # Filled only where the verdict counts it as a difference.
                weak = [
                    (x, at) for x, at, p in zip(own.difference, y, own.p_holm, strict=True) if not p < settings.level
                ]
            names = {"importance": "importance groups", "raw": "groups by raw features", "random": "random groups"}
            if len(own):
                ax.plot(own.difference, y, marker, ms=size, color=colour, label=names[kind])
            if kind == "importance" and weak:
                look = {"ms": size, "mec": colour, "mfc": "white", "ls": "none", "mew": 2}
                ax.plot(*zip(*weak, strict=True), marker, label="no clear difference", **look)
        ax.axvline(0, color="0.3", lw=1)
        ax.set_yticks(list(places.values()), [f"{where}: {predictor}" for where, predictor in places])
        of = f"{METRIC_NAMES[settings.metric]}, {settings.confidence:.0%} interval over users"
        ax.set(xlabel=f"difference to one model for everyone ({of})")
        ax.set_ylim(min(places.values(), default=0) - 0.6, 0.5)
        if places:
            figure.legend(loc="outside upper center", ncols=4)
        else:
            ax.text(0.5, 0.5, "no predictor has importance groups", ha="center", va="center", transform=ax.transAxes)
        save(figure, path, rows.drop(columns="kind"))


def plot_dag(edges: list[tuple[str, str]], path: str | Path) -> None:
    """The rules and what flows between them, from top to bottom."""
    # Edges that a longer way already says only hide the shape.
    reduced = nx.transitive_reduction(nx.DiGraph(edges))
    # The reduction walks sets, whose order differs from run to run: sorted, the picture is the same each time.
    graph = nx.DiGraph(sorted(reduced.edges))
    layers = {-number: sorted(layer) for number, layer in enumerate(nx.topological_generations(graph))}
    spots = nx.multipartite_layout(graph, subset_key=layers, align="horizontal")
    depth = {rule: number for number, layer in layers.items() for rule in layer}
    near = [(a, b) for a, b in graph.edges if depth[a] - depth[b] == 1]
    far = [edge for edge in graph.edges if edge not in near]
    widest = max(map(len, layers.values()), default=1)
    with style():
        figure, ax = plt.subplots(figsize=(max(7.5, 1.9 * widest), 0.75 * (1 - min(depth.values(), default=0))))
        # What skips a layer bends around the rules between.
        for some, bend in ((near, 0.0), (far, -0.25)):
            nx.draw_networkx_edges(
                graph, spots, some, ax=ax, edge_color="0.6", node_size=500, connectionstyle=f"arc3,rad={bend}"
            )
        for rule, (x, y) in spots.items():
            box = {"boxstyle": "round,pad=0.4", "fc": "#e8f1f8", "ec": "#0072b2"}
            ax.text(x, y, rule, ha="center", va="center", fontsize=9, bbox=box)
        ax.margins(0.14, 0.06)
        ax.axis("off")
        save(figure, path, pd.DataFrame(sorted(graph.edges), columns=["rule", "feeds"]))
