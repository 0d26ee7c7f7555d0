"""The answers of the first page: each sentence holds for the numbers of the run, in forty simulated results."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from lifelog.config import Config
from lifelog.evaluate.calibration import compare_calibration
from lifelog.evaluate.compare import compare_predictors, score_users
from lifelog.evaluate.decision import decide
from lifelog.evaluate.verdict import leak_check, verdict
from lifelog.report.chapter import SplitDetails, _before_and_after
from lifelog.report.views.answers import Answer, answers, listed
from lifelog.settings.compare import Compare
from tests.evaluate.test_compare import predictions

MODALITIES = ["eda", "hr", "temp"]
SETTINGS = Compare()
# Skill of one model, of personal ones and of time alone; users; users with windows of one class; chance that a sensor
# of a user matters; whether users differ.
KINDS: dict[str, dict[str, Any]] = {
    "effect": {"skill": 0.85, "personal": 0.85, "matters": 0.5},
    "personal": {"skill": 0.6, "personal": 0.9, "matters": 0.5, "differ": True},
    "null": {"skill": 0.5, "personal": 0.5, "matters": 0.017},
    "leak": {"skill": 0.6, "personal": 0.6, "timed": 0.9, "matters": 0.3},
    "one class": {"skill": 0.8, "personal": 0.7, "matters": 0.5, "single": 3},
    "two participants": {"skill": 0.8, "personal": 0.8, "users": 2, "matters": 0.5},
    "all of one class": {"skill": 0.8, "personal": 0.8, "single": 12, "matters": 0.0},
    "untested": {"skill": 0.7, "personal": 0.6, "matters": None},
}


@dataclass(frozen=True)
class Page:
    """Simulated results, and the answers to them."""

    kind: str
    chapter: Any
    answers: list[Answer]

    @property
    def text(self) -> str:
        return " ".join(" ".join([answer.sentence, *answer.details]) for answer in self.answers)

    @property
    def sentences(self) -> dict[str, str]:
        names = ("prediction", "sensors", "differences", "modelling", "steps")
        return {name: answer.sentence for name, answer in zip(names, self.answers, strict=True)}


@cache
def simulated(kind: str, seed: int) -> Page:
    about = {"users": 12, "single": 0, "timed": 0.5, "differ": False} | KINDS[kind]
    skills = {("lda", "global"): about["skill"], ("lda", "personal"): about["personal"]}
    skills |= {("clock", "global"): about["timed"], ("majority", "global"): 0.5}
    tables = {
        model: predictions(skill, 10 * seed + i, about["users"]) for i, (model, skill) in enumerate(skills.items())
    }
    for table in tables.values():
        users = list(dict.fromkeys(table.user))[: about["single"]]
        table.loc[table.user.isin(users), "truth"] = 0
    scored = score_users(tables)
    comparison = compare_predictors(scored, SETTINGS, "lda")
    calibration = compare_calibration(tables, SETTINGS.confidence)
    leak = leak_check(scored.users, "lda", SETTINGS)
    decision = decide(scored.users, SETTINGS, "lda", calibration, leak)
    result = verdict(scored.users, comparison, SETTINGS, ["train"], primary="lda", decision=decision, leak=leak)
    chapter: Any = SimpleNamespace(
        target="tension",
        verdict=result,
        decision=decision,
        comparison=comparison,
        calibration=_before_and_after(calibration),
        details=details(about, sorted(scored.users.user.unique()), np.random.default_rng(seed)),
        subsets=pd.DataFrame({"user": sorted(scored.users.user.unique()), "blocks": 20}),
    )
    cohort = pd.DataFrame({"user": chapter.subsets.user, "windows": 90, "labelled": 95.0, "lost": 5.0})
    return Page(kind, chapter, answers(Config(), chapter, cohort))


def details(about: dict[str, Any], users: list[str], rng: np.random.Generator) -> SplitDetails:
    values = pd.MultiIndex.from_product([users, MODALITIES], names=["user", "modality"]).to_frame(index=False)
    share, differ = about["matters"], about["differ"]
    values["matters"] = None if share is None else rng.random(len(values)) < share
    values["reason"] = "1 session" if share is None else None
    values = values.assign(shapley=0.1, low=0.0, high=0.2, detectable=0.1)
    p = np.nan if share is None else 0.001 if differ else 0.4
    empty = pd.DataFrame()
    return SplitDetails(
        importance=pd.DataFrame({"user": users, "stable": True}),
        values=values,
        heterogeneity=pd.DataFrame({"modality": MODALITIES, "p_holm": p}),
        groups=pd.DataFrame({"user": users, "group": [f"group {1 + i % (1 + differ)}" for i in range(len(users))]}),
        clusters=empty,
        directions={},
        curve="Curve.",
        recovery=None,
        published=None,
        level=0.05,
        chance=0.05,
    )


PAGES = [(kind, seed) for kind in KINDS for seed in range(5)]


@pytest.fixture(params=PAGES, ids=lambda page: f"{page[0]} {page[1]}")
def page(request: pytest.FixtureRequest) -> Page:
    return simulated(*request.param)


def mean_auroc(page: Page, model: tuple[str, str]) -> float:
    rows = page.chapter.comparison.set_index(["metric", "predictor", "scheme"])
    return float(rows.loc[("auroc", *model), "mean"])


def test_the_headline_is_the_area_of_the_shown_model(page: Page) -> None:
    text, decision = page.sentences["prediction"], page.chapter.decision
    if page.kind in ("all of one class", "leak"):
        assert ("cannot be tested" if page.kind != "leak" else "no score of this split may be used") in text
        return
    areas = {scheme: mean_auroc(page, ("lda", scheme)) for scheme in ("global", "personal")}
    pairs = r"(\d+) of 100 pairs of windows of different classes"
    shown = re.search(rf"{pairs} \((?:(\d+) to (\d+); )?guessing: 50, time alone: (\d+)\)", text)
    assert shown and int(shown[4]) == round(100 * mean_auroc(page, ("clock", "global")))
    expected = areas[decision["recommended"]] if decision["recommended"] else None
    assert int(shown[1]) in {round(100 * area) for area in ([expected] if expected else areas.values())}
    assert shown[2] is None or int(shown[2]) <= int(shown[1]) <= int(shown[3])


def test_nothing_is_predicted_without_a_model_better_than_chance(page: Page) -> None:
    rows = page.chapter.decision["strategies"].get("lda", [])
    better, leak = any(row["better_than_chance"] for row in rows), page.chapter.verdict["leak"]["outcome"] == "leak"
    assert ("can be told apart" in page.text) == (better and not leak)
    assert ("snakemake bundle" in page.text) == (page.chapter.decision["recommended"] is not None)
    assert ("Its probabilities" in page.text) <= (better and not leak)


def test_no_model_is_recommended_beyond_the_decision(page: Page) -> None:
    text, decision = page.sentences["modelling"], page.chapter.decision
    assert text.startswith("By ") == (decision["recommended"] is not None)
    if decision["recommended"]:
        scores = {row["scheme"]: row["score"] for row in decision["strategies"]["lda"]}
        numbers = [float(number) for number in re.findall(r"\d\.\d\d", text)]
        assert numbers[0] == round(scores[decision["recommended"]], 2)
        assert numbers[1:] == ([] if decision["recommended"] == "global" else [round(scores["global"], 2)])
    assert page.kind != "leak" or "time alone predicts tension" in text


def test_sensors_are_counted_and_not_claimed_by_chance(page: Page) -> None:
    values, text = page.chapter.details.values, page.sentences["sensors"]
    tested = values[values.reason.isna()]
    found = tested[tested.matters.astype(bool)]
    users, total = found.user.nunique(), tested.user.nunique()
    claimed = text.startswith(f"For {users} of {total} tested participants a sensor matters")
    assert claimed == bool(total and binomtest(users, total, 0.05, alternative="greater").pvalue < 0.05 and users)
    for name, number in found.modality.value_counts().items() if claimed else ():
        assert f"{name} ({number})" in text
    assert ("cannot be tested" in text) == (total == 0)
    assert ("does not matter" in page.text) == (0 < total < values.user.nunique())


def test_participants_differ_only_by_the_test(page: Page) -> None:
    text, p = page.sentences["differences"], page.chapter.details.heterogeneity.p_holm
    assert text.startswith("They differ") == bool((p < 0.05).any())
    assert ("not tested" in text) == bool(p.isna().all())


def test_null_cohorts_and_their_kinds() -> None:
    """Each page shows what its kind is about; nothing is claimed for cohorts without any effect."""
    claims: dict[str, Callable[[Page], bool]] = {
        "effect": lambda page: "can be told apart" in page.text and "a sensor matters" in page.text,
        "personal": lambda page: "By one model per participant" in page.text and "form 2 groups" in page.text,
        "leak": lambda page: "time alone predicts it" in page.text,
        "one class": lambda page: "can be told apart" in page.text,
    }
    for kind, claim in claims.items():
        assert all(claim(simulated(kind, seed)) for seed in range(5)), kind
    for seed in range(5):
        text = simulated("null", seed).text
        assert "can be told apart" not in text and "a sensor matters" not in text and "No model is recommended" in text


def test_what_is_missing_comes_first() -> None:
    page = simulated("effect", 0)
    cohort = pd.DataFrame({"user": page.chapter.subsets.user, "windows": 50, "labelled": 50.0, "lost": 50.0})
    page.chapter.details.importance.loc[0, "stable"] = False
    *_, last = answers(Config(), page.chapter, cohort)
    assert "not measured for 1 of 12 participants" in last.sentence
    assert "fewer than 60 windows (1 of them)" in last.sentence
    assert "50% of the labelled time" in last.details[0]
    page.chapter.subsets["blocks"] = 4
    *_, last = answers(Config(), page.chapter, cohort)
    assert "For 1 of 1, labels cover fewer than 5 independent stretches of time (median 4)" in last.sentence
    page.chapter.details.importance["stable"], page.chapter.subsets["blocks"] = True, 20


def test_long_lists_are_cut() -> None:
    assert listed(list("abcdefgh")) == "a, b, c, d, e, f and 2 more" and listed(["a"]) == "a" and listed([]) == "–"
