"""Schemes that are no groups of users: each combines the windows of a user with those of all others.

pooled  a model per user, in whose training the windows of the others count as so many own ones
tuned   a network of all users, whose training is continued with the windows of the user
blend   a weighted mean of the probabilities of the model of all users and of the personal model

Settings (strength, epoch, weight) are chosen on validation windows: those of all tested users together, except for the
epoch. No model is made for a user without test windows in a fold, since validation windows may be missing too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifelog.predict.interface import Predictor, build_predictor, fit_each
from lifelog.predict.samples import Samples
from lifelog.predict.selection import validation_loss
from lifelog.registry import Registry
from lifelog.settings.predict import AnyPredictor

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the personal model in a blend
Predict = Callable[[Samples], NDArray[np.float64]]  # class probabilities of the windows of a user
Model = tuple[str, Predict]  # of a user
Combination = Callable[[Any, Sequence["Part"]], list[list[Model]]]


class Part(NamedTuple):
    """Windows of a fold, and the users whose windows are combined."""

    samples: Samples
    users: list[str]


def _pooled(settings: Any, samples: Samples, users: list[str]) -> Iterator[Model]:
    train, validation = samples.fitted(users)
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


def _tuned(settings: AnyPredictor, parts: Sequence[Part]) -> list[list[Model]]:
    shared: list[Any] = list(fit_each(settings, [part.samples.fitted(part.users) for part in parts]))
    owners = [(place, user) for place, part in enumerate(parts) for user in _tested(*part)]
    models = [deepcopy(shared[place]) for place, _ in owners]
    if models:
        models[0].tune_all(models, [parts[place].samples.fitted([user]) for place, user in owners])
    found: list[list[Model]] = [[] for _ in parts]
    for (place, user), own in zip(owners, models, strict=True):
        found[place].append((user, own.predict))
    return found


def _blend(settings: AnyPredictor, samples: Samples, users: list[str]) -> Iterator[Model]:
    train, validation = samples.fitted(users)
    shared = build_predictor(settings)
    shared.fit(train, validation)
    tested = _tested(samples, users)
    models = list(fit_each(settings, (samples.fitted([user]) for user in tested)))
    losses = np.zeros(len(WEIGHTS))
    for user, personal in zip(tested, models, strict=True):
        seen = samples.subset("validation", [user])
        first, second = shared.predict(seen), personal.predict(seen)
        losses += [validation_loss((1 - w) * first + w * second, seen, train) for w in WEIGHTS]
    weight = WEIGHTS[int(np.argmin(losses))]
    for user, personal in zip(tested, models, strict=True):
        yield user, partial(_mix, weight, shared, personal)


def _tested(samples: Samples, users: list[str]) -> list[str]:
    """Return the users with test windows."""
    tested = set(samples.subset("test", users).users)
    return [user for user in users if user in tested]


def _mix(weight: float, shared: Predictor, personal: Predictor, samples: Samples) -> NDArray[np.float64]:
    return (1 - weight) * shared.predict(samples) + weight * personal.predict(samples)


def _each(combine: Callable[[Any, Samples, list[str]], Iterator[Model]]) -> Combination:
    return lambda settings, parts: [list(combine(settings, *part)) for part in parts]


# Each returns, by part, the model of every user who has test windows.
COMBINATIONS: Registry[Combination] = Registry(
    "scheme", {"pooled": _each(_pooled), "tuned": _tuned, "blend": _each(_blend)}
)
