"""Shapley values of held-out performance, their errors, and whether users differ."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from lifelog.blocks import contiguous_folds, time_blocks, whole_answers, window_folds
from lifelog.importance.compare import compare_shapley, heterogeneity
from lifelog.importance.estimate import estimate_shapley, with_least_error, with_training_error
from lifelog.importance.shapley import held_out_evidence, pointwise_shapley, set_values
from lifelog.importance.table import IMPORTANCE
from lifelog.importance.vectors import block_errors
from lifelog.settings.groups import Groups
from lifelog.settings.importance import Shapley
from lifelog.settings.windows import Modality
from lifelog.splits.folds import Folds
from lifelog.validation.cohorts import simulate
from lifelog.validation.scenarios import Scenario
from lifelog.windows.read import Features

CLASSES = np.repeat([0, 1, 2], 20)


def evidence(modalities: int = 4, seed: int = 0) -> np.ndarray:
    """Evidence of the true class that decreases with the number of the modality; the last one has none."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(1.5, 0, modalities)
    noise = rng.normal(size=(modalities, len(CLASSES), 3))
    return noise + strength[:, None, None] * np.eye(3)[CLASSES]


def plain_value(sums: np.ndarray) -> float:
    """The AUROC minus 0.5 over pairs of classes, by scikit-learn."""
    areas = []
    for a, b in combinations(range(3), 2):
        rows = np.isin(CLASSES, [a, b])
        areas.append(roc_auc_score(CLASSES[rows] == a, sums[rows, a] - sums[rows, b]))
    return float(np.mean(areas)) - 0.5


def test_the_value_of_a_set_is_the_area_under_the_curve() -> None:
    given = evidence()
    sets = np.array([[1, 0, 0, 0], [1, 1, 0, 1], [0, 0, 0, 0]], dtype=bool)
    found = set_values(sets, given, CLASSES)
    assert found.mean(axis=1) == pytest.approx([plain_value(given[own].sum(axis=0)) for own in sets])
    assert (found[2] == 0).all()


def test_shapley_values_equal_the_mean_gain_over_all_orders() -> None:
    given = evidence()
    expected = np.zeros(4)
    for order in permutations(range(4)):
        for i, m in enumerate(order):
            before, after = list(order[:i]), list(order[: i + 1])
            expected[m] += plain_value(given[after].sum(axis=0)) - plain_value(given[before].sum(axis=0))
    values, error = pointwise_shapley(given, CLASSES)
    np.testing.assert_allclose(values.mean(axis=1), expected / 24, atol=1e-12)
    assert values.mean(axis=1).sum() == pytest.approx(plain_value(given.sum(axis=0)))
    assert (error == 0).all()


def test_sampled_orders_agree_with_exact_values_within_their_error() -> None:
    given = evidence(6)
    exact = pointwise_shapley(given, CLASSES)[0].mean(axis=1)
    values, error = pointwise_shapley(given, CLASSES, permutations=200, max_exact=5)
    assert (error > 0).all() and (error < 0.01).all()
    assert (np.abs(values.mean(axis=1) - exact) < 4 * error).all()


def test_a_modality_without_evidence_has_the_value_zero() -> None:
    given = evidence()
    given[2] = 0
    values, _ = pointwise_shapley(given, CLASSES)
    assert np.abs(values[2]).max() < 1e-12


def test_evidence_is_that_of_a_shrunken_discriminant_of_other_folds() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3)) * [1, 10, 0.1] + 0.5 * CLASSES[:, None]
    folds = np.tile(np.arange(3), 20)
    found = held_out_evidence({"m": x}, CLASSES, folds, 3, shrinkage=1e-9)[0]
    for fold in range(3):
        train, test = folds != fold, folds == fold
        model = LinearDiscriminantAnalysis(solver="lsqr", priors=[1 / 3] * 3).fit(x[train], CLASSES[train])
        expected = model.decision_function(x[test])
        np.testing.assert_allclose(
            found[test] - found[test].mean(axis=1, keepdims=True),
            expected - expected.mean(axis=1, keepdims=True),
            rtol=0.1,
            atol=0.1,
        )


def test_missing_windows_and_features_give_no_evidence() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2)) + CLASSES[:, None]
    x[::7] = np.nan
    x[1, 0] = np.nan
    found = held_out_evidence({"m": x, "absent": np.full((60, 1), np.nan)}, CLASSES, np.arange(60) % 5, 3, 0.5)
    assert (found[0, ::7] == 0).all() and np.isfinite(found).all() and (found[0, 1] != 0).any()
    assert (found[1] == 0).all()


def test_blocks_and_folds() -> None:
    sessions = np.array(["a"] * 6 + ["b"] * 4, dtype=object)
    minutes = np.array([0, 1, 2, 8, 9, 16, 100, 101, 109, 110.0])
    blocks = time_blocks(sessions, minutes, 8)
    assert blocks.tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 4, 4]
    assert whole_answers(blocks, np.array([0, 1, 2, 2, 3, 4, 5, 6, 7, 8])).tolist() == [0, 0, 0, 0, 1, 2, 3, 3, 4, 4]
    assert contiguous_folds(blocks, 2).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert contiguous_folds(np.array([0, 0, 0, 0, 1]), 5).tolist() == [0, 0, 0, 0, 1]


def recorded(user: str, effect: float, seed: int, sessions: int = 6) -> tuple[Features, Folds]:
    """Features and folds of a user: `a` depends on the label, `b` does not."""
    rng = np.random.default_rng(seed)
    count = 10 * sessions
    label, number = rng.integers(0, 2, count), np.arange(count)
    rows = pd.DataFrame({"user": user, "start": pd.to_datetime(60 * number, unit="s", utc=True)})
    summary = np.column_stack([effect * label + rng.normal(size=count), rng.normal(size=count)])
    modalities = [Modality(name=name, kind="scalar", columns=["x"]) for name in "ab"]
    windows = rows.assign(session=(number // 10).astype(str), level=label.astype(str), block=number // 5, reason=None)
    windows = windows.assign(label=np.array(["low", "high"])[label], subset="train")
    tested = windows.assign(subset=np.where(number % 10 < 8, "train", "test"))
    return Features(rows, ["a.x.mean", "b.x.mean"], summary, {}, modalities), Folds(
        windows, {1: tested}, ["low", "high"]
    )


def cohort(*effects: float, sessions: int = 6) -> pd.DataFrame:
    """Shapley values that describe several users, from the training windows of their fold."""
    users = [recorded(f"u{i}", effect, i, sessions) for i, effect in enumerate(effects)]
    table = pd.concat([estimate_shapley(features, folds, Shapley()).table for features, folds in users])
    return table[table.fold == 1].assign(fold=np.nan)


def test_only_training_and_validation_windows_are_used() -> None:
    features, folds = recorded("u", 2.0, 0)
    table = estimate_shapley(features, folds, Shapley()).table
    before = table[table.fold == 1]
    assert set(before) == set(IMPORTANCE.names) and set(before.subset) == {"train"}
    assert len(before) == 2 * (folds.fold(1).subset == "train").sum() and table.fold.isna().sum() == 2 * 60
    changed = folds.fold(1).assign(label=folds.fold(1).label.where(folds.fold(1).subset != "test", "low"))
    after = estimate_shapley(features, replace(folds, numbered={1: changed}), Shapley()).table
    pd.testing.assert_frame_equal(after[after.fold == 1], before)


def test_the_folds_are_whole_sessions_or_blocks() -> None:
    split = pd.DataFrame({"session": list("aabbccddee"), "start": range(10), "block": np.arange(10)})
    assert window_folds(split, 5).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    one = split.assign(session="a", start=range(9, -1, -1))
    assert window_folds(one, 2).tolist() == [1] * 5 + [0] * 5  # in time order


@pytest.mark.parametrize(
    ("change", "reason"), [({"label": "low"}, "one class only"), ({"block": 0}, "one block of time only")]
)
def test_a_user_without_a_value_has_the_reason(change: dict, reason: str) -> None:
    features, folds = recorded("u", 1.0, 0)
    same = replace(folds, described=folds.described.assign(**change), numbered={1: folds.fold(1).assign(**change)})
    table, notes = estimate_shapley(features, same, Shapley())
    assert table.empty and reason in notes["excluded"]


def test_intervals_find_the_modality_that_matters_and_no_other() -> None:
    compared = compare_shapley(cohort(*[2.0] * 4, *[0.0] * 4), Shapley(), Groups())
    values = compared.values.set_index(["user", "modality"])
    for i in range(4):
        assert values.low[f"u{i}", "a"] > 0 > values.low[f"u{i}", "b"]
    noise = [values.low[f"u{i}", "a"] for i in range(4, 8)] + values.low[:, "b"].tolist()
    assert sum(low > 0 for low in noise) <= 1
    tested = compared.heterogeneity.set_index("modality")
    assert tested.p_holm["a"] < 0.001 and tested.tau["a"] > 0.1 and tested.tau["b"] < tested.tau["a"] / 2
    assert compared.values.shrunken.between(-0.1, 0.5).all()


@pytest.mark.parametrize("rare", [1, 2, 4])
def test_a_class_of_few_windows_leads_to_wide_intervals(rare: int) -> None:
    """A perfect separation of one to four windows is no evidence; without the bound its error would be tiny."""
    label = np.r_[np.zeros(40, dtype=int), np.ones(rare, dtype=int)]
    blocks, folds = np.arange(len(label)) // 5, contiguous_folds(np.arange(len(label)) // 5, 5)
    values = np.stack([np.full(len(label), 0.5), np.linspace(0.3, 0.7, len(label))])
    wide = with_least_error(values, label, blocks, folds)
    np.testing.assert_allclose(wide.mean(axis=1), values.mean(axis=1))
    frame = pd.DataFrame(wide.T, index=pd.MultiIndex.from_product([["u"], range(len(label))], names=["user", "start"]))
    errors = block_errors(frame, pd.Series(blocks, frame.index)).loc["u"]
    assert errors.to_numpy() == pytest.approx(2.25 / (4 * rare))
    assert with_least_error(values, np.arange(len(label)) % 2, blocks, folds) is values


def test_whether_participants_differ_is_not_tested_with_few_blocks() -> None:
    long = cohort(*[2.0] * 4, *[0.0] * 4)
    assert compare_shapley(long, Shapley(), Groups()).heterogeneity.p_holm.notna().all()
    few = compare_shapley(long[long.block < 5], Shapley(), Groups()).heterogeneity
    assert few.p_holm.isna().all() and few.tau.notna().all()


def test_a_modality_that_matters_for_one_participant_only_differs_from_the_others() -> None:
    values = compare_shapley(cohort(2.0, *[0.0] * 7, sessions=12), Shapley(), Groups()).values
    apart = values[values.difference_low > 0]
    assert apart.user.tolist() == ["u0"] and apart.modality.tolist() == ["a"]


def test_heterogeneity_equals_the_formulas_of_dersimonian_and_laird() -> None:
    """Values worked out by hand: weights 1, 1, 2; weighted mean 0.5."""
    value = pd.DataFrame({"a": [0.0, 0.0, 1.0]}, index=["u", "v", "w"])
    variance = pd.DataFrame({"a": [1.0, 1.0, 0.5]}, index=["u", "v", "w"])
    row = heterogeneity(value, variance).iloc[0]
    assert row.q == pytest.approx(1.0) and row.tau == 0 and row["mean"] == pytest.approx(0.5) and row.users == 3
    wide = heterogeneity(value * 10, variance).iloc[0]
    assert wide.tau == pytest.approx(np.sqrt((100 - 2) / (4 - 6 / 4)))


def test_intervals_cover_the_mean_of_many_recordings() -> None:
    """The 95 % intervals of a person's recordings cover the mean value of all of them in 90 to 98 % (coarsely)."""
    rng = np.random.default_rng(0)
    found, covered = [], []
    for _ in range(60):
        label = rng.integers(0, 2, 60)
        features = {"a": label[:, None] + rng.normal(size=(60, 3)), "b": rng.normal(size=(60, 3))}
        folds, blocks = contiguous_folds(np.arange(60) // 10, 5), np.arange(60) // 5
        values, _ = pointwise_shapley(held_out_evidence(features, label, folds, 2, 0.5), label)
        values = with_training_error(values, folds)
        sums = np.stack([np.bincount(blocks, row - row.mean()) for row in values])
        error = np.sqrt((sums**2).sum(axis=1) * 12 / 11) / 60
        found.append((values.mean(axis=1), error))
    means = np.mean([value for value, _ in found], axis=0)
    covered = [np.abs(value - means) < 2.2 * error for value, error in found]
    assert 0.88 <= np.mean(covered) <= 1.0


def test_another_recording_of_a_simulated_person_has_the_same_planted_modalities() -> None:
    first, second = (simulate(Scenario(windows=20, difficulty="loners"), -1, 3, 5, r) for r in (0, 1))
    assert first.planted == second.planted and not np.array_equal(first.sensors["hr"], second.sensors["hr"])
