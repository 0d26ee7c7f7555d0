"""score_importance: stability and faithfulness of a user's importance.

Per user: do training seeds agree, do attention and ablation agree, and does removing the most important modalities hurt
the network more than removing random ones (AOPCR: area over the perturbation curve minus that of random orders, as in
MILLET, Early et al., ICLR 2024)?
"""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from lifelog.groups.vectors import user_vectors, window_vectors
from lifelog.mil.measures import MEASURES
from lifelog.settings.groups import Vectors

TOP = 3  # modalities that are compared as the most important ones
STABLE = 0.5  # minimum rank correlation between seeds for a user's importance to be stable


def score_importance(importance: pd.DataFrame, deletion: pd.DataFrame, settings: Vectors) -> pd.DataFrame:
    """Score the importance of every user.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    deletion : pandas.DataFrame
        Deletion curves of `extract_importance`, of all users.
    settings : Vectors
        Importance measure that forms the groups, and subsets.

    Returns
    -------
    pandas.DataFrame
        One row per user:

        - agreement, agreement_windows: Spearman correlation of attention with ablation, of the means, and mean over
          windows
        - overlap: share of the three most important modalities (all but one, if there are few) in both measures
        - seeds_{measure}: mean Spearman correlation between training seeds, NaN for one seed
        - std_{measure}: standard deviation over seeds, mean over modalities
        - aopcr_{measure}: on test windows, in nats; positive values: the order finds what the network uses
        - stable: whether seeds agree on the importance that forms the groups
    """
    # A modality that a user lacks has no rank; otherwise seeds would agree on it.
    users = partial(user_vectors, importance, subsets=settings.subsets, absent=np.nan)
    windows = partial(window_vectors, importance, subsets=settings.subsets, absent=np.nan)
    vectors = {measure: users(measure) for measure in MEASURES}
    pair = vectors["attention"], vectors["ablation"]
    table = pd.DataFrame(index=pair[0].index)
    table["agreement"] = rank_correlation(*pair)
    table["agreement_windows"] = rank_correlation(windows("attention"), windows("ablation")).groupby("user").mean()
    top = min(TOP, pair[0].shape[1] - 1)
    table["overlap"] = [
        len(set.intersection(*(set(own.loc[user].nlargest(top).index) for own in pair))) / top for user in table.index
    ]
    seeds = sorted(set(importance.seed))
    for measure in MEASURES:
        by_seed = [users(measure, seeds=[seed]) for seed in seeds]
        correlations = [rank_correlation(a, b) for a, b in combinations(by_seed, 2)]
        table[f"seeds_{measure}"] = pd.concat(correlations, axis=1).mean(axis=1) if correlations else np.nan
        table[f"std_{measure}"] = np.nanmean(np.stack([own.to_numpy() for own in by_seed]).std(axis=0), axis=1)
    for measure in MEASURES:
        table[f"aopcr_{measure}"] = aopcr(deletion, measure)
    table["stable"] = ~(table[f"seeds_{settings.importance}"] < STABLE)
    return table.reset_index()


def aopcr(deletion: pd.DataFrame, measure: str, subset: str = "test") -> pd.Series:
    """Return by user the mean decrease over numbers of removed modalities, minus that of random orders."""
    rows = deletion[deletion.subset == subset]
    area = rows.groupby(["user", "order"]).decrease.mean().unstack()
    return area[measure] - area["random"] if len(area) else pd.Series(dtype=float)


def rank_correlation(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Return the Spearman correlation of each row of `a` with the same row of `b`; NaN if one is constant."""
    return a.rank(axis=1).corrwith(b.reindex(a.index).rank(axis=1), axis=1)
