"""Calibration of class probabilities: class shares, slope and shifts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifelog.predict.probabilities import (
    SLOPE,
    Calibration,
    Raw,
    calibrate,
    class_probabilities,
    class_shares,
    fit_calibration,
)
from tests.evaluate.test_calibration import TOO_CERTAIN, TRUTH, P

EQUAL = np.full(3, 1 / 3)


def test_certainty_is_undone() -> None:
    found = fit_calibration([Raw(TOO_CERTAIN, EQUAL, EQUAL)], [TRUTH], 3)
    assert found.slope == pytest.approx(1 / 3, abs=0.05) and np.abs(found.shifts).max() < 0.1
    assert np.abs(calibrate(Raw(TOO_CERTAIN, EQUAL, EQUAL), found) - P).mean() < 0.02


def test_class_shares_are_those_of_the_training_windows() -> None:
    """Bayes' rule: windows of two classes with unit normal values at -1 and 1, of which 9 in 10 are of the first."""
    rng = np.random.default_rng(3)
    truth = (rng.random(4000) < 0.1).astype(int)
    evidence = np.exp(2 * (2 * truth - 1 + rng.normal(size=4000)))
    raw = np.stack([1 / (1 + evidence), evidence / (1 + evidence)], axis=1)
    right = np.stack([0.9 / (0.9 + 0.1 * evidence), 0.1 * evidence / (0.9 + 0.1 * evidence)], axis=1)
    equal, shares = np.full(2, 0.5), np.array([0.9, 0.1])
    p = calibrate(Raw(raw, equal, shares), fit_calibration([Raw(raw, equal, shares)], [truth], 2))
    assert np.abs(p - right).mean() < 0.02 and p[:, 1].mean() == pytest.approx(truth.mean(), abs=0.01)
    assert raw[:, 1].mean() > 0.2


def test_a_shift_corrects_shares_that_differ() -> None:
    shares = np.array([0.5, 0.25, 0.25])
    p = calibrate(Raw(P, EQUAL, shares), fit_calibration([Raw(P, EQUAL, shares)], [TRUTH], 3))
    assert np.abs(p.mean(axis=0) - np.bincount(TRUTH) / len(TRUTH)).max() < 0.02


def test_without_validation_windows_the_priors_hold_and_few_windows_change_little() -> None:
    found = fit_calibration([Raw(P[:0], EQUAL, EQUAL)], [TRUTH[:0]], 3)
    assert found.slope == pytest.approx(np.exp(SLOPE)) and not found.shifts.any()
    few = fit_calibration([Raw(P[:3], EQUAL, EQUAL)], [TRUTH[:3]], 3)
    assert abs(np.log(few.slope) - SLOPE) < 0.5 and np.abs(few.shifts).max() < 0.3


def test_a_constant_model_gives_the_class_shares() -> None:
    shares = np.array([0.7, 0.2, 0.1])
    constant = np.tile(shares, (40, 1))
    found = fit_calibration([Raw(constant, shares, shares)], [TRUTH[:40]], 3)
    assert calibrate(Raw(constant, shares, shares), found) == pytest.approx(constant)


def test_models_with_one_validation_window_each_are_no_constants() -> None:
    found = fit_calibration([Raw(P[[i]], EQUAL, EQUAL) for i in range(300)], [TRUTH[[i]] for i in range(300)], 3)
    assert found.slope == pytest.approx(fit_calibration([Raw(P[:300], EQUAL, EQUAL)], [TRUTH[:300]], 3).slope, rel=1e-3)
    assert found.slope > 0.5


def test_no_class_has_the_share_0() -> None:
    shares = class_shares(np.zeros(20, dtype=int), np.repeat([0, 1], [150, 50]), 3)
    assert shares.sum() == pytest.approx(1) and shares[2] > 0 and shares[1] == pytest.approx(0.05, abs=0.01)


def test_probabilities_of_a_table_are_those_after_or_before_calibration() -> None:
    table = pd.DataFrame(
        {"truth": TRUTH[:2], "p_a": [0.1, 0.2], "p_b": [0.9, 0.8], "raw_a": [0.5, 0.6], "raw_b": [0.5, 0.4]}
    )
    assert class_probabilities(table).tolist() == [[0.1, 0.9], [0.2, 0.8]]
    assert class_probabilities(table, "raw_").tolist() == [[0.5, 0.5], [0.6, 0.4]]
    assert class_probabilities(table[["p_a", "p_b"]], "raw_").tolist() == [[0.1, 0.9], [0.2, 0.8]]


def test_the_slope_orders_windows_as_before() -> None:
    p = calibrate(Raw(P, EQUAL, EQUAL), Calibration(0.3, np.array([0.2, 0.0, -0.2])))
    assert p.sum(axis=1) == pytest.approx(1)
    raw = np.stack([np.linspace(0.01, 0.99, 50), np.linspace(0.99, 0.01, 50)], axis=1)
    binary = calibrate(Raw(raw, EQUAL[:2], EQUAL[:2]), Calibration(0.3, np.array([0.2, 0.0])))
    assert (np.diff(binary[:, 0]) > 0).all()


def test_classes_that_validation_lacks_have_no_shift() -> None:
    raw, same = np.tile([[0.5, 0.5], [0.7, 0.3]], (100, 1)), np.zeros(200, dtype=int)
    found = fit_calibration([Raw(raw, EQUAL[:2] * 1.5, EQUAL[:2] * 1.5)], [same], 2)
    assert found.slope == pytest.approx(np.exp(SLOPE)) and not found.shifts.any()
    two = TRUTH < 2
    assert not fit_calibration([Raw(P[two], EQUAL, EQUAL)], [TRUTH[two]], 3).shifts.any()
