"""A new metric, importance measure, figure and predictor, each added in the places that CONTRIBUTING.md lists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow import ROOT, Workflow

CONFIG = """
simulation: {users: 3, groups: 2, sessions: 3, minutes: 7, effect: 2.0}
splits: [{name: blocked, method: blocked}]
mil: {epochs: 2, seeds: [0]}
schemes: [global, importance]
groups: {importance: squared}
predictors: [{name: boosting, max_iter: 5}, {name: first_class, schemes: [global]}]
compare: {metric: error_rate}
"""

METRIC = """
        "error_rate": _of_counts("error rate of the test", lambda counts: 1 - accuracy(counts)),
"""
MEASURE = """
        "squared": Measure("squared attention", "Squared attention, added by a test.", comparable=False),
"""
FIGURE = """
members:
  page: groups
  caption: Members per group, added by a test.
"""
DRAWING = """
def plot_members(tables: GroupTables) -> Drawing:
    with style():
        figure, ax = plt.subplots()
        counts = tables.groups.group.value_counts()
        ax.bar(counts.index, counts)
        return figure, counts.reset_index()


FIGURES: Registry"""
PREDICTOR = '''
from typing import ClassVar, Literal

import numpy as np

from lifelog.predict.interface import Predictor
from lifelog.settings.predict import Inputs, PredictorSettings


class FirstClass(PredictorSettings):
    inputs: ClassVar[Inputs] = "nothing"
    meaning: ClassVar[str] = "Always the first class, added by a test."

    name: Literal["first_class"] = "first_class"
    """always the first class"""


class FirstClassPredictor(Predictor):
    def fit(self, train, validation):
        pass

    def predict(self, samples):
        return np.eye(len(samples.classes))[[0] * len(samples)]
'''

# By kind: file, text before the addition, text after it; a predictor is a new file.
PLACES = {
    "metric": [
        ("lifelog/evaluate/metrics.py", '    "metric",\n    {\n', '    "metric",\n    {' + METRIC),
        ("lifelog/settings/compare.py", '    "macro_f1", ', '    "error_rate", "macro_f1", '),
    ],
    "importance measure": [
        (
            "lifelog/importance/measures.py",
            '    "importance measure",\n    {\n',
            '    "importance measure",\n    {' + MEASURE,
        ),
        (
            "lifelog/importance/networks.py",
            '{"attention"',
            '{"squared": lambda _, bags: bags.output.attention**2, "attention"',
        ),
        (
            "lifelog/settings/importance.py",
            'Literal["shapley", "attention"',
            'Literal["squared", "shapley", "attention"',
        ),
    ],
    "figure": [
        ("lifelog/report/page/figures.yaml", "\nverdict:\n", FIGURE + "verdict:\n"),
        ("lifelog/report/figures/groups.py", "FIGURES: Registry", DRAWING.lstrip("\n")),
        (
            "lifelog/report/words.py",
            '        "verdict": _verdict,',
            '        "verdict": _verdict,\n        "members": _dag_free,',
        ),
    ],
    "predictor": [],
}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run of a workflow with one of each added."""
    made = Workflow(tmp_path_factory.mktemp("extended"), CONFIG)
    for place in PLACES.values():
        for file, before, after in place:
            path = made.folder / file
            text = path.read_text()
            assert before in text, (file, before)
            path.write_text(text.replace(before, after, 1))
    # The last edits of a figure: its drawing in the registry of the page, and its sentence.
    groups, words = made.folder / "lifelog/report/figures/groups.py", made.folder / "lifelog/report/words.py"
    groups.write_text(groups.read_text().replace('{"group_importance"', '{"members": plot_members, "group_importance"'))
    words.write_text(words.read_text().replace("_dag_free", 'lambda data: f"Members: {data.to_dict()}."'))
    (made.folder / "lifelog/predict/predictors/first_class.py").write_text(PREDICTOR)
    made()
    return made


def test_each_is_in_the_report(extended: Workflow) -> None:
    results = extended.folder / "results/tension/blocked"
    page = (extended.folder / "results/report.html").read_text()
    assert json.loads((results / "verdict.json").read_text())["metric"] == "error_rate"
    assert "error rate of the test" in page
    assert "Squared attention, added by a test." in page and (results / "figures/squared.svg").exists()
    assert "Members per group, added by a test." in page and "Members: {" in page
    scores = pd.read_csv(results / "scores.csv")
    assert "<td>first_class</td>" in page and "first_class" in set(scores.predictor)
    assert (scores.error_rate + scores.accuracy - 1).abs().max() < 1e-9
    assert {"seeds_squared", "std_squared", "aopcr_squared"} < set(pd.read_csv(results / "importance_scores.csv"))
    assert "squared" in json.loads((results / "groups/importance.json").read_text()).values()


def test_they_were_added_in_the_places_that_contributing_lists() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for kind, places in PLACES.items():
        row = re.search(rf"^\| an? \*\*{kind}\*\* \| (.*) \|$", page, re.M)[1]
        files = [Path(file).as_posix() for file, _, _ in places]
        files += ["lifelog/predict/predictors/{name}.py"] if kind == "predictor" else []
        assert len(files) <= 3 and all(f"`{file}`" in row for file in files), (kind, row)
        assert row.count("`lifelog/") == len(files), row
