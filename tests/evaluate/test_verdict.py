"""The verdict: outcomes, headlines and the leak check, for predictions of known skill."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from lifelog.evaluate.compare import compare_predictors, score_users
from lifelog.evaluate.verdict import MAX_WORDS, OUTCOMES, Grouping, headline, random_p, verdict
from lifelog.settings.compare import Compare
from tests.evaluate.test_compare import predictions

SETTINGS = Compare(bootstrap=500)


def verdict_of(tables: dict[tuple[str, str], pd.DataFrame], subsets: tuple[str, ...] = ("train",)) -> dict:
    by_user = score_users(tables)
    result = verdict(by_user, compare_predictors(by_user, SETTINGS), SETTINGS, list(subsets))
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
        (0.9, 0.7, [0.75] * 20, "gain", "Grouping by importance improves net."),
        (0.9, 0.7, [0.75] * 18 + [0.97] * 2, "gain_not_specific", "not clearly more than random groups"),
        (0.9, 0.7, [0.75] * 18, "gain_untested", "not tested against enough random groupings (groups.random)"),
        (0.9, 0.7, [0.75] * 19, "gain_untested", "not tested against enough random groupings (groups.random)"),
        (0.9, 0.7, [], "gain_untested", "not tested against enough random groupings (groups.random)"),
        (0.7, 0.9, [0.75] * 20, "loss", "Grouping by importance worsens net."),
        (0.75, 0.75, [0.6] * 20, "no_difference", "Grouping by importance makes no clear difference."),
    ],
)
def test_outcomes_follow_from_the_scores(
    grouped: float, shared: float, random: list[float], outcome: str, words: str
) -> None:
    result = of_skills(grouped, shared, random)
    assert [finding["outcome"] for finding in result["findings"]] == [outcome]
    assert words in result["headline"]
    assert "do not show that a sensor measures" in result["limits"]


@pytest.mark.parametrize(
    "names", [["a"], ["lifelognet", "windownet", "boosting"], [f"predictor_{i}" for i in range(6)]]
)
def test_headlines_have_at_most_sixteen_words(names: list[str]) -> None:
    for outcomes in product(OUTCOMES, repeat=min(4, len(names))):
        findings = [{"predictor": n, "outcome": outcomes[i % len(outcomes)]} for i, n in enumerate(names)]
        assert len(headline(findings).split()) <= MAX_WORDS, headline(findings)


def test_one_user_is_too_few() -> None:
    result = verdict_of({("net", s): predictions(k, 1, users=1) for s, k in (("global", 0.5), ("importance", 1.0))})
    assert result["findings"][0]["outcome"] == "too_few_users" and result["leak"]["outcome"] == "not_checked"


@pytest.mark.parametrize(("users", "outcome"), [(4, "too_few_users"), (1, "too_few_users"), (20, "gain_untested")])
def test_too_few_users_to_reach_the_level(users: int, outcome: str) -> None:
    """With four users who all improve, Wilcoxon's p-value cannot be below 1/8."""
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


def test_without_importance_groups_nothing_is_concluded() -> None:
    assert (
        verdict_of({("net", "global"): predictions(0.8)})["headline"]
        == "No predictor was trained in importance groups."
    )


@pytest.mark.parametrize(
    ("sensor", "timed", "outcome"),
    [
        (0.8, 0.9, "leak"),
        (0.8, 0.8, "leak"),
        (0.9, 0.7, "no_leak"),
        (0.45, 0.5, "nothing_learned"),
        (0.8, None, "not_checked"),
    ],
)
def test_a_split_leaks_if_time_stamps_alone_perform_as_well(sensor: float, timed: float | None, outcome: str) -> None:
    assert of_skills(sensor, sensor, [], timed)["leak"]["outcome"] == outcome


def test_false_gains_are_as_rare_as_the_level() -> None:
    """Three predictors, for which all schemes are equivalent, in 25 repetitions: at most two gains are claimed."""
    rng, claims = np.random.default_rng(0), 0
    for _ in range(25):
        scores = []
        for predictor in ("a", "b", "c"):
            for scheme in ["global", "importance", *(f"random-{i + 1}" for i in range(20))]:
                for user in range(12):
                    scores.append((predictor, scheme, f"u{user}", *rng.normal(0.6, 0.1, 5)))
        columns = ["predictor", "scheme", "user", "macro_f1", "balanced_accuracy", "accuracy", "auroc", "published_f1"]
        by_user = pd.DataFrame(scores, columns=columns)
        pooled = by_user[by_user.user == "u0"].assign(user="all windows")
        settings = Compare(bootstrap=100)
        by_user = pd.concat([by_user, pooled])
        result = verdict(by_user, compare_predictors(by_user, settings), settings, ["train"])
        claims += any(finding["outcome"] == "gain" for finding in result["findings"])
    assert claims <= 2


def test_permutation_p_values_are_corrected_over_predictors() -> None:
    schemes = ["importance", *(f"random-{i + 1}" for i in range(20))]
    table = pd.DataFrame({"a": [0.9] + [0.7 + 0.001 * i for i in range(20)], "b": [0.9] + [0.5] * 19 + [0.95]}, schemes)
    means = table.rename_axis("scheme").rename_axis("predictor", axis=1).stack().swaplevel()
    alone = random_p(means, ["a"])
    assert alone == {"a": pytest.approx(1 / 21)} and random_p(means, ["b"]) == {"b": pytest.approx(2 / 21)}
    both = random_p(means, ["a", "b"])
    assert both["a"] == pytest.approx(1 / 21) and both["b"] >= 2 / 21
    assert random_p(means.drop(schemes[1:], level="scheme"), ["a"]) == {"a": None}


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
    [(Grouping(3, 0.3), "Importance is not measured"), (Grouping(1, 0.9), "importance forms one group")],
)
def test_importance_that_is_not_measured_or_equal_is_not_a_result_of_grouping(grouping: Grouping, words: str) -> None:
    skills = {("net", scheme): predictions(skill, 1) for scheme, skill in (("global", 0.5), ("importance", 1.0))}
    by_user = score_users(skills)
    result = verdict(by_user, compare_predictors(by_user, SETTINGS), SETTINGS, ["train"], grouping)
    assert words in result["headline"] and len(result["headline"].split()) <= MAX_WORDS
