"""compare_predictors: scores on the same test windows, differences to the global scheme, and their uncertainty.

The score of a user is one number, and means and differences are over users, since windows of a user are not
independent: intervals resample users (percentile bootstrap), p-values of differences are those of Wilcoxon's
signed-rank test (1945), with Holm's correction (1979) over the family of sensor predictors and schemes.
`lifelog.evaluate.verdict` draws the conclusion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.evaluate.metrics import METRICS, scores
from lifelog.settings.compare import Compare
from lifelog.settings.predict import SENSORLESS

Floats = NDArray[np.floating[Any]]
Predictions = dict[tuple[str, str], pd.DataFrame]  # by predictor and scheme

EVERYONE = "all windows"  # cannot be the name of a user, which has no blanks
MAX_EXACT = 16  # users for whom all assignments of signs are enumerated


def read_predictions(paths: dict[tuple[str, str], str | Path]) -> Predictions:
    """Read the predictions of several models.

    Parameters
    ----------
    paths : dict of (str, str) to str or Path
        Files of `train_predictor` by predictor and scheme.

    Returns
    -------
    dict of (str, str) to pandas.DataFrame
        user, group, start, truth, and one probability per class.

    Raises
    ------
    ValueError
        If models predict different test windows.
    """
    tables = {key: pq.read_table(path).to_pandas() for key, path in paths.items()}
    first_key, first = next(iter(tables.items()))
    for key, table in tables.items():
        if not table[["user", "start", "truth"]].equals(first[["user", "start", "truth"]]):
            raise ValueError(f"{key} and {first_key} predict different test windows; rebuild both")
    return tables


def probabilities(table: pd.DataFrame) -> Floats:
    """Return the class probabilities of a predictions table.

    Parameters
    ----------
    table : pandas.DataFrame
        Table of `train_predictor`.

    Returns
    -------
    ndarray of float, shape (n_windows, n_classes)
        In the order of the classes.
    """
    return table[[name for name in table.columns if name.startswith("p_")]].to_numpy()


def score_users(tables: Predictions) -> pd.DataFrame:
    """Score the predictions of every user.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme.

    Returns
    -------
    pandas.DataFrame
        predictor, scheme, user, windows and every metric; the user `all windows` pools the windows of all users.
    """
    rows = []
    for (predictor, scheme), table in tables.items():
        everyone = [(EVERYONE, table)]
        for user, own in [*table.groupby("user", sort=True), *everyone]:
            row = {"predictor": predictor, "scheme": scheme, "user": user, "windows": len(own)}
            rows.append(row | scores(own.truth.to_numpy(), probabilities(own)))
    return pd.DataFrame(rows)


def compare_predictors(by_user: pd.DataFrame, settings: Compare) -> pd.DataFrame:
    """Compare predictors and schemes over users.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Table of `score_users`.
    settings : Compare
        Bootstrap, confidence level and seed.

    Returns
    -------
    pandas.DataFrame
        One row per predictor, scheme and metric: the mean over users with its interval, the value of pooled windows,
        and the difference to the global scheme with its interval. `users` counts the users with a defined metric
        (macro-F1, balanced accuracy and AUROC need two classes in the test windows). `p` belongs to the difference,
        `p_holm` is corrected over the family: all schemes except random ones, of all sensor predictors.
    """
    rows = []
    for metric in METRICS:
        table = by_user.pivot(index="user", columns=["predictor", "scheme"], values=metric)
        pooled, users = table.loc[EVERYONE], table.drop(index=EVERYONE)
        for predictor, scheme in users.columns:
            values = users[predictor, scheme].dropna().to_numpy()
            difference = (users[predictor, scheme] - users[predictor, "global"]).dropna().to_numpy()
            untested = scheme == "global" or scheme.startswith("random")
            row = {"predictor": predictor, "scheme": scheme, "metric": metric, "users": len(values)}
            row |= _mean_and_interval(values, ("mean", "low", "high"), settings)
            row |= {"pooled": pooled[predictor, scheme]}
            row |= _mean_and_interval(difference, ("difference", "difference_low", "difference_high"), settings)
            row |= {"users_better": int((difference > 0).sum()), "p": np.nan if untested else signed_rank(difference)}
            rows.append(row)
    table = pd.DataFrame(rows)
    family = ~table.predictor.isin(SENSORLESS) & table.p.notna()
    table["p_holm"] = table[family].groupby("metric").p.transform(holm)
    return table


def _mean_and_interval(values: Floats, names: tuple[str, str, str], settings: Compare) -> dict[str, float]:
    mean = float(values.mean()) if len(values) else float("nan")
    return dict(zip(names, (mean, *bootstrap_interval(values, settings)), strict=True))


def signed_rank(differences: Floats) -> float:
    """Compute the two-sided p-value of Wilcoxon's signed-rank test; zero differences count (Pratt).

    Parameters
    ----------
    differences : ndarray of float, shape (n_users,)
        Differences, symmetric about 0 under the null hypothesis.

    Returns
    -------
    float
        Exact for up to 16 users, with or without ties (scipy enumerates signs one by one, which takes a second); NaN
        for fewer than two users.
    """
    from scipy.stats import rankdata, wilcoxon

    if len(differences) < 2:
        return float("nan")
    ranks = rankdata(np.abs(differences))[differences != 0]
    if not 0 < len(ranks) <= MAX_EXACT:
        return float(wilcoxon(differences, zero_method="pratt").pvalue) if len(ranks) else 1.0
    signs = 1 - 2 * (np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks)) & 1)
    sum_of_ranks = np.sign(differences[differences != 0]) @ ranks
    return float((np.abs(signs @ ranks) >= np.abs(sum_of_ranks) - 1e-9).mean())


def holm(p: pd.Series) -> pd.Series:
    """Correct p-values for their number (Holm, 1979)."""
    order = p.sort_values(kind="stable")
    corrected = (order * np.arange(len(order), 0, -1)).cummax().clip(upper=1)
    return corrected.reindex(p.index)


def permutation_p(value: float, others: Floats) -> float:
    """Compute the share of random groupings that are at least as good (Phipson and Smyth, 2010).

    Parameters
    ----------
    value : float
        The score of the grouping.
    others : ndarray of float, shape (n_groupings,)
        The scores of random groupings.

    Returns
    -------
    float
        Never 0, since the grouping itself is counted.
    """
    return float((1 + (others >= value).sum()) / (1 + len(others)))


def bootstrap_interval(values: Floats, settings: Compare) -> tuple[float, float]:
    """Compute the percentile interval of the mean by resampling users.

    Parameters
    ----------
    values : ndarray of float, shape (n_users,)
        One value per user.
    settings : Compare
        Bootstrap, confidence level and seed.

    Returns
    -------
    low, high : float
        NaN for fewer than two users.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(settings.seed)
    means = values[rng.integers(0, len(values), (settings.bootstrap, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2])
    return float(low), float(high)
