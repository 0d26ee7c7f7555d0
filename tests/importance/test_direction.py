"""Directions of features: known differences, and intervals over blocks."""

import numpy as np
import pytest

from lifelog.importance.direction import differences, estimate_directions
from lifelog.predict.samples import Person
from lifelog.settings.splits import BlockedSplit
from lifelog.splits.assign import assign_splits
from lifelog.validation.cohorts import SECONDS, simulated
from lifelog.validation.importance import TARGET
from lifelog.validation.scenarios import Scenario
from lifelog.windows.features import extract_features


def test_differences_are_in_standard_deviations_within_classes() -> None:
    rng = np.random.default_rng(0)
    classes, blocks = np.arange(4000) % 2, np.arange(4000) // 40
    values = 10 + 3 * rng.normal(size=(4000, 3)) + np.array([6, -3, 0]) * classes[:, None]
    values[:50, 0] = np.nan
    found, low, high = differences(values, classes, blocks, 0.95)
    assert found == pytest.approx([2, -1, 0], abs=0.1) and (low < found).all() and (found < high).all()
    assert low[2] < 0 < high[2] and low[0] > 1.8 and high[1] < -0.8


def test_windows_of_a_block_are_one_observation() -> None:
    """Ten blocks of forty equal windows: the interval is that of ten windows."""
    rng = np.random.default_rng(1)
    block = rng.normal(size=(10, 1))
    classes = np.tile([0, 1], 5)
    once = differences(block, classes, np.arange(10), 0.95)
    often = differences(np.repeat(block, 40, axis=0), classes.repeat(40), np.arange(10).repeat(40), 0.95)
    assert (often[2] - often[1]) == pytest.approx(once[2] - once[1], rel=0.2)


def test_a_constant_feature_has_no_direction() -> None:
    values = np.column_stack([np.full(8, 5.0), np.full(8, np.nan)])
    assert np.isnan(differences(values, np.arange(8) % 2, np.arange(8) // 2, 0.95)[0]).all()


def test_null_features_rarely_have_a_direction() -> None:
    """Forty blocks whose windows are alike, half of them of each class."""
    rng = np.random.default_rng(2)
    blocks = np.arange(40).repeat(6)
    values = rng.normal(size=(40, 400))[blocks] + rng.normal(size=(240, 400))
    _, low, high = differences(values, blocks % 2, blocks, 0.95)
    assert ((low > 0) | (high < 0)).mean() < 0.09


def test_planted_modalities_have_a_direction() -> None:
    (who,) = simulated(Scenario((1,), 60, 1.5), 0)
    features = extract_features([who.sensors], who.labels, who.modalities, SECONDS)
    folds = assign_splits(who.labels, TARGET, BlockedSplit(name="blocked"), SECONDS)
    table = estimate_directions(features, folds, 0.95)
    clear = table[(table.low > 0) | (table.high < 0)]
    assert set(clear.modality.head(2)) <= set(who.planted) and clear.difference.abs().iloc[0] > 1
    assert set(table.higher) == {TARGET.classes[-1]} and set(table.lower) == {TARGET.classes[0]}
    assert (table.difference.abs().diff().dropna() <= 0).all() and (table.low < table.high).all()


def test_classes_in_few_blocks_are_not_compared(people: dict[str, Person]) -> None:
    """The tiny cohort has three blocks of time per user."""
    assert estimate_directions(people["101"].features, people["101"].folds, 0.95).empty
