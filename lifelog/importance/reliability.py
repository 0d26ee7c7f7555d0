"""score_importance: stability and faithfulness of a user's importance.

Per user: do halves of the user's recordings agree (more than with other users' halves), do training seeds agree, do
attention and ablation agree, and does removing the most important modalities hurt the network more than removing random
ones (AOPCR: area over the perturbation curve minus that of random orders, as in MILLET, Early et al., ICLR 2024)?
"""

from itertools import combinations

import numpy as np
import pandas as pd

from lifelog.importance.measures import MEASURES, OF_NETWORKS
from lifelog.importance.vectors import blocks_of, describing, user_vectors, window_vectors
from lifelog.settings.importance import Vectors

TOP = 3  # modalities that are compared as the most important ones
LEVEL = 0.95  # of the test that importance is measured
STABLE = 0.5  # minimum rank correlation between seeds for a user's importance to be stable


def score_importance(
    importance: pd.DataFrame, deletion: pd.DataFrame, settings: Vectors, tests: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Score the importance of every user.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    deletion : pandas.DataFrame
        Deletion curves of `extract_importance`, of all users.
    settings : Vectors
        Importance measure that forms the groups.
    tests : pandas.DataFrame, optional
        Table of `read_tests`, for Shapley values.

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
        - halves_{measure}, others_{measure}: Spearman correlation between the odd and the even blocks of the user, and
          mean correlation of the user's odd blocks with the even blocks of other users
        - stable: for networks, whether seeds agree on the importance that forms the groups; for Shapley values, whether
          all modalities together separate the classes better than with exchanged labels

    References
    ----------
    Early, Bewley, Evers, Ramchurn (2022). Non-Markovian reward modelling from trajectory labels via interpretable
    multiple instance learning. NeurIPS.
    Early, Cheung, Cutajar, Xie, Kandola, Twomey (2024). Inherently interpretable time series classification via
    multiple instance learning. ICLR.
    """
    described = describing(importance)
    table = _agreement(described)
    for measure in OF_NETWORKS:
        table = table.join(_seed_agreement(described, measure))
    for measure in OF_NETWORKS:
        table[f"aopcr_{measure}"] = aopcr(deletion, measure)
    for measure in MEASURES:
        table[f"halves_{measure}"], table[f"others_{measure}"] = halves(described, measure)
    if MEASURES[settings.importance].of_networks:
        table["stable"] = ~(table[f"seeds_{settings.importance}"] < STABLE)
    else:
        together = tests[tests.modality.isna()].set_index("user").p if tests is not None else pd.Series(dtype=float)
        table["stable"] = together.reindex(table.index) <= 1 - LEVEL
    return table.reset_index()


# A modality that a user lacks has no rank (absent=nan); otherwise seeds would agree on it.


def _agreement(described: pd.DataFrame) -> pd.DataFrame:
    """Return how far attention and ablation agree on the modalities of each user."""
    pair = [user_vectors(described, measure, [], absent=np.nan) for measure in ("attention", "ablation")]
    windows = [window_vectors(described, measure, [], absent=np.nan) for measure in ("attention", "ablation")]
    top = min(TOP, pair[0].shape[1] - 1)
    shared = [set.intersection(*(set(x.loc[user].nlargest(top).index) for x in pair)) for user in pair[0].index]
    means = rank_correlation(*windows).groupby("user").mean()
    columns = {"agreement": rank_correlation(*pair), "agreement_windows": means}
    return pd.DataFrame(columns, pair[0].index).assign(overlap=[len(names) / top for names in shared])


def _seed_agreement(described: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return how far the importance of each user agrees between training seeds, and how much it differs."""
    seeds = sorted(set(described.seed[described.measure == measure]))
    by_seed = [user_vectors(described, measure, [], [seed], absent=np.nan) for seed in seeds]
    correlations = [rank_correlation(a, b) for a, b in combinations(by_seed, 2)]
    table = pd.DataFrame(index=by_seed[0].index)
    table[f"seeds_{measure}"] = pd.concat(correlations, axis=1).mean(axis=1) if correlations else np.nan
    table[f"std_{measure}"] = np.nanmean(np.stack([x.to_numpy() for x in by_seed]).std(axis=0), axis=1)
    return table


def halves(described: pd.DataFrame, measure: str) -> tuple[pd.Series, pd.Series]:
    """Compare halves of each user's blocks of time with each other, and with those of other users.

    Parameters
    ----------
    described : pandas.DataFrame
        Table of `describing`.
    measure : str
        Importance measure.

    Returns
    -------
    own, others : pandas.Series
        By user: Spearman correlation of the means of odd and even blocks; and mean correlation of the user's odd blocks
        with the even blocks of every other user. NaN for a user with one block.
    """
    windows = window_vectors(described, measure, [], absent=np.nan)
    even = blocks_of(described, windows) % 2 == 0
    first, second = windows[even].groupby("user").mean(), windows[~even].groupby("user").mean()
    both = first.index.intersection(second.index)
    first, second = first.loc[both], second.loc[both]
    own = rank_correlation(first, second)
    others = pd.Series(np.nan, both)
    for user in both:
        rest = second.drop(index=user)
        repeated = pd.DataFrame([first.loc[user]] * len(rest), index=rest.index)
        others[user] = rank_correlation(rest, repeated).mean()
    return own, others


def aopcr(deletion: pd.DataFrame, measure: str) -> pd.Series:
    """Return by user the mean decrease over numbers of removed modalities, minus that of random orders."""
    area = deletion.groupby(["user", "order"]).decrease.mean().unstack()
    return area[measure] - area["random"] if len(area) else pd.Series(dtype=float)


def rank_correlation(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Return the Spearman correlation of each row of `a` with the same row of `b`; NaN if one is constant."""
    return a.rank(axis=1).corrwith(b.reindex(a.index).rank(axis=1), axis=1)
