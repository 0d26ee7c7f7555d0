"""score_recovery: how well importance and groups recover the planted truth of a simulated cohort."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from lifelog.importance.measures import MEASURES
from lifelog.importance.vectors import describing, user_vectors


def score_recovery(importance: pd.DataFrame, groups: pd.DataFrame, truth: dict[str, Any]) -> dict[str, Any]:
    """Compare importance and groups with the truth.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    groups : pandas.DataFrame
        The importance groups that describe the participants.
    truth : dict
        The truth of `simulate_cohort`.

    Returns
    -------
    dict
        The adjusted Rand index of the groups, and by measure the share of planted modalities among the most important
        ones: of a user with p planted modalities, the p most important.
    """
    users, described = truth["users"], describing(importance)
    planted_groups = [users[user]["group"] for user in groups.user]
    hits: dict[str, dict[str, float]] = {}
    for measure in filter(set(described.measure).__contains__, MEASURES):
        hits[measure] = {}
        for user, values in user_vectors(described, measure, [], absent=-np.inf).iterrows():
            planted = set(users[user]["modalities"])
            hits[measure][str(user)] = len(planted & set(values.nlargest(len(planted)).index)) / len(planted)
    return {
        "effect": truth["effect"],
        "adjusted_rand_index": float(adjusted_rand_score(planted_groups, groups.group)),
        "planted_on_top": {measure: sum(by_user.values()) / len(by_user) for measure, by_user in hits.items()},
        "planted_on_top_by_user": hits,
        "planted": {user: list(users[user]["modalities"]) for user in groups.user},
    }
