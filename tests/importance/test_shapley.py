"""Shapley values of held-out performance, their errors, tests, and whether users differ."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.special import fdtrc

from lifelog.blocks import contiguous_folds, independent_blocks, memory_minutes, time_blocks, whole_answers
from lifelog.importance.clock import clock_terms, without_clock
from lifelog.importance.compare import Intervals, compare_shapley, heterogeneity, shapley_intervals
from lifelog.importance.errors import least_variance, unit_variance
from lifelog.importance.estimate import estimate_shapley
from lifelog.importance.exchange import absence_test, arrangements, exchanged, step_down
from lifelog.importance.pairs import areas, prepare_pairs, separations
from lifelog.importance.shapley import first_last_game, shapley_game
from lifelog.importance.table import IMPORTANCE
from lifelog.settings.groups import Groups
from lifelog.settings.importance import Shapley
from lifelog.settings.windows import Modality
from lifelog.splits.folds import Folds
from lifelog.tables import Noted
from lifelog.validation.cohorts import simulate
from lifelog.validation.people import Design, simulate_person
from lifelog.validation.scenarios import Scenario
from lifelog.windows.read import Features

QUICK = Shapley(draws=99)


def plain_areas(features: list[np.ndarray], codes: np.ndarray, folds: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """The areas of sets minus 0.5 of two classes, window by window: models of pairs of folds, without any shortcut."""
    right, compared = np.zeros(len(sets)), 0
    for i in np.flatnonzero(codes == 0):
        for j in np.flatnonzero(codes == 1):
            train = ~np.isin(folds, [folds[i], folds[j]])
            gains = []
            for values in features:
                scaled = (values - values.mean(axis=0)) / values.std(axis=0)
                centre = scaled[train].mean(axis=0)
                covariance = np.cov(scaled[train].T, bias=True)
                covariance = 0.5 * covariance + 0.5 * np.diag(covariance.diagonal())
                step = scaled[train & (codes == 1)].mean(axis=0) - scaled[train & (codes == 0)].mean(axis=0)
                weights, share = np.linalg.solve(covariance, step), codes[train].mean()
                weights = weights / (1 - share * (1 - share) * weights @ step)
                gains.append([(scaled[row] - centre) @ weights for row in (i, j)])
            scores = sets.astype(float) @ np.array(gains)
            right += np.sign(scores[:, 1] - scores[:, 0]) / 2
            compared += 1
    return right / compared


def test_areas_are_those_of_models_that_saw_neither_window() -> None:
    rng = np.random.default_rng(0)
    codes, folds = rng.integers(0, 2, 40), np.arange(40) // 10
    features = [rng.normal(size=(40, 3)) + strength * codes[:, None] for strength in (1.5, 0.5, 0)]
    sets = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]], dtype=bool)
    found = areas(prepare_pairs(features, folds, 0.5), codes, sets, np.eye(4))
    assert found.values == pytest.approx(plain_areas(features, codes, folds, sets), abs=1e-6)
    assert found.influence.mean(axis=0) == pytest.approx(0, abs=1e-12) and found.values[3] == 0


def test_a_class_in_few_windows_has_a_small_weight() -> None:
    """Of three classes, one with six windows, which the modality does not separate, costs a tenth of the value."""
    rng = np.random.default_rng(1)
    codes = np.tile([0] * 15 + [1] * 14 + [2], 6)
    x = rng.normal(size=(180, 1)) + 2 * (codes == 1)[:, None]
    value = areas(prepare_pairs([x], np.arange(180) // 30, 0.5), codes, *shapley_game(1)).values[0]
    two = codes < 2
    of_two = areas(prepare_pairs([x[two]], np.arange(180)[two] // 30, 0.5), codes[two], *shapley_game(1)).values[0]
    assert 0.75 * of_two < value < of_two


@pytest.mark.parametrize("count", [1, 4])
def test_shapley_values_are_mean_gains_over_all_orders(count: int) -> None:
    game = shapley_game(count)
    payoff = np.random.default_rng(0).normal(size=len(game.sets))
    by_set = {tuple(members): value for members, value in zip(game.sets.tolist(), payoff, strict=True)}
    expected = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        members = [False] * count
        for modality in order:
            before = by_set[tuple(members)]
            members[modality] = True
            expected[modality] += (by_set[tuple(members)] - before) / len(orders)
    assert payoff @ game.weights == pytest.approx(expected)
    sampled = shapley_game(count, permutations=4000, max_exact=0)
    of_sampled = np.array([by_set[tuple(members)] for members in sampled.sets.tolist()])
    assert of_sampled @ sampled.weights == pytest.approx(expected, abs=0.1)
    first_last = first_last_game(count)
    ends = np.array([by_set[tuple(members)] for members in first_last.sets.tolist()]) @ first_last.weights
    if count == 1:
        assert ends == pytest.approx(expected)


def test_modalities_that_are_missing_give_no_evidence() -> None:
    """A sensor of noise that is missing in most windows of one class, four of five of all, has no value of any sign."""
    values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        codes = (rng.random(80) < 0.2).astype(int)
        noise = rng.normal(size=(80, 3))
        noise[(codes == 0) & (rng.random(80) < 0.6)] = np.nan
        absent = np.full((80, 1), np.nan)
        models = prepare_pairs([noise, rng.normal(size=(80, 3)), absent], np.arange(80) // 10, 0.5)
        values.append(areas(models, codes, *shapley_game(3)).values)
    mean, error = np.mean(values, axis=0), np.std(values, axis=0) / np.sqrt(60)
    assert abs(mean[0]) < 3 * error[0] and abs(mean[2]) < 1e-12


def test_the_separation_orders_sets_as_the_area_does() -> None:
    rng = np.random.default_rng(0)
    codes, folds = rng.integers(0, 2, 80), np.arange(80) // 10
    features = [rng.normal(size=(80, 3)) + strength * codes[:, None] for strength in (1.5, 0.5, 0)]
    models, game = prepare_pairs(features, folds, 0.5), shapley_game(3)
    drawn = np.stack([codes, rng.permutation(codes)])
    found = separations(models, drawn, *game)
    assert found[0, 0] > found[0, 1] > found[0, 2] and abs(found[1]).max() < found[0, 0] / 2
    assert separations(models, drawn[:1], *game)[0] == pytest.approx(found[0], abs=1e-6)  # draws do not mix


def test_blocks_and_folds() -> None:
    sessions = np.array(["a"] * 6 + ["b"] * 4, dtype=object)
    minutes = np.array([0, 1, 2, 8, 9, 16, 100, 101, 109, 110.0])
    blocks = time_blocks(sessions, minutes, 8)
    assert blocks.tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 4, 4]
    assert whole_answers(blocks, np.array([0, 1, 2, 2, 3, 4, 5, 6, 7, 8])).tolist() == [0, 0, 0, 0, 1, 2, 3, 3, 4, 4]
    assert contiguous_folds(blocks, 2).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert contiguous_folds(np.array([0, 0, 0, 0, 1]), 5).tolist() == [0, 0, 0, 0, 1]


def test_blocks_are_sessions_or_as_long_as_labels_remember() -> None:
    minutes = np.arange(60.0)
    runs, mixed = np.arange(60) // 10 % 2, np.random.default_rng(0).integers(0, 2, 60)
    one, five = np.full(60, "a", dtype=object), (np.arange(60) // 12).astype(str).astype(object)
    assert independent_blocks(five, minutes, runs, 1).max() == 4
    of_mixed, of_runs = (len(set(independent_blocks(one, minutes, codes, 1))) for codes in (mixed, runs))
    assert of_mixed > of_runs >= 6
    assert memory_minutes(one, minutes, mixed) < 4 < memory_minutes(one, minutes, runs)


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


def test_only_training_and_validation_windows_are_used() -> None:
    features, folds = recorded("u", 2.0, 0)
    table = estimate_shapley(features, folds, Shapley()).table
    before = table[table.fold == 1]
    assert set(before) == set(IMPORTANCE.names) and set(before.subset) == {"train"}
    assert len(before) == 2 * (folds.fold(1).subset == "train").sum() and table.fold.isna().sum() == 2 * 60
    changed = folds.fold(1).assign(label=folds.fold(1).label.where(folds.fold(1).subset != "test", "low"))
    after = estimate_shapley(features, replace(folds, numbered={1: changed}), Shapley()).table
    pd.testing.assert_frame_equal(after[after.fold == 1], before)


@pytest.mark.parametrize(
    ("change", "reason"), [({"label": "low"}, "one class only"), ({"block": 0}, "one block of time only")]
)
def test_a_user_without_a_value_has_the_reason(change: dict, reason: str) -> None:
    features, folds = recorded("u", 1.0, 0)
    same = replace(folds, described=folds.described.assign(**change), numbered={1: folds.fold(1).assign(**change)})
    table, notes = estimate_shapley(features, same, Shapley())
    assert table.empty and reason in notes["excluded"]


def test_a_class_in_one_session_is_not_measured() -> None:
    features, folds = recorded("u", 1.0, 0)
    label = np.where(folds.described.session == "3", "high", "low")
    notes = estimate_shapley(features, replace(folds, described=folds.described.assign(label=label)), QUICK).notes
    assert "class 'high' in one session" in notes["excluded"] and notes["tests"] == []


def described(design: Design, seed: int = 0, number: int = 0, settings: Shapley = QUICK) -> Noted:
    """Values that describe a simulated participant."""
    return estimate_shapley(*simulate_person(design, seed, number), settings)


def test_a_modality_with_an_effect_matters_and_no_other() -> None:
    design = Design(8, 20, 0.5, 4, effects=(1.5, 0, 0, 0))
    for number in range(3):
        tests = described(design, number=number).notes["tests"]
        assert [entry.get("modality") for entry in tests] == ["m0", "m1", "m2", "m3", None]
        assert tests[0]["p_corrected"] == tests[-1]["p"] == 0.01
        assert min(entry["p_corrected"] for entry in tests[1:4]) > 0.05


def test_false_claims_are_rare() -> None:
    """Signals and labels that depend on the minutes before, without any effect: one in twenty people, coarsely."""
    found = [described(Design(6, 10, 0.9, 8), 1, number) for number in range(60)]
    tests = [out.notes["tests"] for out in found if not out.notes["excluded"]]
    false = [min(entry.get("p_corrected", 1) for entry in entries[:-1]) <= 0.05 for entries in tests]
    assert len(tests) > 50 and np.mean(false) <= 0.12
    bounds = [shapley_intervals(out.table, 0.95) for out in found if not out.notes["excluded"]]
    covered = [(of_user.low <= 0) & (of_user.high >= 0) for of_user in bounds]
    assert 0.9 <= np.mean([rows.to_numpy() for rows in covered]) <= 0.985


@pytest.mark.parametrize(
    ("design", "reason"),
    [
        (Design(1, 60), "1 session: labels can be exchanged in 1 way, 20 are needed"),
        (Design(3, 20), "3 sessions: labels can be exchanged in 6 ways, 20 are needed"),
    ],
)
def test_what_cannot_be_tested_has_a_reason_and_a_detectable_value(design: Design, reason: str) -> None:
    tests = described(design).notes["tests"]
    assert all(entry["reason"] == reason and "p" not in entry for entry in tests)
    assert all(0.05 < entry["detectable"] < 1 for entry in tests[:-1])


def test_label_sequences_are_exchanged_whole() -> None:
    codes, sessions = np.array([0, 1, 1, 0, 0, 1, 0]), np.array(list("aaabbcc"), dtype=object)
    drawn = exchanged(codes, sessions, 50, 0)
    assert (drawn[0] == codes).all()
    assert {tuple(row[3:5]) for row in drawn} == {(0, 0), (1, 0), (0, 1)}  # of b and c, and of a without its middle
    assert {tuple(row[:3]) for row in drawn} == {(0, 1, 1), (0, 0, 0), (1, 0, 0)}  # stretched
    assert arrangements(codes, sessions) == 6
    assert arrangements(np.tile([0, 1], 3), np.array(list("aabbcc"), dtype=object)) == 1


def test_corrected_p_values_are_those_of_maxima() -> None:
    rng = np.random.default_rng(0)
    null = rng.normal(size=(1000, 3))
    null[0] = [4, 2.2, 0]
    corrected = step_down(np.column_stack([null, np.ones(1000)]))
    assert corrected[0] == 0.001 and corrected[3] == 1
    alone = (null[:, 1] >= 2.2).mean()
    assert alone < corrected[1] < 2.5 * alone and corrected[2] > 0.4


def test_absence_that_depends_on_the_labels_is_found() -> None:
    rng = np.random.default_rng(0)
    codes, sessions = rng.integers(0, 2, 120), (np.arange(120) // 10).astype(str).astype(object)
    known = np.stack([rng.random(120) > 0.5 * codes, rng.random(120) > 0.25, np.ones(120, dtype=bool)])
    p = absence_test(known, exchanged(codes, sessions, 199, 0))
    assert p[0] < 0.02 < p[1] and p[2] == 1


def test_a_sensor_that_follows_the_time_has_no_value() -> None:
    """Labels become more frequent in each session; one sensor is a clock, another one responds to the label."""
    rng = np.random.default_rng(0)
    features, folds = recorded("u", 0.0, 0, sessions=12)
    place = np.arange(120) % 10
    codes = (rng.random(120) < 1 / (1 + np.exp(4.5 - place))).astype(int)
    summary = np.column_stack([place + 0.1 * rng.normal(size=120), 2 * codes + rng.normal(size=120)])
    rows = folds.described.assign(label=np.array(["low", "high"])[codes])
    out = estimate_shapley(replace(features, summary=summary), replace(folds, described=rows), QUICK)
    clock, responds, _ = out.notes["tests"]
    table = out.table[out.table.fold.isna()].groupby("modality").importance.mean()
    assert clock["p_corrected"] > 0.05 >= responds["p_corrected"] and abs(table.a) < 0.05 < table.b
    assert clock["time"] > 0.3


def test_what_the_time_explains_is_removed() -> None:
    starts = pd.Series(pd.date_range("2025-01-01", periods=60, freq="h", tz="UTC"))
    terms = clock_terms(starts, pd.Series(np.arange(60) // 5))
    assert terms.shape == (60, 6) and terms.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert clock_terms(starts[:10], pd.Series(np.zeros(10))).shape == (10, 2)
    noise = np.random.default_rng(0).normal(size=(60, 2))
    noise[7, 1] = np.nan
    values = without_clock(noise + terms[:, [0]] * 5, terms)
    assert (without_clock(np.full((60, 1), 0.3), terms) == 0).all()  # nothing is left of a constant
    assert np.isnan(values[7, 1]) and np.corrcoef(values[:, 0], terms[:, 0])[0, 1] < 0.05  # a drift of five is gone


def test_of_noise_nothing_is_removed() -> None:
    """Terms fit even noise, by the chance share of its variance; what is beyond is removed."""
    terms = np.random.default_rng(1).normal(size=(40, 5))
    terms -= terms.mean(axis=0)
    noise = np.random.default_rng(2).normal(size=(40, 200))

    def kept(values: np.ndarray) -> np.ndarray:
        return without_clock(values, terms).var(axis=0) / noise[:, : values.shape[1]].var(axis=0)

    assert np.median(kept(noise)) > 0.99 and 0.95 < kept(noise).mean() < 1  # of least squares .87
    assert kept(noise + 20 * terms[:, [0]]).mean() == pytest.approx(0.87, abs=0.03)
    one = noise.copy()
    one[:, 0] += 20 * terms[:, 0]  # the only feature of the modality that follows the time
    assert kept(one)[0] < 2 and kept(one)[1:].mean() > 0.9
    # The features of a modality together show that they are noise better than one by one does.
    ten, alone = (np.hstack([without_clock(noise[:, i : i + n], terms) for i in range(0, 200, n)]) for n in (10, 1))
    assert (ten - noise).var(axis=0).mean() < 0.6 * (alone - noise).var(axis=0).mean()


def test_copies_of_a_sensor_are_interchangeable() -> None:
    features, folds = simulate_person(Design(12, 10, effects=(1.5, 1.5, 0, 0)), 0, 0)
    assert not any(entry.get("interchangeable") for entry in estimate_shapley(features, folds, QUICK).notes["tests"])
    summary = features.summary.copy()
    summary[:, 4:8] = summary[:, :4] + 0.05 * np.random.default_rng(0).normal(size=(120, 4))
    tests = estimate_shapley(replace(features, summary=summary), folds, QUICK).notes["tests"]
    assert [entry.get("interchangeable") for entry in tests] == ["m1", "m0", "", "", None]


def test_errors_come_from_blocks_and_few_windows_are_uncertain() -> None:
    influence = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    assert unit_variance(influence, np.array([0, 0, 1, 1])) == pytest.approx(2 * (4 + 4) / 16)
    assert unit_variance(influence, np.arange(4)) == pytest.approx(4 / 3 * 4 / 16)
    assert np.isnan(unit_variance(influence, np.zeros(4, dtype=int))).all()
    least = [least_variance(np.r_[np.zeros(60, dtype=int), np.ones(rare, dtype=int)]) for rare in (1, 4, 5, 6, 30)]
    assert least[0] == 1 / 16 and 0.6 * least[1] < least[2] < least[1] and 0.6 * least[2] < least[3] < least[2]


def cohort(*effects: float, sessions: int = 8) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shapley values and tests of several users."""
    outs = [described(Design(sessions, 10, effects=(effect, 0, 0)), 0, i) for i, effect in enumerate(effects)]
    entries = [{"user": f"p{i}"} | entry for i, out in enumerate(outs) for entry in out.notes["tests"]]
    return pd.concat([out.table for out in outs]), pd.DataFrame(entries).assign(reason=None)


def test_whether_users_differ() -> None:
    compared = compare_shapley(*cohort(*[2.0] * 4, *[0.0] * 4)[:1], Shapley(), Groups())
    tested = compared.heterogeneity.set_index("modality")
    assert tested.p_holm["m0"] < 0.001 and tested.tau["m0"] > 0.1 and tested.p_holm[["m1", "m2"]].min() > 0.05
    importance, tests = cohort(*[2.0] * 4, *[0.0] * 4)
    values = compare_shapley(importance, Shapley(), Groups(), tests).values
    assert set(values.user[values.matters.eq(True)]) >= {f"p{i}" for i in range(4)}
    assert (values.modality[values.matters.eq(True)] == "m0").mean() >= 0.8 and values.detectable.notna().all()
    few = compare_shapley(importance[importance.block < 4], Shapley(), Groups()).heterogeneity
    assert few.p_holm.isna().all() and few.tau.notna().all()


def test_a_modality_that_matters_for_one_participant_only_differs_from_the_others() -> None:
    values = compare_shapley(cohort(2.5, *[0.0] * 7, sessions=12)[0], Shapley(), Groups()).values
    apart = values[values.difference_low > 0]
    assert apart.user.tolist() == ["p0"] and apart.modality.tolist() == ["m0"]


def test_heterogeneity_equals_the_formulas_of_brown_and_forsythe() -> None:
    """Values worked out by hand: weights .25, .25, .5; weighted mean .5; spread .25; scale .625; errors .5."""
    users = ["u", "v", "w"]
    value, variance = pd.DataFrame({"a": [0.0, 0.0, 1.0]}, users), pd.DataFrame({"a": [1.0, 1.0, 0.5]}, users)
    blocks, windows = pd.Series(11, users), pd.Series([10, 10, 20], users)
    bounds = Intervals(value, variance, value, value, blocks, blocks, windows)
    row = heterogeneity(bounds).iloc[0]
    assert row.f == pytest.approx(0.5) and row.tau == 0 and row["mean"] == pytest.approx(0.5) and row.users == 3
    within = 0.5**2 / ((2 * 0.1875**2 + 0.125**2) / 10)
    assert row.p == pytest.approx(fdtrc(2, within, 0.5))
    wide = heterogeneity(bounds._replace(value=value * 10, blocks=blocks - 7)).iloc[0]
    assert wide.tau == pytest.approx(np.sqrt((25 - 0.5) / 0.625)) and np.isnan(wide.p)


def test_another_recording_of_a_simulated_person_has_the_same_planted_modalities() -> None:
    first, second = (simulate(Scenario(windows=20, difficulty="loners"), -1, 3, 5, r) for r in (0, 1))
    assert first.planted == second.planted and not np.array_equal(first.sensors["hr"], second.sensors["hr"])
