"""The predictor rocket; skipped without aeon, which `make test-rocket` installs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lifelog.predict.interface import build_predictor
from lifelog.predict.samples import Samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import Rocket
from lifelog.settings.windows import Modality
from tests.predict.test_predictors import USERS, check_predictions, groups_of, samples_of

pytest.importorskip("aeon", reason="aeon is not installed; make test-rocket installs it")
SMALL = Rocket(kernels=84, groups=2)


@dataclass
class Windows:
    """Windows in memory."""

    values: np.ndarray
    present: np.ndarray

    def take(self, rows: np.ndarray) -> Any:
        return Windows(self.values[rows], self.present[rows])

    def read(self) -> dict[str, np.ndarray]:
        return {"acc": self.values}


def test_rocket_learns_the_form_of_a_signal() -> None:
    """Two frequencies with any phase, so that means and spreads are equal; every tenth window is missing."""
    rng = np.random.default_rng(0)
    truth = np.arange(80) % 2
    phase, time = rng.uniform(0, 6, 80)[:, None], np.arange(60)
    waves = np.sin(phase + time * np.where(truth, 0.9, 0.7)[:, None]) + 0.3 * rng.normal(size=(80, 60))
    present = (np.arange(80) % 10 > 0)[:, None]
    windows = Windows(np.where(present, waves, 0).astype(np.float32)[:, :, None], present)
    texts, minutes = np.full(80, "u", dtype=object), np.arange(80)
    keys = texts, texts, texts, minutes.astype("datetime64[m]"), minutes, minutes, truth, truth * np.nan
    acc = Modality(name="acc", columns=["x"], rate=1, length=60)
    samples = Samples(*keys, np.empty((80, 0), np.float32), {}, windows, [], [acc], ["slow", "fast"])
    train, rest = (samples.take((minutes < 50) == first) for first in (True, False))
    model = build_predictor(SMALL)
    model.fit(train, rest)
    right = model.predict(rest).argmax(axis=1) == rest.truth
    assert right[rest.windows.present[:, 0]].mean() > 0.9


def test_rocket_predicts_every_test_window_once_and_reproducibly(tables: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        model = Model(SMALL, "importance", groups_of(["g1", "g2", "g1", "g2"]), tmp_path / name)
        train_predictors([model], lambda fold: samples_of(tables, USERS, "user", fold, windows=True))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    check_predictions(pq.read_table(tmp_path / "a").to_pandas(), tables)
