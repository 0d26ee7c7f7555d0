"""Groups of new participants, with few labels or none: the group whose model fits their windows.

Where a modality matters, labels move its features, so that the windows of a participant spread along the discriminant
of participants like them. The group of a participant without labels is the one whose discriminant scores vary most,
relative to the windows of its members. Labels, where there are some, add their likelihood under the group's model.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats
from lifelog.discriminant import Discriminant, filled, fit_discriminants
from lifelog.groups.assignment import cluster_importance
from lifelog.groups.read import in_order
from lifelog.importance.vectors import describing
from lifelog.settings.groups import Scoring
from lifelog.splits.folds import Folds
from lifelog.standardise import fit_scaling
from lifelog.windows.read import Features

SPREAD_WEIGHT = 10.0  # log-likelihood that a spread e times as large counts as; chosen on simulated cohorts
MIN_SPREAD = 1e-12
LEAST_PROBABILITY = 1e-3  # of a label, so that no window decides alone


class Placer(NamedTuple):
    """What places a participant in a group: its discriminant, and the mean variance of its scores in member windows."""

    model: Discriminant
    spread: float


def fit_group(members: Sequence[tuple[Floats, Codes]], classes: int, shrinkage: float) -> Placer:
    """Fit the discriminant of a group.

    Parameters
    ----------
    members : sequence of (ndarray of float, ndarray of int)
        By member: features, shape (n_windows, n_features), standardised by this member, and class numbers.
    classes : int
        Number of classes.
    shrinkage : float
        Of the correlations of features.

    Returns
    -------
    Placer
        For `place_person`.
    """
    x, truth = (np.concatenate(parts) for parts in zip(*members, strict=True))
    (model,) = fit_discriminants(x, truth, classes, [shrinkage])
    return Placer(model, float(np.mean([_spread(model, values) for values, _ in members])))


def place_person(values: Floats, groups: Sequence[Placer], truth: Codes | None = None) -> int:
    """Return the number of the group of a new participant.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, n_features)
        Features, standardised by these windows.
    groups : sequence of Placer
        Of `fit_group`.
    truth : ndarray of int, optional
        Classes of the first windows, if these have labels.

    Returns
    -------
    int
        Number of the group.
    """
    fits = []
    for model, spread in groups:
        ratio = (_spread(model, values) + MIN_SPREAD) / (spread + MIN_SPREAD)
        fits.append(SPREAD_WEIGHT * np.log(ratio))
        if truth is not None:
            likelihood = model.probabilities(values[: len(truth)])[np.arange(len(truth)), truth]
            fits[-1] += np.log(np.maximum(likelihood, LEAST_PROBABILITY)).sum()
    return int(np.argmax(fits))


def _spread(model: Discriminant, values: Floats) -> float:
    return float(model.scores(values).var(axis=0).sum())


class UnseenFold(NamedTuple):
    """The groups of a fold that tests whole participants.

    Attributes
    ----------
    fold : int
        Its number.
    table : pandas.DataFrame
        user, group.
    placing : dict of str to Placer
        By group, the discriminants that place a new participant; empty for one group of everybody.
    """

    fold: int
    table: pd.DataFrame
    placing: dict[str, Placer]


def group_unseen(
    importance: pd.DataFrame, settings: Scoring, features: Sequence[Features], folds: Sequence[Folds], shrinkage: float
) -> pd.DataFrame:
    """Form groups by importance under a split of participants: those of `fold_groups` in the columns of `group_users`.

    Parameters
    ----------
    importance, settings, features, folds, shrinkage
        As of `fold_groups`.

    Returns
    -------
    pandas.DataFrame
        By tested fold.
    """
    found = fold_groups(importance, settings, features, folds, shrinkage)
    tables = [one.table.sort_values("user").assign(fold=one.fold, grouping=1) for one in found]
    return in_order(pd.concat(tables, ignore_index=True))


def fold_groups(
    importance: pd.DataFrame, settings: Scoring, features: Sequence[Features], folds: Sequence[Folds], shrinkage: float
) -> Iterator[UnseenFold]:
    """Form groups by importance in every fold that tests whole participants.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`, of another split; only the rows of all windows are used.
    settings : Scoring
        Vectors, clustering and number of groups.
    features : sequence of Features
        Features of all participants.
    folds : sequence of Folds
        Of `assign_splits` under the split of participants, in the same order.
    shrinkage : float
        Of the correlations of features.

    Yields
    ------
    UnseenFold
        The groups of a fold are those of the participants that it does not test; tested ones, whose labels are not
        used, and those without importance are placed by their windows.
    """
    people, described = labelled_people(features, folds), describing(importance)
    described = described[described.user.isin(people)]
    tested = {str(split.user): split.tested[0] for split in folds if split.tested}
    for fold in sorted(set(tested.values())):
        members = described[described.user.map(tested) != fold]
        if members.empty:  # importance is measured for tested participants only
            yield UnseenFold(fold, pd.DataFrame({"user": [*people], "group": "group 1"}), {})
            continue
        table = cluster_importance(members, settings)
        groups = fit_placers(people, table, len(folds[0].classes), shrinkage)
        others = [user for user in people if user not in set(table.user)]
        placed = [list(groups)[place_person(people[user][0], [*groups.values()])] for user in others]
        table = pd.concat([table, pd.DataFrame({"user": others, "group": placed})])
        yield UnseenFold(fold, table, groups)


def labelled_people(features: Sequence[Features], folds: Sequence[Folds]) -> dict[str, tuple[Floats, Codes]]:
    """Return the labelled windows of participants who are not excluded: features, scaled by participant, and classes.

    Parameters
    ----------
    features : sequence of Features
        Features of all participants.
    folds : sequence of Folds
        Their folds, in the same order.

    Returns
    -------
    dict of str to (ndarray of float, ndarray of int)
        By participant.
    """
    people = {}
    for of_user, split in zip(features, folds, strict=True):
        if split.excluded is None:
            used, codes = split.described.label.notna().to_numpy(), {name: i for i, name in enumerate(split.classes)}
            labels = split.described.label[used].map(codes).to_numpy(dtype=int)
            people[str(split.user)] = scaled_by_themselves(of_user.summary[used]), labels
    return people


def scaled_by_themselves(summary: Floats) -> Floats:
    """Return the features of a participant's windows, scaled by all of them, the mean instead of missing values."""
    raw = summary.astype(np.float64)
    return filled(fit_scaling([raw], raw.shape[1], "user"), raw)


def fit_placers(
    people: Mapping[str, tuple[Floats, Codes]], groups: pd.DataFrame, classes: int, shrinkage: float
) -> dict[str, Placer]:
    """Fit what places a participant in one of some groups.

    Parameters
    ----------
    people : mapping of str to (ndarray of float, ndarray of int)
        Of `labelled_people`.
    groups : pandas.DataFrame
        user, group.
    classes : int
        Number of classes.
    shrinkage : float
        Of the correlations of features.

    Returns
    -------
    dict of str to Placer
        By group, in the order of names.
    """
    members = {name: [user for user in groups.user[groups.group == name] if user in people] for name in groups.group}
    return {
        name: fit_group([people[user] for user in members[name]], classes, shrinkage)
        for name in sorted(members)
        if members[name]
    }
