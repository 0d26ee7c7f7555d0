"""Schemes that combine the windows of a user with those of other users.

pooled  a model per user, in whose training the other participants' windows count as a given number of windows
tuned   a network of all users, whose training is continued with the windows of the user
blend   a weighted mean of the probabilities of the model of all users and of the personal model

Settings (prior windows, epoch, weight) are chosen on validation windows: those of all tested users together, except for
the epoch. No model is made for a user without test windows in a fold, since validation windows may be missing too.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, cast

import numpy as np

from lifelog.arrays import Floats
from lifelog.predict.interface import PoolingPredictor, Predictor, TunablePredictor, fit_each
from lifelog.predict.samples import Samples
from lifelog.predict.selection import validation_loss
from lifelog.registry import Registry
from lifelog.settings.predict import PredictorSettings

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the personal model in a blend
Combination = Callable[[Any, Sequence["Part"]], list[list["UserModel"]]]


class Mixture(NamedTuple):
    """A weighted mean of the probabilities of several models."""

    weights: list[float]
    models: list[Predictor]

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""
        parts = [weight * model.predict(samples) for weight, model in zip(self.weights, self.models, strict=True)]
        return np.sum(parts, axis=0)


UserModel = tuple[str, Mixture]


class Part(NamedTuple):
    """Windows of a fold, and the users whose windows are combined."""

    samples: Samples
    users: list[str]


def _pooled(settings: Any, samples: Samples, users: list[str]) -> Iterator[UserModel]:
    def build() -> PoolingPredictor:
        return settings.build()

    train, validation = samples.fitted(users)
    candidates = settings.prior_windows
    losses = np.zeros(len(candidates))
    models: dict[str, list[PoolingPredictor]] = {}
    pool = build().pool(train)
    for user in _tested(samples, users):
        seen = validation.subset("validation", [user])
        models[user] = [build() for _ in candidates]
        for i, (model, prior_windows) in enumerate(zip(models[user], candidates, strict=True)):
            model.fit_pooled(pool, user, prior_windows, seen)
            losses[i] += validation_loss(model.predict(seen), seen, train)
    best = int(np.argmin(losses))
    for user in models:
        yield user, Mixture([1.0], [models[user][best]])


def _tuned(settings: PredictorSettings, parts: Sequence[Part]) -> list[list[UserModel]]:
    shared = list(fit_each(settings, [part.samples.fitted(part.users) for part in parts]))
    owners = [(place, user) for place, part in enumerate(parts) for user in _tested(*part)]
    models = [cast(TunablePredictor, deepcopy(shared[place])) for place, _ in owners]
    if models:
        models[0].tune_each(models, [parts[place].samples.fitted([user]) for place, user in owners])
    by_part: list[list[UserModel]] = [[] for _ in parts]
    for (place, user), model in zip(owners, models, strict=True):
        by_part[place].append((user, Mixture([1.0], [model])))
    return by_part


def _blend(settings: PredictorSettings, samples: Samples, users: list[str]) -> Iterator[UserModel]:
    train, validation = samples.fitted(users)
    shared: Predictor = settings.build()
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
        yield user, Mixture([1 - weight, weight], [shared, personal])


def _tested(samples: Samples, users: list[str]) -> list[str]:
    """Return the users with test windows."""
    tested = set(samples.subset("test", users).rows.user)
    return [user for user in users if user in tested]


def _each(combine: Callable[[Any, Samples, list[str]], Iterator[UserModel]]) -> Combination:
    return lambda settings, parts: [list(combine(settings, *part)) for part in parts]


# Each returns, by part, the model of every user who has test windows.
COMBINATIONS: Registry[Combination] = Registry(
    "scheme", {"pooled": _each(_pooled), "tuned": _tuned, "blend": _each(_blend)}
)
