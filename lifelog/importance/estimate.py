"""estimate_shapley: what each modality adds to the prediction of a participant's held-out windows.

In each fold of the split, only training and validation windows are used. They are divided into inner folds of whole
blocks, two of which are left out at a time (`pairs`). A Shapley value is a mean over windows, so the table has one row
per fold, window and modality, as that of the other importance measures.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from lifelog.arrays import Codes, Floats
from lifelog.blocks import window_folds
from lifelog.importance.clock import clock_terms, without_clock
from lifelog.importance.errors import LEAST_FACTOR, least_variance, training_factor, unit_variance
from lifelog.importance.exchange import absence_test, arrangements, exchange_test, exchanged
from lifelog.importance.pairs import Areas, PairModels, areas, prepare_pairs
from lifelog.importance.redundancy import interchangeable
from lifelog.importance.shapley import shapley_game
from lifelog.importance.table import IMPORTANCE
from lifelog.settings.importance import Shapley
from lifelog.splits.folds import Folds
from lifelog.tables import Noted, plain
from lifelog.windows.read import Features

SUBSETS = ("train", "validation")
POWER = 0.8  # of the detectable value
MOST_VARIANCE = 0.25  # of an AUROC


def estimate_shapley(features: Features, folds: Folds, settings: Shapley) -> Noted:
    """Estimate the Shapley value of each modality in the training and validation windows of every fold.

    Parameters
    ----------
    features : Features
        Of `extract_features`.
    folds : Folds
        Of `assign_splits`.
    settings : Shapley
        Inner folds, shrinkage, sampled orders, and draws of the test.

    Returns
    -------
    table : pandas.DataFrame
        Importance, in the schema `IMPORTANCE`. The rows without a fold, of all windows, describe the participant. An
        excluded participant, and one whose windows cannot be compared, has no rows; in a fold whose windows cannot be
        compared, values are 0 with the largest error.
    notes : dict
        excluded: the reason, or None; tests: one entry per modality, and one of all together, in the columns `TESTS`.

    Examples
    --------
    >>> from lifelog import BlockedSplit, Shapley, Target, make_cohort
    >>> from lifelog import assign_splits, estimate_shapley, extract_features
    >>> (person,) = make_cohort(participants=1, windows=60)
    >>> features = extract_features([person.sensors], person.labels, person.modalities)
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=4))
    >>> table, notes = estimate_shapley(features, folds, Shapley())
    >>> described = table[table.fold.isna()].groupby("modality").importance.mean()
    >>> sorted(described.nlargest(2).index) == sorted(person.planted)
    True
    """
    frames: list[pd.DataFrame] = []
    excluded, tests = folds.excluded, list[dict[str, Any]]()
    for fold, split in folds.items() if excluded is None else ():
        used = split.subset.isin(SUBSETS).to_numpy()
        rows = split[used].reset_index(drop=True)
        fitted = _fit(features.by_modality(used), rows, folds.classes, settings)
        if isinstance(fitted, Fit):
            frames.append(_table(fitted, fold))
            tests = tests if fold else _test(fitted, settings)
        elif fold is None:
            excluded = fitted
        else:  # nothing is known: with all windows, the labels of tested windows would form the groups of this fold
            keys = rows[["user", "start", "subset", "block"]].assign(fold=fold, seed=0, measure="shapley")
            unknown = dict(importance=0.0, error_factor=LEAST_FACTOR, least_variance=MOST_VARIANCE)
            frames += [keys.assign(modality=modality.name, **unknown) for modality in features.modalities]
    if excluded or not frames:
        frames = [IMPORTANCE.empty_table().to_pandas()]
    return Noted(pd.concat(frames), {"excluded": excluded, "tests": tests})


class Prepared(NamedTuple):
    """Windows whose values can be computed: rows, features without the clock, classes, folds, models, terms of time."""

    rows: pd.DataFrame
    adjusted: list[Floats]
    codes: Codes
    inner: Codes
    models: PairModels
    terms: Floats


class Fit(NamedTuple):
    """The values of a fold: modalities, windows, classes, folds, models, values, factor of training, terms of time."""

    names: list[str]
    rows: pd.DataFrame
    codes: Codes
    inner: Codes
    models: PairModels
    values: Areas
    factor: float
    terms: Floats


def prepare_values(
    features: dict[str, Floats], rows: pd.DataFrame, classes: list[str], settings: Shapley
) -> Prepared | str:
    """Prepare the models of some windows, of which the values of sets of modalities are computed.

    Parameters
    ----------
    features : dict of str to ndarray of float, shape (n_windows, n_features)
        By modality.
    rows : pandas.DataFrame
        The windows: start, session, block, label.
    classes : list of str
        Names of the classes.
    settings : Shapley
        Inner folds and shrinkage.

    Returns
    -------
    Prepared or str
        Of the windows of classes in two sessions or more; why there are none.
    """
    if rows.label.nunique() < 2:
        return "one class only in the training and validation windows"
    if rows.block.nunique() < 2:
        return "one block of time only"
    # Where a class is in one session, class and session are confounded.
    stretch = "session" if rows.session.nunique() > 1 else "block"
    stretches = rows.groupby("label")[stretch].nunique()
    alone = stretches.index[stretches < 2].tolist()
    kept = ~rows.label.isin(alone).to_numpy()
    if rows.label[kept].nunique() < 2:
        place = "session" if stretch == "session" else "block of time"
        return f"class {' and '.join(map(repr, alone))} in one {place} only: class and {place} are confounded"
    rows, features = rows[kept].reset_index(drop=True), {name: values[kept] for name, values in features.items()}
    codes = rows.label.map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int)
    inner, terms = window_folds(rows, settings.folds), clock_terms(rows.start, rows.session)
    adjusted = [without_clock(values, terms) for values in features.values()]
    return Prepared(rows, adjusted, codes, inner, prepare_pairs(adjusted, inner, settings.shrinkage), terms)


def _fit(features: dict[str, Floats], rows: pd.DataFrame, classes: list[str], settings: Shapley) -> Fit | str:
    """Return the values of some windows, or why there are none."""
    prepared = prepare_values(features, rows, classes, settings)
    if isinstance(prepared, str):
        return prepared
    rows, adjusted, codes, inner, models, terms = prepared
    game = shapley_game(len(adjusted), settings.permutations, settings.seed)
    values = areas(models, codes, *game)
    if np.isnan(values.values).any():
        return "too few blocks of time with each class: no two windows can be compared"
    factor = training_factor(models, adjusted, codes, inner, rows.block.to_numpy(), settings.shrinkage)
    return Fit(list(features), rows, codes, inner, models, values, factor, terms)


def _table(fit: Fit, fold: int | None) -> pd.DataFrame:
    """Return one row per window and modality; null for a modality that the participant lacks."""
    keys = fit.rows[["user", "start", "subset", "block"]].assign(fold=fold)
    least, tables = least_variance(fit.codes), []
    for number, name in enumerate(fit.names):
        measured = fit.values.values[number] + fit.values.influence[:, number]
        importance = measured if fit.models.known[number].any() else np.nan
        errors = {"error_factor": fit.factor, "least_variance": least}
        tables.append(keys.assign(seed=0, measure="shapley", modality=name, importance=importance, **errors))
    return pd.concat(tables)


def _test(fit: Fit, settings: Shapley) -> list[dict[str, Any]]:
    """Return one entry per modality, and one of all together without a modality, for `read_tests`."""
    blocks = fit.rows.block.to_numpy()
    variance = np.maximum(unit_variance(fit.values.influence, blocks) * fit.factor, least_variance(fit.codes))
    freedom = max(1, len(np.unique(blocks)) - 1)
    quantiles = float(stdtrit(freedom, (1 + settings.level) / 2) + stdtrit(freedom, POWER))
    alike: dict[int, list[str]] = {number: [] for number in range(len(fit.names))}
    for a, b in interchangeable(fit.models, fit.codes, blocks, fit.factor, settings.level):
        alike[a].append(fit.names[b])
        alike[b].append(fit.names[a])
    time = areas(prepare_pairs([fit.terms], fit.inner, settings.shrinkage), fit.codes, *shapley_game(1))
    about = {"time": plain(time.values[0])}
    entries: list[dict[str, Any]] = [
        about | {"modality": name, "detectable": plain(detectable), "interchangeable": ", ".join(alike[number])}
        for number, (name, detectable) in enumerate(zip(fit.names, quantiles * np.sqrt(variance), strict=True))
    ]
    order = fit.rows.sort_values(["session", "start"], kind="stable").index.to_numpy()
    sessions, codes = fit.rows.session.to_numpy()[order], fit.codes[order]
    reason = _untestable(codes, sessions, settings.level)
    if reason:
        return [entry | {"reason": reason} for entry in [*entries, about]]
    drawn = np.empty((1 + settings.draws, len(codes)), dtype=int)
    drawn[:, order] = exchanged(codes, sessions, settings.draws, settings.seed)
    found, absence = exchange_test(fit.models, drawn), absence_test(fit.models.known, drawn)
    tests = zip(found.p.tolist(), found.corrected.tolist(), absence.tolist(), strict=True)
    keys = ("p", "p_corrected", "p_absence")
    tested = [entry | dict(zip(keys, test, strict=True)) for entry, test in zip(entries, tests, strict=True)]
    return [*tested, about | {"p": found.together}]


def _untestable(codes: Codes, sessions: Any, level: float) -> str | None:
    """Return why label sequences of sessions cannot be exchanged, or None."""
    count, needed = len(set(sessions)), round(1 / (1 - level))
    possible = arrangements(codes, sessions)
    if possible >= needed:
        return None
    if count > 1 and possible == 1:
        return "every session has the same sequence of labels"
    own, ways = f"{count} session{'s' * (count > 1)}", f"{possible} way{'s' * (possible != 1)}"
    return f"{own}: labels can be exchanged in {ways}, {needed} are needed"
