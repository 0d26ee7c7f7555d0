"""The predictor rocket; skipped without aeon, which `make test-rocket` installs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifelog.predict.predictors.rocket import Rocket
from lifelog.predict.samples import Samples
from lifelog.settings.windows import Modality
from tests.predict.test_predictors import People, check_predictions, groups_of, predictions_of

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
    acc = Modality(name="acc", columns=["x"], rate=1, length=60)
    rows = pd.DataFrame({"user": "u", "truth": truth})
    samples = Samples(rows, np.empty((80, 0), np.float32), {}, windows, [], [acc], ["slow", "fast"])
    train, rest = (samples.take((np.arange(80) < 50) == first) for first in (True, False))
    model = SMALL.build()
    model.fit(train, rest)
    right = model.predict(rest).argmax(axis=1) == rest.truth
    assert right[rest.windows.present[:, 0]].mean() > 0.9


def test_rocket_predicts_every_test_window_once_and_reproducibly(people: People) -> None:
    groups = groups_of(["g1", "g2", "g1", "g2"])
    table, again = (predictions_of(people, SMALL, "importance", groups) for _ in range(2))
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    check_predictions(table, people)
