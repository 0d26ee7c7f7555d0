"""The view models: each sentence that depends on a result, and the texts of cells."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.evaluate.plan import Version
from lifelog.report.chapter import SplitDetails
from lifelog.report.methods import clean, controls, primary_sentence, split_sentence
from lifelog.report.views.answers import too_few_blocks
from lifelog.report.views.cohort import CohortView, subset_sentences
from lifelog.report.views.comparison import ComparisonView, PublishedView, finding_row
from lifelog.report.views.groups import GroupsView
from lifelog.report.views.importance import ImportanceView, stability, stability_title
from lifelog.report.views.overview import OverviewView
from lifelog.report.views.parts import Column, count, mark, p_value, span
from lifelog.report.views.users import Member, UserChapter, UsersView, UserView
from lifelog.settings.splits import SessionsSplit

SEEDS: dict[str, Any] = {"shapley": {}, "attention": {"groups": {"importance": "attention"}}}
ONE_SEED: dict[str, Any] = {"mil": {"seeds": [0]}, "groups": {"importance": "attention"}}


def details(**changes: Any) -> SplitDetails:
    """Importance of two participants; one modality matters, and participants differ in one."""
    scores = ["shapley", "low", "difference", "difference_low", "difference_high"]
    values = pd.DataFrame([[0.2, 0.1, 0.3, 0.1, 0.5], [0.1, -0.1, -0.3, -0.5, -0.1]], columns=scores)
    values = values.assign(p_corrected=[0.01, 0.3], matters=[True, False], reason=None, detectable=0.2, time=[0.1, 0.0])
    values = values.assign(interchangeable=["hr", None], p_absence=[0.5, 0.01], high=0.3)
    empty = pd.DataFrame()
    made = SplitDetails(
        importance=pd.DataFrame({"user": ["a", "b"], "stable": [True, False]}),
        values=values.assign(user=["a", "b"], modality=["eda", "acc"]),
        heterogeneity=pd.DataFrame({"modality": ["eda", "acc"], "p_holm": [0.03, 0.07]}),
        groups=pd.DataFrame({"user": ["a", "b"], "group": "group 1", "kmeans": "group 1"}),
        clusters=pd.DataFrame(
            {"algorithm": "mixture", "k": 1, "silhouette": [np.nan], "stability": 0.5, "chosen": True}
        ),
        directions={"a": empty, "b": empty},
        curve="Curve.",
        recovery=None,
        published=None,
        level=0.05,
        chance=0.01,
    )
    return replace(made, **changes)


def some(**values: Any) -> Any:
    """A stand-in that has some values only."""
    return SimpleNamespace(**values)


def chapter(**changes: Any) -> Any:
    verdict: dict[str, Any] = {"findings": [], "left_out": [], "leak": {"sentence": "No leak.", "outcome": "no_leak"}}
    verdict |= {"headline": "Better.", "exploratory": False, "primary": "lda", "metric": "macro_f1"}
    return SimpleNamespace(
        **{"verdict": verdict, "decision": {}, "details": None, "reasons": {}, "lacking": []} | changes
    )


@pytest.mark.parametrize(
    ("column", "row", "text", "css"),
    [
        (Column("x"), {"x": "text"}, "text", ""),
        (Column("x", "y", ".2f"), {"y": 0.125}, "0.12", "n"),
        (Column("x", "y", "+.1f"), {"y": np.nan}, "–", "n"),
        (Column("x", "y", "n"), {"y": None}, "–", "n"),
        (Column("x", ["low", "high"], ".1f"), {"low": 0, "high": 1}, "0.0 to 1.0", "n"),
        (Column("x", ["low", "high"], ".1f"), {"low": None, "high": None}, "–", "n"),
        (Column("x", form="user"), {"x": "<a>"}, '<a href="#user-&lt;a&gt;">&lt;a&gt;</a>', ""),
        (Column("x", form="wrap"), {"x": "long"}, "long", "wrap"),
    ],
)
def test_cells_have_text_and_class(column: Column, row: dict[str, Any], text: str, css: str) -> None:
    assert column.cell(row) == text and column.css == css


def test_p_values_are_never_0() -> None:
    assert [p_value(p) for p in (0.0, 0.0009, 0.001, 0.5, None)] == ["< .001", "< .001", "0.001", "0.500", "–"]


def test_nouns_and_marks() -> None:
    assert (count(1, "window"), count(2, "window")) == ("1 window", "2 windows")
    assert [span(n) for n in (60, 90, 3600, 7200, 86400)] == ["1 minute", "90 seconds", "1 hour", "2 hours", "1 day"]
    assert mark("strong", "<x>") + " <y>" == "<strong>&lt;x&gt;</strong> &lt;y&gt;"
    assert mark("span", "x", "leak") == '<span class="leak">x</span>'


def test_the_level_of_tests_is_that_of_the_configuration() -> None:
    assert details().differing == ["eda"] and list(details().apart.user) == ["a"]
    assert details(level=0.1).differing == ["eda", "acc"] and list(details(level=0.1).apart.user) == ["a", "b"]


def measured(details: SplitDetails) -> str:
    return ImportanceView(Config(), chapter(), details).measured


def reliable(config: Config, details: SplitDetails) -> str:
    return ImportanceView(config, chapter(), details).reliable


def test_measured_importance() -> None:
    assert measured(details()) == (
        "1 of 2 tested modalities matter: they separate the classes better than with the label sequences of sessions "
        "exchanged, corrected for the modalities of each participant. "
        "Participants differ in eda (Brown-Forsythe test, Holm)."
    )
    assert "do not differ measurably" in measured(details(level=0.01))
    untested = details().heterogeneity.assign(p_holm=np.nan)
    assert "not tested: they have fewer than 5 blocks" in measured(details(heterogeneity=untested))
    assert "<strong>Importance is not measured</strong>" in measured(
        details(values=details().values.assign(matters=False))
    )


def test_remarks_about_importance() -> None:
    time, alike, absent = ImportanceView(Config(), chapter(), details()).remarks
    assert "+0.05 on average, at most +0.10 (participant a)" in time
    assert "Either of these suffices" in alike and "eda and hr (a)" in alike
    assert absent == "<strong>Absence depends on the label</strong>: acc (b)."
    rows = details().values.assign(reason=["1 session", None], matters=[None, True])
    untested, *_ = ImportanceView(Config(), chapter(), details(values=rows)).remarks
    assert "participant a (1 session; a Shapley value of 0.20 would be found)" in untested


def test_who_has_reliable_importance() -> None:
    nobody = details(importance=details().importance.assign(stable=True))
    shapley, attention = Config(**SEEDS["shapley"]), Config(**SEEDS["attention"])
    assert "Not measured</strong> for these participants: b (" in reliable(shapley, details())
    assert reliable(shapley, nobody) == ""
    assert "Not stable</strong>, and not interpretable for these participants: b (" in reliable(attention, details())
    assert reliable(attention, nobody).startswith("Training seeds agree")
    assert "one training seed (<code>mil.seeds</code>)" in reliable(Config(**ONE_SEED), details())


def test_stability_is_unknown_where_seeds_are_not_compared() -> None:
    scores = {"stable": False, "seeds_attention": 0.2}
    assert stability(Config(), scores) == "no" and stability(Config(), scores | {"stable": True}) == "yes"
    attention = Config(**SEEDS["attention"])
    assert stability(attention, scores) == "no" and stability(attention, scores | {"seeds_attention": np.nan}) == "–"
    assert stability(Config(**ONE_SEED), scores) == "–"
    assert (stability_title(Config()), stability_title(attention)) == ("measured", "stable")


def test_the_page_of_importance() -> None:
    recovery = {"effect": 2, "planted_on_top": {"shapley": 0.5, "attention": 0.25, "ablation": 1}}
    view = ImportanceView(Config(), chapter(), details(recovery=recovery))
    assert view.planted.endswith("(effect 2): 50% (Shapley value), 25% (attention), 100% (ablation).")
    assert ImportanceView(Config(), chapter(), details()).planted == ""
    assert view.apart == ['eda matters more for <a href="#user-a">a</a>: +0.300 [+0.100, +0.500]']
    less = ImportanceView(Config(), chapter(), details(level=0.1)).apart[1]
    assert less.startswith("acc matters less for")


def test_the_number_of_groups() -> None:
    sentences = GroupsView(Config(), chapter(), details()).sentences
    assert sentences[0].startswith("The importance of all windows forms one group.")
    assert sentences[1].startswith("1 group from 1 cluster by mixture, the number with the lowest BIC")
    clusters = details().clusters.assign(algorithm="kmeans")
    of_means = GroupsView(Config(), chapter(), details(clusters=clusters)).sentences[1]
    assert "highest silhouette; one group was not possible" in of_means
    fixed = GroupsView(Config(groups={"k": 2}), chapter(), details()).sentences[1]
    assert "mixture: silhouette –, stability 0.50" in fixed
    two = details(groups=details().groups.assign(group=["1", "2"]), recovery={"adjusted_rand_index": 0.5})
    assert "planted ones: 0.50" in GroupsView(Config(), chapter(), two).sentences[0]


FINDING: dict[Any, Any] = {"predictor": "lda", "better_than_chance": True, "sensorless": None, "outcome": "equal"}
FINDING |= {"users": 4, "users_better": 3, "random": 0.5, "random_groupings": 1, "random_min": 0.4, "random_max": 0.6}


def test_findings() -> None:
    row = finding_row(FINDING, chapter())
    assert (row["name"], row["better"], row["random"]) == ("lda (primary)", "3 of 4", "0.500")
    row = finding_row(FINDING | {"random_groupings": 9}, chapter(verdict=chapter().verdict | {"exploratory": True}))
    assert (row["name"], row["random"]) == ("lda", "0.500 (0.400 to 0.600; 9 groupings)")


def remarks(chapter: Any) -> list[str]:
    return ComparisonView(Config(), chapter, set(), True).remarks


def test_remarks() -> None:
    assert remarks(chapter()) == ['<span class="no_leak">No leak.</span>']
    poor = FINDING | {"better_than_chance": False, "sensorless": {"model": "clock global", "score": 0.4}}
    verdict = chapter().verdict | {"findings": [poor], "left_out": ["a"]}
    decision = {"strategies": {"lda": []}, "sentence": "Recommended.", "recommended": "personal", "use": []}
    recovery = {"adjusted_rand_index": 1, "planted_on_top": {"shapley": 0.5}}
    full = chapter(verdict=verdict, decision=decision, details=details(recovery=recovery))
    chance, sensorless, left_out, _, recommended, planted = remarks(full)
    assert "not clearly better than chance" in chance and "clock global, which uses no sensors (0.400)" in sensorless
    assert left_out.startswith("Left out of every mean, difference and test of macro-F1")
    assert recommended == "Recommended. Curve." and "in 50% of cases (Shapley value)" in planted
    undecided = chapter(decision=decision | {"recommended": None}, details=details())
    assert remarks(undecided)[1] == "Recommended."


def test_the_page_of_the_comparison() -> None:
    comparison = pd.DataFrame({"scheme": ["global"], "metric": ["macro_f1"]})
    view = ComparisonView(Config(), chapter(comparison=comparison), {"a"}, True)
    assert (view.headline, view.choosing, view.random) == ("Better.", "", "")
    exploratory = chapter(
        verdict=chapter().verdict | {"exploratory": True}, comparison=comparison.assign(scheme="random")
    )
    exploratory.decision = {"choosing": {"score": 0.5, "difference": -0.1}}
    view = ComparisonView(Config(), exploratory, set(), False)
    assert view.headline == "Exploratory: Better." and view.random.startswith("Random groupings")
    assert "gives 0.500, -0.100 to one global model" in view.choosing


def test_differences_to_the_global_model() -> None:
    rows = {"scheme": ["global", "random", "raw"], "metric": "macro_f1", "difference": [0.0, 0.1, 0.1]}
    limits = {"difference_low": [0.0, np.nan, 0.0], "difference_high": [0.0, np.nan, 0.2]}
    view = ComparisonView(Config(), chapter(comparison=pd.DataFrame(rows | limits)), set(), True)
    difference, interval = Column("", "difference", "+.3f"), Column("", ["difference_low", "difference_high"], "+.3f")
    shown = [(difference.cell(row), interval.cell(row)) for row in view.scores.to_dict("records")]
    assert shown == [("–", "–"), ("+0.100", "–"), ("+0.100", "+0.000 to +0.200")] and view.others.empty


def test_the_comparison_with_the_study() -> None:
    user = {"user": "101", "group": [None, 2], "test_windows": [10, None], "importance": {"eda": [0.1, None]}}
    found: dict[str, Any] = {"users": [user], "clusters": [], "adjusted_rand_index": None, "users_in_both": 1}
    scores = {"published_f1": 0.5, "accuracy": 0.5}
    found["scores"] = {"printed": {"user": "101", **scores}, "run": {"0": {**scores, "macro_f1": 0.25}}}
    view = PublishedView(found, True)
    assert view.both.startswith("1 of them are in this run") and view.both.endswith("ones: –.")
    assert view.simulated and not PublishedView(found, False).simulated
    assert "F1 as published 0.500 (printed 0.5000)" in view.scores[0] and view.scores[0].endswith("macro-F1 0.250.")
    assert [column.cell(view.users[0]) for column in (*view.modalities, Column("group"), Column("windows"))] == [
        *("0.100 / –", "– / 2", "10 / –")
    ]


def test_the_page_of_the_cohort() -> None:
    problems = pd.DataFrame({"kind": ["label"] * 42})
    assert CohortView(some(problems=problems), []).more_problems.endswith("2 more kinds of problems.")
    assert CohortView(some(problems=problems[:40]), []).more_problems == ""
    near, far = (chapter(subsets=pd.DataFrame({"nearest": [minutes]})) for minutes in (1, 60))
    excluded, nearest, lacking = subset_sentences(near)
    assert excluded == lacking == ""
    assert "check for leaks" in nearest and "check for leaks" not in subset_sentences(far)[1]
    near.reasons, near.lacking = {"a": "no labels"}, [("b", "no low in test")]
    excluded, _, lacking = subset_sentences(near)
    assert excluded == "<strong>Excluded:</strong> participant a (no labels)."
    assert lacking == "Missing classes: participant b: no low in test."


def test_the_first_page() -> None:
    first = chapter(title="tension, blocked split")
    first.verdict["limits"] = "Limits."
    early = Version("2026-01-01T08:00:00+00:00", {}, "c", "r", False)
    late = early._replace(time="2026-01-03T08:00:00+00:00", after_verdict=True)
    view = OverviewView(Config(), some(plan=[early]), [first])
    for plan, words in (
        ([early], "since the first verdict (plan of 2026-01-01)"),
        ([early, late], "after the first verdict (plan of 2026-01-01, changed on 2026-01-03)"),
        ([late], "written on 2026-01-03, when a verdict existed already"),
    ):
        assert words in OverviewView(Config(), some(plan=plan), [first]).planned
    assert "primary test is that of lda (tension, blocked split)" in view.closing and "(95%)" in view.closing
    assert view.simulated and view.best.endswith("within 0.03 of the highest macro-F1") and view.people == []
    first.decision = {"predictor": "boosting"}
    assert view.best.endswith("highest macro-F1 of boosting")
    assert too_few_blocks(pd.Series([10])) is None


def test_participants() -> None:
    row: dict[Any, Any] = {"windows": 1, "lost": 2, "unit": "days", "reasons": "", "first_day": "", "last_day": ""}
    assert UserView(row, [], []).recorded == "1 window; 2.0 labelled days lost."
    row |= {"reasons": "no sample 2", "first_day": "2019-09-01", "last_day": "2019-09-02"}
    assert UserView(row, [], []).recorded == "1 window; 2.0 labelled days lost (no sample 2), 2019-09-01 to 2019-09-02."
    attention = Config(**SEEDS["attention"])
    assert "all modalities together separate" in UsersView(Config(), some(), []).measured
    assert "training seeds rank" in UsersView(attention, some(), []).measured


def membership(own: Member, by_values: bool) -> str:
    return UserChapter("a", chapter(), own, by_values).membership


def test_the_group_of_a_participant() -> None:
    own = Member("group 1", 0.9, ["b"], {"shapley": ["eda", "acc"], "attention": []}, "yes")
    text = "Member of group 1, with b; certainty 90%. "
    assert membership(own, True) == text and membership(own, False) == text + "Training seeds agree."
    alone = replace(own, others=[], top={}, stable="no")
    assert membership(alone, True).startswith("Member of group 1; certainty 90%. <strong>Importance is not measured")
    assert "<strong>Training seeds disagree" in membership(alone, False)
    excluded = UserChapter("a", chapter(details=details(), reasons={"a": "no labels"}), None, True)
    assert excluded.membership == "<strong>Excluded:</strong> no labels."
    assert UserChapter("a", chapter(), None, True).membership == ""


def test_features_that_differ_between_classes() -> None:
    rows = pd.DataFrame({"difference": [0.5, -0.5, 0.1], "low": [0.1, -0.9, -0.1], "high": [0.9, -0.1, 0.3]})
    rows = rows.assign(higher="high", lower="low")
    own = Member("group 1", 1.0, [], {}, "yes")
    view = UserChapter("a", chapter(details=details(directions={"a": rows})), own, True)
    assert list(view.directions["where"]) == ["higher", "lower"] and view.no_direction == ""
    assert view.about_directions.startswith("Features that differ most between <em>high</em> and <em>low</em>,")
    none = UserChapter("a", chapter(details=details(directions={"a": rows[2:]})), own, True)
    assert none.no_direction == "No feature differs clearly between the classes."


def test_the_sentences_of_the_card() -> None:
    config = Config()
    blocked, shuffled = config.splits
    assert split_sentence(shuffled, 1).endswith("at random.")
    assert "at least 1 minute between" in split_sentence(blocked, 5) and "In 5 folds" in split_sentence(blocked, 5)
    single = blocked.model_copy(update={"folds": 1})
    assert split_sentence(single, 1).endswith("There is one test subset.")
    later = SessionsSplit(name="s", column="visit", train_on=[1], test_on=[2])
    assert "visit is [2] were tested" in split_sentence(later, 1)
    tasks = blocked.model_copy(update={"tasks": "task", "hold_out": ["sit"]})
    assert "Whole tasks" in split_sentence(tasks, 1) and "Held-out tasks were tested" in split_sentence(tasks, 1)
    assert controls(config) == "99 random groupings of the same sizes, groups by raw features, groups by class shares"
    assert controls(Config(schemes=["global", "personal"])) == "none"
    assert "is that of lda in importance groups" in primary_sentence(config, "tension, blocked split")
    unnamed = primary_sentence(Config(schemes=["global", "personal"]), "tension, blocked split")
    assert unnamed.startswith("No test was named") and "exploratory" in unnamed
    assert clean(["test"]).startswith("Not fulfilled") and clean(["train"]).startswith("Scaling")


def test_the_page_of_a_participant_leads_with_the_sensors_that_matter() -> None:
    rows = pd.DataFrame(
        {"modality": ["acc", "eda"], "feature": ["x", "scl"], "difference": [0.9, -0.5], "low": [0.1, -0.9]}
    )
    rows = rows.assign(high=[1.5, -0.1], higher="high", lower="low")
    of_both = details(directions={"a": rows, "b": rows})
    own = Member("group 1", 1.0, [], {"shapley": ["eda"], "attention": ["acc"]}, "yes")
    view = UserChapter("a", chapter(details=of_both), own, True)
    assert "<strong>eda</strong> +0.20 [+0.10, +0.30]" in view.leading[0]
    assert view.leading[1].endswith(": scl of eda is lower by 0.5 standard deviations.")
    assert view.tops == "Highest Shapley value: eda. Highest attention: acc."
    assert "none found" in UserChapter("b", chapter(details=of_both), own, True).leading[0]


def test_scores_of_a_participant_are_those_of_strategies() -> None:
    columns = [("lda", "global"), ("lda", "personal"), ("lda", "raw"), ("clock", "global")]
    by_user = pd.DataFrame(
        [[0.5, 0.6, 0.7, 0.4]], index=["a"], columns=pd.MultiIndex.from_tuples(columns, names=["predictor", "scheme"])
    )
    own = chapter(by_user=by_user, score=lambda user, model: by_user.loc[user, model])
    view = UserChapter("a", own, None, True)
    assert [column.title for column in view.columns] == ["one model for all", "one model per participant"]
    assert view.scores == [
        {"predictor": "lda", "global": 0.5, "personal": 0.6},
        {"predictor": "clock", "global": 0.4, "personal": None},
    ]
    assert UserChapter("b", own, None, True).scores == []
