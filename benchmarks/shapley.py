"""The case of Shapley values, without torch."""

from __future__ import annotations

import time

import numpy as np

from lifelog.importance.shapley import held_out_evidence, pointwise_shapley
from lifelog.settings.importance import Shapley

CLASSES = 3
FEATURES = 16  # per modality
EFFECT = 0.2  # of the class on the first feature of the first two modalities, in standard deviations


def shapley(windows: int, modalities: int = 9) -> dict[str, float]:
    """Compute the Shapley values of the modalities of one participant, exactly and by sampled orders.

    Both times include the models. `largest difference` is that between exact and sampled values, `largest error` the
    standard error that sampling states.
    """
    rng, settings = np.random.default_rng(0), Shapley()
    classes = np.arange(windows) % CLASSES
    features = {f"m{i}": rng.normal(size=(windows, FEATURES)) for i in range(modalities)}
    for name in ("m0", "m1"):
        features[name][:, 0] += EFFECT * classes
    folds = np.arange(windows) * settings.folds // windows
    found, durations = {}, {}
    for way, most in (("exact", modalities), ("sampled", 0)):
        start = time.perf_counter()
        evidence = held_out_evidence(features, classes, folds, CLASSES, settings.shrinkage)
        values, error = pointwise_shapley(evidence, classes, settings.permutations, settings.seed, max_exact=most)
        durations[f"s {way}"] = time.perf_counter() - start
        found[way] = values.mean(axis=1)
    difference = float(np.abs(found["sampled"] - found["exact"]).max())
    return durations | {"largest difference": difference, "largest error": float(error.max())}
