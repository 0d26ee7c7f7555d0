"""Vectors that describe windows and users: importance (mean over seeds), or raw features."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Codes
from lifelog.blocks import variance_of_means
from lifelog.importance.measures import MEASURES, OF_NETWORKS
from lifelog.settings.importance import Vectors
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features

MIN_VARIANCE = 1e-6  # the square of a thousandth


def describing(importance: pd.DataFrame) -> pd.DataFrame:
    """Return the importance that describes the participants.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.

    Returns
    -------
    pandas.DataFrame
        The rows without a fold. Of networks, which are trained in folds only, the rows of the windows that each of them
        was not trained on, neither for its weights nor for its epoch: the test windows of all folds.
    """
    tested = importance.measure.isin(OF_NETWORKS) & (importance.subset == "test")
    return importance[importance.fold.isna() | tested].assign(fold=np.nan).reset_index(drop=True)


def window_vectors(
    importance: pd.DataFrame, measure: str, subsets: Sequence[str], seeds: list[int] | None = None, absent: float = 0.0
) -> pd.DataFrame:
    """Return the importance of each window.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    measure : str
        Importance measure.
    subsets : sequence of str
        Subsets of a fold whose windows are used; all windows of importance that describes the participants.
    seeds : list of int, optional
        Seeds to average; all seeds by default.
    absent : float, default 0
        Value of a modality that the user lacks in all windows.

    Returns
    -------
    pandas.DataFrame
        One row per window (index: user, start), one column per modality. A modality that is missing in a window has the
        user's mean.
    """
    rows = importance[importance.measure == measure]
    if MEASURES[measure].of_networks:  # a Shapley value is that of training and validation windows together
        rows = rows[rows.fold.isna() | rows.subset.isin(subsets)]
    if seeds is not None:
        rows = rows[rows.seed.isin(seeds)]
    table = rows.pivot_table(index=["user", "start"], columns="modality", values="importance", observed=True)
    table = table.reindex(columns=list(dict.fromkeys(importance.modality)))
    return table.fillna(table.groupby("user").transform("mean")).fillna(absent)


def user_vectors(
    importance: pd.DataFrame, measure: str, subsets: Sequence[str], seeds: list[int] | None = None, absent: float = 0.0
) -> pd.DataFrame:
    """Return the mean importance of each user.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    measure : str
        Importance measure.
    subsets : sequence of str
        Subsets of a fold whose windows are used; all windows of importance that describes the participants.
    seeds : list of int, optional
        Seeds to average; all seeds by default.
    absent : float, default 0
        Value of a modality that the user lacks in all windows.

    Returns
    -------
    pandas.DataFrame
        One row per user, one column per modality: the mean over the windows that have the modality.
    """
    return window_vectors(importance, measure, subsets, seeds, absent).groupby("user").mean()


@dataclass(frozen=True)
class Profiles:
    """The importance of users, for grouping.

    Attributes
    ----------
    windows : pandas.DataFrame
        Importance of each window as shares or values; index: user, start; one column per modality.
    users : pandas.DataFrame
        Mean of each user; index: user.
    errors : pandas.DataFrame
        Variance of the error of each user's mean; index: user.
    """

    windows: pd.DataFrame
    users: pd.DataFrame
    errors: pd.DataFrame


def profiles(importance: pd.DataFrame, settings: Vectors) -> Profiles:
    """Return the importance of users and windows by the measure that forms the groups.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    settings : Vectors
        Importance measure and subsets.

    Returns
    -------
    Profiles
        With errors from blocks of time and training seeds.
    """
    windows = grouping_vectors(importance, settings)
    users = windows.groupby("user").mean()
    errors = mean_errors(importance, settings.importance, windows)
    seeds = sorted(set(importance.seed[importance.measure == settings.importance]))
    if len(seeds) > 1:  # pooled over users, since there are few seeds
        means = [grouping_vectors(importance, settings, [seed]).groupby("user").mean() for seed in seeds]
        between = np.var([mean.reindex(users.index).to_numpy() for mean in means], axis=0, ddof=1).mean(axis=0)
        errors = errors + between / len(seeds)
    return Profiles(windows, users, smooth_errors(errors))


def resamples(importance: pd.DataFrame, settings: Vectors, seed: int, draws: int) -> Iterator[Profiles]:
    """Yield the importance in resampled blocks of time and training seeds.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    settings : Vectors
        Importance measure and subsets.
    seed : int
        Seed of the resampling.
    draws : int
        Number of resamples.

    Yields
    ------
    Profiles
        As many blocks per user, and as many seeds, as in the data, drawn with replacement.
    """
    rng = np.random.default_rng(seed)
    measured = importance[importance.measure == settings.importance]
    seeds = sorted(set(measured.seed))
    by_seed = [window_vectors(measured, settings.importance, settings.subsets, [seed]) for seed in seeds]
    blocks, widening = blocks_of(measured, by_seed[0]), np.sqrt(_errors(measured, by_seed[0]).factor)
    whole = as_shares(sum(by_seed) / len(seeds), settings.importance).groupby("user").mean()
    of_user: dict[str, list[Codes]] = {}
    for (user, _), positions in blocks.groupby(["user", blocks.to_numpy()]).indices.items():
        of_user.setdefault(user, []).append(positions)
    for _ in range(draws):
        total = sum(by_seed[i] for i in rng.integers(0, len(seeds), len(seeds)))
        mean = as_shares(total / len(seeds), settings.importance)
        picked = [pieces[i] for pieces in of_user.values() for i in rng.integers(0, len(pieces), len(pieces))]
        drawn = mean.iloc[np.concatenate(picked)]
        names = pd.Series(np.concatenate([np.full(len(piece), i) for i, piece in enumerate(picked)]), drawn.index)
        # Resampled blocks show the error of held-out windows; that of training is larger by a factor.
        users = whole + (drawn.groupby("user").mean() - whole).mul(widening, axis=0)
        yield Profiles(drawn, users, smooth_errors(mean_errors(measured, settings.importance, drawn, names)))


def blocks_of(importance: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
    """Return the block of time of each window.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    windows : pandas.DataFrame
        Window vectors.

    Returns
    -------
    pandas.Series
        In the order of the windows.
    """
    blocks = importance.drop_duplicates(["user", "start"]).set_index(["user", "start"]).block
    return blocks.reindex(windows.index)


class Errors(NamedTuple):
    """By user: the factor of the error of training, and the least variance."""

    factor: pd.Series
    least: pd.Series


def _errors(measured: pd.DataFrame, windows: pd.DataFrame) -> Errors:
    """Return the errors in the table of a measure; by default no factor and no least variance."""
    defaults = {"error_factor": 1.0, "least_variance": 0.0}
    measured = measured.assign(**{name: value for name, value in defaults.items() if name not in measured})
    users = windows.index.get_level_values("user").unique().sort_values()
    of_user = measured.groupby("user")[list(defaults)].max().reindex(users).fillna(defaults)
    return Errors(of_user.error_factor, of_user.least_variance)


def mean_errors(
    importance: pd.DataFrame, measure: str, windows: pd.DataFrame, blocks: pd.Series | None = None
) -> pd.DataFrame:
    """Estimate the variance of the mean of each user's windows: the one estimate of error of all measures.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    measure : str
        Importance measure.
    windows : pandas.DataFrame
        Values of windows; index: user, start.
    blocks : pandas.Series, optional
        Block of each window, with the same index; by default that of `importance`.

    Returns
    -------
    pandas.DataFrame
        One row per user, from sums over blocks, the factor of the error of training, and the least variance; NaN for a
        user with one block.
    """
    blocks = blocks_of(importance, windows) if blocks is None else blocks
    users, names = pd.factorize(windows.index.get_level_values("user"), sort=True)
    sums = variance_of_means(windows.to_numpy(), users, pd.factorize(blocks)[0])
    variances = pd.DataFrame(sums, names.rename("user"), windows.columns)
    errors = _errors(importance[importance.measure == measure], windows)
    return variances.mul(errors.factor, axis=0).clip(lower=errors.least, axis=0)


def smooth_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Smooth variances, which are uncertain for few blocks: the product of the user's and the modality's mean level.

    Parameters
    ----------
    errors : pandas.DataFrame
        Variances by user and modality; NaN if unknown.

    Returns
    -------
    pandas.DataFrame
        Positive variances.
    """
    levels = errors.mean(axis=1)
    levels = levels.fillna(levels.mean())
    modalities = errors.mean(axis=0)
    product = np.outer(levels, modalities) / max(float(modalities.mean()), MIN_VARIANCE)
    positive = np.nan_to_num(np.maximum(product, MIN_VARIANCE), nan=MIN_VARIANCE)
    return pd.DataFrame(positive, errors.index, errors.columns)


def grouping_vectors(importance: pd.DataFrame, settings: Vectors, seeds: list[int] | None = None) -> pd.DataFrame:
    """Return the window vectors that form the groups, as shares or values, of all seeds or of some."""
    return as_shares(window_vectors(importance, settings.importance, settings.subsets, seeds), settings.importance)


def as_shares(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Divide window vectors by the sum of the user's absolute means, unless users are comparable anyway.

    Ablation is in nats and grows with the performance of the user's network; shares are comparable between users.
    """
    if MEASURES[measure].comparable:
        return table
    total = table.groupby("user").mean().abs().sum(axis=1).replace(0, np.nan)
    return table.div(total.reindex(table.index, level="user"), axis=0).fillna(0.0)


def class_shares(folds: Sequence[Folds], like: pd.DataFrame, number: int | None) -> pd.DataFrame:
    """Return the share of each class in the training windows of the users of `like` in a fold, users by classes."""
    tables = [of_user.fold(number) for of_user in folds]
    rows = pd.concat([rows[rows.subset == "train"] for rows in tables])
    shares = pd.crosstab(rows.user, rows.label, normalize="index")
    return shares.reindex(like.index).fillna(shares.mean())


def raw_vectors(features: Sequence[Features], like: pd.DataFrame) -> pd.DataFrame:
    """Return the summary features of the windows of `like`, standardised over the cohort; missing values are 0.

    Not per user, since raw vectors represent the differences between users.
    """
    parts = [pd.DataFrame(np.asfortranarray(x.summary), pd.MultiIndex.from_frame(x.rows), x.names) for x in features]
    raw = pd.concat(parts).loc[like.index]
    return ((raw - raw.mean()) / raw.std(ddof=0).replace(0, np.nan)).fillna(0.0)
