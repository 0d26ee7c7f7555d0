"""compare_predictors: scores on the same test windows, differences to the global scheme, and what they say.

A user's score is one number; means and differences are over users, intervals by resampling users (percentile
bootstrap), since windows of one person are no independent evidence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Compare
from lifelog.metrics import scores

EVERYONE = "all windows"  # no user can be called so: names have no blanks
METRICS = ("macro_f1", "balanced_accuracy", "accuracy", "auroc")


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

    `users` counts those for whom the metric is defined (an AUROC needs two classes in the test windows).
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
                }
            )
    return pd.DataFrame(rows)


def bootstrap_interval(values: NDArray, settings: Compare) -> tuple[float, float]:
    """Percentile interval of the mean, users resampled; NaN with fewer than two."""
    if len(values) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(settings.seed)
    means = values[rng.integers(0, len(values), (settings.bootstrap, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2])
    return float(low), float(high)


def verdict(comparison: pd.DataFrame, settings: Compare) -> dict[str, Any]:
    """What the comparison says of grouping by importance, in sentences; it claims only what an interval carries."""
    rows = comparison[comparison.metric == settings.metric].set_index(["predictor", "scheme"])
    floor = rows["mean"].xs("majority", level="predictor").max() if "majority" in rows.index.levels[0] else np.nan
    findings = []
    for predictor in dict.fromkeys(rows.index.get_level_values("predictor")):
        if predictor == "majority" or (predictor, "importance") not in rows.index:
            continue
        findings.append(_finding(predictor, rows.loc[predictor, "importance"], rows.loc[predictor, "global"], floor))
    said = [finding["says"] for finding in findings]
    if not findings:
        headline = "The run has no predictor under the importance scheme, so it says nothing about grouping."
    elif all(word == "helps" for word in said):
        headline = "Grouping people by importance helped every predictor."
    elif "helps" in said and "hurts" not in said:
        helped = ", ".join(finding["predictor"] for finding in findings if finding["says"] == "helps")
        headline = f"Grouping people by importance helped {helped}, and made no clear difference otherwise."
    elif "hurts" in said:
        names = {word: ", ".join(f["predictor"] for f in findings if f["says"] == word) for word in set(said)}
        helped = f", and {names['helps']} better" if "helps" in names else ""
        headline = f"Grouping people by importance made {names['hurts']} worse{helped}."
    else:
        headline = "Grouping people by importance made no clear difference."
    caveat = (
        "Smaller groups of like people may help whatever forms them: without random groups of the same sizes this "
        "comparison does not show that importance is the reason."
    )
    return {"metric": settings.metric, "headline": headline, "findings": findings, "caveat": caveat}


def _finding(predictor: str, grouped: pd.Series, shared: pd.Series, floor: float) -> dict[str, Any]:
    low, high = grouped.difference_low, grouped.difference_high
    # An interval that cannot be had (fewer than two users) carries no claim.
    says = "helps" if low > 0 else "hurts" if high < 0 else "unclear"
    words = {"helps": "better", "hurts": "worse", "unclear": "no clear difference"}[says]
    sentence = (
        f"{predictor}: {grouped['mean']:.3f} in importance groups, {shared['mean']:.3f} as one model for everyone; "
        f"difference {grouped.difference:+.3f} [{low:+.3f}, {high:+.3f}], {words}, "
        f"for {grouped.users_better} of {grouped.users:.0f} users."
    )
    if max(grouped["mean"], shared["mean"]) <= floor:
        sentence += " Neither beats the class shares alone."
    return {"predictor": predictor, "says": says, "sentence": sentence}
