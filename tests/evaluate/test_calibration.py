"""Calibration: known probabilities, and predictions that are too certain."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from lifelog.evaluate.calibration import brier_scores, compare_calibration, log_losses, reliability

RNG = np.random.default_rng(0)
P = RNG.dirichlet([1, 1, 1], 4000)
TRUTH = np.array([RNG.choice(3, p=p) for p in P])  # drawn with these probabilities
USERS = np.repeat([f"u{i}" for i in range(10)], 400)
TOO_CERTAIN = P**3 / (P**3).sum(axis=1, keepdims=True)


def test_proper_scores_are_those_of_the_definitions() -> None:
    assert log_losses(TRUTH, P).mean() == pytest.approx(sklearn_log_loss(TRUTH, P), abs=2e-3)
    assert log_losses(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(np.log(1000))
    assert brier_scores(np.array([0, 1]), np.array([[1.0, 0], [1.0, 0]])).tolist() == [0, 2]
    others = [brier_scores(TRUTH, p).mean() for p in (TOO_CERTAIN, np.full((4000, 3), 1 / 3))]
    assert brier_scores(TRUTH, P).mean() < min(others)


def test_reliability_of_true_and_of_too_certain_probabilities() -> None:
    table, error, low, high = reliability(TRUTH, P, USERS, 0.95)
    assert table.windows.sum() == 4000 and error < 0.03 and 0 <= low <= high
    assert ((table.low <= table.predicted) & (table.predicted <= table.high)).mean() >= 0.7
    certain = reliability(TRUTH, TOO_CERTAIN, USERS, 0.95)
    curve = certain.curve[certain.curve.windows > 100]
    assert certain.low > 0.1 and (curve.right < curve.predicted).all()


def test_intervals_of_calibration_are_over_users() -> None:
    """All windows of a user are right or wrong: forty windows of one user are one observation."""
    right = np.repeat(np.arange(10) % 2, 40)
    p = np.tile([0.5, 0.5 - 1e-9], (400, 1))
    table = reliability(1 - right, p, np.repeat(np.arange(10), 40), 0.95).curve
    assert table.right.item() == 0.5 and table.high.item() - table.low.item() > 0.5


def test_one_user_has_no_interval() -> None:
    result = reliability(TRUTH, P, np.zeros(len(P)), 0.95)
    assert result.error < 0.03 and np.isnan(result.low) and result.curve.low.isna().all()


def test_the_calibration_error_is_within_its_interval() -> None:
    """Means of absolute values are larger in resamples than in the sample."""
    rng = np.random.default_rng(1)
    for _ in range(30):
        p = rng.dirichlet([1, 1, 1], 720)
        truth = np.array([rng.choice(3, p=own) for own in p])
        result = reliability(truth, p, np.arange(720) // 60, 0.95)
        assert 0 <= result.low <= result.error <= result.high


def test_models_are_compared_before_and_after_scaling() -> None:
    columns = dict(zip(("p_a", "p_b", "p_c"), TOO_CERTAIN.T, strict=True))
    own = pd.DataFrame({"user": USERS, "truth": TRUTH, "temperature": 3.0} | columns)
    table = compare_calibration({("net", "global"): own, ("net", "random-1"): own}, 0.95)
    assert set(table.scheme) == {"global"} and len(table) == 6
    value = table.set_index(["measure", "scaled"]).value
    for measure in ("log_loss", "brier_score", "calibration_error"):
        assert value[measure, True] < value[measure, False]
    assert (table.low <= table.value).all() and (table.value <= table.high).all()
