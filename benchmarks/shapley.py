"""The case of Shapley values, without torch."""

from __future__ import annotations

import time

import numpy as np

from lifelog.importance.errors import training_factor
from lifelog.importance.exchange import exchange_test, exchanged
from lifelog.importance.pairs import areas, prepare_pairs
from lifelog.importance.shapley import shapley_game
from lifelog.settings.importance import Shapley

CLASSES = 3
FEATURES = 16  # per modality
EFFECT = 0.2  # of the class on the first feature of the first two modalities, in standard deviations


def shapley(windows: int, modalities: int = 9) -> dict[str, float]:
    """Compute the Shapley values of the modalities of one participant, exactly and by sampled orders.

    Both times include the models. `largest difference` is that between exact and sampled values. `s errors` is the time
    of the error of training, `s test` that of the test whether modalities matter.
    """
    rng, settings = np.random.default_rng(0), Shapley()
    classes = np.arange(windows) % CLASSES
    features = [rng.normal(size=(windows, FEATURES)) for _ in range(modalities)]
    for affected in features[:2]:
        affected[:, 0] += EFFECT * classes
    folds = np.arange(windows) * settings.folds // windows
    found, durations = {}, {}
    for way, most in (("exact", modalities), ("sampled", 0)):
        start = time.perf_counter()
        models = prepare_pairs(features, folds, settings.shrinkage)
        game = shapley_game(modalities, settings.permutations, settings.seed, max_exact=most)
        found[way] = areas(models, classes, *game).values
        durations[f"s {way}"] = time.perf_counter() - start
    start = time.perf_counter()
    training_factor(models, features, classes, folds, folds, settings.shrinkage)
    durations["s errors"] = time.perf_counter() - start
    start = time.perf_counter()
    exchange_test(models, exchanged(classes, folds.astype(str).astype(object), settings.draws, settings.seed))
    durations["s test"] = time.perf_counter() - start
    return durations | {"largest difference": float(np.abs(found["sampled"] - found["exact"]).max())}
