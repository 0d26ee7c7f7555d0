from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from lifelog.evaluate.compare import (
    bootstrap_interval,
    compare_predictors,
    holm,
    permutation_p,
    read_predictions,
    score_users,
    signed_rank,
)
from lifelog.settings.compare import Compare

SETTINGS = Compare(bootstrap=500)


def predictions(skill: float, seed: int = 0, users: int = 10) -> pd.DataFrame:
    """Predictions of two classes that are correct with probability `skill`."""
    rng, frames = np.random.default_rng(seed), []
    for i in range(users):
        truth = np.arange(40) % 2
        correct = rng.random(40) < skill
        p = np.where(correct == (truth == 1), 0.9, 0.1)
        frames.append(pd.DataFrame({"user": f"u{i}", "start": range(40), "truth": truth, "p_a": 1 - p, "p_b": p}))
    return pd.concat(frames, ignore_index=True)


def test_p_values_equal_those_of_wilcoxon_holm_and_permutation_tests() -> None:
    rng = np.random.default_rng(0)
    differences = rng.normal(0.3, 1, 15)
    assert signed_rank(differences) == pytest.approx(wilcoxon(differences).pvalue)
    tied = np.array([0.0, 0.1, 0.1, -0.1, 0.2, 0.3, 0.3, 0.0, -0.2])
    assert signed_rank(tied) == pytest.approx(wilcoxon(tied, zero_method="pratt").pvalue)
    many = rng.normal(0.2, 1, 40)
    assert signed_rank(many) == pytest.approx(wilcoxon(many).pvalue)
    assert signed_rank(np.zeros(5)) == 1 and np.isnan(signed_rank(np.array([1.0])))
    p = pd.Series([0.01, 0.04, 0.03, 0.005], index=list("abcd"))
    np.testing.assert_allclose(holm(p)[list("dacb")], [0.02, 0.03, 0.06, 0.06])
    assert permutation_p(5.0, np.arange(19)) == pytest.approx(15 / 20) and permutation_p(99, np.arange(19)) == 0.05


def test_holm_correction_covers_all_schemes_of_sensor_predictors_except_random() -> None:
    schemes = ("global", "importance", "raw", "random-1")
    tables = {(p, s): predictions(0.7, i) for i, (p, s) in enumerate(product(("net", "majority"), schemes))}
    rows = compare_predictors(score_users(tables), SETTINGS)
    corrected = rows[rows.p_holm.notna() & (rows.metric == "macro_f1")]
    assert list(zip(corrected.predictor, corrected.scheme, strict=True)) == [("net", "importance"), ("net", "raw")]
    assert (corrected.p_holm >= corrected.p).all()


def test_means_are_over_users_and_pooled_scores_over_windows() -> None:
    one, two = predictions(1.0, users=1), predictions(0.0, users=1).assign(user="v").iloc[:10]
    by_user = score_users({("net", "global"): pd.concat([one, two])})
    row = compare_predictors(by_user, SETTINGS).set_index("metric").loc["accuracy"]
    assert row["mean"] == 0.5 and row["pooled"] == 0.8 and row["users"] == 2


def test_bootstrap_interval_of_a_known_mean() -> None:
    values = np.random.default_rng(0).normal(5, 1, 100)
    low, high = bootstrap_interval(values, SETTINGS)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 10, rel=0.15)
    assert np.isnan(bootstrap_interval(values[:1], SETTINGS)).all()


def test_predictions_of_different_test_windows_raise_an_error(tmp_path) -> None:
    predictions(1.0).to_parquet(tmp_path / "a")
    predictions(1.0).iloc[1:].to_parquet(tmp_path / "b")
    with pytest.raises(ValueError, match="different test windows"):
        read_predictions({("a", "global"): tmp_path / "a", ("b", "global"): tmp_path / "b"})
