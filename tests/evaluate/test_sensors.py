from __future__ import annotations

from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.evaluate.sensors import EACH, EVERYONE, Comparison, Fewest, choose_sets, enough, fewest_sensors
from lifelog.groups.read import included_users, ungrouped
from lifelog.importance.estimate import estimate_shapley
from lifelog.importance.sets import value_sets
from lifelog.importance.shapley import shapley_game
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import Model
from lifelog.report.figures.sensors import plot_sensors
from lifelog.settings.importance import Shapley
from lifelog.settings.predict import predictor_settings
from lifelog.settings.splits import BlockedSplit
from lifelog.settings.windows import Modality
from lifelog.validation.people import Design, simulate_person

SPLIT = BlockedSplit(name="blocked", folds=3)
COMPARE = Config().compare


def people_of(design: Design, count: int = 8, seed: int = 3) -> list[Person]:
    return [Person(*simulate_person(design, seed, number, SPLIT)) for number in range(count)]


def found_for(design: Design, costs: tuple[float, ...] = (1, 1, 1, 1)) -> Fewest:
    people = people_of(design)
    values = pd.concat([value_sets(person.features, person.folds, Shapley()) for person in people])
    included, lda = included_users([person.folds for person in people]), predictor_settings("lda")
    models = [Model(lda, scheme, ungrouped(included, scheme)) for scheme in ("global", "personal")]
    named = people[0].features.modalities
    modalities = [m.model_copy(update={"cost": cost}) for m, cost in zip(named, costs, strict=True)]
    read_fold = cache(partial(make_samples, people))
    return fewest_sensors(values, models[0], models[1], read_fold, modalities, COMPARE, ordinal=False)


def test_the_planted_sensors_are_enough() -> None:
    found = found_for(Design(6, 10, effects=(1.0, 1.0, 0.0, 0.0)))
    (everyone,) = found.sets[(found.sets.user == EVERYONE) & found.sets.enough]["set"]
    assert everyone == "m0 m1"
    of_each = found.sets[(found.sets.user != EVERYONE) & found.sets.enough]
    assert (of_each["set"].str.split().map(lambda names: len({"m0", "m1"} & set(names))) > 0).mean() > 0.8
    assert found.sentences[0].startswith("For everyone, 2 of 4 sensors are enough: m0, m1 (macro-F1 0.")
    assert set(found.table.scope) == {EVERYONE, EACH} and found.table.difference[found.table.sensors == 4].eq(0).all()
    figure, table = plot_sensors(found.table, COMPARE)
    assert len(figure.axes) == 2 and table is found.table


def test_of_a_sensor_and_its_copy_the_cheaper_one_is_kept() -> None:
    copied = Design(6, 10, effects=(1.5, 1.5, 0.0, 0.0), copy=0.01)
    for costs, kept in (((1, 5, 1, 1), "m0"), ((5, 1, 1, 1), "m1")):
        found = found_for(copied, costs)
        (row,) = found.sets[(found.sets.user == EVERYONE) & found.sets.enough].itertuples()
        assert (row.set, row.cost) == (kept, 1)


def test_nothing_is_enough_where_nothing_is_predicted() -> None:
    found = found_for(Design(6, 10))
    assert not found.sets.enough.any()
    assert "no number of sensors can be named: all together are not clearly better than chance" in found.sentences[0]


def test_sets_are_chosen_without_the_test_windows_of_their_fold() -> None:
    (person,) = people_of(Design(6, 10, effects=(1.0, 0.5, 0.0, 0.0)), 1)
    values = value_sets(person.features, person.folds, Shapley())
    features = person.features
    tested = (person.folds.fold(1).subset == "test").to_numpy()
    changed = features.summary.copy()
    changed[tested] = np.random.default_rng(0).normal(size=changed[tested].shape)
    other = type(features)(features.rows, features.names, changed, features.maxima, features.modalities)
    again = value_sets(other, person.folds, Shapley())
    first, second = (table[table.fold == 1].reset_index(drop=True) for table in (values, again))
    pd.testing.assert_frame_equal(first, second)
    assert not np.allclose(values[values.fold == 2].value, again[again.fold == 2].value)


def test_shapley_values_are_made_of_the_values_of_sets() -> None:
    (person,) = people_of(Design(6, 10, effects=(1.0, 0.5, 0.0, 0.0)), 1)
    values = value_sets(person.features, person.folds, Shapley())
    shapley = estimate_shapley(person.features, person.folds, Shapley(draws=99)).table
    expected = shapley[shapley.fold.isna()].groupby("modality", sort=False).importance.mean()
    np.testing.assert_allclose(shapley_game(4).weights.T @ values[values.fold.isna()].value, expected, atol=1e-6)


def test_of_nearly_equal_sets_the_cheapest_is_chosen() -> None:
    modalities = [Modality(name=name, kind="scalar", columns=["x"], cost=cost) for name, cost in (("a", 3), ("b", 1))]
    values = pd.DataFrame({"fold": [None] * 4, "set": range(4), "value": [0.0, 0.3, 0.297, 0.31]})
    assert choose_sets(values, modalities).of(None, 1) == ("b",)
    assert choose_sets(values.assign(value=[0.0, 0.3, 0.29, 0.31]), modalities).of(None, 1) == ("a",)
    assert choose_sets(values, modalities).of(2, 2) is None  # a fold without values


def test_folds_without_values_do_not_use_the_sets_of_all_windows() -> None:
    """Otherwise test windows would choose the sensors of their own fold."""
    people = people_of(Design(6, 10, effects=(1.0, 1.0, 0.0, 0.0)), 4)
    values = pd.concat([value_sets(person.features, person.folds, Shapley()) for person in people])
    first = people[0].folds.user
    wrong = values.copy()  # the set of all windows of one participant is one that no fold would choose
    alone = (wrong.user == first) & wrong.fold.isna()
    wrong.loc[alone, "value"] = (wrong.set[alone] == 8).astype(float)
    lacking = wrong[~((wrong.user == first) & (wrong.fold == 1))]
    modalities = people[0].features.modalities
    chosen, everyone = choose_sets(lacking[lacking.user == first], modalities), choose_sets(lacking, modalities)
    assert chosen.of(None, 1) == ("m3",) and chosen.of(1, 1) is None
    test = Comparison(modalities, COMPARE, False, partial(make_samples, people), everyone)
    assert test.tested_set(chosen, 1, 1) == everyone.of(1, 1) != ("m3",)
    assert test.tested_set(chosen, 9, 1) == ("m0", "m1", "m2", "m3")  # nobody has values in this fold


def test_without_any_value_the_cause_is_stated() -> None:
    people = people_of(Design(6, 10), 2)
    none = value_sets(people[0].features, people[0].folds, Shapley())[:0]
    model = Model(predictor_settings("lda"), "global", ungrouped(included_users([p.folds for p in people]), "global"))
    read_fold = partial(make_samples, people)
    with pytest.raises(ValueError, match="importance is measured for no participant"):
        fewest_sensors(none, model, None, read_fold, people[0].features.modalities, COMPARE, ordinal=False)


def test_enough_is_better_than_chance_and_within_the_margin() -> None:
    curve = pd.DataFrame({"sensors": [1, 2, 3], "worse": [0.01, 0.02, 0.0], "auroc_low": [0.49, 0.6, 0.6]})
    assert enough(curve, 0.03) == 2 and enough(curve, 0.015) is None
    # Numbers are tested from the largest one down: one that passes below one that fails may pass by chance.
    assert enough(curve.assign(worse=[0.01, 0.05, 0.0], auroc_low=0.6), 0.03) is None
    assert enough(curve.assign(auroc_low=[0.6, 0.6, 0.49]), 0.03) is None


def test_more_than_twelve_modalities_are_refused() -> None:
    (person,) = people_of(Design(6, 10), 1)
    features = person.features
    many = [Modality(name=f"m{number}", kind="scalar", columns=["x"]) for number in range(13)]
    with pytest.raises(ValueError, match="13 modalities have too many sets"):
        value_sets(type(features)(features.rows, features.names, features.summary, {}, many), person.folds, Shapley())
