from lifelog.config import Config
from lifelog.validation.cohorts import Scenario
from lifelog.validation.importance import summarise_importance, validate_importance
from lifelog.validation.verdicts import markdown, summarise_validation


def cohort(outcome: str, difference: float) -> dict:
    finding = {"predictor": "boosting", "outcome": outcome, "global": 0.7, "importance": 0.7 + difference}
    finding |= {"difference": difference, "p_holm": 0.01, "random": 0.6, "p_random": 0.048, "sentence": "…"}
    recovery = {"adjusted_rand_index": 0.5, "planted_on_top": {"attention": 1.0, "ablation": 0.8}}
    return {"verdict": {"findings": [finding]}, "recovery": recovery}


def test_cohorts_stand_side_by_side_and_claims_are_counted() -> None:
    found = {
        "groups-0": cohort("gain", 0.2),
        "groups-1": cohort("gain_not_shown", 0.1),
        "nothing-0": cohort("undecided", 0.0),
    }
    table = summarise_validation(found)
    assert table.variant.tolist() == ["groups", "groups", "nothing"] and table.seed.tolist() == [0, 1, 0]
    text = markdown(table)
    assert "**groups**: a gain by importance is claimed in 1 of 2; mean difference +0.150" in text
    assert "**nothing**: a gain by importance is claimed in 0 of 1" in text
    assert text.count("|") == (2 + 3) * (len(table.columns) - 1 + 1)


def test_a_scenario_runs_from_windows_to_groups() -> None:
    """Values distinguish two kinds of people. Networks are trained only by `snakemake validation`."""
    result = validate_importance(Scenario((3, 3), 60, 1.5), 0, False, Config())
    assert result["value"]["on_top"] >= 0.9 and result["value"]["rand"] == 1 and result["value"]["groups"] == 2
    assert result["false_claims"] < 0.2 and result["found"] > 0.5 and result["heterogeneous"]
    table = summarise_importance({"plain-40-1.5-0": result, "plain-40-1.5-1": result})
    assert table.measure.tolist() == ["value", "shrunken"] and table.one_group.tolist()[0] == 0
