import json

import numpy as np
import pandas as pd
import pytest

from lifelog.compare import compare_predictors, score_users
from lifelog.config import Compare
from lifelog.verdict import random_p, verdict
from tests.test_compare import predictions

SETTINGS = Compare(bootstrap=500)


def said(grouped: float, shared: float, random: list[float], blind: float | None = None) -> dict:
    """The verdict on a predictor of known skill in importance groups, as one model, and in random groups."""
    tables = {
        ("net", "global"): predictions(shared, 1),
        ("net", "importance"): predictions(grouped, 2),
        ("majority", "global"): predictions(0.5, 3).assign(p_a=0.6, p_b=0.4),
    }
    tables |= {("net", f"random-{i + 1}"): predictions(skill, 10 + i) for i, skill in enumerate(random)}
    if blind is not None:
        tables["nearest_minute", "global"] = predictions(blind, 4)
    by_user = score_users(tables)
    found = verdict(by_user, compare_predictors(by_user, SETTINGS), SETTINGS, ["train"])
    json.dumps(found, allow_nan=False)
    return found


@pytest.mark.parametrize(
    ("grouped", "shared", "random", "says", "headline"),
    [
        (0.9, 0.7, [0.75] * 20, "helps", "helped net: better than one model for everyone, and than random groups"),
        (0.9, 0.7, [0.75] * 18 + [0.97] * 2, "any", "not clearly better than random groups"),
        (0.9, 0.7, [0.75] * 18, "untested", "takes more random groupings"),
        (0.9, 0.7, [0.75] * 19, "untested", "takes more random groupings"),
        (0.9, 0.7, [], "untested", "takes more random groupings"),
        (0.7, 0.9, [0.75] * 20, "hurts", "made net worse"),
        (0.75, 0.75, [0.6] * 20, "unclear", "made no clear difference."),
    ],
)
def test_the_verdict_says_what_the_numbers_carry(
    grouped: float, shared: float, random: list[float], says: str, headline: str
) -> None:
    found = said(grouped, shared, random)
    assert [finding["says"] for finding in found["findings"]] == [says]
    assert headline in found["headline"]
    assert "does not show" in found["limits"]


def test_one_user_carries_no_claim() -> None:
    tables = {("net", s): predictions(k, 1, users=1) for s, k in (("global", 0.5), ("importance", 1.0))}
    by_user = score_users(tables)
    found = verdict(by_user, compare_predictors(by_user, SETTINGS), SETTINGS, ["train"])
    assert found["findings"][0]["says"] == "few" and found["leak"]["says"] == "unchecked"


def test_predictors_that_know_nothing_are_called_so() -> None:
    for skill, weak in ((0.5, True), (0.7, False)):
        assert ("Neither is clearly better than chance" in said(skill, skill, [])["findings"][0]["sentence"]) == weak


def test_too_few_people_are_said_to_be() -> None:
    """Four people, all of them better off: Wilcoxon's p cannot fall below 1/8."""
    for users, says in ((4, "few"), (1, "few"), (20, "untested")):
        skills = (("global", 0.4, 1), ("importance", 0.95, 2))
        by_user = score_users(
            {("net", scheme): predictions(skill, seed, users=users) for scheme, skill, seed in skills}
        )
        found = verdict(by_user, compare_predictors(by_user, SETTINGS), SETTINGS, ["train"])
        assert found["findings"][0]["says"] == says, found
        assert ("cannot be told with" in found["headline"]) == (says == "few")
        assert "nan" not in json.dumps(found)


def test_one_model_for_everyone_that_is_no_better_than_none_is_called_so() -> None:
    for skill, weak in ((0.3, True), (0.9, False)):
        found = said(0.9, skill, [], 0.6)["findings"][0]["sentence"]
        assert ("no better than nearest_minute (global), which sees no sensor" in found) == weak, found


def test_no_grouping_nothing_said() -> None:
    by_user = score_users({("net", "global"): predictions(0.8)})
    found = verdict(by_user, compare_predictors(by_user, SETTINGS), SETTINGS, ["train"])
    assert "says nothing about grouping" in found["headline"]


@pytest.mark.parametrize(
    ("sensor", "blind", "says"),
    [(0.8, 0.9, "leaks"), (0.8, 0.8, "leaks"), (0.9, 0.7, "holds"), (0.45, 0.5, "nothing"), (0.8, None, "unchecked")],
)
def test_a_split_leaks_where_time_alone_does_as_well(sensor: float, blind: float | None, says: str) -> None:
    assert said(sensor, sensor, [], blind)["leak"]["says"] == says


def test_false_gains_are_as_rare_as_the_level_says() -> None:
    """Three predictors that all schemes serve alike, many times: a gain is claimed in few."""
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
        found = verdict(by_user, compare_predictors(by_user, settings), settings, ["train"])
        claims += any(finding["says"] == "helps" for finding in found["findings"])
    assert claims <= 2


def test_several_predictors_are_held_against_the_best_of_each_random_grouping() -> None:
    schemes = ["importance", *(f"random-{i + 1}" for i in range(20))]
    table = pd.DataFrame({"a": [0.9] + [0.7 + 0.001 * i for i in range(20)], "b": [0.9] + [0.5] * 19 + [0.95]}, schemes)
    means = table.rename_axis("scheme").rename_axis("predictor", axis=1).stack().swaplevel()
    alone = random_p(means, ["a"])
    assert alone == {"a": pytest.approx(1 / 21)} and random_p(means, ["b"]) == {"b": pytest.approx(2 / 21)}
    both = random_p(means, ["a", "b"])
    assert both["a"] == pytest.approx(1 / 21) and both["b"] >= 2 / 21
    assert random_p(means.drop(schemes[1:], level="scheme"), ["a"]) == {"a": None}


def test_groups_from_test_windows_are_said_to_be() -> None:
    by_user = score_users({("net", "global"): predictions(0.8)})
    comparison = compare_predictors(by_user, SETTINGS)
    for parts, words in ((["test"], "very test windows"), (["train", "validation"], "had no part in grouping")):
        assert words in verdict(by_user, comparison, SETTINGS, parts)["limits"]
