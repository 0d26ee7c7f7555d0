"""compare_predictors: scores on the same test windows, differences to the global scheme, and their uncertainty.

The score of a user is one number; means, differences, intervals and p-values are over users (`intervals.py`). One
predictor is primary, named before the run (`compare.predictor`): the test of its importance groups is not corrected.
The tests of the other predictors' importance groups are corrected by Holm's method (1979); controls are in no family.
`lifelog.evaluate.verdict` draws the conclusion.
"""

import logging
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from lifelog.arrays import Codes, Floats
from lifelog.evaluate.metrics import METRICS, scores
from lifelog.groups.read import partition
from lifelog.intervals import estimate_mean, holm
from lifelog.predict.probabilities import class_probabilities
from lifelog.settings.compare import Compare
from lifelog.settings.predict import sensorless

logger = logging.getLogger(__name__)

Decide = Literal["balanced", "argmax"]
DECISIONS = {"balanced": "raw_", "argmax": "p_"}  # columns of the probabilities that decide on the class
Predictions = dict[tuple[str, str], pd.DataFrame]  # by predictor and scheme


class Scores(NamedTuple):
    """Scores of the test windows under every model.

    Attributes
    ----------
    users : pandas.DataFrame
        predictor, scheme, user, windows, classes (number of true ones) and every metric.
    pooled : pandas.DataFrame
        The same for the windows of all users together, without the column user.
    """

    users: pd.DataFrame
    pooled: pd.DataFrame


def read_predictions(paths: dict[tuple[str, str], str | Path]) -> Predictions:
    """Read the predictions of several models.

    Parameters
    ----------
    paths : dict of (str, str) to str or Path
        Files with the predictions of `train_predictors`, by predictor and scheme.

    Returns
    -------
    dict of (str, str) to pandas.DataFrame
        As `split_groupings` returns them.
    """
    return split_groupings({model: pq.read_table(path).to_pandas() for model, path in paths.items()})


def split_groupings(predictions: Predictions) -> Predictions:
    """Return the predictions of every grouping of several models.

    Parameters
    ----------
    predictions : dict of (str, str) to pandas.DataFrame
        Tables of `train_predictors`, by predictor and scheme.

    Returns
    -------
    dict of (str, str) to pandas.DataFrame
        user, group, fold, start, truth, rating and expected (for ratings), and two probabilities per class.
        The random groupings of a predictor have the schemes `random-1`, `random-2`, ...; one that equals the importance
        groups or an earlier one is left out: a repeated grouping is no further evidence.

    Raises
    ------
    ValueError
        If models predict different test windows of a user.

    Notes
    -----
    A user whom a model does not predict, such as one without a network if groups are formed by importance of networks,
    is left out of all models, with a warning.
    """
    tables = {}
    for (predictor, scheme), whole in predictions.items():
        for number, table in whole.groupby("grouping"):
            name = f"random-{number}" if scheme == "random" else scheme
            tables[predictor, name] = table.drop(columns="grouping").reset_index(drop=True)
    users = [set(table.user) for table in tables.values()]
    shared = set.intersection(*users)
    if left_out := sorted(set.union(*users) - shared):
        logger.warning("not compared, since some models do not predict them: users %s", ", ".join(left_out))
        tables = {key: table[table.user.isin(shared)].reset_index(drop=True) for key, table in tables.items()}
    first_key, first = next(iter(tables.items()))
    for key, table in tables.items():
        keys = ["user", "fold", "start", "truth"]
        if not table[keys].equals(first[keys]):
            raise ValueError(f"{key} and {first_key} predict different test windows; rebuild both")
    seen = set()
    for (predictor, scheme), table in sorted(tables.items(), key=lambda item: item[0][1] != "importance"):
        if scheme == "importance" or scheme.startswith("random"):
            of_folds = tuple(partition(rows.drop_duplicates("user").group) for _, rows in table.groupby("fold"))
            if scheme != "importance" and (predictor, of_folds) in seen:
                del tables[predictor, scheme]
            seen.add((predictor, of_folds))
    return tables


def kind_of(scheme: str) -> str:
    """Return the scheme without the number of a random grouping."""
    return "random" if scheme.startswith("random-") else scheme


def score_users(tables: Predictions, ordinal: bool = False, decide: Decide = "balanced") -> Scores:
    """Score the predictions of every user, and of all windows together.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme.
    ordinal : bool, default False
        Whether classes are in an order.
    decide : str, default "balanced"
        Probabilities whose largest one is the predicted class: before (balanced) or after calibration (argmax).

    Returns
    -------
    Scores
        By predictor, scheme and user, and by predictor and scheme.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifelog import score_users
    >>> truth = pd.DataFrame({"user": ["a", "a", "b", "b"], "fold": 1, "truth": [0, 1, 0, 1]})
    >>> table = truth.assign(p_low=[0.9, 0.2, 0.3, 0.4], p_high=[0.1, 0.8, 0.7, 0.6])
    >>> scores = score_users({("lda", "global"): table})
    >>> scores.users[["user", "accuracy"]].to_dict("list")
    {'user': ['a', 'b'], 'accuracy': [1.0, 0.5]}
    """
    users, pooled = [], []
    for (predictor, scheme), table in tables.items():
        p, model = class_probabilities(table, DECISIONS[decide]), {"predictor": predictor, "scheme": scheme}
        for user, rows in sorted(table.groupby("user").indices.items()):
            users.append(model | {"user": user} | _score(table, p, rows, ordinal))
        pooled.append(model | _score(table, p, np.arange(len(table)), ordinal))
    return Scores(pd.DataFrame(users), pd.DataFrame(pooled))


def _score(table: pd.DataFrame, p: Floats, rows: Codes, ordinal: bool) -> dict[str, Any]:
    """Return the number of windows and of true classes, and every metric, of some rows of predictions."""
    truth, folds = table.truth.to_numpy()[rows], table.fold.to_numpy()[rows]
    rated = [table[name].to_numpy()[rows] for name in ("rating", "expected") if name in table]
    ratings = (rated[0], rated[1]) if rated else None
    counts = {"windows": len(rows), "classes": len(np.unique(truth))}
    return counts | scores(truth, p[rows], folds, ordinal, ratings)


def compare_predictors(scored: Scores, settings: Compare, primary: str | None = None) -> pd.DataFrame:
    """Compare predictors and schemes over users.

    Parameters
    ----------
    scored : Scores
        Of `score_users`.
    settings : Compare
        Confidence level.
    primary : str, optional
        The primary predictor.

    Returns
    -------
    pandas.DataFrame
        One row per predictor, scheme and metric: the mean over users with its interval, the value of pooled windows,
        and the difference to the global scheme with its interval, `p`, and `detectable`, the difference that would
        be found with a power of .8. `users` counts the users with a defined metric, which needs two classes in the test
        windows. `p_holm` is that of the importance groups of sensor predictors: the p-value itself for the primary
        predictor, Holm's over the other ones.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifelog import Config, compare_predictors, score_users
    >>> truth = pd.DataFrame({"user": ["a", "a", "b", "b"], "fold": 1, "truth": [0, 1, 0, 1]})
    >>> of_all = truth.assign(p_low=[0.4, 0.5, 0.3, 0.4], p_high=[0.6, 0.5, 0.7, 0.6])
    >>> of_groups = truth.assign(p_low=[0.9, 0.2, 0.3, 0.4], p_high=[0.1, 0.8, 0.7, 0.6])
    >>> scored = score_users({("lda", "global"): of_all, ("lda", "importance"): of_groups})
    >>> comparison = compare_predictors(scored, Config().compare, primary="lda")
    >>> comparison.query("metric == 'accuracy'")[["scheme", "mean", "difference", "users_better"]].to_dict("list")
    {'scheme': ['global', 'importance'], 'mean': [0.25, 0.75], 'difference': [0.0, 0.5], 'users_better': [0, 1]}
    """
    rows = []
    pooled = scored.pooled.set_index(["predictor", "scheme"])
    for metric in filter(scored.users.columns.__contains__, METRICS):
        users = scored.users.pivot(index="user", columns=["predictor", "scheme"], values=metric)
        for predictor, scheme in users.columns:
            values = users[predictor, scheme].dropna().to_numpy()
            difference = (users[predictor, scheme] - users[predictor, "global"]).dropna().to_numpy()
            score = estimate_mean(values, settings.confidence, bounds=METRICS[metric].bounds)
            gain = estimate_mean(difference, settings.confidence)
            better = int((difference < 0 if METRICS[metric].lower else difference > 0).sum())
            untested = scheme == "global" or scheme.startswith("random")
            rows.append(
                {"predictor": predictor, "scheme": scheme, "metric": metric, "users": len(values)}
                | {"mean": score.mean, "low": score.low, "high": score.high}
                | {"pooled": pooled[metric][predictor, scheme]}
                | {"difference": gain.mean, "difference_low": gain.low, "difference_high": gain.high}
                | {"users_better": better, "detectable": gain.detectable}
                | {"p": np.nan if untested else gain.p}
            )
    comparison = pd.DataFrame(rows)
    tested = (comparison.scheme == "importance") & ~comparison.predictor.isin(sensorless()) & comparison.p.notna()
    comparison["p_holm"] = comparison.p.where(tested & (comparison.predictor == primary))
    others = comparison[tested & (comparison.predictor != primary)]
    comparison.loc[others.index, "p_holm"] = others.groupby("metric").p.transform(holm)
    return comparison
