"""validate_groups: whether groups are right, on cohorts that look like recordings and whose truth is known."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from lifelog.config import Config
from lifelog.groups.clustering import best_k, cluster_profiles
from lifelog.importance.estimate import estimate_shapley
from lifelog.importance.vectors import Profiles, profiles
from lifelog.settings.groups import Groups
from lifelog.validation.people import Design, simulate_person

MODALITIES = 9
PLANTED = 2  # of each kind of people
FEWEST_DRAWS = 99  # of the test of modalities, which groups do not use


class Kinds(NamedTuple):
    """A cohort of several kinds of people, which differ in the two modalities that respond.

    Attributes
    ----------
    design : Design
        The kind of recordings.
    effect : float
        Effect of the label on these modalities.
    sizes : tuple of int
        People of each kind.
    strengths : tuple of float
        Smallest and largest strength of a person, by which the effect is multiplied.
    """

    design: Design
    effect: float
    sizes: tuple[int, ...] = (3, 3, 3, 3)
    strengths: tuple[float, float] = (1.0, 1.0)


def validate_groups(kinds: Kinds, seeds: range, config: Config) -> dict[str, Any]:
    """Estimate importance and groups of simulated cohorts.

    Parameters
    ----------
    kinds : Kinds
        The cohort.
    seeds : range
        Seeds of the cohorts.
    config : Config
        Settings of Shapley values and groups.

    Returns
    -------
    dict
        For JSON, by cohort: rand (adjusted Rand index), groups (their number), rand_kmeans (of k-means with as many
        groups as kinds), and on_top (share of planted modalities among as many most important ones).
    """
    cohorts = [_cohort(kinds, seed, config) for seed in seeds]
    return {key: [cohort[key] for cohort in cohorts] for key in cohorts[0]}


def _cohort(kinds: Kinds, seed: int, config: Config) -> dict[str, Any]:
    shapley = config.shapley.model_copy(update={"draws": FEWEST_DRAWS})
    kind_of = np.repeat(np.arange(len(kinds.sizes)), kinds.sizes)
    people = (simulate_person(design, seed, number) for number, design in enumerate(designs(kinds, seed)))
    tables = [estimate_shapley(*person, shapley).table for person in people]
    found = profiles(pd.concat(tables), config.groups)
    truth = {f"p{number}": int(kind) for number, kind in enumerate(kind_of)}
    hits = [_hits(row, truth[str(user)]) for user, row in found.users.iterrows()]
    k_means = config.groups.model_copy(update={"algorithm": "kmeans", "unit": "users"})
    labels = cluster_profiles(found, [len(kinds.sizes)], k_means)[len(kinds.sizes)] if len(kinds.sizes) > 1 else None
    of_kmeans = None if labels is None else float(adjusted_rand_score([truth[u] for u in found.users.index], labels))
    return recovered(found, config.groups, truth) | {"rand_kmeans": of_kmeans, "on_top": float(np.mean(hits))}


def designs(kinds: Kinds, seed: int) -> Iterator[Design]:
    """Yield the recordings of each participant of a cohort."""
    kind_of = np.repeat(np.arange(len(kinds.sizes)), kinds.sizes)
    strengths = np.random.default_rng([seed, len(kind_of)]).uniform(*kinds.strengths, len(kind_of))
    for kind, strength in zip(kind_of, strengths, strict=True):
        effects = np.zeros(MODALITIES)
        effects[PLANTED * kind : PLANTED * (kind + 1)] = kinds.effect * strength
        yield replace(kinds.design, effects=tuple(effects.tolist()))


def _hits(values: pd.Series, kind: int) -> float:
    """Return the share of planted modalities among as many most important ones."""
    planted = {f"m{m}" for m in range(PLANTED * kind, PLANTED * (kind + 1))}
    return len(planted & set(values.nlargest(PLANTED).index)) / PLANTED


def recovered(found: Profiles, settings: Groups, truth: dict[str, int]) -> dict[str, Any]:
    """Return how well groups recover the kinds of people.

    Parameters
    ----------
    found : Profiles
        Importance of users.
    settings : Groups
        Settings of groups.
    truth : dict of str to int
        Kind of each user that has one.

    Returns
    -------
    dict
        rand: adjusted Rand index of users that have a kind; groups: number of groups.
    """
    k = best_k(found, settings)
    labels = cluster_profiles(found, [k], settings.model_copy(update={"unit": "users"}))[k]
    known = [i for i, user in enumerate(found.users.index) if user in truth]
    kinds = [truth[found.users.index[i]] for i in known]
    return {"rand": float(adjusted_rand_score(kinds, labels[known])), "groups": k}


def summarise_groups(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of `validate_groups`, one row per kind of cohort: means over cohorts."""
    rows = []
    for name, result in results.items():
        groups = np.array(result["groups"])
        row = {"cohort": name, "cohorts": len(groups), "rand": np.mean(result["rand"]), "groups": groups.mean()}
        row |= {"one_group": (groups == 1).mean(), "on_top": np.mean(result["on_top"])}
        known = [rand for rand in result["rand_kmeans"] if rand is not None]
        rows.append(row | {"rand_kmeans": np.mean(known) if known else None})
    return pd.DataFrame(rows)
