"""The decision: the simplest strategy near the best one, for predictions of known skill."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lifelog.evaluate.compare import score_users
from lifelog.evaluate.decision import decide
from lifelog.evaluate.metrics import auroc
from lifelog.settings.compare import Compare
from tests.evaluate.test_compare import predictions


def decision(skills: dict[str, float], seeds: dict[str, int] | None = None, users: int = 12) -> dict:
    tables = {
        ("net", strategy): predictions(skill, (seeds or {}).get(strategy, i), users)
        for i, (strategy, skill) in enumerate(skills.items())
    }
    tables["majority", "global"] = predictions(0.5, 99, users)
    result = decide(score_users(tables).users, Compare(), "net")
    json.dumps(result, allow_nan=False)
    return result


def test_a_clearly_better_strategy_is_recommended() -> None:
    result = decision({"global": 0.6, "personal": 0.65, "importance": 0.9})
    assert result["recommended"] == "importance" and "Recommended for net: importance" in result["sentence"]
    best = result["strategies"]["net"][-1]
    assert best["scheme"] == "importance" and best["p_best"] == 1 and best["low"] < best["score"] < best["high"]
    assert result["choosing"]["score"] == pytest.approx(best["score"])  # the others choose it for everyone
    assert result["choosing"]["difference"] > 0.1 and list(result["strategies"]) == ["net"]


def test_of_equal_strategies_the_simplest_is_recommended() -> None:
    equal = dict.fromkeys(("importance", "personal", "global"), 0.8)
    result = decision(equal, dict.fromkeys(equal, 1))
    assert result["recommended"] == "global" and result["strategies"]["net"][0]["scheme"] == "global"
    assert set(result["equal"]) == {"importance", "personal"} and "Practically equal: personal" in result["sentence"]


def test_under_a_split_that_may_leak_nothing_is_recommended() -> None:
    scores = of_scores(**{"global": np.full(10, 0.8) + 0.01 * np.arange(10), "personal": np.full(10, 0.5)})
    for outcome, recommended in (("no_leak", "global"), ("leak", None)):
        result = decide(scores, Compare(), leak={"outcome": outcome})
        assert result["recommended"] == recommended
        assert ("this split may leak" in result["sentence"]) == (recommended is None)


def of_scores(**strategies: np.ndarray) -> pd.DataFrame:
    """Scores of users under the strategies of one predictor."""
    rows = [
        ("net", strategy, f"u{i}", score) for strategy, scores in strategies.items() for i, score in enumerate(scores)
    ]
    table = pd.DataFrame(rows, columns=["predictor", "scheme", "user", "macro_f1"])
    return table.assign(auroc=0.8 + 0.1 * table.macro_f1)


def test_strategies_that_cannot_be_told_apart_are_undecided() -> None:
    signs = np.resize([1.0, -1.0], 10)
    result = decide(of_scores(**{"global": 0.7 + 0.2 * signs, "personal": 0.7 - 0.2 * signs}), Compare())
    assert result["recommended"] is None and result["sentence"].startswith(
        "Undecided for net: the most likely strategy"
    )
    assert sum(row["p_best"] for row in result["strategies"]["net"]) >= 1


def test_choosing_on_other_users_does_not_profit_from_chance() -> None:
    """Of many equal strategies, the best one of each user looks better than it is."""
    rng = np.random.default_rng(0)
    strategies = ("global", "personal", "pooled", "importance", "blend")
    tables = {("net", strategy): predictions(0.7, int(rng.integers(1000)), 12) for strategy in strategies}
    by_user = score_users(tables).users
    result = decide(by_user, Compare())
    of_best = by_user.groupby("user").macro_f1.max().mean()
    assert result["choosing"]["score"] < of_best - 0.03


def test_the_shares_of_resamples_are_as_uncertain_as_the_scores_of_users() -> None:
    """A difference of one standard error is positive in 84 of 100 resamples."""
    users = 50
    noise = np.random.default_rng(0).normal(size=users)
    noise = (noise - noise.mean()) / noise.std()
    by_user = of_scores(**{"global": np.full(users, 0.5), "personal": 0.5 + 0.1 * noise + 0.1 / np.sqrt(users)})
    result = decide(by_user, Compare(margin=0.0))
    assert result["strategies"]["net"][1]["p_best"] == pytest.approx(0.84, abs=0.04)
    assert result["strategies"]["net"][0]["p_near"] == pytest.approx(0.16, abs=0.04)


def test_no_strategy_is_recommended_without_skill() -> None:
    """Predictions that vary have a higher macro-F1 than constant ones, also at random."""
    constant = predictions(0.5, 0, 12)
    constant[["p_a", "p_b"]] = 0.6, 0.4
    scored = score_users({("net", "global"): constant, ("net", "personal"): predictions(0.5, 1, 12)})
    result = decide(scored.users, Compare())
    assert result["strategies"]["net"][1]["p_near"] > 0.9 and not result["strategies"]["net"][1]["better_than_chance"]
    assert result["recommended"] is None and "not clearly better than chance" in result["sentence"]


def test_a_strategy_near_the_best_without_skill_is_named() -> None:
    """The best strategy by macro-F1 has no AUROC, the other one has."""
    by_user = of_scores(**{"global": np.linspace(0.5, 0.6, 10), "personal": np.linspace(0.8, 0.9, 10)})
    by_user.loc[by_user.scheme == "personal", "auroc"] = 0.5
    result = decide(by_user, Compare())
    assert result["recommended"] is None and "personal is near the best, but not clearly" in result["sentence"]


def test_a_single_strategy_is_recommended_only_if_it_is_better_than_chance() -> None:
    result = decision({"global": 0.7})
    assert result["recommended"] == "global" and "the only strategy" in result["sentence"]
    assert result["choosing"] is None
    chance = decision({"global": 0.5})
    assert chance["recommended"] is None and "not clearly better than chance" in chance["sentence"]


def test_auroc_compares_windows_of_the_same_fold() -> None:
    """Class shares of training windows are the lower, the higher they are in the test windows."""
    rng = np.random.default_rng(0)
    folds = np.repeat(np.arange(10), 8)
    truth = (rng.random(80) < 0.5).astype(int)
    share = np.array([truth[folds != fold].mean() for fold in folds])
    assert auroc(truth, np.stack([1 - share, share], axis=1)) < 0.4
    assert auroc(truth, np.stack([1 - share, share], axis=1), folds) == 0.5
    p = rng.random(80)
    assert auroc(truth, np.stack([1 - p, p], axis=1)) == pytest.approx(roc_auc_score(truth, p))
    areas, pairs = [], []
    for fold in range(10):
        own = truth[folds == fold]
        if 0 < own.mean() < 1:
            areas.append(roc_auc_score(own, p[folds == fold]))
            pairs.append(own.sum() * (1 - own).sum())
    found = auroc(truth, np.stack([1 - p, p], axis=1), folds)
    assert found == pytest.approx(np.average(areas, weights=pairs))


def test_users_without_a_defined_score_are_left_out() -> None:
    tables = {("net", strategy): predictions(0.8, i, 5) for i, strategy in enumerate(("global", "personal"))}
    for table in tables.values():
        table.loc[table.user == "u0", "truth"] = 0
    result = decide(score_users(tables).users, Compare())
    assert result["strategies"]["net"][0]["score"] > 0 and pd.notna(result["choosing"]["score"])
