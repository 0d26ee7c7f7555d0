"""score_recovery: how well importance and groups find what was planted in a simulated cohort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from lifelog.config import Groups
from lifelog.groups.vectors import METHODS, user_vectors


def score_recovery(importance: pd.DataFrame, groups: pd.DataFrame, truth: dict[str, Any], settings: Groups) -> dict:
    """Adjusted Rand index of the groups, and the share of each user's planted modalities among its top ones.

    Of a user with p planted modalities, the p most important ones are looked at.
    """
    people = truth["users"]
    planted_groups = [people[user]["group"] for user in groups.user]
    hits: dict[str, dict[str, float]] = {}
    for method in METHODS:
        vectors = user_vectors(importance, method, settings.parts, absent=-np.inf)
        hits[method] = {}
        for user, values in vectors.iterrows():
            planted = set(people[user]["modalities"])
            hits[method][str(user)] = len(planted & set(values.nlargest(len(planted)).index)) / len(planted)
    return {
        "effect": truth["effect"],
        "adjusted_rand_index": float(adjusted_rand_score(planted_groups, groups.group)),
        "planted_on_top": {method: sum(by.values()) / len(by) for method, by in hits.items()},
        "planted_on_top_by_user": hits,
        "planted": {user: list(people[user]["modalities"]) for user in groups.user},
    }
