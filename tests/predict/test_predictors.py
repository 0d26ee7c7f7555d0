from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss

import lifelog.predict.train as training
from lifelog.config import Config
from lifelog.discriminant import fit_discriminants
from lifelog.evaluate.calibration import log_losses
from lifelog.evaluate.compare import score_users
from lifelog.mil.loss import validation_score
from lifelog.predict.combine import COMBINATIONS, Part
from lifelog.predict.predictors.boosting import Boosting
from lifelog.predict.predictors.clock import Clock
from lifelog.predict.predictors.embedding import Embedding
from lifelog.predict.predictors.last_label import LastLabel
from lifelog.predict.predictors.lda import Lda
from lifelog.predict.predictors.lifelognet import LifeLogNet
from lifelog.predict.predictors.majority import Majority
from lifelog.predict.predictors.mil import MilNet
from lifelog.predict.predictors.nearest_minute import NearestMinute
from lifelog.predict.predictors.ordinal import Ordinal
from lifelog.predict.predictors.windownet import WindowNet
from lifelog.predict.probabilities import class_probabilities
from lifelog.predict.samples import Person, Samples, make_samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import PredictorSettings
from lifelog.settings.splits import Target
from lifelog.splits.assign import assign_splits
from lifelog.windows.read import read_labels

People = dict[str, Person]
ALL = [
    *(LifeLogNet(epochs=8), WindowNet(epochs=1), MilNet(epochs=2), Boosting(max_iter=20), Lda(), Ordinal()),
    *(Majority(), NearestMinute(), LastLabel(), Clock()),
]
USERS = ["101", "102", "103", "104"]


def samples_of(
    people: People, fold: int = 1, users: list[str] = USERS, standardise: str = "user", windows: bool = False
) -> Samples:
    persons = [people[user] if windows else people[user]._replace(windows=None) for user in users]
    return make_samples(persons, fold, standardise)


def groups_of(labels: list[str], groupings: int = 1) -> pd.DataFrame:
    """The same groups in all folds."""
    rows = [(fold, number, user, label) for fold in (None, 1, 2, 3) for number in range(1, groupings + 1)
            for user, label in zip(USERS, labels, strict=True)]  # fmt: skip
    return pd.DataFrame(rows, columns=["fold", "grouping", "user", "group"]).astype({"fold": "Int64"})


def predictions_of(people: People, settings: PredictorSettings, scheme: str, groups: pd.DataFrame) -> pd.DataFrame:
    """The table of predictions, as it is written."""
    read_fold = partial(samples_of, people, windows=settings.inputs == "windows")
    (predictions,) = train_predictors([Model(settings, scheme, groups)], read_fold)
    return pa.Table.from_pandas(predictions.table, predictions.schema, preserve_index=False).to_pandas()


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_predictors_predict_every_test_window_once_and_reproducibly(
    people: People, settings: PredictorSettings
) -> None:
    groups = groups_of(["g1", "g2", "g1", "g2"])
    table, again = (predictions_of(people, settings, "importance", groups) for _ in range(2))
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    check_predictions(table, people)
    assert dict(zip(table.user, table.group, strict=True)) == dict(zip(groups.user, groups.group, strict=True))


def check_predictions(table: pd.DataFrame, people: People) -> None:
    """Every window of every user is tested once, in its fold."""
    np.testing.assert_allclose(table[["p_low", "p_middle", "p_high"]].sum(axis=1), 1, rtol=1e-5)
    tested = []
    for person in people.values():
        assert person.folds.tested == [1, 2, 3]
        tested += [own[own.subset == "test"].assign(fold=fold) for fold, own in person.folds.numbered.items()]
    expected = pd.concat(tested).sort_values(["user", "start"])
    for column in ("user", "start", "session", "fold"):
        assert table[column].tolist() == expected[column].tolist()
    assert not expected.duplicated(["user", "start"]).any()
    assert table.truth.map(dict(enumerate(["low", "middle", "high"]))).tolist() == expected.label.tolist()


COMBINED = [("pooled", Lda()), ("blend", Lda()), ("blend", Boosting(max_iter=5)), ("tuned", MilNet(epochs=2))]


@pytest.mark.parametrize(("scheme", "settings"), COMBINED, ids=lambda value: getattr(value, "name", value))
def test_combined_schemes_predict_every_test_window_once_and_reproducibly(
    people: People, scheme: str, settings: PredictorSettings
) -> None:
    table, again = (predictions_of(people, settings, scheme, groups_of(["everyone"] * 4)) for _ in range(2))
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    check_predictions(table, people)
    assert (table.group == table.user).all()


@pytest.mark.parametrize(("scheme", "settings"), COMBINED, ids=lambda value: getattr(value, "name", value))
def test_a_user_who_is_not_tested_in_a_fold_only_trains(
    people: People, scheme: str, settings: PredictorSettings
) -> None:
    samples = samples_of(people)
    samples.rows.loc[samples.rows.user == "102", "subset"] = "train"
    (models,) = COMBINATIONS[scheme](settings, [Part(samples, USERS)])
    assert {user for user, _ in models} == {"101", "103", "104"}
    model = settings.build()
    model.fit(samples.subset("train", ["102"]), samples.subset("validation", ["102"]))  # no validation windows
    assert np.isfinite(model.predict(samples.subset("test"))).all()


def test_an_order_helps_where_the_middle_class_is_rare() -> None:
    """With means on a line, the middle class is where it should be, although it has three windows."""
    rng, losses = np.random.default_rng(0), np.zeros(2)
    for _ in range(5):
        truth = rng.integers(0, 3, 1200)
        x = np.column_stack([truth + rng.normal(0, 0.5, 1200), rng.normal(size=(1200, 20))])
        train = (np.arange(1200) < 120) & ((truth != 1) | (np.cumsum(truth == 1) <= 3))
        for i, line_shrinkage in enumerate((0, 1)):
            (model,) = fit_discriminants(x[train], truth[train], 3, [0.5], None, line_shrinkage)
            losses[i] += log_losses(truth[120:], model.probabilities(x[120:])).mean() / 5
    assert losses[1] < losses[0] - 0.5


def test_pooling_lies_between_personal_and_global_models(people: People) -> None:
    samples = samples_of(people)
    limits = {}
    for prior_windows in (1e-9, 1e9):
        settings = Lda(prior_windows=[prior_windows], shrinkage=[0.5])
        (models,) = COMBINATIONS["pooled"](settings, [Part(samples, USERS)])
        limits[prior_windows] = {user: mixture.predict(samples.subset("test", [user])) for user, mixture in models}
    for user in USERS:
        test = samples.subset("test", [user])
        alone = Lda(shrinkage=[0.5]).build()
        others = [name for name in USERS if name != user]
        alone.fit(samples.subset("train", others), samples.subset("validation", others))
        # With an infinite prior, the user's own windows do not count.
        np.testing.assert_allclose(limits[1e9][user].argmax(axis=1), alone.predict(test).argmax(axis=1))
    assert any((limits[1e-9][user].argmax(axis=1) != limits[1e9][user].argmax(axis=1)).any() for user in USERS)


def test_pooled_models_are_those_of_weighted_windows(people: People) -> None:
    samples = samples_of(people)
    train, seen = samples.subset("train"), samples.subset("validation", ["101"])
    own = (train.rows.user == "101").to_numpy()
    weights = np.where(own, 1.0, 7 / (~own).sum())
    model = Ordinal(shrinkage=[0.5], line_shrinkage=[0.5]).build()
    model.fit_pooled(model.pool(train), "101", 7, seen)
    (expected,) = fit_discriminants(train.summary, train.truth, 3, [0.5], weights, 0.5)
    np.testing.assert_allclose(model.predict(seen), expected.probabilities(seen.summary), rtol=1e-6)


def test_tuning_keeps_the_network_unless_the_validation_score_improves(people: People) -> None:
    samples = samples_of(people)
    model = MilNet(epochs=2).build()
    model.fit(samples.subset("train"), samples.subset("validation"))
    before = {name: x.clone() for name, x in model.network.state_dict().items()}
    score = validation_score(model.network, model.bags(samples.subset("validation", ["101"])), model.settings)
    model.tune_each([model], [samples.fitted(["101"])])
    after = validation_score(model.network, model.bags(samples.subset("validation", ["101"])), model.settings)
    changed = any((before[name] != x).any() for name, x in model.network.state_dict().items())
    assert after >= score and changed == (after > score)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of groupings that are trained together, call by call."""
    sizes: list[int] = []
    fit_parts = training._fit_parts
    monkeypatch.setattr(
        training, "_fit_parts", lambda model, parts: sizes.append(len(parts)) or fit_parts(model, parts)
    )
    return sizes


@pytest.mark.parametrize("scheme", ["personal", "tuned"])
def test_networks_of_all_folds_are_those_that_are_trained_fold_by_fold(
    people: People, pieces: list[int], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups, tables = groups_of(USERS if scheme == "personal" else ["all"] * 4), []
    for most, expected in ((10_000, [3]), (0, [1, 1, 1])):
        monkeypatch.setattr(training, "MOST_WINDOWS", most)
        tables.append(predictions_of(people, MilNet(epochs=2), scheme, groups))
        assert pieces == expected
        pieces.clear()
    pd.testing.assert_frame_equal(*tables, rtol=1e-3, atol=1e-4)
    assert len(set(tables[0].fold)) > 1


def test_networks_of_many_groupings_are_trained_in_pieces_of_few_windows(
    people: People, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each grouping copies the windows, so that all groupings of a cohort would take too much memory."""
    monkeypatch.setattr(training, "MOST_WINDOWS", 3 * len(samples_of(people)))  # of three folds
    groups = groups_of(["g1", "g2", "g1", "g2"], groupings=4)
    table = predictions_of(people, MilNet(epochs=1), "random", groups)
    assert pieces == [3] * 4
    assert set(table.grouping) == {1, 2, 3, 4} and set(table.fold) == {1, 2, 3}


def test_random_groupings_are_rows_of_one_table(people: People) -> None:
    table = predictions_of(people, Lda(), "random", groups_of(["g1", "g2", "g1", "g2"], groupings=3))
    first, *others = (own.drop(columns="grouping").reset_index(drop=True) for _, own in table.groupby("grouping"))
    assert len(others) == 2
    for other in others:
        pd.testing.assert_frame_equal(other, first)


@pytest.mark.parametrize(
    "settings",
    [LifeLogNet(epochs=40, patience=40, batch_size=64), Boosting(min_samples_leaf=2), Lda()],
    ids=["net", "boosting", "lda"],
)
def test_predictors_learn_from_training_windows(people: People, settings: PredictorSettings) -> None:
    samples = samples_of(people)
    train = samples.subset("train")
    model = settings.build()
    model.fit(train, samples.subset("validation"))
    assert (model.predict(train).argmax(axis=1) == train.truth).mean() > 0.6


def test_standardisation_uses_training_windows_only(people: People) -> None:
    samples = samples_of(people, users=["101"])
    train = samples.subset("train")
    np.testing.assert_allclose(np.nanmean(train.summary, axis=0), 0, atol=1e-3)
    assert np.nanmax(np.abs(np.nanmean(samples.subset("test").summary, axis=0))) > 0.1
    raw = samples_of(people, users=["101"], standardise="none")
    assert np.nanmax(np.abs(raw.summary)) > 30


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_predictions_are_finite_for_a_user_without_one_modality(people: People, settings: PredictorSettings) -> None:
    samples = samples_of(people, users=["101"], windows=True)
    samples.summary[:, :21] = np.nan
    samples.maxima["e4Acc"][:] = np.nan
    samples.windows.present[:, 0] = False
    samples.windows.scalings["e4Acc"].mean[:] = np.nan  # the mean of no values
    model = settings.build()
    model.fit(samples.subset("train"), samples.subset("validation"))
    assert np.isfinite(model.predict(samples.subset("test"))).all()


def test_boosting_needs_no_validation_windows(people: People) -> None:
    samples = samples_of(people, users=["101"])
    model = Boosting(max_iter=3).build()
    model.fit(samples.subset("train"), samples.take(np.zeros(len(samples), bool)))
    assert model.predict(samples.subset("test")).shape[1] == 3


def test_the_expected_rating_is_on_the_scale_of_the_labels(people: People, config: Config) -> None:
    """Bins of unequal width: the expected rating of a window lies between the class means, not the class numbers."""
    target = Target(**config.target("tension").model_dump() | {"kind": "rating"})
    rated = {
        user: person._replace(folds=assign_splits(read_labels(person.windows), target, config.split("blocked")))
        for user, person in people.items()
    }
    table = predictions_of(rated, Lda(), "global", groups_of(["g"] * 4))
    levels = {user: x.folds.described.set_index("start").level.astype(float) for user, x in rated.items()}
    assert [levels[row.user][row.start] for row in table.itertuples()] == list(table.rating)
    train = samples_of(rated).subset("train")
    means = [train.rows.rating.to_numpy()[train.truth == k].mean() for k in range(3)]
    own = table[table.fold == 1]
    np.testing.assert_allclose(own.expected, class_probabilities(own) @ means)
    pooled = score_users({("lda", "global"): table}, ordinal=True).pooled
    assert pooled.rating_error.item() == pytest.approx((table.expected - table.rating).abs().mean())
    assert pooled.rating_correlation.item() > 0.1


def test_boosting_uses_the_trees_with_the_lowest_balanced_loss_on_validation_windows() -> None:
    """Noise, of which every further tree learns more, and a rare class."""
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(400, 5)), (rng.random(400) < 0.15).astype(int)
    x[:, 0] += truth
    samples = Samples(pd.DataFrame({"user": "u", "truth": truth}), x.astype(np.float32), {}, None, [], [], ["a", "b"])
    train, validation = (samples.take((np.arange(400) < 200) == first) for first in (True, False))
    model = Boosting(max_iter=60).build()
    model.fit(train, validation)
    weights = np.where(validation.truth == 1, (train.truth == 0).sum() / train.truth.sum(), 1.0)
    stages = list(model.model.staged_predict_proba(model._binned(validation)))
    losses = [log_loss(validation.truth, p, sample_weight=weights) for p in stages]
    best = int(np.argmin(losses))
    assert 0 < best < len(stages) - 1
    np.testing.assert_allclose(model.predict(validation), stages[best])


def test_validation_windows_select_the_shrinkage_of_lda(people: People) -> None:
    train, validation, test = (samples_of(people).subset(name) for name in ("train", "validation", "test"))
    train.summary[:, 0], train.summary[:3, 1] = 5, np.nan  # a constant feature, and missing values
    weights = (len(train) / 3 / np.bincount(train.truth))[validation.truth]
    losses, found = [], []
    for shrinkage in Lda().shrinkage:
        model = Lda(shrinkage=[shrinkage]).build()
        model.fit(train, validation)
        losses.append(log_loss(validation.truth, model.predict(validation), sample_weight=weights, labels=[0, 1, 2]))
        found.append(model.predict(test))
    assert np.ptp(losses) > 0.01
    chosen = Lda().build()
    chosen.fit(train, validation)
    np.testing.assert_array_equal(chosen.predict(test), found[int(np.argmin(losses))])


def test_lda_without_shrinkage_is_that_of_scikit_learn(people: People) -> None:
    train, test = (samples_of(people).subset(name) for name in ("train", "test"))
    rng = np.random.default_rng(0)
    for own in (train, test):
        own.summary = (rng.normal(size=(len(own), 4)) @ rng.normal(size=(4, 4)) + own.truth[:, None]).astype(np.float32)
    model = Lda(shrinkage=[1e-9]).build()
    model.fit(train, test)
    other = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(train.summary, train.truth)
    # The library divides by the number of windows, which makes small samples too certain; here by n - classes.
    scores = other.decision_function(test.summary) * (len(train) - 3) / len(train)
    np.testing.assert_allclose(model.predict(test), softmax(scores, axis=1), atol=1e-5)


def test_lda_predicts_a_single_class(people: People) -> None:
    samples = samples_of(people)
    train = samples.take(((samples.rows.subset == "train") & (samples.rows.truth == 1)).to_numpy())
    model = Lda().build()
    model.fit(train, samples.subset("validation"))
    assert (model.predict(samples.subset("test")) == [0, 1, 0]).all()


def test_majority_predicts_the_class_shares(people: People) -> None:
    samples = samples_of(people)
    model = Majority().build()
    model.fit(samples.subset("train"), samples.subset("validation"))
    shares = np.bincount(samples.subset("train").truth, minlength=3) / len(samples.subset("train"))
    np.testing.assert_allclose(model.predict(samples.subset("test"))[0], shares)


def test_nearest_minute_predicts_the_label_of_the_users_nearest_training_window(people: People) -> None:
    samples = samples_of(people)
    train, test = samples.subset("train"), samples.subset("test")
    model = NearestMinute().build()
    model.fit(train, samples.subset("validation"))
    predicted = model.predict(test).argmax(axis=1)
    for i, row in enumerate(test.rows.itertuples()):
        own = train.rows[train.rows.user == row.user]
        assert predicted[i] == own.truth.iloc[(own.start - row.start).abs().argmin()]
    unknown_user = test.take((test.rows.user == "101").to_numpy())
    model.known.pop("101")
    np.testing.assert_allclose(model.predict(unknown_user)[0], np.bincount(train.truth, minlength=3) / len(train))


def test_the_last_label_is_that_of_the_users_last_training_window_before(people: People) -> None:
    samples = samples_of(people)
    train, test = samples.subset("train"), samples.subset("test")
    model = LastLabel().build()
    model.fit(train, samples.subset("validation"))
    found, shares = model.predict(test), np.bincount(train.truth, minlength=3) / len(train)
    before = 0
    for probabilities, row in zip(found, test.rows.itertuples(), strict=True):
        past = train.rows[(train.rows.user == row.user) & (train.rows.minute < row.minute)]
        before += len(past) > 0
        last = past.truth.iloc[past.minute.argmax()] if len(past) else None
        np.testing.assert_allclose(probabilities, shares if last is None else np.eye(3)[last])
    assert before > 0
    early = np.argsort(test.rows.minute.to_numpy())[:1]  # with training windows after it only
    model.known = {user: (minutes + 10**9, truth) for user, (minutes, truth) in model.known.items()}
    np.testing.assert_allclose(model.predict(test)[early], [shares])


def test_the_clock_learns_a_label_that_depends_on_the_time(people: People) -> None:
    samples = samples_of(people)
    samples.rows["truth"] = (samples.rows.elapsed >= 3).astype(int)
    model = Clock().build()
    model.fit(samples.subset("train"), samples.subset("validation"))
    test = samples.subset("test")
    assert (model.predict(test).argmax(axis=1) == test.truth).all()
    samples.summary[:], test.summary[:] = 0, np.nan  # features are not used
    assert (model.predict(test).argmax(axis=1) == test.truth).all()


class Tiny(torch.nn.Module):
    """A pretrained model: means and standard deviations over time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1)


def saved(model: torch.nn.Module, path: Path, channels: int, length: int) -> str:
    number = torch.export.Dim("windows")
    program = torch.export.export(model, (torch.zeros(2, channels, length),), dynamic_shapes=({0: number},))
    torch.export.save(program, path)
    return str(path)


def test_the_embedding_is_what_the_pretrained_models_return(people: People, tmp_path: Path) -> None:
    samples = samples_of(people, windows=True)
    shapes = {m.name: (m.channels, m.length) for m in samples.modalities}
    names = ["e4Acc", "e4Eda"]
    models = {name: saved(Tiny(), tmp_path / f"{name}.pt2", *shapes[name]) for name in names}
    predictor = Embedding(models=models).build()
    values, windows = predictor.values(samples), samples.windows.read()
    expected = np.concatenate(
        [np.r_["1", x.mean(axis=1), x.std(axis=1, ddof=1)] for x in (windows[n] for n in names)], 1
    )
    present = samples.windows.present[:, [list(shapes).index(name) for name in names]].all(axis=1)
    np.testing.assert_allclose(values[present], expected[present], atol=1e-4)
    assert not present.all() and np.isnan(values[~present]).any(axis=1).all()
    groups = groups_of(["g1", "g2", "g1", "g2"])
    check_predictions(predictions_of(people, Embedding(models=models), "importance", groups), people)


def test_unusable_pretrained_models_are_named(people: People, tmp_path: Path) -> None:
    samples = samples_of(people, windows=True)
    (tmp_path / "broken.pt2").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match=r"^predictors: embedding.models: [^:]*broken.pt2 is no file of torch.export"):
        Embedding(models={"e4Acc": str(tmp_path / "broken.pt2")}).build().values(samples)
    path = saved(Tiny(), tmp_path / "other.pt2", 2, 30)
    with pytest.raises(ValueError, match=r"'e4Acc': .*other.pt2 does not accept windows of the shape \(\d+, 3, 1920\)"):
        Embedding(models={"e4Acc": path}).build().values(samples)
