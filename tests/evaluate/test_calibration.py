"""Calibration: known probabilities, and predictions that are too certain."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from lifelog.evaluate.calibration import (
    brier_scores,
    class_errors,
    compare_calibration,
    constant_sentence,
    log_losses,
    reliability,
)

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


def table_of(calibrated: np.ndarray, raw: np.ndarray) -> pd.DataFrame:
    columns = {f"p_{name}": calibrated[:, k] for k, name in enumerate("abc")}
    columns |= {f"raw_{name}": raw[:, k] for k, name in enumerate("abc")}
    return pd.DataFrame({"user": USERS, "truth": TRUTH} | columns)


def test_models_are_compared_before_and_after_calibration_and_with_constant_shares() -> None:
    own, constant = table_of(P, TOO_CERTAIN), np.tile(np.bincount(TRUTH) / 4000, (4000, 1))
    tables = {("net", "global"): own, ("net", "random-1"): own, ("majority", "global"): table_of(constant, constant)}
    table = compare_calibration(tables | {("bad", "global"): table_of(TOO_CERTAIN[::-1], P)}, 0.95)
    assert set(table.scheme) == {"global"}
    value = table[table.predictor == "net"].set_index(["measure", "calibrated"]).value
    for measure in ("log_loss", "brier_score", "calibration_error", "class_error"):
        assert value[measure, True] < value[measure, False]
    known = table[table.measure != "class_error"]
    assert (known.low <= known.value).all() and (known.value <= known.high).all()
    assert "are better than constant class shares: log-loss 0.8" in constant_sentence(table, "net", "global")
    assert "are not better than constant class shares" in constant_sentence(table, "bad", "global")
    assert constant_sentence(table, "majority", "global") == ""


def test_the_error_of_a_class_is_hidden_in_that_of_the_predicted_one() -> None:
    """Probabilities of equally frequent classes, of which the second one is rare."""
    rng = np.random.default_rng(5)
    truth = (rng.random(5000) < 0.2).astype(int)
    p = np.tile([0.8, 0.2], (5000, 1))
    assert class_errors(truth, p).max() < 0.02
    assert class_errors(truth, np.tile([0.55, 0.45], (5000, 1))) == pytest.approx([0.25, 0.25], abs=0.02)
