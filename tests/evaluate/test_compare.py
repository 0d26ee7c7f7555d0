from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from lifelog.evaluate.compare import compare_predictors, score_users, split_groupings
from lifelog.intervals import estimate_mean, holm, permutation_p
from lifelog.settings.compare import Compare

SETTINGS = Compare()


def predictions(skill: float, seed: int = 0, users: int = 10) -> pd.DataFrame:
    """Predictions of two classes that are correct with probability `skill`."""
    rng, frames = np.random.default_rng(seed), []
    for i in range(users):
        truth = np.arange(40) % 2
        correct = rng.random(40) < skill
        p = np.where(correct == (truth == 1), 0.9, 0.1)
        keys = {"user": f"u{i}", "group": "g", "fold": 1, "session": np.arange(40) // 8, "start": range(40)}
        frames.append(pd.DataFrame(keys | {"truth": truth, "p_a": 1 - p, "p_b": p}))
    return pd.concat(frames, ignore_index=True)


def test_intervals_and_p_values_are_those_of_students_t() -> None:
    differences = np.random.default_rng(0).normal(0.3, 1, 15)
    found, expected = estimate_mean(differences, 0.95), ttest_1samp(differences, 0)
    assert found.mean == differences.mean() and found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert estimate_mean(differences, 0.95, 5).low == pytest.approx(expected.confidence_interval(0.99).low)
    assert estimate_mean(np.zeros(5), 0.95)[:4] == (0, 0, 0, 1)
    assert estimate_mean(np.array([1.0]), 0.95).mean == 1 and np.isnan(estimate_mean(np.array([1.0]), 0.95)[1:]).all()


@pytest.mark.parametrize("count", [2, 3, 5, 10, 50])
def test_intervals_of_scores_end_where_scores_end(count: int) -> None:
    """And cover the true mean as often as those that do not."""
    draws = np.random.default_rng(count).beta(4, 1, size=(300, count))
    for values in draws:
        cut, uncut = estimate_mean(values, 0.95, bounds=(0, 1)), estimate_mean(values, 0.95)
        assert 0 <= cut.low <= cut.mean <= cut.high <= 1
        assert (cut.low <= 0.8 <= cut.high) == (uncut.low <= 0.8 <= uncut.high)  # the true mean


def test_intervals_of_twelve_users_cover_the_mean() -> None:
    """The percentile bootstrap covers it in 89 of 100."""
    rng = np.random.default_rng(0)
    found = [estimate_mean(rng.normal(size=12), 0.95) for _ in range(2000)]
    assert 0.935 < np.mean([e.low < 0 < e.high for e in found]) < 0.965


def test_the_detectable_mean_is_found_in_four_of_five() -> None:
    rng = np.random.default_rng(0)
    detectable = np.mean([estimate_mean(rng.normal(size=12), 0.95).detectable for _ in range(500)])
    found = [estimate_mean(rng.normal(detectable, 1, 12), 0.95).low > 0 for _ in range(2000)]
    assert 0.77 < np.mean(found) < 0.83


def test_p_values_of_holm_and_of_permutations() -> None:
    p = pd.Series([0.01, 0.04, 0.03, 0.005], index=list("abcd"))
    np.testing.assert_allclose(holm(p)[list("dacb")], [0.02, 0.03, 0.06, 0.06])
    assert permutation_p(5.0, np.arange(19)) == pytest.approx(15 / 20) and permutation_p(99, np.arange(19)) == 0.05


def test_only_importance_groups_are_corrected_and_the_primary_predictor_is_not() -> None:
    schemes = ("global", "importance", "raw", "random-1")
    tables = {(p, s): predictions(0.7, i) for i, (p, s) in enumerate(product(("a", "b", "c", "majority"), schemes))}
    rows = compare_predictors(score_users(tables), SETTINGS, "b")
    rows = rows[rows.metric == "macro_f1"].set_index(["predictor", "scheme"])
    assert set(rows.index[rows.p_holm.notna()]) == {(name, "importance") for name in "abc"}
    assert rows.p_holm["b", "importance"] == rows.p["b", "importance"]
    others = rows.p[[("a", "importance"), ("c", "importance")]]
    assert rows.p_holm["a", "importance"] == holm(others)["a", "importance"]
    assert rows.p["a", "raw"] <= 1 and np.isnan(rows.p["a", "random-1"])


def test_repeated_random_groupings_are_left_out() -> None:
    """Groups are compared by their members, not by their names."""

    def grouped(*groupings: str) -> pd.DataFrame:
        table = predictions(0.7, users=3)
        tables = [
            table.assign(group=table.user.map(dict(zip(["u0", "u1", "u2"], groups, strict=True))), grouping=number)
            for number, groups in enumerate(groupings, start=1)
        ]
        return pd.concat(tables)

    tables = {("net", "random"): grouped("bba", "aba", "bab", "abb"), ("net", "importance"): grouped("aab")}
    for order in (tables, dict(reversed(tables.items()))):
        assert set(split_groupings(order)) == {("net", "importance"), ("net", "random-2"), ("net", "random-4")}


def test_means_are_over_users_and_pooled_scores_over_windows() -> None:
    one, two = predictions(1.0, users=1), predictions(0.0, users=1).assign(user="v").iloc[:10]
    scored = score_users({("net", "global"): pd.concat([one, two])})
    assert scored.users.user.tolist() == ["u0", "v"] and scored.pooled.windows.tolist() == [50]
    row = compare_predictors(scored, SETTINGS).set_index("metric").loc["accuracy"]
    assert row["mean"] == 0.5 and row["pooled"] == 0.8 and row["users"] == 2


def test_predictions_of_different_test_windows_raise_an_error() -> None:
    table = predictions(1.0).assign(grouping=1)
    with pytest.raises(ValueError, match="different test windows"):
        split_groupings({("a", "global"): table, ("b", "global"): table.iloc[1:]})


def test_a_user_without_predictions_of_one_model_is_left_out_of_all() -> None:
    both = pd.concat([predictions(1.0, users=1), predictions(1.0, users=1).assign(user="v")]).assign(grouping=1)
    found = split_groupings({("a", "global"): both, ("b", "importance"): both[both.user == "v"]})
    assert [set(table.user) for table in found.values()] == [{"v"}, {"v"}]
