"""train_predictor: one model a group of a scheme, fitted on training windows, and what it says of the test windows."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.config import Predictor as Settings
from lifelog.predict.samples import Samples, read_samples
from lifelog.tables import write_table

logger = logging.getLogger(__name__)


class Predictor(Protocol):
    """Fit on training windows, choose on validation windows, give probabilities (N, C)."""

    def fit(self, train: Samples, validation: Samples) -> None: ...

    def predict(self, samples: Samples) -> NDArray: ...


def build_predictor(settings: Settings) -> Predictor:
    """The predictor that the settings name; torch and scikit-learn are loaded only for those that need them."""
    if settings.name == "lifelognet":
        from lifelog.predict.lifelognet import LifeLogNetPredictor

        return LifeLogNetPredictor(settings)
    if settings.name == "boosting":
        from lifelog.predict.boosting import BoostingPredictor

        return BoostingPredictor(settings)
    from lifelog.predict.majority import MajorityPredictor

    return MajorityPredictor(settings)


def train_predictor(
    groups: pd.DataFrame,
    features: list[str],
    splits: list[str],
    standardise: str,
    settings: Settings,
    predictions_path: str | Path,
) -> None:
    """Write user, group, start, truth (class number) and one probability a class for every test window."""
    samples = read_samples(features, splits, list(groups.user), standardise)
    group_of = samples.keys.user.map(groups.set_index("user").group)
    frames = []
    for number, group in enumerate(dict.fromkeys(groups.group), start=1):
        own = samples.take((group_of == group).to_numpy())
        test = own.part("test")
        model = build_predictor(settings)
        model.fit(own.part("train"), own.part("validation"))
        probabilities = model.predict(test)
        frame = test.keys[["user", "start"]].assign(group=group, truth=test.truth)
        frames.append(frame.join(pd.DataFrame(probabilities, columns=probability_columns(samples.classes))))
        total = groups.group.nunique()
        logger.info("group %d of %d (%s): %d windows trained, %d tested", number, total, group, len(own), len(test))
    table = pd.concat(frames).sort_values(["user", "start"])
    write_table(table, predictions_path, predictions_schema(samples.classes), notes={"classes": samples.classes})


def probability_columns(classes: list[str]) -> list[str]:
    """Names of the probability columns."""
    return [f"p_{name}" for name in classes]


def predictions_schema(classes: list[str]) -> pa.Schema:
    keys = [("user", pa.string()), ("group", pa.string()), ("start", pa.timestamp("s", tz="UTC"))]
    numbers = [(name, pa.float64()) for name in probability_columns(classes)]
    return pa.schema([*keys, ("truth", pa.int16()), *numbers])
