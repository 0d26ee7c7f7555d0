"""train_predictor: one model a group of a scheme, fitted on training windows, and what it says of the test windows.

Where the split asks for it (method `users`), the model that is tested on a person was fitted on the others of the
group: people are left out in turns. Someone who is alone in a group is predicted by a model of everyone else.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.config import Predictor as Settings
from lifelog.config import UsersSplit
from lifelog.predict.samples import Samples
from lifelog.tables import write_table

logger = logging.getLogger(__name__)


class Predictor(Protocol):
    """Fit on training windows, choose on validation windows, give probabilities (N, C)."""

    def fit(self, train: Samples, validation: Samples) -> None: ...

    def predict(self, samples: Samples) -> NDArray: ...


def build_predictor(settings: Settings) -> Predictor:
    """The predictor that the settings name; torch and scikit-learn are loaded only for those that need them."""
    if settings.name in ("lifelognet", "windownet"):
        from lifelog.predict.lifelognet import LifeLogNetPredictor as Kind
    elif settings.name == "boosting":
        from lifelog.predict.boosting import BoostingPredictor as Kind
    elif settings.name == "nearest_minute":
        from lifelog.predict.nearest_minute import NearestMinutePredictor as Kind
    elif settings.name == "clock":
        from lifelog.predict.clock import ClockPredictor as Kind
    else:
        from lifelog.predict.majority import MajorityPredictor as Kind
    return Kind(settings)


def turns(members: list[str], everyone: list[str], unseen: UsersSplit | None) -> list[tuple[list[str], list[str]]]:
    """Whom to fit on and whom to test, for the members of a group: themselves, or in turns the others."""
    if unseen is None:
        return [(members, members)]
    order = np.random.default_rng(unseen.seed).permutation(sorted(members))
    folds = np.array_split(order, min(unseen.folds, len(members)))
    found = []
    for fold in folds:
        others = [user for user in members if user not in fold]
        found.append((others or [user for user in everyone if user not in fold], sorted(map(str, fold))))
    return found


def train_predictor(
    groups: pd.DataFrame,
    samples: Samples,
    settings: Settings,
    predictions_path: str | Path,
    unseen: UsersSplit | None = None,
) -> None:
    """Write user, group, start, truth (class number) and one probability a class for every test window.

    unseen: the split, where predictors must not know the person whom they are tested on.
    """
    everyone, frames, alone = list(groups.user), [], []
    for number, (group, own) in enumerate(groups.groupby("group", sort=False), start=1):
        members = list(own.user)
        if unseen and len(members) == 1:
            alone += members
        for fitted, tested in turns(members, everyone, unseen):
            frames.append(predict_users(settings, samples, fitted, tested).assign(group=group))
            total = groups.group.nunique()
            logger.info(
                "group %d of %d (%s): %d users known, %d tested", number, total, group, len(fitted), len(tested)
            )
    if alone:
        logger.warning("alone in their group, predicted by a model of everyone else: %s", ", ".join(alone))
    table = pd.concat(frames).sort_values(["user", "start"])
    notes = {"classes": samples.classes, "alone": alone}
    write_table(table, predictions_path, predictions_schema(samples.classes), notes)


def predict_users(settings: Settings, samples: Samples, fitted: list[str], tested: list[str]) -> pd.DataFrame:
    """user, start, truth and one probability a class of some users' test windows, by a model fitted on some users."""
    test, names = samples.part("test", tested), probability_columns(samples.classes)
    # The only user of all has nobody to learn from: every class is as likely.
    probabilities = np.full((len(test), len(names)), 1 / len(names))
    if fitted:
        model = build_predictor(settings)
        model.fit(samples.part("train", fitted), samples.part("validation", fitted))
        probabilities = model.predict(test)
    frame = test.keys[["user", "start"]].assign(truth=test.truth)
    return frame.join(pd.DataFrame(probabilities, columns=names))


def probability_columns(classes: list[str]) -> list[str]:
    """Names of the probability columns."""
    return [f"p_{name}" for name in classes]


def predictions_schema(classes: list[str]) -> pa.Schema:
    keys = [("user", pa.string()), ("group", pa.string()), ("start", pa.timestamp("s", tz="UTC"))]
    numbers = [(name, pa.float64()) for name in probability_columns(classes)]
    return pa.schema([*keys, ("truth", pa.int16()), *numbers])
