"""Sets of classes with a known coverage, and net benefit."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from lifelog.evaluate.use import class_sets, judge_use, left_out_thresholds, net_benefit, risk_coverage, use_sentences
from lifelog.settings.compare import Compare


def participants(count: int, seed: int, skill: float = 2.0) -> pd.DataFrame:
    """Windows of two classes, more of some participants, who differ in how clear they are."""
    rng, tables = np.random.default_rng(seed), []
    for user in range(count):
        truth = (rng.random(rng.integers(10, 80)) < 0.3).astype(int)
        logits = skill * (2 * truth - 1) * rng.uniform(0.2, 1) + rng.normal(size=len(truth)) * 1.5 - 0.8
        p = 1 / (1 + np.exp(-logits))
        tables.append(pd.DataFrame({"user": f"u{user:03}", "truth": truth, "p_low": 1 - p, "p_high": p}))
    return pd.concat(tables, ignore_index=True)


def test_a_participant_who_is_left_out_is_covered() -> None:
    """Over participants of many cohorts; windows of large ones have no more votes."""
    coverage = [judge_use({("net", "global"): participants(20, seed)}, Compare()).coverage.mean() for seed in range(40)]
    assert 0.88 <= np.mean(coverage) <= 0.92
    wide = [judge_use({("net", "global"): participants(20, s)}, Compare(alpha=0.3)).coverage.mean() for s in range(40)]
    assert 0.68 <= np.mean(wide) <= 0.72


def test_thresholds_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(12), rng.integers(3, 9, 12))
    for alpha, scores in product((0.1, 0.25), (rng.random(len(users)), rng.integers(0, 4, len(users)) / 4)):
        found = left_out_thresholds(scores, users, alpha)
        for user in range(12):
            places = np.unique(scores)
            others = [scores[users == other][:, None] <= places for other in range(12) if other != user]
            shares = np.mean([below.mean(axis=0) for below in others], axis=0)
            assert found[user] == places[shares >= 1 - alpha - 1e-9][0]


def test_one_participant_has_all_classes() -> None:
    use = judge_use({("net", "global"): participants(1, 1)}, Compare())
    assert use.single.item() == 0 and use.coverage.item() == 1
    assert use_sentences(use, "net", "global", Compare()) == []


def test_a_set_may_have_several_classes_or_none() -> None:
    p = np.array([[0.4, 0.35, 0.25], [0.9, 0.1, 0.0]])
    assert class_sets(p, np.array([0.3, 0.3])).tolist() == [[False, False, False], [True, False, False]]
    assert class_sets(p, np.array([0.7, 0.3])).tolist() == [[True, True, False], [True, False, False]]


def test_net_benefit() -> None:
    truth, nobody = np.repeat([True, False], [3, 7]), np.zeros(10, dtype=bool)
    assert net_benefit(truth, nobody, 0.2) == 0
    assert net_benefit(truth, truth, 0.2) == pytest.approx(0.3)
    assert net_benefit(truth, ~nobody, 0.2) == pytest.approx(0.3 - 0.7 / 4)
    table = participants(20, 3)
    constant = table.assign(p_low=0.7, p_high=0.3)
    settings = Compare(threshold=0.4)
    use = judge_use({("net", "global"): table, ("majority", "global"): constant}, settings)
    of = use.groupby("predictor").net_benefit.mean()
    assert of["majority"] == 0 and of["net"] > 0.05
    *_, sentence = use_sentences(use, "net", "global", settings)
    assert "is worth more than acting on all or none: net benefit" in sentence
    *_, sentence = use_sentences(use, "majority", "global", settings)
    assert "is not shown to be worth more" in sentence
    assert judge_use({("net", "global"): table}, Compare()).net_benefit.isna().all()


def test_the_rarest_class_and_single_classes_are_counted() -> None:
    use = judge_use({("net", "global"): participants(30, 5), ("net", "random-1"): participants(30, 5)}, Compare())
    assert set(use.scheme) == {"global"} and use.rare_coverage.mean() < use.coverage.mean()
    assert 0.1 < use.single.mean() < 0.9 and use.right.mean() > 0.85


def test_the_most_certain_windows_are_wrong_least_often() -> None:
    curve = risk_coverage(participants(20, 2), 0.95)
    assert curve.answered.tolist() == pytest.approx(np.arange(1, 21) / 20)
    assert curve.wrong[4] < curve.wrong[19] and (curve.low <= curve.wrong).all() and (curve.wrong <= curve.high).all()
