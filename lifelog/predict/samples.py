"""The input of predictors: windows of several users, standardised by each user's training windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats
from lifelog.predict.store import StoredWindows, store_windows
from lifelog.settings.windows import Modality
from lifelog.splits.classes import as_numbers
from lifelog.splits.folds import Folds, read_folds
from lifelog.standardise import Scaling, fit_scaling
from lifelog.windows.read import Features, read_features


@dataclass
class Samples:
    """N windows of C classes; missing values are NaN.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per window: user, session, subset, start (UTC), minute (start in minutes since 1970), elapsed (minutes
        since the first labelled window of the session), answer (its number), block (its windows are not independent),
        truth (class number), level (label value as a number, NaN for others), rating (label value of a target of kind
        `rating`, NaN for other targets).
    summary : ndarray of float32, shape (N, n_features)
        Summary statistics.
    maxima : dict of str to ndarray of float32, shape (N, bins, n_channels)
        Maxima of 5-second bins by modality.
    windows : StoredWindows or None
        Windows as recorded; None unless they were requested.
    features : list of str
        Columns of `summary`, as `modality.feature`.
    modalities : list of Modality
        The modalities.
    classes : list of str
        Names of the classes.
    """

    rows: pd.DataFrame
    summary: Floats
    maxima: dict[str, Floats]
    windows: StoredWindows | None
    features: list[str]
    modalities: list[Modality]
    classes: list[str]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def truth(self) -> Codes:
        """Class numbers, shape (N,)."""
        numbers: Codes = self.rows.truth.to_numpy(copy=True)  # writable, which torch asks for
        return numbers

    @property
    def is_rating(self) -> bool:
        """Whether labels are ratings."""
        return not bool(self.rows.rating.isna().any())

    def take(self, rows: Bools | Codes) -> Samples:
        """Return some windows, by mask or by number."""
        places = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            rows=self.rows.take(places),
            summary=self.summary[places],
            maxima={name: values[places] for name, values in self.maxima.items()},
            windows=None if self.windows is None else self.windows.take(places),
        )

    def only(self, names: Sequence[str]) -> Samples:
        """Return all windows with some modalities, for predictors that see features."""
        columns = [i for i, feature in enumerate(self.features) if feature.split(".")[0] in names]
        return replace(
            self,
            summary=self.summary[:, columns],
            maxima={name: values for name, values in self.maxima.items() if name in names},
            windows=None,
            features=[self.features[i] for i in columns],
            modalities=[modality for modality in self.modalities if modality.name in names],
        )

    def subset(self, name: str, users: list[str] | None = None) -> Samples:
        """Return the windows of a subset, of all users or of some."""
        if users is None:
            return self.take((self.rows.subset == name).to_numpy())
        of_users = [self._places.get((name, user)) for user in users]
        places = [rows for rows in of_users if rows is not None]
        return self.take(np.sort(np.concatenate(places)) if places else np.zeros(len(self), dtype=bool))

    def fitted(self, users: list[str]) -> tuple[Samples, Samples]:
        """Return the training and the validation windows of some users."""
        return self.subset("train", users), self.subset("validation", users)

    @cached_property
    def _places(self) -> dict[tuple[str, str], Codes]:
        """Numbers of the windows by subset and user, found once: models of a thousand users ask for their own."""
        return self.rows.groupby(["subset", "user"]).indices

    def columns_by_modality(self) -> dict[str, list[int]]:
        """Return the columns of `summary` of each modality."""
        names = [name.split(".")[0] for name in self.features]
        return {m.name: [i for i, name in enumerate(names) if name == m.name] for m in self.modalities}

    def rows_by_user(self) -> dict[str, Codes]:
        """Return the numbers of the windows of each user."""
        places = self.rows.groupby("user", sort=False).indices
        return {str(user): places[user] for user in dict.fromkeys(self.rows.user)}


class Person(NamedTuple):
    """The windows of a user.

    Attributes
    ----------
    features : Features
        Of `extract_features`, with maxima.
    folds : Folds
        Of `assign_splits`.
    windows : str or None
        File of the windows as recorded, for predictors that see them.
    """

    features: Features
    folds: Folds
    windows: str | None = None


class FeatureScaling(NamedTuple):
    """The scaling of a user's features: of summary features, and of maxima by modality."""

    summary: Scaling
    maxima: dict[str, Scaling]

    def apply(self, features: Features, rows: Bools | slice) -> tuple[Floats, dict[str, Floats]]:
        """Standardise the summary features and maxima of some windows, in double precision."""

        def scaled(scaling: Scaling, values: Floats) -> Floats:
            return scaling.apply(values[rows].astype(np.float64)).astype(np.float32)

        maxima = {name: scaled(self.maxima[name], values) for name, values in features.maxima.items()}
        return scaled(self.summary, features.summary), maxima


def feature_scaling(features: Features, rows: Bools, standardise: str = "user") -> FeatureScaling:
    """Fit the scaling of a user's features.

    Parameters
    ----------
    features : Features
        Of all windows.
    rows : ndarray of bool, shape (n_windows,)
        The windows to fit it to.
    standardise : str, default "user"
        `user` or `none`.

    Returns
    -------
    FeatureScaling
        Of summary features and of maxima.
    """

    def fitted(values: Floats) -> Scaling:
        return fit_scaling([values[rows].astype(np.float64)], values.shape[-1], standardise)

    return FeatureScaling(fitted(features.summary), {name: fitted(x) for name, x in features.maxima.items()})


def fitting_rows(split: pd.DataFrame) -> Bools:
    """Return the windows that a user is standardised by: training ones, or all of a user who is tested as a whole."""
    train = (split.subset == "train").to_numpy()
    return train if train.any() else split.subset.notna().to_numpy()


def read_people(features: Sequence[str], splits: Sequence[str], windows: Sequence[str] = ()) -> list[Person]:
    """Read features and folds of several users, and the names of their windows files if they are given."""
    files: Sequence[str | None] = list(windows) or [None] * len(features)
    paths = zip(features, splits, files, strict=True)
    return [Person(read_features(of_user, maxima=True), read_folds(folds), path) for of_user, folds, path in paths]


def make_samples(
    people: Sequence[Person], fold: int | None, standardise: str = "user", folder: str | Path | None = None
) -> Samples:
    """Return the windows of some users that are used in a fold.

    Parameters
    ----------
    people : sequence of Person
        Features with maxima, and folds, of each user.
    fold : int or None
        Fold of the split; None for all windows. A user with fewer folds trains in the further ones.
    standardise : str, default "user"
        `user` or `none`.
    folder : str or Path, optional
        Folder of the temporary file that stores the windows, where people have any.

    Returns
    -------
    Samples
        In the order of the users.

    Examples
    --------
    >>> from lifelog import BlockedSplit, Person, Target, make_cohort
    >>> from lifelog import assign_splits, extract_features, make_samples
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> people = []
    >>> for person in make_cohort(participants=2, windows=40):
    ...     folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=2))
    ...     features = extract_features([person.sensors], person.labels, person.modalities)
    ...     people.append(Person(features, folds))
    >>> samples = make_samples(people, fold=1)
    >>> samples.rows.user.nunique(), sorted(set(samples.rows.subset))
    (2, ['test', 'train', 'validation'])
    """
    splits = [person.folds.fold(fold) for person in people]
    pieces = [_standardised(*pair, standardise) for pair in zip(people, splits, strict=True)]
    first, stored = pieces[0], None
    if files := [person.windows for person in people if person.windows]:
        subsets = [split.subset.fillna("").to_numpy(dtype=str) for split in splits]
        stored = store_windows(files, subsets, first.modalities, standardise, folder)
    return replace(
        first,
        rows=pd.concat([piece.rows for piece in pieces], ignore_index=True),
        summary=np.concatenate([piece.summary for piece in pieces]),
        maxima={name: np.concatenate([piece.maxima[name] for piece in pieces]) for name in first.maxima},
        windows=stored,
    )


def _standardised(person: Person, split: pd.DataFrame, standardise: str) -> Samples:
    """Return the windows of a user that a split uses, without the windows as recorded."""
    features, classes = person.features, person.folds.classes
    used, train = split.subset.notna().to_numpy(), (split.subset == "train").to_numpy()
    minutes, levels = split.start.dt.as_unit("s").astype("int64") // 60, as_numbers(split.level)
    rows = split[["user", "session", "subset", "start", "answer", "block"]].assign(
        minute=minutes,
        elapsed=minutes - minutes.groupby(split.session).transform("min"),
        truth=split.label.map({name: i for i, name in enumerate(classes)}),
        level=levels,
        rating=_ratings(levels, train, person.folds),
    )[used]
    scaling = feature_scaling(features, fitting_rows(split), standardise)
    return Samples(
        rows.astype({"truth": int, "answer": int, "block": int}),
        *scaling.apply(features, used),
        None,
        features.names,
        features.modalities,
        classes,
    )


def _ratings(levels: Floats, train: Bools, folds: Folds) -> Floats | float:
    """Return label values as ratings; of a relative target, distances from the mean of the user's training windows."""
    if not folds.rating:
        return np.nan
    return levels - np.nanmean(levels[train] if train.any() else levels) if folds.relative else levels


def unlabelled_samples(features: Features, rows: pd.DataFrame, scaling: FeatureScaling, classes: list[str]) -> Samples:
    """Return windows without labels as input of predictors that see features.

    Parameters
    ----------
    features : Features
        Of some windows of a user, with maxima.
    rows : pandas.DataFrame
        The same windows: user, session, start.
    scaling : FeatureScaling
        Of the user.
    classes : list of str
        Names of the classes.

    Returns
    -------
    Samples
        In the order of the windows; every class number is 0.
    """
    table = rows[["user", "session", "start"]].assign(subset="test", truth=0, rating=np.nan)
    arrays = scaling.apply(features, slice(None))
    return Samples(table.reset_index(drop=True), *arrays, None, features.names, features.modalities, classes)
