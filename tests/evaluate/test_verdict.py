"""The verdict: outcomes, headlines and the leak check, for predictions of known skill."""

import json

import numpy as np
import pandas as pd
import pytest

from lifelog.evaluate.compare import Scores, compare_predictors, score_users
from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.verdict import MAX_WORDS, OUTCOMES, Grouping, headline, verdict
from lifelog.settings.compare import Compare
from tests.evaluate.test_compare import predictions

SETTINGS = Compare()
NOMINAL = [name for name, metric in METRICS.items() if metric.of == "classes"]


def verdict_of(tables: dict[tuple[str, str], pd.DataFrame], subsets: tuple[str, ...] = ("train",)) -> dict:
    scored = score_users(tables)
    comparison = compare_predictors(scored, SETTINGS, "net")
    result = verdict(scored.users, comparison, SETTINGS, list(subsets), primary="net")
    json.dumps(result, allow_nan=False)
    return result


def of_skills(grouped: float, shared: float, random: list[float], timed: float | None = None) -> dict:
    """Return the verdict on a predictor of known skill in importance groups, as a global model and in random groups."""
    tables = {
        ("net", "global"): predictions(shared, 1),
        ("net", "importance"): predictions(grouped, 2),
        ("majority", "global"): predictions(0.5, 3).assign(p_a=0.6, p_b=0.4),
    }
    tables |= {("net", f"random-{i + 1}"): predictions(skill, 10 + i) for i, skill in enumerate(random)}
    if timed is not None:
        tables["nearest_minute", "global"] = predictions(timed, 4)
    return verdict_of(tables)


@pytest.mark.parametrize(
    ("grouped", "shared", "random", "outcome", "words"),
    [
        (0.9, 0.7, [0.75] * 20, "gain", "improve net, more than random groups do."),
        (0.9, 0.7, [0.75] * 18 + [0.97] * 2, "gain_not_shown", "that importance is the reason is not shown."),
        (0.9, 0.7, [0.75] * 18, "gain_untested", "too few random groupings to test the reason."),
        (0.9, 0.7, [0.75] * 19, "gain_untested", "too few random groupings to test the reason."),
        (0.9, 0.7, [], "gain_untested", "too few random groupings to test the reason."),
        (0.7, 0.9, [0.75] * 20, "loss", "Groups by importance worsen net."),
        (0.75, 0.75, [0.6] * 20, "undecided", "Undecided for net: a difference below 0."),
    ],
)
def test_outcomes_follow_from_the_scores(
    grouped: float, shared: float, random: list[float], outcome: str, words: str
) -> None:
    result = of_skills(grouped, shared, random)
    assert [finding["outcome"] for finding in result["findings"]] == [outcome]
    assert words in result["headline"]
    assert "do not show that a sensor measures" in result["limits"]


def test_equal_predictions_are_practically_equal() -> None:
    tables = {("net", scheme): predictions(0.8, 1) for scheme in ("global", "importance")}
    result = verdict_of(tables)
    assert result["findings"][0]["outcome"] == "equal" and "practically equal" in result["headline"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_headlines_have_at_most_sixteen_words(outcome: str) -> None:
    finding = {"predictor": "lifelognet", "outcome": outcome, "detectable": 0.123}
    text = headline([finding, finding | {"predictor": "boosting"}], "lifelognet")
    assert "lifelognet" in text and "boosting" not in text and len(text.split()) <= MAX_WORDS


def test_one_user_is_too_few() -> None:
    result = verdict_of({("net", s): predictions(k, 1, users=1) for s, k in (("global", 0.5), ("importance", 1.0))})
    assert result["findings"][0]["outcome"] == "too_few_users" and result["leak"]["outcome"] == "not_checked"


@pytest.mark.parametrize(("users", "outcome"), [(4, "too_few_users"), (1, "too_few_users"), (20, "gain_untested")])
def test_too_few_users_to_reach_the_level(users: int, outcome: str) -> None:
    """With four users who all improve, a sign test cannot be below 1/8."""
    skills = (("global", 0.4, 1), ("importance", 0.95, 2))
    result = verdict_of({("net", scheme): predictions(skill, seed, users=users) for scheme, skill, seed in skills})
    assert result["findings"][0]["outcome"] == outcome
    assert ("Too few participants" in result["headline"]) == (outcome == "too_few_users")
    assert "nan" not in json.dumps(result)


@pytest.mark.parametrize(("skill", "better"), [(0.5, False), (0.7, True)])
def test_predictors_at_chance_level_are_marked(skill: float, better: bool) -> None:
    assert of_skills(skill, skill, [])["findings"][0]["better_than_chance"] == better


@pytest.mark.parametrize(("skill", "marked"), [(0.3, True), (0.9, False)])
def test_a_global_model_below_a_model_without_sensors_is_marked(skill: float, marked: bool) -> None:
    sensorless = of_skills(0.9, skill, [], 0.6)["findings"][0]["sensorless"]
    assert (sensorless is not None) == marked
    assert not marked or sensorless["model"] == "nearest_minute global"


def test_without_importance_groups_one_model_is_compared_with_chance() -> None:
    for accuracy, skill in ((0.8, "better"), (0.5, "not clearly better")):
        headline = verdict_of({("net", "global"): predictions(accuracy)})["headline"]
        assert headline.startswith("One model of all participants (net): AUROC 0.")
        assert headline.endswith(f"], {skill} than chance.") and len(headline.split()) <= MAX_WORDS


@pytest.mark.parametrize(
    ("sensor", "timed", "outcome"),
    [
        (0.8, 0.9, "leak"),
        (0.8, 0.8, "leak"),
        (0.9, 0.7, "time_informative"),
        (0.8, 0.5, "no_leak"),
        (0.45, 0.5, "no_leak"),
        (0.5, 0.7, "leak"),
        (0.8, None, "not_checked"),
    ],
)
def test_a_split_leaks_if_time_stamps_alone_perform_as_well(sensor: float, timed: float | None, outcome: str) -> None:
    leak = of_skills(sensor, sensor, [], timed)["leak"]
    assert leak["outcome"] == outcome
    if timed is not None:
        (model,) = leak["models"]
        assert model["model"] == "nearest_minute global" and model["low"] < model["skill"] < model["high"]
        assert (model["share"] is None) == (sensor <= 0.5)
        if model["share"] is not None:
            assert model["share"] == pytest.approx(model["skill"] / model["sensor_skill"])


def compared(by_user: pd.DataFrame) -> pd.DataFrame:
    """Compare made-up scores of users; those of all windows do not matter."""
    return compare_predictors(Scores(by_user, by_user[by_user.user == "u0"]), SETTINGS, "a")


def test_false_gains_and_losses_are_as_rare_as_the_level() -> None:
    """Three predictors, for which all schemes are equivalent, in 30 repetitions."""
    rng, claims = np.random.default_rng(0), {"gain": 0, "primary": 0}
    schemes = ["global", "importance", *(f"random-{i + 1}" for i in range(20))]
    columns = ["predictor", "scheme", "user", *NOMINAL]
    keys = [(p, s, f"u{u}") for p in ("a", "b", "c") for s in schemes for u in range(12)]
    for _ in range(30):
        by_user = pd.DataFrame(
            [(*key, *row) for key, row in zip(keys, rng.normal(0.6, 0.1, (len(keys), 5)), strict=True)], columns=columns
        )
        by_user = by_user.assign(classes=2)
        result = verdict(by_user, compared(by_user), SETTINGS, ["train"], primary="a")
        claims["gain"] += any(finding["outcome"] == "gain" for finding in result["findings"])
        claims["primary"] += result["findings"][0]["outcome"] not in ("equal", "undecided")
    assert claims["gain"] <= 1 and claims["primary"] <= 5


def test_without_a_difference_to_random_groups_gains_are_as_rare_as_the_level() -> None:
    """All groupings improve the predictions alike, so that only the permutation test prevents a claim."""
    rng, claims = np.random.default_rng(1), 0
    schemes = ["global", "importance", *(f"random-{i + 1}" for i in range(20))]
    keys = [("a", s, f"u{u}") for s in schemes for u in range(12)]
    better = np.array([0.0 if scheme == "global" else 0.3 for _, scheme, _ in keys])[:, None]
    for _ in range(30):
        scores = rng.normal(0.5, 0.1, (len(keys), 5)) + better
        by_user = pd.DataFrame(
            [(*key, *row) for key, row in zip(keys, scores, strict=True)],
            columns=["predictor", "scheme", "user", *NOMINAL],
        )
        by_user = by_user.assign(classes=2)
        result = verdict(by_user, compared(by_user), SETTINGS, ["train"], primary="a")
        claims += result["findings"][0]["outcome"] == "gain"
    assert claims <= 5


def test_a_gain_needs_both_tests_and_is_corrected_over_other_predictors() -> None:
    skills = {"global": 0.6, "importance": 0.9} | {f"random-{i + 1}": 0.7 for i in range(20)}
    tables = {(p, s): predictions(skill, i) for p in ("net", "b", "c") for i, (s, skill) in enumerate(skills.items())}
    findings = {finding["predictor"]: finding for finding in verdict_of(tables)["findings"]}
    assert all(finding["p_random"] == pytest.approx(1 / 21) for finding in findings.values())
    assert findings["net"]["p_gain"] == pytest.approx(1 / 21) and findings["net"]["outcome"] == "gain"
    # Two other predictors: even the best of all groupings has a corrected p-value of 2/21.
    assert findings["b"]["p_gain"] == pytest.approx(2 / 21) and findings["b"]["outcome"] == "gain_untested"


def test_a_loss_is_no_evidence_for_a_gain() -> None:
    result = of_skills(0.6, 0.9, [0.5] * 20)
    assert result["findings"][0]["outcome"] == "loss" and result["findings"][0]["p_gain"] == 1


def test_a_time_model_that_is_as_accurate_leaks_although_hard_labels_lower_its_auroc() -> None:
    """Both are right in 80 % of the windows; the sensor model is less certain where it is wrong."""
    sensor, timed = predictions(0.8, 1), predictions(0.8, 2)
    wrong = (sensor.p_b > 0.5) != (sensor.truth == 1)
    sensor["p_b"] = np.where(wrong, 0.5 + 0.2 * (sensor.p_b - 0.5), sensor.p_b)
    sensor["p_a"] = 1 - sensor.p_b
    result = verdict_of({("net", "global"): sensor, ("nearest_minute", "global"): timed})
    (model,) = result["leak"]["models"]
    assert model["skill"] == pytest.approx(0.3, abs=0.05)
    assert result["leak"]["outcome"] == "leak" and "net is not clearly better" in result["leak"]["sentence"]


def test_time_stamps_that_show_the_class_of_a_whole_fold_leak() -> None:
    """Each fold has one class, so that AUROC compares no windows."""
    sensor, timed = predictions(0.5, 1), predictions(0.85, 2)
    tables = {("net", "global"): sensor, ("clock", "global"): timed}
    for table in tables.values():
        table["fold"] = table.truth + 1
        table.loc[table.index % 10 == 0, "fold"] = 3
    leak = verdict_of(tables)["leak"]
    assert leak["outcome"] == "leak" and "minus that of guessing" in leak["sentence"]


def test_sensors_can_win_where_every_fold_has_one_class() -> None:
    """There is no AUROC; two users have wide intervals."""
    tables = {("net", "global"): predictions(0.98, 1), ("clock", "global"): predictions(0.75, 2)}
    for table in tables.values():
        table["fold"] = table.truth + 1
    leak = verdict_of(tables)["leak"]
    assert leak["outcome"] == "time_informative" and "net predicts it better" in leak["sentence"]
    few = {key: table[table.user.isin(sorted(set(table.user))[:2])] for key, table in tables.items()}
    assert verdict_of(few)["leak"]["outcome"] in ("no_leak", "time_informative", "leak")


def test_a_light_split_is_checked_without_the_primary_predictor() -> None:
    scored = score_users({("lda", "global"): predictions(0.6, 1), ("clock", "global"): predictions(0.9, 2)})
    result = verdict(scored.users, compare_predictors(scored, SETTINGS), SETTINGS, ["train"], primary="boosting")
    assert result["leak"]["outcome"] == "leak" and "lda is not clearly better" in result["leak"]["sentence"]


def test_the_leak_check_needs_no_importance_groups() -> None:
    tables = {("net", "global"): predictions(0.9, 1), ("nearest_minute", "global"): predictions(0.5, 2)}
    scored = score_users(tables)
    result = verdict(scored.users, compare_predictors(scored, SETTINGS), SETTINGS, ["train"])
    assert result["leak"]["outcome"] == "no_leak" and result["primary"] is None


def test_equal_scores_of_all_random_groupings_are_no_evidence() -> None:
    """All groupings have the score of the importance groups."""
    tables = {("net", s): predictions(0.9, 1) for s in ["importance", *(f"random-{i + 1}" for i in range(20))]}
    (finding,) = verdict_of(tables | {("net", "global"): predictions(0.6, 2)})["findings"]
    assert finding["p_random"] == 1 and finding["outcome"] == "gain_not_shown"


@pytest.mark.parametrize(
    ("subsets", "words"),
    [
        (("test",), "from the test windows on which they are evaluated"),
        (("train", "validation"), "not used for grouping"),
    ],
)
def test_groups_from_test_windows_are_marked(subsets: tuple[str, ...], words: str) -> None:
    assert words in verdict_of({("net", "global"): predictions(0.8)}, subsets)["limits"]


def test_a_user_with_one_class_in_the_test_windows_is_left_out_and_named() -> None:
    """The scores of the others are those of a cohort without this user."""
    tables = {("net", "global"): predictions(0.7, 1), ("net", "importance"): predictions(0.9, 2)}
    one_class = {key: table.assign(truth=table.truth.where(table.user != "u3", 0)) for key, table in tables.items()}
    without = {key: table[table.user != "u3"] for key, table in tables.items()}
    result, expected = verdict_of(one_class), verdict_of(without)
    assert result["left_out"] == ["u3"] and expected["left_out"] == []
    assert result["findings"] == expected["findings"] and result["findings"][0]["users"] == 9


@pytest.mark.parametrize(
    ("grouping", "words"),
    [(Grouping(3, 0.3), "Importance is not measured"), (Grouping(1, 0.9), "Importance forms one group")],
)
def test_importance_that_is_not_measured_or_equal_is_not_a_result_of_grouping(grouping: Grouping, words: str) -> None:
    skills = {("net", scheme): predictions(skill, 1) for scheme, skill in (("global", 0.5), ("importance", 1.0))}
    scored = score_users(skills)
    comparison = compare_predictors(scored, SETTINGS, "net")
    result = verdict(scored.users, comparison, SETTINGS, ["train"], grouping, "net")
    assert words in result["headline"] and len(result["headline"].split()) <= MAX_WORDS
