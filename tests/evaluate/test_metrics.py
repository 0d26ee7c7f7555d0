import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as reference

from lifelog.evaluate.metrics import (
    METRICS,
    accuracy,
    auroc,
    balanced_accuracy,
    mean_absolute_error,
    quadratic_kappa,
    rank_correlation,
    scores,
)
from lifelog.f1 import confusion, macro_f1, published_f1
from lifelog.settings.compare import NEEDS


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 3, 200), rng.dirichlet(np.ones(3), 200)


def test_scores_agree_with_scikit_learn(sample: tuple[np.ndarray, np.ndarray]) -> None:
    truth, p = sample
    predicted = p.argmax(axis=1)
    counts = confusion(truth, predicted, 3)
    assert (counts == reference.confusion_matrix(truth, predicted)).all()
    assert macro_f1(counts) == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert balanced_accuracy(counts) == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    assert accuracy(counts) == pytest.approx(reference.accuracy_score(truth, predicted))
    assert auroc(truth, p) == pytest.approx(reference.roc_auc_score(truth, p, multi_class="ovr"))


def test_the_published_metric_depends_on_the_order_of_the_classes() -> None:
    """Class shares of 80/15/5 %, constant prediction of the majority: .838 or .267 by class order; macro-F1 is .296."""
    for shares, majority, expected in (([80, 15, 5], 0, 0.838), ([5, 15, 80], 2, 0.267)):
        counts = confusion(np.repeat([0, 1, 2], shares), np.full(100, majority), 3)
        assert published_f1(counts) == pytest.approx(expected, abs=5e-4)
        assert macro_f1(counts) == pytest.approx(0.296, abs=5e-4)


def test_the_published_metric_equals_counts_that_are_never_reset(sample: tuple[np.ndarray, np.ndarray]) -> None:
    truth, p = sample
    predicted, true_positive, false_positive, false_negative, precision, recall = p.argmax(axis=1), 0, 0, 0, [], []
    for k in range(3):
        true_positive += ((predicted == k) & (truth == k)).sum()
        false_positive += ((predicted == k) & (truth != k)).sum()
        false_negative += ((predicted != k) & (truth == k)).sum()
        precision.append(true_positive / (true_positive + false_positive))
        recall.append(true_positive / (true_positive + false_negative))
    expected = 2 * np.mean(precision) * np.mean(recall) / (np.mean(precision) + np.mean(recall))
    assert published_f1(confusion(truth, predicted, 3)) == pytest.approx(expected)


def test_a_class_without_true_windows_is_left_out() -> None:
    counts = confusion(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), 3)
    assert macro_f1(counts) == pytest.approx((2 / 3 + 1) / 2)
    assert balanced_accuracy(counts) == pytest.approx(0.75)


def test_auroc_needs_two_classes_and_counts_ties_half() -> None:
    assert np.isnan(auroc(np.zeros(4, int), np.full((4, 2), 0.5)))
    assert auroc(np.array([0, 1, 0, 1]), np.full((4, 2), 0.5)) == 0.5


def test_test_windows_of_one_class_have_no_score() -> None:
    """A constant would have an accuracy of 1, whatever a model has learned."""
    one = scores(np.zeros(6, int), np.tile([0.9, 0.1], (6, 1)), ordinal=True)
    assert all(np.isnan(score) for score in one.values())
    two = scores(np.array([0, 0, 1]), np.tile([0.9, 0.1], (3, 1)))
    assert two["macro_f1"] == pytest.approx(0.4)


def test_ordinal_scores_are_those_of_the_references() -> None:
    rng = np.random.default_rng(0)
    truth, p = rng.integers(0, 4, 200), rng.dirichlet(np.ones(4), 200)
    p[np.arange(200), truth] += 0.3
    p /= p.sum(axis=1, keepdims=True)
    predicted = p.argmax(axis=1)
    counts = confusion(truth, predicted, 4)
    assert quadratic_kappa(counts) == pytest.approx(reference.cohen_kappa_score(truth, predicted, weights="quadratic"))
    assert mean_absolute_error(counts) == pytest.approx(np.abs(truth - predicted).mean())
    assert rank_correlation(truth, p) == pytest.approx(spearmanr(truth, p @ np.arange(4)).statistic)
    assert quadratic_kappa(confusion(truth, truth, 4)) == 1
    assert rank_correlation(truth, np.full((200, 4), 0.25)) == 0
    assert np.isnan(rank_correlation(truth * 0, p)) and np.isnan(quadratic_kappa(confusion(truth * 0, truth * 0, 4)))


def test_ranks_of_different_folds_are_not_compared() -> None:
    """Class shares of training windows are the lower, the higher they are in the test windows."""
    folds = np.repeat(np.arange(10), 8)
    truth = (np.random.default_rng(0).random(80) < 0.5).astype(int)
    share = np.array([truth[folds != fold].mean() for fold in folds])
    p = np.stack([1 - share, share], axis=1)
    assert rank_correlation(truth, p, folds) == 0 and rank_correlation(truth, p) < -0.2


def test_scores_of_an_order_are_only_those_of_ordinal_targets() -> None:
    truth, p = np.array([0, 1, 2]), np.eye(3)
    kinds = {of: {name for name, metric in METRICS.items() if metric.of == of} for of in ("order", "rating")}
    assert set(METRICS) - set(scores(truth, p)) == kinds["order"] | kinds["rating"]
    ordered = scores(truth, p, ordinal=True)
    assert set(METRICS) - set(ordered) == kinds["rating"] and ordered["mean_absolute_error"] == 0
    rated = scores(truth, p, ordinal=True, ratings=(np.array([0.0, 3.0, 9.0]), np.array([1.0, 3.0, 5.0])))
    assert rated["rating_error"] == pytest.approx(5 / 3) and rated["rating_correlation"] == pytest.approx(1)
    assert set(NEEDS) < kinds["order"] | kinds["rating"]
