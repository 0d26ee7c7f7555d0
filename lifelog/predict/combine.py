"""Schemes that are no groups of users: each combines the windows of a user with those of all others.

pooled  a model per user, in whose training the windows of the others count as so many own ones
tuned   a network of all users, whose training is continued with the windows of the user
blend   a weighted mean of the probabilities of the model of all users and of the personal model

Settings (strength, epoch, weight) are chosen on validation windows: those of all tested users together, except for the
epoch. No model is made for a user without test windows in a fold, since validation windows may be missing too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifelog.predict.interface import Predictor, build_predictor
from lifelog.predict.samples import Samples
from lifelog.predict.selection import validation_loss
from lifelog.registry import Registry
from lifelog.settings.predict import AnyPredictor

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the personal model in a blend
Predict = Callable[[Samples], NDArray[np.float64]]  # class probabilities of the windows of a user
Models = Iterator[tuple[str, Predict]]


def _pooled(settings: Any, samples: Samples, users: list[str]) -> Models:
    train, validation = samples.subset("train", users), samples.subset("validation", users)
    strengths = settings.strength
    losses = np.zeros(len(strengths))
    models: dict[str, list[Any]] = {}
    pool = build_predictor(settings).pool(train)  # type: ignore[attr-defined]
    for user in _tested(samples, users):
        own = pool.moments_of(user)
        seen = validation.subset("validation", [user])
        models[user] = [build_predictor(settings) for _ in strengths]
        for i, (model, strength) in enumerate(zip(models[user], strengths, strict=True)):
            model.fit_pooled(pool, own, strength, seen)
            losses[i] += validation_loss(model.predict(seen), seen, train)
    best = int(np.argmin(losses))
    for user in models:
        yield user, models[user][best].predict


def _tuned(settings: AnyPredictor, samples: Samples, users: list[str]) -> Models:
    shared: Any = build_predictor(settings)
    shared.fit(samples.subset("train", users), samples.subset("validation", users))
    for user in _tested(samples, users):
        own = deepcopy(shared)
        own.tune(samples.subset("train", [user]), samples.subset("validation", [user]))
        yield user, own.predict


def _blend(settings: AnyPredictor, samples: Samples, users: list[str]) -> Models:
    train = samples.subset("train", users)
    shared = build_predictor(settings)
    shared.fit(train, samples.subset("validation", users))
    losses, models = np.zeros(len(WEIGHTS)), {}
    for user in _tested(samples, users):
        seen = samples.subset("validation", [user])
        personal = models[user] = build_predictor(settings)
        personal.fit(samples.subset("train", [user]), seen)
        first, second = shared.predict(seen), personal.predict(seen)
        losses += [validation_loss((1 - w) * first + w * second, seen, train) for w in WEIGHTS]
    weight = WEIGHTS[int(np.argmin(losses))]
    for user, personal in models.items():
        yield user, partial(_mix, weight, shared, personal)


def _tested(samples: Samples, users: list[str]) -> list[str]:
    """Return the users with test windows."""
    tested = set(samples.subset("test", users).users)
    return [user for user in users if user in tested]


def _mix(weight: float, shared: Predictor, personal: Predictor, samples: Samples) -> NDArray[np.float64]:
    return (1 - weight) * shared.predict(samples) + weight * personal.predict(samples)


# Each yields the model of every user who has test windows.
COMBINATIONS: Registry[Callable[[Any, Samples, list[str]], Models]] = Registry(
    "scheme", {"pooled": _pooled, "tuned": _tuned, "blend": _blend}
)
