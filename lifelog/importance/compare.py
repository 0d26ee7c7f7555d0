"""compare_shapley: the Shapley value of each modality for each user with its interval, and whether users differ."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import fdtrc, ndtri, stdtrit  # scipy.stats takes half a second to import

from lifelog.importance.mixture import best_mixture
from lifelog.importance.table import TESTS
from lifelog.importance.vectors import MIN_VARIANCE, blocks_of, describing, mean_errors, profiles, window_vectors
from lifelog.intervals import holm
from lifelog.settings.groups import Scoring
from lifelog.settings.importance import Shapley

MEASURE = "shapley"
MIN_BLOCKS = 5  # median per user, for a test of heterogeneity


class Comparison(NamedTuple):
    """Shapley values of users, and whether users differ.

    Attributes
    ----------
    values : pandas.DataFrame
        One row per user and modality:

        - shapley, error: estimate and its standard error, NaN for a modality that the user lacks
        - low, high: t interval, with one degree of freedom less than blocks of time
        - shrunken, shrunken_low, shrunken_high: empirical Bayes estimate, shrunk towards the mean of similar users
        - difference, difference_low, difference_high: from the mean of the other users
        - p, p_corrected: of the test whether the modality matters, and corrected for the modalities of the user
        - matters: whether the modality matters, None if that cannot be tested, for the `reason`
        - detectable: the value that is found in four of five recordings of this length
        - p_absence: of the test whether the absence of the modality depends on the label
        - interchangeable: modalities of which either suffices; time: value of the time itself, which no modality has
    heterogeneity : pandas.DataFrame
        Of `heterogeneity`: one row per modality.
    """

    values: pd.DataFrame
    heterogeneity: pd.DataFrame


class Intervals(NamedTuple):
    """Values of users (rows) by modality, variances of their errors, and t intervals.

    `quantile`, `blocks` and `windows` are the quantile of the t distribution and the numbers of blocks of time and of
    windows of each user.
    """

    value: pd.DataFrame
    variance: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    quantile: pd.Series
    blocks: pd.Series
    windows: pd.Series


def shapley_intervals(importance: pd.DataFrame, level: float) -> Intervals:
    """Return the value of each modality for each user with a t interval over blocks of time.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`, with the values of all users.
    level : float
        Confidence level.

    Returns
    -------
    Intervals
        NaN for a modality that a user lacks.
    """
    importance = describing(importance)
    windows = window_vectors(importance, MEASURE, [], absent=np.nan)
    blocks = blocks_of(importance, windows)
    value, variance = windows.groupby("user").mean(), mean_errors(importance, MEASURE, windows).clip(lower=MIN_VARIANCE)
    of_user = blocks.groupby("user")
    count = of_user.nunique()
    freedom = (count - 1).clip(lower=1)
    quantile = pd.Series(stdtrit(freedom, (1 + level) / 2), freedom.index)
    margin = np.sqrt(variance).mul(quantile, axis=0)
    return Intervals(value, variance, value - margin, value + margin, quantile, count, of_user.size())


def compare_shapley(
    importance: pd.DataFrame, settings: Shapley, groups: Scoring, tests: pd.DataFrame | None = None
) -> Comparison:
    """Compare the values of users.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`, with the values of all users.
    settings : Shapley
        Confidence level.
    groups : Scoring
        Numbers of groups of the mixture towards whose means values are shrunk.
    tests : pandas.DataFrame, optional
        Table of `read_tests`.

    Returns
    -------
    Comparison
        Values, intervals and heterogeneity.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifelog import Groups, Shapley, compare_shapley
    >>> def importance(user, **means):
    ...     starts = pd.date_range("2025-01-01", periods=20, freq="h", tz="UTC")
    ...     rows = [(name, mean + 0.05 * (-1) ** i, starts[i], i) for name, mean in means.items() for i in range(20)]
    ...     keys = dict(user=user, fold=float("nan"), subset="train", seed=0, measure="shapley")
    ...     return pd.DataFrame(rows, columns=["modality", "importance", "start", "block"]).assign(**keys)
    >>> users = [importance("a", hr=0.3, eda=0.0), importance("b", hr=0.0, eda=0.2)]
    >>> values = compare_shapley(pd.concat(users), Shapley(), Groups()).values
    >>> values[values.low > 0][["user", "modality", "shapley"]].round(2).to_dict("list")
    {'user': ['a', 'b'], 'modality': ['hr', 'eda'], 'shapley': [0.3, 0.2]}
    """
    bounds = shapley_intervals(importance, settings.level)
    value, variance = bounds.value, bounds.variance
    found = profiles(describing(importance), groups.model_copy(update={"importance": MEASURE}))
    _, mixture = best_mixture(found, groups.k_max, groups.seed)
    names = found.users.index, found.users.columns
    shrunken, spread = pd.DataFrame(mixture.shrunken, *names), pd.DataFrame(mixture.variances, *names)
    normal = ndtri((1 + settings.level) / 2) * np.sqrt(spread)
    # The other users differ by error and by true differences: both are in the variance between them.
    scatter = value.var(ddof=1) / (value.notna().sum() - 1).clip(lower=1)
    apart = np.sqrt(variance + scatter).mul(bounds.quantile, axis=0)
    difference = value - value.apply(_others)
    tables = {"shapley": value, "error": np.sqrt(variance), "low": bounds.low, "high": bounds.high}
    tables |= {"shrunken": shrunken, "shrunken_low": shrunken - normal, "shrunken_high": shrunken + normal}
    tables |= {"difference": difference, "difference_low": difference - apart, "difference_high": difference + apart}
    stacked = [table.where(value.notna()).stack(future_stack=True).rename(name) for name, table in tables.items()]
    table = pd.concat(stacked, axis=1).rename_axis(["user", "modality"]).reset_index()
    table = _with_tests(table, tests, settings.level)
    return Comparison(table, heterogeneity(bounds))


def _with_tests(values: pd.DataFrame, tests: pd.DataFrame | None, level: float) -> pd.DataFrame:
    """Add the tests of modalities, and whether each matters."""
    tests = pd.DataFrame(columns=TESTS) if tests is None else tests
    of_modality = tests[tests.modality.notna()].astype({"p_corrected": float})
    table = values.merge(of_modality, on=["user", "modality"], how="left")
    clear = (table.p_corrected <= 1 - level) & (table.shapley > 0)
    return table.assign(matters=clear.astype(object).where(table.p_corrected.notna(), None))


def _others(values: pd.Series) -> pd.Series:
    """Return the mean of all other users."""
    known = values.notna().sum()
    return (values.sum() - values) / (known - 1) if known > 1 else values * np.nan


def heterogeneity(bounds: Intervals) -> pd.DataFrame:
    """Test for each modality whether users differ.

    Parameters
    ----------
    bounds : Intervals
        Values of users and their errors. Users weigh by their windows: weights by estimated errors would make the
        spread seem too large.

    Returns
    -------
    pandas.DataFrame
        One row per modality: users, mean, mean_low and mean_high (95 %), tau (standard deviation of true values, by the
        method of moments), f, p, p_holm; p is NaN if users have fewer than five blocks of time (median).

    References
    ----------
    Brown, Forsythe (1974). The small sample behavior of some statistics which test the equality of several means.
    Technometrics 16, 129-132.
    """
    tested, rows = bounds.blocks.median() >= MIN_BLOCKS, []
    for modality in bounds.value:
        known = (bounds.value[modality].notna() & bounds.variance[modality].notna()).to_numpy()
        x, v = bounds.value[modality][known].to_numpy(), bounds.variance[modality][known].to_numpy()
        row = {"modality": modality, "users": len(x)}
        if len(x) > 1:
            w = (bounds.windows / bounds.windows[known].sum())[known].to_numpy()
            mean = float(w @ x)
            spread, scale, errors = float(w @ (x - mean) ** 2), float(w @ (1 - w)), w * (1 - w) * v
            tau2 = max(0.0, (spread - errors.sum()) / scale)
            half = float(ndtri(0.975) * np.sqrt(w**2 @ (v + tau2)))
            row |= {"mean": mean, "mean_low": mean - half, "mean_high": mean + half}
            row |= {"tau": float(np.sqrt(tau2)), "f": spread / float(errors.sum())}
            if tested:
                within = errors.sum() ** 2 / (errors**2 / (bounds.blocks[known] - 1)).sum()
                row["p"] = float(fdtrc(len(x) - 1, within, row["f"]))
        rows.append(row)
    table = pd.DataFrame(rows, columns=["modality", "users", "mean", "mean_low", "mean_high", "tau", "f", "p"])
    return table.assign(p_holm=holm(table.p))
