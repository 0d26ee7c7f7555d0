"""compare_predictors: scores on the same test windows, differences to the global scheme, and how sure they are.

A user's score is one number; means and differences are over users, since windows of one person are no independent
evidence: intervals by resampling users (percentile bootstrap), p-values of differences by Wilcoxon's signed ranks
(1945), Holm's correction (1979) over the family of sensor predictors and schemes. What it says in words: verdict.py.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import SENSORLESS, Compare
from lifelog.metrics import scores

EVERYONE = "all windows"  # no user can be called so: names have no blanks
EXACT = 16  # users up to whom every assignment of signs is gone through
METRICS = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "published_f1")


def read_predictions(paths: dict[tuple[str, str], str]) -> dict[tuple[str, str], pd.DataFrame]:
    """Predictions by (predictor, scheme). Raises ValueError unless all are about the same windows and truth."""
    tables = {key: pq.read_table(path).to_pandas() for key, path in paths.items()}
    first_key, first = next(iter(tables.items()))
    for key, table in tables.items():
        if not table[["user", "start", "truth"]].equals(first[["user", "start", "truth"]]):
            raise ValueError(f"{key} and {first_key} predict other test windows; make both anew")
    return tables


def probabilities(table: pd.DataFrame) -> NDArray:
    """Class probabilities, shape (windows, classes)."""
    return table[[name for name in table.columns if name.startswith("p_")]].to_numpy()


def score_users(tables: dict[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """predictor, scheme, user, windows and every metric; the user `all windows` pools everyone's."""
    rows = []
    for (predictor, scheme), table in tables.items():
        everyone = [(EVERYONE, table)]
        for user, own in [*table.groupby("user", sort=True), *everyone]:
            row = {"predictor": predictor, "scheme": scheme, "user": user, "windows": len(own)}
            rows.append(row | scores(own.truth.to_numpy(), probabilities(own)))
    return pd.DataFrame(rows)


def compare_predictors(by_user: pd.DataFrame, settings: Compare) -> pd.DataFrame:
    """One row a predictor, scheme and metric: mean over users with interval, pooled value, difference to global.

    `users` counts those for whom the metric is defined (an AUROC needs two classes in the test windows). `p` is of the
    difference, `p_holm` the same corrected over the family: every scheme but random ones, of every sensor predictor.
    """
    rows = []
    for metric in METRICS:
        table = by_user.pivot(index="user", columns=["predictor", "scheme"], values=metric)
        pooled, people = table.loc[EVERYONE], table.drop(index=EVERYONE)
        for predictor, scheme in people.columns:
            values = people[predictor, scheme].dropna().to_numpy()
            difference = (people[predictor, scheme] - people[predictor, "global"]).dropna().to_numpy()
            low, high = bootstrap_interval(values, settings)
            difference_low, difference_high = bootstrap_interval(difference, settings)
            rows.append(
                {
                    "predictor": predictor,
                    "scheme": scheme,
                    "metric": metric,
                    "users": len(values),
                    "mean": values.mean() if len(values) else np.nan,
                    "low": low,
                    "high": high,
                    "pooled": pooled[predictor, scheme],
                    "difference": difference.mean() if len(difference) else np.nan,
                    "difference_low": difference_low,
                    "difference_high": difference_high,
                    "users_better": int((difference > 0).sum()),
                    "p": np.nan if scheme == "global" or scheme.startswith("random") else signed_rank(difference),
                }
            )
    table = pd.DataFrame(rows)
    family = ~table.predictor.isin(SENSORLESS) & table.p.notna()
    table["p_holm"] = table[family].groupby("metric").p.transform(holm)
    return table


def signed_rank(differences: NDArray) -> float:
    """Two-sided p-value of Wilcoxon's test that differences are symmetric about 0; users without one count (Pratt).

    Exact for few users, ties or not: scipy goes through all signs one by one, which takes a second a test.
    """
    from scipy.stats import rankdata, wilcoxon

    if len(differences) < 2:
        return float("nan")
    ranks = rankdata(np.abs(differences))[differences != 0]
    if not 0 < len(ranks) <= EXACT:
        return float(wilcoxon(differences, zero_method="pratt").pvalue) if len(ranks) else 1.0
    signs = 1 - 2 * (np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks)) & 1)
    sum_of_ranks = np.sign(differences[differences != 0]) @ ranks
    return float((np.abs(signs @ ranks) >= np.abs(sum_of_ranks) - 1e-9).mean())


def holm(p: pd.Series) -> pd.Series:
    """p-values corrected for their number, the smallest most (Holm, 1979)."""
    order = p.sort_values(kind="stable")
    corrected = (order * np.arange(len(order), 0, -1)).cummax().clip(upper=1)
    return corrected.reindex(p.index)


def permutation_p(value: float, others: NDArray) -> float:
    """Share of random groupings that do as well, the tried one among them: never 0 (Phipps and Smyth, 2010)."""
    return float((1 + (others >= value).sum()) / (1 + len(others)))


def bootstrap_interval(values: NDArray, settings: Compare) -> tuple[float, float]:
    """Percentile interval of the mean, users resampled; NaN with fewer than two."""
    if len(values) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(settings.seed)
    means = values[rng.integers(0, len(values), (settings.bootstrap, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2])
    return float(low), float(high)
