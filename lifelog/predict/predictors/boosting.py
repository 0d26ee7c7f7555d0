"""Histogram gradient boosting of scikit-learn on summary statistics; it handles missing values itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from lifelog.arrays import Arrays, Bools, Codes, Floats, check_shapes
from lifelog.predict.interface import Predictor
from lifelog.predict.selection import class_weights, weighted_loss
from lifelog.settings.predict import Inputs, PredictorSettings

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples

BINS = 255
TOGETHER = 1024  # windows that are predicted at a time


class Boosting(PredictorSettings):
    """Gradient boosting."""

    inputs: ClassVar[Inputs] = "features"
    stored: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("ke2017",)
    meaning: ClassVar[str] = "Gradient boosting: a sum of many small decision trees on the features."

    name: Literal["boosting"] = "boosting"
    """histogram gradient boosting on summary features"""

    max_iter: int = Field(100, ge=1)
    """maximum number of trees per class; chosen on validation windows"""

    learning_rate: float = Field(0.1, gt=0)
    """shrinkage"""

    min_samples_leaf: int = Field(5, ge=1)
    """minimum number of windows per leaf"""

    seed: int = Field(0, ge=0)
    """random state of the booster"""


class Trees(NamedTuple):
    """Decision trees whose values are summed, with their nodes one after the other.

    Attributes
    ----------
    baseline : ndarray of float, shape (n_scores,)
        Scores before the first tree: one for two classes, otherwise one per class.
    roots : ndarray of int, shape (n_trees,)
        First node of each tree; trees of the scores take turns.
    feature : ndarray of int, shape (n_nodes,)
        Feature that a node divides by, -1 for a leaf.
    threshold : ndarray of float, shape (n_nodes,)
        Largest value that goes to the left.
    missing_left : ndarray of bool, shape (n_nodes,)
        Whether a missing value goes to the left.
    left, right : ndarray of int, shape (n_nodes,)
        Next nodes.
    value : ndarray of float, shape (n_nodes,)
        Value of a leaf.
    """

    baseline: Floats
    roots: Codes
    feature: Codes
    threshold: Floats
    missing_left: Bools
    left: Codes
    right: Codes
    value: Floats

    def scores(self, x: Floats) -> Floats:
        """Return the scores of windows with features x (n_windows, n_features), shape (n_windows, n_scores)."""
        count = len(self.baseline)
        sums = [np.broadcast_to(self.baseline, (0, count))]
        for start in range(0, len(x), TOGETHER):
            part = x[start : start + TOGETHER]
            node, rows = np.tile(self.roots, (len(part), 1)), np.arange(len(part))[:, None]
            while (inner := self.feature[node] >= 0).any():
                values = part[rows, np.where(inner, self.feature[node], 0)]
                to_left = np.where(np.isnan(values), self.missing_left[node], values <= self.threshold[node])
                node = np.where(inner, np.where(to_left, self.left[node], self.right[node]), node)
            sums.append(self.baseline + self.value[node].reshape(len(part), -1, count).sum(axis=1))
        return np.concatenate(sums)

    def check(self, features: int) -> None:
        """Raise ValueError unless every path ends in a leaf."""
        count, inner = len(self.feature), self.feature >= 0
        place, nodes = np.arange(count), self[2:]
        within = [self.roots, self.left[inner], self.right[inner]] if all(len(x) == count for x in nodes) else []
        # Nodes follow the one that divides into them, so that no path returns.
        if (
            not within
            or any(((x < 0) | (x >= count)).any() for x in within)
            or (self.feature >= features).any()
            or any((x <= place[inner]).any() for x in within[1:])
            or len(self.roots) % len(self.baseline)
        ):
            raise ValueError("these are no trees")


def trees_of(model: Any, iterations: int) -> Trees:
    """Return the trees of the first iterations of a fitted `HistGradientBoostingClassifier`."""
    nodes = [tree.nodes for of_iteration in model._predictors[:iterations] for tree in of_iteration]
    roots = np.cumsum([0, *map(len, nodes)])[:-1]
    starts, joined = np.repeat(roots, [len(tree) for tree in nodes]), np.concatenate(nodes)
    leaf = joined["is_leaf"].astype(bool)
    return Trees(
        model._baseline_prediction.ravel(),
        roots,
        np.where(leaf, -1, joined["feature_idx"].astype(np.int64)),
        joined["num_threshold"].copy(),
        joined["missing_go_to_left"].astype(bool),
        np.where(leaf, 0, starts + joined["left"]),
        np.where(leaf, 0, starts + joined["right"]),
        joined["value"].copy(),
    )


class BoostingPredictor(Predictor):
    """Gradient boosting with class weights; the number of trees has the lowest loss on the validation windows."""

    def __init__(self, settings: Boosting) -> None:
        super().__init__(settings)
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.model: Any = HistGradientBoostingClassifier(
            max_iter=settings.max_iter,
            learning_rate=settings.learning_rate,
            min_samples_leaf=settings.min_samples_leaf,
            random_state=settings.seed,
        )

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit the trees."""
        # A column without any training value (a modality that all users lack) has no bins.
        self.columns = ~np.isnan(train.summary).all(axis=0)
        # Binned here: the library's search for weighted quantiles takes longer than all of its trees.
        quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
        self.edges = np.nanquantile(train.summary[:, self.columns], quantiles, axis=0).reshape(
            BINS - 1, self.columns.sum()
        )
        # The library cannot score classes without training windows.
        known = np.isin(validation.truth, train.truth)
        self.model.set_params(early_stopping=bool(known.any()))
        weights = class_weights(train.truth)
        x, y = self._binned(validation)[known], validation.truth[known]
        held_out = {"X_val": x, "y_val": y, "sample_weight_val": weights[y]} if known.any() else {}
        self.model.fit(self._binned(train), train.truth, sample_weight=weights[train.truth], **held_out)
        iterations = self.model.n_iter_
        if known.any():  # the library keeps the trees after the best ones
            places = np.searchsorted(self.model.classes_, y)
            losses = [weighted_loss(p, places, weights[y]) for p in self.model.staged_predict_proba(x)]
            iterations = 1 + int(np.argmin(losses))
        self.present, self.trees = self.model.classes_, trees_of(self.model, iterations)

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""
        from scipy.special import softmax

        if len(self.present) == 1:
            return self.aligned(np.ones((len(samples), 1)), self.present, len(samples.classes))
        scores = self.trees.scores(self._binned(samples))
        if scores.shape[1] == 1:  # of two classes
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        return self.aligned(softmax(scores, axis=1), self.present, len(samples.classes))

    def state(self) -> Arrays:
        """Return the edges of bins and the trees."""
        return {"columns": self.columns, "edges": self.edges, "present": self.present} | self.trees._asdict()

    def restore(self, state: Arrays, like: Samples) -> None:
        """Make these the trees of a state."""
        self.columns, self.edges, self.present = (state.pop(name) for name in ("columns", "edges", "present"))
        self.trees = Trees(**state)
        used, count = int(self.columns.sum()), len(self.present)
        check_shapes(
            {"columns": self.columns, "edges": self.edges, "baseline": self.trees.baseline},
            {"columns": (len(like.features),), "edges": (BINS - 1, used), "baseline": (count if count > 2 else 1,)},
        )
        if not set(self.present.tolist()) <= set(range(len(like.classes))):
            raise ValueError(f"the classes {self.present.tolist()} are not among {like.classes}")
        self.trees.check(max(1, used))

    def _binned(self, samples: Samples) -> Floats:
        """Return bin numbers, NaN for missing values."""
        if not self.columns.any():  # nothing is known: all windows are alike
            return np.zeros((len(samples), 1))
        values = samples.summary[:, self.columns]
        bins = [np.searchsorted(edges, column) for edges, column in zip(self.edges.T, values.T, strict=True)]
        return np.where(np.isnan(values), np.nan, np.stack(bins, axis=1))
