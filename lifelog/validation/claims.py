"""validate_claims: how often claims about single participants are right, on recordings whose truth is known."""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.importance.compare import shapley_intervals
from lifelog.importance.direction import estimate_directions
from lifelog.importance.estimate import estimate_shapley
from lifelog.settings.importance import Shapley
from lifelog.validation.people import Design, simulate_person


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
        intervals that cover the mean value of all people), below (share of intervals below 0), values (mean by
        modality), and directions (share of intervals of features without effect that exclude 0).
    """
    effective = np.array(design.effects) > 0
    bounds, matters, directions = [], [], list[bool]()
    for number in range(people):
        features, folds = simulate_person(design, seed, number)
        table, notes = estimate_shapley(features, folds, settings)
        if notes["excluded"]:
            continue
        bounds.append(shapley_intervals(table, settings.level))
        p = [entry.get("p_corrected", np.nan) for entry in notes["tests"] if "modality" in entry]
        matters.append(np.where(np.isnan(p), np.nan, np.array(p) <= 1 - settings.level))
        rows = estimate_directions(features, folds, settings.level)
        silent = rows[rows.modality.isin([f"m{m}" for m in np.flatnonzero(~effective)])]
        directions += ((silent.low > 0) | (silent.high < 0)).tolist()
    result: dict[str, Any] = {"people": len(bounds), "untested": people}
    if bounds:
        value, low, high = (np.concatenate([x[i].to_numpy() for x in bounds]) for i in (0, 2, 3))
        claims = np.array(matters)
        tested = ~np.isnan(claims[:, 0])
        mean = value.mean(axis=0)
        result |= {"untested": int((~tested).sum()), "values": mean.round(4).tolist()}
        result |= {"covered": float(((low <= mean) & (mean <= high)).mean()), "below": float((high < 0).mean())}
        if tested.any():
            result["false_claims"] = float((claims[tested][:, ~effective] == 1).any(axis=1).mean())
            result["found"] = float(claims[tested][:, effective].mean()) if effective.any() else None
    return result | {"directions": float(np.mean(directions)) if directions else None}


def summarise_claims(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of `validate_claims`, one row per design."""
    columns = ["people", "untested", "false_claims", "found", "covered", "below", "directions"]
    rows = [{"design": name, **{key: result.get(key) for key in columns}} for name, result in results.items()]
    return pd.DataFrame(rows)
