"""The figures of the comparison page, and the figure of the first page."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from lifelog.evaluate.calibration import reliability
from lifelog.evaluate.compare import DECISIONS, kind_of
from lifelog.evaluate.decision import STRATEGIES, STRATEGY_NAMES
from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.use import risk_coverage
from lifelog.f1 import confusion
from lifelog.intervals import CHANCE
from lifelog.predict.probabilities import class_probabilities
from lifelog.registry import Registry
from lifelog.report.style import SEQUENTIAL, Drawing, colours, margins, markers, scheme_colour, style
from lifelog.settings.compare import Compare
from lifelog.settings.predict import sensorless, time_only

MATRICES = 5  # confusion matrices beside each other


@dataclass(frozen=True)
class ComparisonTables:
    """Comparison of all models, predictions by predictor and scheme, classes, settings, points of learning curves."""

    comparison: pd.DataFrame
    predictions: dict[tuple[str, str], pd.DataFrame]
    classes: list[str]
    settings: Compare
    curve: list[dict[str, Any]]


def plot_comparison(tables: ComparisonTables) -> Drawing:
    """Plot the mean over users and the difference to the global scheme, with intervals, one row per predictor.

    Random groupings are small marks without intervals; only their distribution matters.
    """
    metric, confidence = tables.settings.metric, tables.settings.confidence
    rows = tables.comparison[tables.comparison.metric == metric]
    predictors, kinds = list(rows.predictor.unique()), list(rows.scheme.map(kind_of).unique())
    shape = dict(zip(kinds, markers(len(kinds)), strict=True))
    places: dict[tuple[str, str], float] = {}
    for place, predictor in enumerate(predictors):
        present = set(rows.scheme[rows.predictor == predictor].map(kind_of))
        ordered = [kind for kind in kinds if kind in present]
        # Schemes of a predictor are centred on its row.
        places |= {(predictor, k): place + 0.15 * (i - (len(ordered) - 1) / 2) for i, k in enumerate(ordered)}
    panels = {
        "mean": ("low", "high", f"{METRICS[metric].label}, mean over participants"),
        "difference": ("difference_low", "difference_high", "difference to one global model"),
    }
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.5, 1.2 + 0.8 * len(predictors)), sharey=True)
        for ax, (centre, (low, high, label)) in zip(axes, panels.items(), strict=True):
            labels = {kind: kind for kind in kinds}  # of the first scheme of a kind
            shown = rows if centre == "mean" else rows[rows.scheme != "global"]
            for scheme, of_scheme in shown.groupby("scheme", sort=False):
                points, kind = of_scheme.set_index("predictor").reindex(predictors), kind_of(str(scheme))
                look: dict[str, Any] = {"xerr": margins(points, centre, low, high), "capsize": 3}
                look = {"alpha": 0.6, "ms": 4} if kind == "random" else look
                y = [places.get((predictor, kind), 0.0) for predictor in predictors]
                look |= {"color": scheme_colour(kind), "fmt": shape[kind], "label": labels.pop(kind, None)}
                ax.errorbar(points[centre], y, **look)
            ax.set(xlabel=f"{label}\n({confidence:.0%} interval over participants)")
            ax.set_yticks(range(len(predictors)), predictors)
        axes[1].axvline(0, color="0.4", lw=1)
        axes[1].set_visible(bool((rows.scheme != "global").any()))
        axes[0].invert_yaxis()
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=min(5, len(kinds)))
        return figure, rows


def plot_skill(tables: ComparisonTables) -> Drawing:
    """Plot how often strategies of the primary predictor rank two windows rightly, beside guessing and time alone."""
    rows = tables.comparison[tables.comparison.metric == "auroc"]
    strategies = rows[rows.scheme.isin(STRATEGIES) & ~rows.predictor.isin(sensorless())]
    names = list(strategies.predictor)
    wanted = tables.settings.predictor if tables.settings.predictor in names else next(iter(names), "")
    strategies = strategies[strategies.predictor == wanted].assign(way=lambda x: x.scheme.map(STRATEGY_NAMES))
    timed = rows[rows.predictor.isin(time_only())].nlargest(1, "mean").assign(way="time alone")
    with style():
        figure, ax = plt.subplots(figsize=(8, 1.2 + 0.35 * max(1, len(strategies))))
        for place, row in enumerate(strategies.index):
            own = strategies.loc[[row]]
            look = {"fmt": "o", "ms": 6, "capsize": 3, "color": scheme_colour(own.scheme.item())}
            ax.errorbar(100 * own["mean"], [place], xerr=100 * margins(own), **look)
        ax.axvline(100 * CHANCE, color="0.4", ls="--", label="guessing")
        for area in timed["mean"]:
            ax.axvline(100 * area, color="0.4", ls=":", label="time alone")
        ax.set_yticks(range(len(strategies)), strategies.way)
        ax.set(ylim=(len(strategies) - 0.5, -0.5), xlabel="pairs ranked rightly, of 100; mean over participants")
        figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=2)
        columns = ["predictor", "scheme", "way", "users", "mean", "low", "high"]
        return figure, pd.concat([strategies, timed])[columns]


def plot_strategies(tables: ComparisonTables) -> Drawing:
    """Plot the strategies of personalising of every predictor, and the learning curves of a new user."""
    metric, numbers = tables.settings.metric, ["mean", "low", "high"]
    rows = tables.comparison[tables.comparison.metric == metric].rename(columns={"scheme": "strategy"})
    rows = rows[rows.strategy.isin(STRATEGIES) & ~rows.predictor.isin(sensorless())]
    strategies = rows[["predictor", "strategy", *numbers]].assign(panel="strategies")
    curve = pd.DataFrame(tables.curve, columns=["strategy", "answers", "labelled", "users", *numbers]).assign(
        panel="curve"
    )
    label = METRICS[metric].label
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 1.5 + 0.22 * max(10, len(strategies))))
        for place, strategy in enumerate(strategies.strategy):
            row = strategies.iloc[[place]]
            look = {"fmt": "o", "ms": 5, "capsize": 3, "color": scheme_colour(strategy)}
            axes[0].errorbar(row["mean"], [place], xerr=margins(row), **look)
        axes[0].set_yticks(range(len(strategies)), strategies.predictor + " " + strategies.strategy)
        axes[0].invert_yaxis()
        axes[0].set(xlabel=f"{label}, mean over participants")
        ticks = curve.groupby("answers").labelled.median().astype(int).to_dict()
        for (strategy, line), marker in zip(curve.groupby("strategy", sort=False), markers(5), strict=False):
            if strategy == "unseen":  # without answers only
                axes[1].axhline(line["mean"].item(), color="0.4", ls=":", label=strategy)
                continue
            colour = scheme_colour("importance" if strategy == "groups" else str(strategy))
            places = line.answers.map(list(ticks).index)
            axes[1].fill_between(places, *line[["low", "high"]].astype(float).T.values, color=colour, alpha=0.12, lw=0)
            axes[1].plot(places, line["mean"], marker=marker, color=colour, label=strategy)
        names = [str(n) if n == windows else f"{n}\n({windows})" for n, windows in ticks.items()]
        axes[1].set_xticks(range(len(ticks)), names)
        axes[1].set(xlabel="answers of a new participant (their windows)", ylabel=label)
        axes[1].set_visible(len(curve) > 0)
        if len(curve):
            axes[1].legend()
        return figure, pd.concat([strategies, curve], ignore_index=True)


def plot_reliability(tables: ComparisonTables) -> Drawing:
    """Plot reliability curves of the global models of predictors that see sensors, before and after calibration."""
    predictors = [name for name, scheme in tables.predictions if scheme == "global" and name not in sensorless()]
    data = []
    with style():
        columns = max(1, len(predictors))
        look: dict[str, Any] = dict(figsize=(2.6 * columns + 0.8, 3.2), sharex=True, sharey=True, squeeze=False)
        figure, axes = plt.subplots(1, columns, **look)
        for ax, predictor in zip(axes.flat, predictors, strict=False):
            table = tables.predictions[predictor, "global"]
            truth, users = table.truth.to_numpy(), table.user.to_numpy()
            ax.plot([0, 1], [0, 1], color="0.6", lw=1)
            for prefix, marker, colour in zip(("raw_", "p_"), "os", colours(10), strict=False):
                p, when = class_probabilities(table, prefix), "after" if prefix == "p_" else "before"
                curve = reliability(truth, p, users, tables.settings.confidence).curve
                look = {"marker": marker, "color": colour, "capsize": 2, "label": f"{when} calibration"}
                ax.errorbar(curve.predicted, curve.right, yerr=margins(curve, "right"), **look)
                data.append(curve.assign(predictor=predictor, calibration=when))
            ax.set(title=predictor, xlabel="probability", xlim=(0, 1), ylim=(0, 1))
        axes[0, 0].set_ylabel("share of right predictions")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
        names = ["predictor", "calibration", "bin", "windows", "predicted", "right", "low", "high"]
        return figure, pd.concat(data)[names] if data else pd.DataFrame(columns=names)


def plot_risk(tables: ComparisonTables) -> Drawing:
    """Plot risk-coverage curves of the primary predictor: one model, and the strategy that is wrong least often."""
    strategies = {key: table for key, table in tables.predictions.items() if key[1] in STRATEGIES}
    named = [name for name, _ in strategies if name not in sensorless()]
    wanted, confidence = tables.settings.predictor or next(iter(named), ""), tables.settings.confidence
    curves = {key[1]: risk_coverage(table, confidence) for key, table in strategies.items() if key[0] == wanted}
    others = sorted((scheme for scheme in curves if scheme != "global"), key=lambda scheme: curves[scheme].wrong.mean())
    data = []
    with style():
        figure, ax = plt.subplots(figsize=(5, 3.2))
        for scheme in ["global", *others[:1]] if curves else []:
            curve, colour = curves[scheme], scheme_colour(scheme)
            ax.fill_between(curve.answered, curve.low, curve.high, color=colour, alpha=0.12, lw=0)
            ax.plot(curve.answered, curve.wrong, color=colour, label=scheme)
            data.append(curve.assign(predictor=wanted, strategy=scheme))
        ax.set(
            xlabel="share of windows that are answered, the most certain ones first",
            ylabel="wrong predictions",
            ylim=0,
            xlim=(0, 1),
        )
        if data:
            ax.legend()
        names = ["predictor", "strategy", "answered", "wrong", "low", "high"]
        return figure, pd.concat(data)[names] if data else pd.DataFrame(columns=names)


def plot_confusion(tables: ComparisonTables) -> Drawing:
    """Plot the confusion matrix of each model over all test windows; colours are shares of the true class.

    Random groupings are left out, since there may be hundreds.
    """
    classes = tables.classes
    predictions = {key: table for key, table in tables.predictions.items() if not key[1].startswith("random")}
    cells = pd.MultiIndex.from_product([classes, classes], names=["true", "predicted"])
    data = []
    with style():
        rows = math.ceil(len(predictions) / MATRICES)
        size = 2.1 * MATRICES + 0.8, 2.2 * rows + 0.6
        figure, axes = plt.subplots(rows, MATRICES, figsize=size, sharex=True, sharey=True, squeeze=False)
        for ax in axes.flat[len(predictions) :]:
            ax.set_visible(False)
        for ax, ((predictor, scheme), table) in zip(axes.flat, predictions.items(), strict=False):
            p = class_probabilities(table, DECISIONS[tables.settings.decide])
            counts = confusion(table.truth.to_numpy(), p.argmax(axis=1), len(classes))
            data.append(pd.DataFrame({"predictor": predictor, "scheme": scheme, "windows": counts.ravel()}, cells))
            share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            # A heatmap of seaborn draws the whole figure, which takes seconds for many models.
            ax.imshow(share, SEQUENTIAL, vmin=0, vmax=1)
            for (i, j), count in np.ndenumerate(counts):
                ax.text(j, i, str(count), ha="center", va="center", color="black" if share[i, j] > 0.5 else "white")
            ax.set_title(f"{predictor}, {scheme}", fontsize="small")
            ax.tick_params(labelbottom=len(data) + MATRICES > len(predictions))  # the last one of each column
            ax.set_xticks(range(len(classes)), classes)
            ax.set_yticks(range(len(classes)), classes)
            ax.grid(False)
        figure.supxlabel("predicted")
        figure.supylabel("true (colour: share of the true class, number: windows)")
        return figure, pd.concat(data).reset_index()[["predictor", "scheme", "true", "predicted", "windows"]]


FIGURES: Registry[Callable[[ComparisonTables], Drawing]] = Registry(
    "figure",
    {
        "comparison": plot_comparison,
        "skill": plot_skill,
        "strategies": plot_strategies,
        "reliability": plot_reliability,
        "risk": plot_risk,
        "confusion": plot_confusion,
    },
)


def plot_verdict(comparisons: dict[str, pd.DataFrame], settings: Compare) -> Drawing:
    """Plot the difference of importance groups to one global model, with intervals, and of the controls below it.

    One row per predictor and split; the splits are the keys of `comparisons`.
    """
    rows = pd.concat([frame.assign(where=name) for name, frame in comparisons.items()], ignore_index=True)
    rows = rows[(rows.metric == settings.metric) & ~rows.predictor.isin(sensorless())]
    rows = rows[~rows.scheme.isin(["global", "personal"])]
    grouped = rows.groupby(["where", "predictor"]).scheme.transform(lambda schemes: "importance" in set(schemes))
    rows = rows[grouped.astype(bool)].assign(kind=rows.scheme.map(kind_of))
    positions = {key: -position for position, key in enumerate(rows.groupby(["where", "predictor"], sort=False).groups)}
    looks = {
        "importance": ("o", 8, 0.0, "importance groups"),
        "attention": ("^", 5, -0.12, "groups by attention"),
        "raw": ("s", 5, -0.22, "groups by raw features"),
        "class-shares": ("v", 5, -0.28, "groups by class shares"),
        "random": ("D", 4, -0.34, "random groups"),
    }
    with style():
        figure, ax = plt.subplots(figsize=(8.5, 1.3 + 0.55 * max(1, len(positions))))
        for kind, (marker, size, below, name) in looks.items():
            points, colour = rows[rows.kind == kind], scheme_colour(kind)
            y = np.array([positions[key] + below for key in zip(points["where"], points.predictor, strict=True)])
            if kind == "importance":
                error = margins(points, "difference", "difference_low", "difference_high")
                ax.errorbar(points.difference, y, xerr=error, fmt="none", ecolor=colour, capsize=4, lw=2)
            if points.empty:
                continue
            ax.plot(points.difference, y, marker, ms=size, color=colour, label=name)
            # Filled only where the verdict counts it as a difference.
            weak = ~(points.p_holm < settings.level)
            if kind == "importance" and weak.any():
                look = {"ms": size, "mec": colour, "mfc": "white", "ls": "none", "mew": 2}
                ax.plot(points.difference[weak], y[weak], marker, label="no clear difference", **look)
        ax.axvline(0, color="0.3", lw=1)
        ax.set_yticks(list(positions.values()), [f"{where}: {predictor}" for where, predictor in positions])
        of = f"{METRICS[settings.metric].label}, {settings.confidence:.0%} interval over participants"
        ax.set(xlabel=f"difference to one global model ({of})")
        ax.set_ylim(min(positions.values(), default=0) - 0.6, 0.5)
        if positions:
            figure.legend(loc="outside upper center", ncols=3)
        else:
            ax.text(0.5, 0.5, "no predictor has importance groups", ha="center", va="center", transform=ax.transAxes)
        return figure, rows.drop(columns="kind")
