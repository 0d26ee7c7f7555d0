"""Probabilities of predictions, and their temperature."""

import numpy as np
import pandas as pd
import pytest

from lifelog.predict.probabilities import class_probabilities, fit_temperature, rescale
from tests.evaluate.test_calibration import TOO_CERTAIN, TRUTH, P


def test_the_temperature_of_true_probabilities_is_one_and_certainty_is_undone() -> None:
    assert fit_temperature(P, TRUTH) == pytest.approx(1, abs=0.1)
    temperature = fit_temperature(TOO_CERTAIN, TRUTH)
    assert temperature == pytest.approx(3, abs=0.4)
    assert np.abs(rescale(TOO_CERTAIN, temperature) - P).mean() < 0.03
    assert (rescale(P, 5.0).argmax(axis=1) == P.argmax(axis=1)).all()
    assert fit_temperature(P[:0], TRUTH[:0]) == 1


def test_probabilities_of_a_table_are_scaled_by_the_temperatures_of_its_windows() -> None:
    columns = dict(zip(("p_a", "p_b", "p_c"), TOO_CERTAIN.T, strict=True))
    table = pd.DataFrame({"truth": TRUTH, "temperature": np.where(TRUTH == 0, 3.0, 1.0)} | columns)
    assert class_probabilities(table) == pytest.approx(TOO_CERTAIN)
    scaled = class_probabilities(table, scaled=True)
    assert scaled[TRUTH == 0] == pytest.approx(rescale(TOO_CERTAIN[TRUTH == 0], 3.0))
    assert scaled[TRUTH != 0] == pytest.approx(TOO_CERTAIN[TRUTH != 0], abs=0.003)
