"""validate_claims: how often claims about single participants are right, on recordings whose truth is known."""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Floats
from lifelog.importance.compare import Intervals, heterogeneity, shapley_intervals
from lifelog.importance.direction import estimate_directions
from lifelog.importance.estimate import estimate_shapley
from lifelog.settings.importance import Shapley
from lifelog.validation.people import Design, simulate_person

COHORT = 12  # participants, in the test whether they differ


def validate_claims(design: Design, seed: int, people: int, settings: Shapley) -> dict[str, Any]:
    """Estimate the importance of many simulated participants of one design.

    Parameters
    ----------
    design : Design
        The kind of recordings; modalities without an effect have the effect 0.
    seed : int
        Seed of the participants.
    people : int
        Number of participants.
    settings : Shapley
        Settings of Shapley values.

    Returns
    -------
    dict
        For JSON: people (with values) and untested (how many of them), false_claims (share of tested people with a
        modality without effect that matters), found (share of modalities with an effect that matter), covered (share of
        intervals that cover the mean value of all people with the same effects), below (share of intervals below 0),
        values (mean by modality), directions (share of intervals of features without effect that exclude 0), pairs
        (share of people with interchangeable modalities), and differ (by modality, share of cohorts of twelve in which
        participants differ; people of such a cohort follow each other).
    """
    effective = np.array(design.effects) > 0
    effective[1] |= design.copy is not None and effective[0]
    bounds, matters, responds, pairs, directions = [], [], [], [], list[bool]()
    for number in range(people):
        features, folds = simulate_person(design, seed, number)
        table, notes = estimate_shapley(features, folds, settings)
        if notes["excluded"]:
            continue
        bounds.append(shapley_intervals(table, settings.level))
        entries = [entry for entry in notes["tests"] if "modality" in entry]
        matters.append([entry.get("p_corrected", np.nan) for entry in entries])
        pairs.append(any(entry["interchangeable"] for entry in entries))
        responds.append(design.responds(number))
        rows = estimate_directions(features, folds, settings.level)
        silent = rows[rows.modality.isin([f"m{m}" for m in np.flatnonzero(~effective)])]
        directions += ((silent.low > 0) | (silent.high < 0)).tolist()
    result = {"people": len(bounds), "pairs": _mean(pairs), "directions": _mean(directions)}
    if not bounds:
        return result
    has_effect = effective & np.array(responds)[:, None]
    joined = Intervals(*(pd.concat(parts) for parts in zip(*bounds, strict=True)))
    return result | _about_values(joined, responds, settings) | _about_tests(np.array(matters), has_effect, settings)


def _mean(claims: Any) -> float | None:
    """Return a share, or None of nothing."""
    return float(np.mean(claims)) if np.size(claims) else None


def _about_values(bounds: Intervals, responds: list[bool], settings: Shapley) -> dict[str, Any]:
    """Return how often intervals cover the mean value, and how often participants are found to differ."""
    means = bounds.value.groupby(np.array(responds)).transform("mean")
    covered = (bounds.low <= means) & (means <= bounds.high)
    return {
        "values": means[responds].iloc[0].round(4).tolist(),
        "covered": _mean(covered.to_numpy()),
        "below": _mean((bounds.high < 0).to_numpy()),
        "differ": _differ(bounds, 1 - settings.level),
    }


def _about_tests(p: Floats, has_effect: Bools, settings: Shapley) -> dict[str, Any]:
    """Return how often modalities without and with an effect matter."""
    tested, claims = ~np.isnan(p[:, 0]), p <= 1 - settings.level
    false_claims = (claims & ~has_effect)[tested].any(axis=1)
    return {
        "untested": int((~tested).sum()),
        "false_claims": _mean(false_claims),
        "found": _mean(claims[tested][has_effect[tested]]),
    }


def _differ(bounds: Intervals, alpha: float) -> list[float]:
    """Return the share of cohorts of twelve people in which they differ, by modality."""
    cohorts = [slice(start, start + COHORT) for start in range(0, len(bounds.value) - COHORT + 1, COHORT // 2)]
    tests = [heterogeneity(Intervals(*(part.iloc[rows] for part in bounds))).p.to_numpy() for rows in cohorts]
    return (np.array(tests) < alpha).mean(axis=0).round(4).tolist() if tests else []


def summarise_claims(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of `validate_claims`, one row per design."""
    columns = ["people", "untested", "false_claims", "found", "covered", "below", "directions", "pairs"]
    rows = []
    for name, result in results.items():
        differ = result.get("differ", [])
        spread = {"differ": differ[0], "others_differ": float(np.mean(differ[1:]))} if differ else {}
        rows.append({"design": name, **{key: result.get(key) for key in columns}, **spread})
    return pd.DataFrame(rows)
