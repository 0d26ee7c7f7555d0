"""The first page, the glossary and the model card: what they state about known results."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.importance.measures import MEASURES
from lifelog.report.glossary import glossary, link_terms
from lifelog.report.page import read_texts
from lifelog.report.views.overview import OverviewView
from lifelog.report.words import measure_name
from lifelog.settings.predict import Scheme, predictor_settings
from tests.workflow import Workflow

COHORT = pd.DataFrame({"user": ["a", "b"], "windows": [95, 55], "labelled": [95.0, 55.0], "lost": [5.0, 45.0]})


def chapter(
    recommended: str | None = "personal",
    leak: str = "no_leak",
    unstable: tuple[str, ...] = (),
    blocks: int = 20,
    untested: bool = False,
) -> Any:
    decision = {
        "strategies": {"lda": [1]},
        "recommended": recommended,
        "predictor": "lda",
        "sentence": "Undecided for lda.",
    }
    values = pd.DataFrame(
        [
            ("a", "eda", 0.2, 0.1, 0.3),
            ("a", "acc", 0.3, 0.2, 0.4),
            ("a", "hr", 0.1, -0.1, 0.3),
            ("b", "eda", 0.1, -0.2, 0.4),
        ],
        columns=["user", "modality", "shapley", "low", "high"],
    )
    clear = values[values.low > 0].sort_values("shapley", ascending=False)
    details = SimpleNamespace(
        unstable=list(unstable),
        curve="Personal models are better from about 20 windows on.",
        groups=pd.DataFrame({"user": ["a", "b"], "group": ["group 1", "group 2"]}),
        values=values.assign(reason=None),
        level=0.05,
        chance=0.01,
        mattering=clear,
        untested=pd.DataFrame({"user": ["b"] * untested, "reason": ["1 session"] * untested}),
    )
    by_user = pd.DataFrame({("lda", "global"): [0.5, 0.6], ("lda", "personal"): [0.7, 0.4]}, index=["a", "b"])
    verdict = {"leak": {"outcome": leak}, "primary": "lda"}
    subsets = pd.DataFrame({"user": ["a", "b"], "blocks": [30, blocks]})
    results = {"verdict": verdict, "decision": decision, "details": details}
    return SimpleNamespace(target="tension", by_user=by_user, subsets=subsets, reasons={}, **results)


def overview(first: Any, problems: pd.DataFrame | None = None) -> OverviewView:
    run: Any = SimpleNamespace(cohort=COHORT, problems=problems)
    return OverviewView(Config(), run, [first])


def test_three_numbers_describe_the_cohort() -> None:
    problems = pd.DataFrame({"kind": ["modality", "label"], "reason": ["flat signal", "no sample"]})
    numbers = overview(chapter(), problems).numbers
    assert [number for number, _ in numbers] == ["2", "150", "25.0%"]
    assert "at least 55" in numbers[1][1] and "mostly: no sample" in numbers[2][1]


def test_participants_without_a_score_have_a_reason() -> None:
    first = chapter()
    first.by_user.loc["b"] = float("nan")
    problems = pd.DataFrame({"kind": [], "reason": []})
    assert overview(first, problems).numbers[0] == ("1 of 2", "participants evaluated")
    assert overview(first, problems).left_out == ["Not evaluated: b (all test windows are of one class)."]
    first.reasons["b"] = "too few windows"
    assert overview(first, problems).left_out == ["Not evaluated: b (too few windows)."]


def test_sensors_that_matter_have_values_and_intervals() -> None:
    first, second = overview(chapter()).people
    assert first["sensors"] == ("<strong>acc</strong> +0.30 [+0.20, +0.40], <strong>eda</strong> +0.20 [+0.10, +0.30]")
    assert second["sensors"] == "none found"
    assert overview(chapter(untested=True)).people[1]["sensors"] == "cannot be tested: 1 session"
    assert (first["best"], second["best"]) == ("one model per participant", "one model for all")
    assert first["group"] == "group 1"


def test_first_uses_of_terms_link_to_the_glossary() -> None:
    terms = glossary(read_texts("glossary.yaml"), [])
    html = '<p>macro-F1 and <a href="#x">AUROC</a>, then Macro-F1 and AUROC.</p><h2>Brier score</h2><td>BIC</td>'
    linked = link_terms(html, terms)
    assert re.findall(r'href="#(term-[^"]*)"', linked) == ["term-macro-f1", "term-auroc"]
    assert re.sub(r'<a class="term"[^>]*>([^<]*)</a>', r"\1", linked) == html


def test_the_glossary_has_the_predictors_of_the_run() -> None:
    lda = predictor_settings("lda")
    terms = glossary(read_texts("glossary.yaml"), [lda])
    assert terms[-1].names == ("lda",) and terms[-1].meaning == lda.meaning
    assert len({term.key for term in terms}) == len(terms)
    assert 'href="#term-lda"' in link_terms("<p>lda</p>", terms)


def test_each_term_of_the_report_has_one_entry() -> None:
    """Metrics, schemes, measures of importance, and the terms that first readers did not understand."""
    names = [name.lower() for terms in read_texts("glossary.yaml") for name in terms.split(", ")]
    assert len(set(names)) == len(names)
    labels = [metric.label.removesuffix(" (lower is better)") for metric in METRICS.values()]
    asked = "scheme, group, target, split, importance, certainty, skill, planted, window, modality, leak, matters"
    terms = [*labels, *get_args(Scheme), *map(measure_name, MEASURES), *asked.split(", ")]
    assert set(map(str.lower, terms)) - {"random"} <= set(names)  # whose entry is "random groups"
    own = {predictor.name: predictor.meaning for predictor in Config().predictors}
    assert {"lda", "clock", "nearest_minute", "last_label", "majority"} <= set(own) and all(own.values())


def test_the_card_has_all_items_and_the_numbers_of_the_run(workflow: Workflow) -> None:
    results = workflow.folder / "results"
    text = (results / "model_card.md").read_text(encoding="utf-8")
    items = re.findall(r"^- \*\*(\d[a-z]) ", text, re.M)
    assert len(items) == 32 and items == sorted(items)
    assert json.loads((results / "tension/blocked/verdict.json").read_text())["headline"] in text
    windows = sum(len(pd.read_parquet(path, columns=["start"])) for path in Path(results / "windows").glob("*.parquet"))
    assert f"{windows} labelled windows" in text and "None" not in text
    page = (results / "report.html").read_text(encoding="utf-8")
    assert page.count("To be written by the author.") == text.count("To be written by the author.")
