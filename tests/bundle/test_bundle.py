from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from lifelog.bundle.bundle import Bundle
from lifelog.bundle.content import CONTENT, FILES, SUMS, TENSORS, digests_of, read_content
from lifelog.bundle.files import load_bundle, write_bundle
from lifelog.bundle.strategy import FEWEST_WINDOWS
from lifelog.groups.read import included_users, ungrouped
from lifelog.predict.predictors.boosting import Boosting, trees_of
from lifelog.predict.predictors.lda import Lda
from lifelog.predict.predictors.lifelognet import LifeLogNet
from lifelog.predict.predictors.majority import Majority
from lifelog.predict.predictors.mil import MilNet
from lifelog.predict.predictors.ordinal import Ordinal
from lifelog.predict.predictors.windownet import WindowNet
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import PredictorSettings, predictor_kinds
from lifelog.settings.splits import ParticipantsSplit
from lifelog.splits.assign import assign_splits
from lifelog.windows.layout import BadInput
from lifelog.windows.read import Features
from tests.bundle.conftest import Make

People = dict[str, Person]
STORED = [Lda(), Ordinal(), Boosting(max_iter=5), MilNet(epochs=2), LifeLogNet(epochs=2)]
MODELS = [(settings, "importance") for settings in STORED] + [
    *((Lda(), scheme) for scheme in ("global", "personal", "pooled", "blend")),
    *((MilNet(epochs=2), scheme) for scheme in ("tuned", "blend")),
]


def of_windows(features: Features, starts: pd.Series) -> Features:
    """The features of some windows."""
    rows = features.rows.start.isin(starts).to_numpy()
    maxima = {name: values[rows] for name, values in features.maxima.items()}
    kept = features.rows[rows].reset_index(drop=True)
    return Features(kept, features.names, features.summary[rows], maxima, features.modalities)


def stored_in(bundle: Bundle, folder: Path) -> Bundle:
    """The bundle after writing and reading."""
    write_bundle(bundle, folder)
    return load_bundle(folder)


@pytest.mark.parametrize(("settings", "scheme"), MODELS, ids=lambda value: getattr(value, "name", value))
def test_predictions_equal_those_of_the_run(
    make: Make, people: People, tmp_path: Path, settings: PredictorSettings, scheme: str
) -> None:
    users = included_users([person.folds for person in people.values()])
    groups = ungrouped(users, scheme)
    if scheme == "importance":
        groups = groups.assign(group=np.where(groups.user.isin(["101", "103"]), "g1", "g2"))
    persons = [person._replace(windows=None) for person in people.values()]
    (run,) = train_predictors([Model(settings, scheme, groups)], partial(make_samples, persons))
    bundle = stored_in(make(settings, scheme, groups=groups if scheme == "importance" else None), tmp_path)
    columns = [name for name in run.table if name.startswith(("p_", "raw_"))]
    assert len(run.table)
    for (user, fold), rows in run.table.groupby(["user", "fold"]):
        features = of_windows(people[str(user)].features, rows.start)
        found = bundle.predict(features, str(user), int(fold)).set_index("start").loc[list(rows.start)]
        np.testing.assert_allclose(found[columns], rows[columns], atol=1e-6)


def test_new_participants_of_a_split_of_participants_have_its_predictions(
    make: Make, people: People, tmp_path: Path
) -> None:
    persons = unseen(make, people)
    groups = ungrouped(included_users([person.folds for person in persons.values()]), "global")
    (run,) = train_predictors([Model(Lda(), "global", groups)], partial(make_samples, list(persons.values())))
    bundle = stored_in(make(Lda(), "global", ParticipantsSplit(name="unseen", folds=2), of=persons), tmp_path)
    assert bundle.known is None and bundle.users == []
    compared = 0
    for (user, fold), rows in run.table.groupby(["user", "fold"]):
        if len(rows) >= FEWEST_WINDOWS:  # otherwise they have the scaling of others
            found = bundle.predict(of_windows(people[str(user)].features, rows.start), fold=int(fold))
            np.testing.assert_allclose(found.set_index("start").loc[list(rows.start)].p_low, rows.p_low, atol=1e-6)
            compared += 1
    assert compared > 1


def test_predictions_are_means_over_folds_and_sets_have_the_likely_classes(lda: Bundle, people: People) -> None:
    features = people["101"].features
    whole = lda.predict(features, "101")
    assert lda.known is not None
    numbers = [fold.fold for fold in lda.known.folds if any("101" in model.users for model in fold.models)]
    parts = [lda.predict(features, "101", fold).p_high for fold in numbers]
    np.testing.assert_allclose(whole.p_high, np.mean(parts, axis=0))
    likely = 1 - whole[["p_low", "p_middle", "p_high"]].to_numpy() <= lda.known.threshold + 1e-12
    names = np.array(["low", "middle", "high"])
    assert whole["set"].tolist() == [" | ".join(names[row]) for row in likely]
    assert (whole["class"].notna() == (likely.sum(axis=1) == 1)).all()
    assert (whole.reason.isna() == whole["class"].notna()).all()


def test_a_gain_and_an_offset_of_a_device_do_not_change_predictions_of_new_participants(
    lda: Bundle, people: People
) -> None:
    features = people["101"].features
    shifted = Features(features.rows, features.names, 3 * features.summary + 5, features.maxima, features.modalities)
    before, after = lda.predict(features), lda.predict(shifted)
    np.testing.assert_allclose(before.p_high, after.p_high, atol=1e-4)
    assert lda.doubts(features) == []


def test_another_unit_and_a_missing_sensor_are_named(lda: Bundle, people: People) -> None:
    features = people["101"].features
    summary = features.summary.copy()
    of_modality = np.array([name.split(".")[0] for name in features.names])
    summary[:, of_modality == "e4Eda"] *= 1000
    summary[:, of_modality == "mGps"] = np.nan
    eda, gps = lda.doubts(Features(features.rows, features.names, summary, features.maxima, features.modalities))
    assert "e4Eda: varies 10 times" in eda and "(expected: µS)" in eda
    assert gps == "mGps: missing in all windows"


def test_participants_without_a_sensor_do_not_change_the_mean_scaling(make: Make, people: People) -> None:
    without = dict(people)
    features = people["104"].features
    summary = features.summary.copy()
    of_eda = np.array([name.startswith("e4Eda") for name in features.names])
    summary[:, of_eda] = np.nan
    lacking = Features(features.rows, features.names, summary, features.maxima, features.modalities)
    without["104"] = people["104"]._replace(features=lacking)
    found, every = (make(Lda(), of=persons).new for persons in (without, people))
    others = [scaling.summary.std[of_eda] for (_, user), scaling in every.scalings.items() if user != "104"]
    np.testing.assert_allclose(found.mean_scaling().summary.std[of_eda], np.mean(others, axis=0))


def test_few_windows_have_the_mean_scaling_of_others(lda: Bundle, people: People) -> None:
    features = people["101"].features
    one = of_windows(features, features.rows.start[:1])
    assert len(one.rows) < FEWEST_WINDOWS
    others = lda.new.mean_scaling()
    np.testing.assert_array_equal(lda.new.scaling_of_new(one).summary.mean, others.summary.mean)
    np.testing.assert_allclose(others.summary.std, np.mean([s.summary.std for s in lda.new.scalings.values()], axis=0))
    assert lda.predict(one)[["p_low", "p_middle", "p_high"]].sum(axis=1).iloc[0] == pytest.approx(1)


def test_new_participants_are_placed_in_a_group_where_groups_are_clearly_better(make: Make, people: People) -> None:
    bundle = make(Lda(), grouped=True)
    assert bundle.new.scheme in ("global", "importance")
    only = make(Lda(), "importance", ParticipantsSplit(name="unseen", folds=2), grouped=True, of=unseen(make, people))
    assert only.new.scheme == "importance" and set(only.new.placing) == {1, 2}
    features = people["101"].features
    for fitted in only.new.folds:
        (model,) = only.new.models_of_new(fitted, features)
        assert model.group in only.new.placing[fitted.fold]
        few = of_windows(features, features.rows.start[:2])
        assert only.new.models_of_new(fitted, few) == fitted.models  # a spread of two windows shows nothing


def unseen(make: Make, people: People) -> People:
    """The participants in two folds that test whole ones."""
    target, split = make(Lda()).about.target, ParticipantsSplit(name="unseen", folds=2)
    persons = {}
    for number, (user, person) in enumerate(people.items()):
        labels = pd.read_parquet(str(person.windows), columns=["user", "session", "start", "emotionTension"])
        labels["label_rows"] = [{} for _ in range(len(labels))]
        persons[user] = Person(person.features, assign_splits(labels, target, split, unseen=1 + number % 2))
    return persons


def test_a_name_without_models_is_refused(lda: Bundle, people: People) -> None:
    with pytest.raises(ValueError, match=r"no models of the participant '999'; the bundle has those of 101, 102"):
        lda.predict(people["101"].features, "999")


def test_only_models_of_features_are_bundled(make: Make) -> None:
    with pytest.raises(ValueError, match="majority sees no sensors"):
        make(Majority())
    with pytest.raises(ValueError, match="windownet sees whole windows"):
        make(WindowNet())
    with pytest.raises(ValueError, match="random is a control"):
        make(Lda(), "random")
    known = {name for name, kind in predictor_kinds().items() if kind.stored}
    assert known == {"lda", "ordinal", "boosting", "mil", "lifelognet"}


def test_a_bundle_needs_three_participants(make: Make, people: People) -> None:
    with pytest.raises(ValueError, match="a bundle needs 3 participants, not 2"):
        make(Lda(), of={user: people[user] for user in ("101", "102")})


def test_features_of_other_modalities_are_refused(lda: Bundle, people: People) -> None:
    features = people["101"].features
    names = ["other.mean", *features.names[1:]]
    with pytest.raises(ValueError, match=r"other features than those of the bundle: .*other\.mean"):
        lda.predict(Features(features.rows, names, features.summary, features.maxima, features.modalities))
    with pytest.raises(ValueError, match="read features with maxima=True"):
        lda.predict(Features(features.rows, features.names, features.summary, {}, features.modalities))


def test_a_changed_or_missing_file_is_refused(lda: Bundle, tmp_path: Path) -> None:
    write_bundle(lda, tmp_path)
    read_content(tmp_path)
    for name in (*FILES, SUMS):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(BadInput, match=f"{re.escape(name)} changed since the bundle was written"):
            load_bundle(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(BadInput, match=f"there is no file {re.escape(name)}"):
            load_bundle(tmp_path)
        (tmp_path / name).write_bytes(whole)
    load_bundle(tmp_path)


def test_other_formats_and_unknown_keys_are_named(lda: Bundle, tmp_path: Path) -> None:
    write_bundle(lda, tmp_path)
    content = json.loads((tmp_path / CONTENT).read_text())
    known = content["known"]
    for change, message in (
        ({"known": known | {"threshold": 7}}, "threshold 7"),
        ({"known": known | {"folds": [weighted(fold) for fold in known["folds"]]}}, r"weights \[-5\.0\] of 1 models"),
        ({"new": content["new"] | {"threshold": float("nan")}}, "new.threshold: Input should be a finite number"),
        ({"format": 2}, "has the format 2; this version of lifelog reads 1"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
    ):
        rewrite(tmp_path, json.dumps(content | change).encode())
        with pytest.raises(BadInput, match=message):
            load_bundle(tmp_path)


def weighted(fold: dict[str, Any]) -> dict[str, Any]:
    """A fold whose mixtures have other weights."""
    return fold | {"models": [model | {"weights": [-5.0]} for model in fold["models"]]}


def rewrite(folder: Path, content: bytes, tensors: bytes | None = None) -> None:
    """Change files of a bundle, and make its digests fit."""
    (folder / CONTENT).write_bytes(content)
    if tensors is not None:
        (folder / TENSORS).write_bytes(tensors)
    (folder / SUMS).write_text(digests_of({name: (folder / name).read_bytes() for name in FILES}))


def test_damaged_bundles_with_fitting_digests_end_in_a_message(
    lda: Bundle, people: People, tmp_path: Path, fuzz_cases: int
) -> None:
    """Whoever changes a bundle can change its digests: whatever is read must not fail otherwise than by a message."""
    write_bundle(lda, tmp_path)
    content, tensors = (tmp_path / CONTENT).read_bytes(), (tmp_path / TENSORS).read_bytes()
    rng, refused = np.random.default_rng(0), 0
    head = int.from_bytes(tensors[:8], "little") + 8
    features = people["101"].features
    for case in range(fuzz_cases):
        of_tensors = case % 2
        damaged = bytearray(tensors if of_tensors else content)
        for place in rng.integers(0, head if of_tensors else len(damaged), rng.integers(1, 4)):
            kind = rng.integers(3)
            if kind == 0:
                damaged[place] = rng.integers(256)
            elif kind == 1:
                damaged[place:place] = bytes(rng.integers(32, 127, rng.integers(1, 9)).astype(np.uint8))
            else:
                del damaged[place : place + int(rng.integers(1, 20))]
        rewrite(tmp_path, bytes(content if of_tensors else damaged), bytes(damaged if of_tensors else tensors))
        try:
            bundle = load_bundle(tmp_path)
        except BadInput:
            refused += 1
            continue
        try:
            bundle.predict(features, "101")
        except ValueError:
            refused += 1
    assert refused > 0.5 * fuzz_cases


def test_trees_are_those_of_the_library(people: People) -> None:
    samples = make_samples([person._replace(windows=None) for person in people.values()], 1)
    x = np.where(np.isnan(samples.summary), np.nan, np.round(samples.summary, 2)).astype(float)
    for classes in (2, 3):
        truth = np.arange(len(x)) % classes
        model = HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=3, random_state=0).fit(x, truth)
        found = trees_of(model, 8)
        found.check(x.shape[1])
        np.testing.assert_allclose(np.squeeze(found.scores(x)), model.decision_function(x), atol=1e-9)


def test_boosting_predicts_without_features_and_with_one_class(people: People) -> None:
    samples = make_samples([person._replace(windows=None) for person in people.values()], 1)
    train, validation = samples.subset("train"), samples.subset("validation")
    nothing = [replace(some, summary=np.full_like(some.summary, np.nan)) for some in (train, validation)]
    model = Boosting(max_iter=3).build()
    model.fit(*nothing)
    assert np.ptp(model.predict(nothing[0]), axis=0).max() == 0
    again = Boosting(max_iter=3).build()
    again.restore(model.state(), samples)
    np.testing.assert_array_equal(again.predict(nothing[0]), model.predict(nothing[0]))


def test_trees_that_return_are_refused(people: People) -> None:
    samples = make_samples([person._replace(windows=None) for person in people.values()], 1)
    model = Boosting(max_iter=3).build()
    model.fit(samples.subset("train"), samples.subset("validation"))
    trees = model.trees
    trees.check(int(model.columns.sum()))
    circle = trees.left.copy()
    circle[trees.feature >= 0] = 0
    for damaged in (trees._replace(left=circle), trees._replace(right=trees.right + 10**6)):
        with pytest.raises(ValueError, match="these are no trees"):
            damaged.check(int(model.columns.sum()))


def test_the_card_has_scores_sensors_and_the_way_to_apply_it(lda: Bundle) -> None:
    for text in (
        "# Predicting tension",
        "| participants of the run | 4 |",
        "| new participants | 4 |",
        "snakemake score",
    ):
        assert text in lda.card
    assert set(re.findall(r"\{[a-z_]+\}", lda.card)) == {"{user}"}
