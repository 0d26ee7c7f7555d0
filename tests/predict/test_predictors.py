from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss

from lifelog.predict.interface import build_predictor
from lifelog.predict.samples import Samples, read_samples
from lifelog.predict.train import train_predictor, user_folds
from lifelog.settings.predict import Boosting, Clock, LastLabel, Lda, LifeLogNet, Majority, NearestMinute, WindowNet
from lifelog.settings.splits import UsersSplit
from lifelog.tables import read_notes

ALL = [
    *(LifeLogNet(epochs=8), WindowNet(epochs=1), Boosting(max_iter=20), Lda()),
    *(Majority(), NearestMinute(), LastLabel(), Clock()),
]
USERS = ["101", "102", "103", "104"]


def files(tables: Path, kind: str) -> list[str]:
    return [str(tables / kind / f"{user}.parquet") for user in USERS]


def samples_of(tables: Path, users: list[str] = USERS, standardise: str = "user") -> Samples:
    kinds = (files(tables, kind) for kind in ("features", "splits"))
    return read_samples(*kinds, users, standardise, files(tables, "windows"), tables)


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_predictors_predict_every_test_window_once_and_reproducibly(
    tables: Path, tmp_path: Path, settings: object
) -> None:
    groups = pd.DataFrame({"user": USERS, "group": ["g1", "g2", "g1", "g2"], "share": 1.0})
    for name in ("a", "b"):
        train_predictor(groups, samples_of(tables), settings, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    table = pq.read_table(tmp_path / "a").to_pandas()
    np.testing.assert_allclose(table[["p_low", "p_middle", "p_high"]].sum(axis=1), 1, rtol=1e-5)
    expected = pd.concat(pq.read_table(path).to_pandas() for path in files(tables, "splits"))
    expected = expected[expected.subset == "test"].sort_values(["user", "start"])
    assert table.user.tolist() == expected.user.tolist() and table.start.tolist() == expected.start.tolist()
    assert table.truth.map(dict(enumerate(["low", "middle", "high"]))).tolist() == expected.label.tolist()
    assert dict(zip(table.user, table.group, strict=True)) == dict(zip(groups.user, groups.group, strict=True))


@pytest.mark.parametrize(
    "settings",
    [LifeLogNet(epochs=40, patience=40, batch_size=64), Boosting(min_samples_leaf=2), Lda()],
    ids=["net", "boosting", "lda"],
)
def test_predictors_learn_from_training_windows(tables: Path, settings: object) -> None:
    samples = samples_of(tables)
    train = samples.subset("train")
    model = build_predictor(settings)
    model.fit(train, samples.subset("validation"))
    assert (model.predict(train).argmax(axis=1) == train.truth).mean() > 0.6


def test_standardisation_uses_training_windows_only(tables: Path) -> None:
    samples = samples_of(tables, ["101"])
    train = samples.subset("train")
    np.testing.assert_allclose(np.nanmean(train.summary, axis=0), 0, atol=1e-3)
    assert np.abs(np.nanmean(samples.subset("test").summary, axis=0)).max() > 0.1
    raw = samples_of(tables, ["101"], "none")
    assert np.nanmax(np.abs(raw.summary)) > 30


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_predictions_are_finite_for_a_user_without_one_modality(tables: Path, settings: object) -> None:
    samples = samples_of(tables, ["101"])
    samples.summary[:, :21] = np.nan
    samples.maxima["e4Acc"][:] = np.nan
    samples.windows.present[:, 0] = False
    samples.windows.scalings["e4Acc"].mean[:] = np.nan  # the mean of no values
    model = build_predictor(settings)
    model.fit(samples.subset("train"), samples.subset("validation"))
    assert np.isfinite(model.predict(samples.subset("test"))).all()


def test_boosting_needs_no_validation_windows(tables: Path) -> None:
    samples = samples_of(tables, ["101"])
    model = build_predictor(Boosting(max_iter=3))
    model.fit(samples.subset("train"), samples.take(np.zeros(len(samples), bool)))
    assert model.predict(samples.subset("test")).shape[1] == 3


def test_boosting_uses_the_trees_with_the_lowest_balanced_loss_on_validation_windows() -> None:
    """Noise, of which every further tree learns more, and a rare class."""
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(400, 5)), (rng.random(400) < 0.15).astype(int)
    x[:, 0] += truth
    keys, minutes = pd.DataFrame({"user": ["u"] * 400}), np.arange(400)
    samples = Samples(keys, minutes, minutes, truth, x.astype(np.float32), {}, None, [], ["a", "b"])
    train, validation = (samples.take((np.arange(400) < 200) == first) for first in (True, False))
    model = build_predictor(Boosting(max_iter=60))
    model.fit(train, validation)
    weights = np.where(validation.truth == 1, (train.truth == 0).sum() / train.truth.sum(), 1.0)
    stages = list(model.model.staged_predict_proba(model._binned(validation)))
    losses = [log_loss(validation.truth, p, sample_weight=weights) for p in stages]
    best = int(np.argmin(losses))
    assert 0 < best < len(stages) - 1
    np.testing.assert_allclose(model.predict(validation), stages[best])


def test_validation_windows_select_the_shrinkage_of_lda(tables: Path) -> None:
    train, validation, test = (samples_of(tables).subset(name) for name in ("train", "validation", "test"))
    train.summary[:, 0], train.summary[:3, 1] = 5, np.nan  # a constant feature, and missing values
    weights = (len(train) / 3 / np.bincount(train.truth))[validation.truth]
    losses, found = [], []
    for shrinkage in Lda().shrinkage:
        model = build_predictor(Lda(shrinkage=[shrinkage]))
        model.fit(train, validation)
        losses.append(log_loss(validation.truth, model.predict(validation), sample_weight=weights, labels=[0, 1, 2]))
        found.append(model.predict(test))
    assert np.ptp(losses) > 0.01
    chosen = build_predictor(Lda())
    chosen.fit(train, validation)
    np.testing.assert_array_equal(chosen.predict(test), found[int(np.argmin(losses))])


def test_lda_without_shrinkage_is_that_of_scikit_learn(tables: Path) -> None:
    train, test = (samples_of(tables).subset(name) for name in ("train", "test"))
    rng = np.random.default_rng(0)
    for own in (train, test):
        own.summary = (rng.normal(size=(len(own), 4)) @ rng.normal(size=(4, 4)) + own.truth[:, None]).astype(np.float32)
    model = build_predictor(Lda(shrinkage=[1e-9]))
    model.fit(train, test)
    other = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(train.summary, train.truth)
    # The library divides by the number of windows, which makes small samples too certain; here by n - classes.
    scores = other.decision_function(test.summary) * (len(train) - 3) / len(train)
    np.testing.assert_allclose(model.predict(test), softmax(scores, axis=1), atol=1e-5)


def test_lda_predicts_a_single_class(tables: Path) -> None:
    samples = samples_of(tables)
    train = samples.take(((samples.keys.subset == "train") & (samples.truth == 1)).to_numpy())
    model = build_predictor(Lda())
    model.fit(train, samples.subset("validation"))
    assert (model.predict(samples.subset("test")) == [0, 1, 0]).all()


def test_majority_predicts_the_class_shares(tables: Path) -> None:
    samples = samples_of(tables)
    model = build_predictor(Majority())
    model.fit(samples.subset("train"), samples.subset("validation"))
    shares = np.bincount(samples.subset("train").truth, minlength=3) / len(samples.subset("train"))
    np.testing.assert_allclose(model.predict(samples.subset("test"))[0], shares)


def test_nearest_minute_predicts_the_label_of_the_users_nearest_training_window(tables: Path) -> None:
    samples = samples_of(tables)
    train, test = samples.subset("train"), samples.subset("test")
    model = build_predictor(NearestMinute())
    model.fit(train, samples.subset("validation"))
    predicted = model.predict(test).argmax(axis=1)
    for i, (user, start) in enumerate(zip(test.keys.user, test.keys.start, strict=True)):
        own = (train.keys.user == user).to_numpy()
        nearest = (train.keys.start[own] - start).abs().to_numpy().argmin()
        assert predicted[i] == train.truth[own][nearest]
    unknown_user = test.take((test.keys.user == "101").to_numpy())
    model.known.pop("101")
    np.testing.assert_allclose(model.predict(unknown_user)[0], np.bincount(train.truth, minlength=3) / len(train))


def test_the_last_label_is_that_of_the_users_last_training_window_before(tables: Path) -> None:
    samples = samples_of(tables)
    train, test = samples.subset("train"), samples.subset("test")
    model = build_predictor(LastLabel())
    model.fit(train, samples.subset("validation"))
    found, shares = model.predict(test), np.bincount(train.truth, minlength=3) / len(train)
    before = 0
    for probabilities, user, minute in zip(found, test.keys.user, test.minutes, strict=True):
        past = (train.keys.user == user).to_numpy() & (train.minutes < minute)
        before += past.any()
        last = train.truth[past][train.minutes[past].argmax()] if past.any() else None
        np.testing.assert_allclose(probabilities, shares if last is None else np.eye(3)[last])
    assert 0 < before < len(test)


def test_the_clock_learns_a_label_that_depends_on_the_time(tables: Path) -> None:
    samples = samples_of(tables)
    samples.truth[:] = (samples.elapsed >= 3).astype(int)
    model = build_predictor(Clock())
    model.fit(samples.subset("train"), samples.subset("validation"))
    test = samples.subset("test")
    assert (model.predict(test).argmax(axis=1) == test.truth).all()
    samples.summary[:], test.summary[:] = 0, np.nan  # features are not used
    assert (model.predict(test).argmax(axis=1) == test.truth).all()


@pytest.mark.parametrize("folds", [2, 3, 9])
def test_no_user_is_predicted_by_a_model_that_was_fitted_on_them(folds: int) -> None:
    everyone, members = list("abcdefg"), list("bcdef")
    split = UsersSplit(name="u", within="b", folds=folds)
    result = user_folds(members, everyone, split)
    assert sorted(user for _, tested in result for user in tested) == members
    assert len(result) == min(folds, 5)
    for fitted, tested in result:
        assert sorted(fitted + tested) == members and not set(fitted) & set(tested)
    assert user_folds(["c"], everyone, split) == [(list("abdefg"), ["c"])]
    assert user_folds(members, everyone, None) == [(members, members)]
    assert user_folds(["a"], ["a"], split) == [([], ["a"])]


def test_a_single_user_is_predicted_with_equal_probabilities(tables: Path, tmp_path: Path) -> None:
    groups = pd.DataFrame({"user": ["101"], "group": ["everyone"]})
    train_predictor(groups, samples_of(tables, ["101"]), Boosting(), tmp_path / "p", UsersSplit(name="u", within="b"))
    assert (pq.read_table(tmp_path / "p").to_pandas().p_low == 1 / 3).all()


def test_training_labels_of_a_held_out_user_do_not_change_the_predictions_of_that_user(
    tables: Path, tmp_path: Path
) -> None:
    """The predictions of one user stay the same whatever that user's training labels are."""
    groups = pd.DataFrame({"user": USERS, "group": ["g1", "g1", "g1", "g2"]})
    split = UsersSplit(name="u", within="b", folds=3)
    predicted = []
    for flip in (False, True):
        samples = samples_of(tables)
        if flip:
            own = (samples.keys.user == "102").to_numpy() & (samples.keys.subset != "test").to_numpy()
            samples.truth[own] = 2 - samples.truth[own]
        train_predictor(groups, samples, Boosting(max_iter=5), tmp_path / "p", split)
        predicted.append(pq.read_table(tmp_path / "p").to_pandas())
    first, second = (table[table.user == "102"] for table in predicted)
    pd.testing.assert_frame_equal(first, second)
    others = [table[table.user == "101"] for table in predicted]
    assert not others[0].equals(others[1])
    assert read_notes(tmp_path / "p")["alone"] == ["104"]
