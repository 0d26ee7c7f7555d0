"""place_user: the group of a new user beside a finished run, and the stability of that assignment.

The run is only read. The windows, split, networks and importance of the new user come from the same stages as those of
the run.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from lifelog.arrays import Floats
from lifelog.importance.vectors import grouping_vectors, resamples
from lifelog.settings.groups import Clustering

DRAWS = 200  # resamples of the new user's blocks and seeds


@dataclass(frozen=True)
class Placement:
    """The group of a new user in a run.

    Attributes
    ----------
    group : str
        Name of the group.
    stability : float
        Share of resamples of the user's blocks of time and training seeds with the same group.
    silhouette : float or None
        -1 to 1, of the user among the users of the run; positive if the user's group is the nearest; None for one
        group.
    outlier : bool or None
        Whether the user is farther from the centre than every member is from that of the other members, as about one in
        n + 1 true members of a group of n would be. None for a group of one member.
    distances : dict of str to float
        To the centre of each group.
    members : list of str
        Members of the group.
    """

    group: str
    stability: float
    silhouette: float | None
    outlier: bool | None
    distances: dict[str, float]
    members: list[str]


def place_user(
    importance: pd.DataFrame,
    run_importance: pd.DataFrame,
    groups: pd.DataFrame,
    settings: Clustering,
    draws: int = DRAWS,
) -> Placement:
    """Assign a new user to the group with the nearest centre (of most windows, if windows were clustered).

    Parameters
    ----------
    importance : pandas.DataFrame
        Importance of the new user: of a fold, or of `describing`.
    run_importance : pandas.DataFrame
        Importance that describes the users of the run.
    groups : pandas.DataFrame
        Importance groups of the run: user, group.
    settings : Clustering
        Vectors and unit, as in the run, and the seed of the resamples.
    draws : int
        Number of resamples of the new user's blocks and seeds; 0 for an unknown stability.

    Returns
    -------
    Placement
        The group and its stability.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifelog import Clustering, place_user
    >>> def importance(user, first, second):
    ...     starts = pd.date_range("2025-01-01", periods=4, freq="h", tz="UTC")
    ...     tables = [pd.DataFrame({"modality": "hr", "importance": first, "start": starts})]
    ...     tables += [pd.DataFrame({"modality": "eda", "importance": second, "start": starts})]
    ...     keys = dict(user=user, fold=float("nan"), subset="train", seed=0, measure="shapley")
    ...     return pd.concat(tables).assign(**keys, block=[0, 1, 2, 3] * 2)
    >>> run = pd.concat([importance("a", 0.3, 0.0), importance("b", 0.2, 0.0), importance("c", 0.0, 0.3)])
    >>> groups = pd.DataFrame({"user": ["a", "b", "c"], "group": ["group 1", "group 1", "group 2"]})
    >>> place_user(importance("new", 0.25, 0.01), run, groups, Clustering(algorithm="kmeans")).group
    'group 1'
    """
    users = grouping_vectors(run_importance, settings).groupby("user").mean().loc[list(groups.user)]
    centres = users.groupby(groups.group.to_numpy()).mean()
    windows = grouping_vectors(importance, settings).reindex(columns=users.columns, fill_value=0.0)
    number = _nearest(windows.to_numpy(), centres.to_numpy(), settings.unit)
    same = 0
    for drawn in resamples(importance, settings, settings.seed, draws):
        whole = drawn.users if settings.unit == "users" else drawn.windows
        vectors = whole.reindex(columns=users.columns, fill_value=0.0).to_numpy()
        same += _nearest(vectors, centres.to_numpy(), settings.unit) == number
    stability = same / draws if draws else float("nan")
    return _placement(windows.to_numpy().mean(axis=0), users, groups, centres, number, stability)


def _placement(
    vector: Floats, users: pd.DataFrame, groups: pd.DataFrame, centres: pd.DataFrame, number: int, stability: float
) -> Placement:
    """Return the group of a number, and how well the user's vector fits it."""
    group = str(centres.index[number])
    members = list(groups.user[groups.group == group])
    silhouette = None
    if len(centres) > 1:
        silhouette = float(silhouette_samples(np.vstack([users, vector]), [*groups.group, group])[-1])
    correction = len(members) / max(1, len(members) - 1)  # a member attracts the centre, the new user does not
    radii = correction * cdist(users.loc[members].to_numpy(), centres.to_numpy())[:, number]
    distances = cdist(vector[None], centres.to_numpy())[0]
    outlier = bool(distances[number] > radii.max()) if len(members) > 1 else None
    by_group = {str(name): float(d) for name, d in zip(centres.index, distances, strict=True)}
    return Placement(group, stability, silhouette, outlier, by_group, members)


def _nearest(windows: Floats, centres: Floats, unit: str) -> int:
    """Return the number of the nearest centre."""
    if unit == "users":
        return int(cdist(windows.mean(axis=0)[None], centres)[0].argmin())
    return int(np.bincount(cdist(windows, centres).argmin(axis=1)).argmax())
