from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from lifelog.config import Config
from lifelog.settings.importance import Shapley
from lifelog.settings.splits import BlockedSplit
from lifelog.validation.bundles import summarise_bundles, validate_bundles
from lifelog.validation.claims import summarise_claims, validate_claims
from lifelog.validation.decisions import summarise_decisions, validate_decisions
from lifelog.validation.groups import Kinds, summarise_groups, validate_groups
from lifelog.validation.importance import summarise_importance, validate_importance
from lifelog.validation.people import Design
from lifelog.validation.probabilities import summarise_probabilities, validate_probabilities
from lifelog.validation.scenarios import RIGHT_STRATEGIES, SCENARIOS, SEEDS, SENSOR_LINES, STRATEGIES, Scenario
from lifelog.validation.sensors import summarise_sensors, validate_sensors
from lifelog.validation.strategies import summarise_strategies, validate_strategies
from tests.workflow import Workflow


def test_a_scenario_runs_from_windows_to_groups() -> None:
    """Shapley values distinguish two kinds of people. Networks are trained only by `snakemake validation`."""
    result = validate_importance(Scenario((3, 3), 60, 1.5), 0, False, Config())
    assert result["shapley"]["on_top"] >= 0.9 and result["shapley"]["rand"] == 1 and result["shapley"]["groups"] == 2
    assert result["false_claims"] < 0.2 and result["found"] > 0.5 and result["heterogeneous"]
    table = summarise_importance({"plain-40-1.5-0": result, "plain-40-1.5-1": result})
    assert table.measure.tolist() == ["shapley", "shrunken"] and table.one_group.tolist()[0] == 0


def test_claims_about_simulated_people() -> None:
    settings = Shapley(draws=99)
    design = Design(6, 10, effects=(2.5, 0, 0), responders=0.5, unequal=True)
    result = validate_claims(design, 0, 12, settings)
    assert result["people"] == 12 and result["untested"] == 0 and result["pairs"] == 0
    assert result["found"] >= 0.8 and result["false_claims"] <= 0.2 and result["values"][0] > 0.2
    assert result["differ"] == [1.0, 0.0, 0.0] and result["covered"] > 0.8
    copies = validate_claims(replace(design, responders=1, copy=0.01), 0, 4, settings)
    assert copies["pairs"] == 1 and copies["values"][0] == pytest.approx(copies["values"][1], abs=0.03)
    untested = validate_claims(Design(1, 60), 0, 2, settings)
    assert untested["untested"] == 2 and untested["found"] is None and untested["false_claims"] is None
    table = summarise_claims({"half": result, "copies": copies, "one": untested, "none": {"people": 0}})
    assert table.differ.tolist()[0] == 1 and table.others_differ[0] == 0 and table.people.tolist() == [12, 4, 2, 0]


def test_groups_of_simulated_people() -> None:
    kinds = Kinds(Design(6, 10), 2.0, (3, 3))
    result = validate_groups(kinds, range(1), Config())
    assert result == {"rand": [1], "groups": [2], "rand_kmeans": [1], "on_top": [1]}
    one = validate_groups(kinds._replace(sizes=(4,)), range(1), Config())
    assert one["groups"] == [1] and one["rand_kmeans"] == [None]
    table = summarise_groups({"two": result, "one": one})
    assert table.one_group.tolist() == [0, 1] and table.rand.tolist() == [1, 1] and table.cohorts.tolist() == [1, 1]


def test_decisions_about_simulated_people() -> None:
    config = Config(groups={"random": 20, "k": 2})
    kinds = Kinds(Design(4, 10, individual=True), 2.5, (3, 3))
    result = validate_decisions(kinds, BlockedSplit(name="b", folds=2), range(1), config)
    assert result["personal"][0] > 0.75 and result["groups"] == [2] and result["tested"] == [6]
    assert result["leak"][0] in ("no_leak", "time_informative") and 0 < result["p_random"][0] <= 1
    table = summarise_decisions({"a": result, "b": result | {"p": [None], "outcome": ["gain_not_shown"]}})
    assert table.not_shown.tolist()[1] == 1 and table.p_05.isna().tolist() == [False, True]


def test_the_right_strategy_is_recommended_and_no_gain_is_claimed_without_an_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(RIGHT_STRATEGIES, "groups", (Scenario((4, 4), 60, 1.5), ("importance",)))
    monkeypatch.setitem(RIGHT_STRATEGIES, "nothing", (Scenario((4, 4), 30, 0.0), (None,)))
    config = Config(groups={"random": 20})
    groups, nothing = (validate_strategies(kind, 0, config) for kind in ("groups", "nothing"))
    assert groups["right"] and groups["recommended"] == "importance" and groups["groups"] == 2
    assert groups["outcome"] == "gain" and groups["difference"] > 0.05
    assert not nothing["outcome"].startswith("gain") and abs(nothing["scores"]["global"] - 1 / 3) < 0.15
    assert nothing["right"] and nothing["recommended"] is None
    results = {"groups-0-32": groups, "groups-1-32": groups, "groups-1-33": groups, "nothing-0-32": nothing}
    table = summarise_strategies(results | {"groups-0-33": groups | {"recommended": None}}).set_index("kind")
    assert table.loc["groups", ["splits", "same"]].tolist() == [2, 1] and table.splits["nothing"] == 0
    assert table.loc["groups", ["cohorts", "right", "gains"]].tolist() == [2, 2, 2]
    assert table.loc["nothing", "gains"] == 0 and table.importance["groups"] == groups["scores"]["importance"]


def test_the_validation_can_be_planned(tmp_path: Path) -> None:
    """The seeds of the files are no names of splits."""
    workflow = Workflow(tmp_path / "run")
    jobs = workflow.rules("validation")
    assert jobs["validate_strategies"] == len(STRATEGIES) == 80
    assert jobs["validate_importance"] == len(SCENARIOS) * len(SEEDS)


def test_calibrated_probabilities_of_rare_classes_are_better_than_constant_shares() -> None:
    design = Design(8, 10, shares=(0.85, 0.15), memory=0.3, run=3)
    rows = validate_probabilities(Kinds(design, 0.8, (4, 4)), range(2), Config())
    table = summarise_probabilities({"one": rows, "two": rows}).set_index(["line", "predictor", "scheme"]).loc["one"]
    assert table.index.tolist() == [*product(("lda", "boosting"), ("global", "personal"))]
    of_lda = table.loc["lda", "global"]
    assert of_lda.log_loss < of_lda.constant < of_lda.raw_log_loss and of_lda.better == of_lda.cohorts == 2
    assert of_lda.class_error < 0.6 * of_lda.raw_class_error and table.coverage.between(0.8, 0.95).all()


def test_a_bundle_scores_another_cohort_with_other_devices_as_well() -> None:
    table = summarise_bundles({"alike": validate_bundles(Scenario((4,), 40), range(1), Config())})
    found = table.set_index("shift")
    assert found.index.tolist() == ["none", "gain", "offset", "rate"]
    assert (found.auroc > 0.75).all() and found.auroc.min() > found.auroc["none"] - 0.05


def test_the_planted_sensors_are_found_enough() -> None:
    design, planted = SENSOR_LINES["pair"]
    results = {"pair": validate_sensors(Design(**design), range(2), Config())}
    everyone, each = summarise_sensors(results, {"pair": planted}).itertuples()
    assert (everyone.scope, everyone.cohorts, everyone.right, everyone.sensors) == ("everyone", 2, 2, 2.0)
    assert each.scope == "each participant" and everyone.lost < 0.01
