"""transfer: scored windows with labels → whether a bundle holds for these participants.

Three comparisons, by means over participants: of the bundle here with its own test, that is with the same models on
participants of its run; of the bundle here with models that are trained here, on the same windows; and of the coverage
of its sets with the asked one.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from lifelog.arrays import Floats
from lifelog.bundle.bundle import Bundle
from lifelog.evaluate.compare import score_users
from lifelog.evaluate.metrics import METRICS
from lifelog.intervals import estimate_mean
from lifelog.settings.compare import Compare

HERE, OWN = "bundle", "bundle, own test"
SHOWN = ("auroc", "macro_f1", "balanced_accuracy")
Trained = dict[tuple[str, str], pd.DataFrame]  # predictions by predictor and scheme


class Transfer(NamedTuple):
    """The test of a bundle on other recordings.

    Attributes
    ----------
    table : pandas.DataFrame
        model, metric, participants, mean, low, high; difference (the bundle here minus this model) with interval.
    sentence : str
        Whether the bundle holds here.
    """

    table: pd.DataFrame
    sentence: str


class Difference(NamedTuple):
    """A difference of means with its interval."""

    mean: float
    low: float
    high: float


def compare_transfer(
    bundle: Bundle, scored: pd.DataFrame, trained: Trained, compare: Compare, same: bool = False
) -> Transfer:
    """Compare a bundle on other recordings with its own test, and with models that are trained there.

    Parameters
    ----------
    bundle : Bundle
        The bundle.
    scored : pandas.DataFrame
        Tables of `score_windows` of all participants.
    trained : dict of (str, str) to pandas.DataFrame
        Test predictions of models that are trained here, by predictor and scheme; may be empty.
    compare : Compare
        Metric, margin and confidence level.
    same : bool, default False
        Whether the participants are those of the run that made the bundle.

    Returns
    -------
    Transfer
        Table and sentence.

    Raises
    ------
    ValueError
        If no scored window has a class.
    """
    rows = scored[scored.truth.notna() & scored[f"p_{bundle.about.classes[0]}"].notna()]
    if rows.empty:
        raise ValueError("no scored window has a class: are there labels (cohort.labels) of the target?")
    tables = _same_windows(_coded(rows, bundle.about.classes), trained)
    if tables["bundle", "here"].empty:
        raise ValueError("no window is scored by the bundle and tested by the models that are trained here")
    scores = score_users(tables, bundle.about.target.ordinal, bundle.about.compare.decide).users
    strategy = bundle.known if same and bundle.known is not None else bundle.new
    table = pd.DataFrame(_rows(scores, strategy.scores, compare))
    covered = pd.Series(_covered(rows), index=rows.index).groupby(rows.user).mean()
    return Transfer(table, _sentence(table, compare, covered.to_numpy(), bundle.about.compare.alpha))


def _coded(rows: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Return scored windows as predictions: one fold, and the numbers of classes."""
    return rows.assign(truth=rows.truth.map({name: i for i, name in enumerate(classes)}).astype(int), fold=1)


def _same_windows(here: pd.DataFrame, trained: Trained) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the predictions of all models for windows that all of them predict, with the folds of trained models."""
    keys = ["user", "start"]
    for table in trained.values():
        here = here.merge(table[keys], on=keys)
    if trained:
        first = next(iter(trained.values()))
        # One truth for all: a relative class depends on the answers that are known.
        here = here.drop(columns=["fold", "truth"]).merge(first[[*keys, "fold", "truth"]], on=keys)
    return {("bundle", "here"): here} | {name: table.merge(here[keys], on=keys) for name, table in trained.items()}


def _rows(scores: pd.DataFrame, own: pd.DataFrame, compare: Compare) -> list[dict[str, Any]]:
    rows = list[dict[str, Any]]()
    for metric in dict.fromkeys([compare.metric, *SHOWN]):
        users = scores.pivot(index="user", columns=["predictor", "scheme"], values=metric)
        here = users["bundle", "here"].dropna()
        before = own[metric].dropna().to_numpy(dtype=float)
        models: dict[str, tuple[Floats, Difference | None]] = {HERE: (here.to_numpy(), None)}
        models[OWN] = before, _unpaired(here.to_numpy(), before, compare.confidence)
        for predictor, scheme in users.columns:
            if predictor != "bundle":
                paired = (users["bundle", "here"] - users[predictor, scheme]).dropna().to_numpy()
                found = estimate_mean(paired, compare.confidence)
                values = users[predictor, scheme].dropna().to_numpy()
                models[f"{predictor} ({scheme}), trained here"] = values, Difference(found.mean, found.low, found.high)
        for name, (values, difference) in models.items():
            score = estimate_mean(values, compare.confidence, bounds=METRICS[metric].bounds)
            row = {"model": name, "metric": metric, "participants": len(values)}
            row |= {"mean": score.mean, "low": score.low, "high": score.high}
            known = difference or Difference(np.nan, np.nan, np.nan)
            rows.append(row | {"difference": known.mean, "difference_low": known.low, "difference_high": known.high})
    return rows


def _unpaired(here: Floats, there: Floats, confidence: float) -> Difference:
    """Return the difference of the means of two sets of participants (Welch, 1947)."""
    mean = float(here.mean() - there.mean()) if len(here) and len(there) else np.nan
    if min(len(here), len(there)) < 2:
        return Difference(mean, np.nan, np.nan)
    parts = [values.var(ddof=1) / len(values) for values in (here, there)]
    error = np.sqrt(sum(parts))
    if error == 0:
        return Difference(mean, mean, mean)
    freedom = sum(parts) ** 2 / sum(p**2 / (len(x) - 1) for p, x in zip(parts, (here, there), strict=True))
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    return Difference(mean, mean - half, mean + half)


def _covered(rows: pd.DataFrame) -> list[bool]:
    """Return whether the set of each window holds the true class."""
    return [truth in found.split(" | ") for truth, found in zip(rows.truth, rows["set"], strict=True)]


def _sentence(table: pd.DataFrame, compare: Compare, covered: Floats, alpha: float) -> str:
    found = table[table.metric == compare.metric].set_index("model")
    label, here, own = METRICS[compare.metric].label, found.loc[HERE], found.loc[OWN]
    sign = -1 if METRICS[compare.metric].lower else 1

    def against(row: pd.Series) -> str:
        if np.isnan(row.difference_low):
            return "too few participants to compare"
        low, high = sorted([sign * row.difference_low, sign * row.difference_high])
        words = "no clear difference" if low <= 0 <= high else "better" if low > 0 else "worse"
        if words == "no clear difference" and low > -compare.margin:
            words = f"not worse by the margin of {compare.margin:g}"
        return f"{words} ({row.difference:+.2f} [{row.difference_low:+.2f}, {row.difference_high:+.2f}])"

    sentences = [
        f"Here, the bundle has a {label} of {here['mean']:.2f} [{here.low:.2f}, {here.high:.2f}] over "
        f"{here.participants:.0f} participants, against {own['mean']:.2f} in its own test: {against(own)}."
    ]
    for name, row in found.drop(index=[HERE, OWN]).iterrows():
        sentences.append(f"Beside {name} ({row['mean']:.2f}): {against(row)}.")
    coverage = estimate_mean(covered, compare.confidence, bounds=(0.0, 1.0))
    sentences.append(
        f"Its sets hold the true class in {coverage.mean:.0%} [{coverage.low:.0%}, {coverage.high:.0%}] of windows "
        f"(asked: {1 - alpha:.0%})."
    )
    return " ".join(sentences)
