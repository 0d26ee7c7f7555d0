"""The input of predictors: windows of several users, standardised by each user's training windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.arrays import Bools, Codes, Floats, Texts
from lifelog.predict.store import StoredWindows, store_windows
from lifelog.settings.levels import as_number
from lifelog.settings.windows import Modality
from lifelog.splits.assign import DESCRIBED, read_folds
from lifelog.standardise import fit_scaling
from lifelog.tables import read_notes
from lifelog.windows.read import is_summary, maxima_name


@dataclass
class Samples:
    """N windows of C classes; missing values are NaN.

    Attributes
    ----------
    users, sessions, subsets : ndarray of object, shape (N,)
        User, session and subset.
    starts : ndarray of datetime64, shape (N,)
        Starts in UTC.
    minutes : ndarray of int, shape (N,)
        Starts in minutes since 1970.
    elapsed : ndarray of int, shape (N,)
        Minutes since the first labelled window of the session.
    truth : ndarray of int, shape (N,)
        Class numbers.
    ratings : ndarray of float, shape (N,)
        Label values of a target of kind `rating`; NaN for other targets.
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

    users: Texts
    sessions: Texts
    subsets: Texts
    starts: NDArray[np.datetime64]
    minutes: Codes
    elapsed: Codes
    truth: Codes
    ratings: Floats
    summary: NDArray[np.float32]
    maxima: dict[str, NDArray[np.float32]]
    windows: StoredWindows | None
    features: list[str]
    modalities: list[Modality]
    classes: list[str]

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def is_rating(self) -> bool:
        """Whether labels are ratings."""
        return not bool(np.isnan(self.ratings).any())

    def take(self, rows: Bools | Codes) -> Samples:
        """Return some windows, by mask or by number."""
        return replace(
            self,
            users=self.users[rows],
            sessions=self.sessions[rows],
            subsets=self.subsets[rows],
            starts=self.starts[rows],
            minutes=self.minutes[rows],
            elapsed=self.elapsed[rows],
            truth=self.truth[rows],
            ratings=self.ratings[rows],
            summary=self.summary[rows],
            maxima={name: values[rows] for name, values in self.maxima.items()},
            windows=None if self.windows is None else self.windows.take(rows),
        )

    def subset(self, name: str, users: list[str] | None = None) -> Samples:
        """Return the windows of a subset, of all users or of some."""
        if users is None:
            return self.take(self.subsets == name)
        own = [self._places.get((name, user)) for user in users]
        found = [rows for rows in own if rows is not None]
        return self.take(np.sort(np.concatenate(found)) if found else np.zeros(len(self), dtype=bool))

    def fitted(self, users: list[str]) -> tuple[Samples, Samples]:
        """Return the training and the validation windows of some users."""
        return self.subset("train", users), self.subset("validation", users)

    @cached_property
    def _places(self) -> dict[tuple[str, str], Codes]:
        """Numbers of the windows by subset and user, found once: models of a thousand users ask for their own."""
        return pd.DataFrame({"subset": self.subsets, "user": self.users}).groupby(["subset", "user"]).indices

    def columns_by_modality(self) -> dict[str, list[int]]:
        """Return the columns of `summary` of each modality."""
        own = [name.split(".")[0] for name in self.features]
        return {m.name: [i for i, name in enumerate(own) if name == m.name] for m in self.modalities}

    def rows_by_user(self) -> dict[str, Codes]:
        """Return the numbers of the windows of each user."""
        found = pd.Series(self.users).groupby(self.users, sort=False).indices
        return {str(user): found[user] for user in dict.fromkeys(self.users)}


def read_samples(
    features: Sequence[str],
    splits: Sequence[str],
    users: Sequence[str],
    standardise: str,
    fold: int,
    windows: Sequence[str] | None = None,
    folder: str | Path | None = None,
) -> Samples:
    """Read the windows of some users that are used in a fold.

    Parameters
    ----------
    features, splits : sequence of str
        Files of `extract_features` and `assign_splits`, in the same order of users.
    users : sequence of str
        Users to read; others are skipped.
    standardise : str
        `user` or `none`.
    fold : int
        Fold of the split.
    windows : sequence of str, optional
        Files of `extract_windows` in the same order, for predictors that see windows.
    folder : str or Path, optional
        Folder of the temporary file that stores the windows.

    Returns
    -------
    Samples
        In the order of the files.
    """
    return SamplesReader(features, splits, users, standardise, windows, folder).fold(fold)


class SamplesReader:
    """The windows of some users. Files of features and splits are read once for all folds.

    Parameters
    ----------
    features, splits, users, standardise, windows, folder
        As in `read_samples`.
    """

    def __init__(
        self,
        features: Sequence[str],
        splits: Sequence[str],
        users: Sequence[str],
        standardise: str,
        windows: Sequence[str] | None = None,
        folder: str | Path | None = None,
    ) -> None:
        self.standardise, self.folder = standardise, folder
        self.users, self.windows = [], []
        for i, (features_path, splits_path) in enumerate(zip(features, splits, strict=True)):
            folds = read_folds(splits_path)
            about = folds[DESCRIBED]
            if len(about) and about.user[0] in users:
                self.users.append(_read_user(features_path, folds, read_notes(splits_path)))
                self.windows += [windows[i]] if windows else []

    def fold(self, number: int) -> Samples:
        """Return the windows that are used in a fold, in the order of the files.

        A user with fewer folds than others is not tested in the further ones: they are like fold 0.
        """
        splits = [user.folds.get(number, user.folds[DESCRIBED]) for user in self.users]
        pieces = [_standardised(*pair, self.standardise) for pair in zip(self.users, splits, strict=True)]
        first, stored = pieces[0], None
        if self.windows:
            subsets = [split.subset.fillna("").to_numpy(dtype=str) for split in splits]
            stored = store_windows(self.windows, subsets, first.modalities, self.standardise, self.folder)
        return replace(
            first,
            users=np.concatenate([piece.users for piece in pieces]),
            sessions=np.concatenate([piece.sessions for piece in pieces]),
            subsets=np.concatenate([piece.subsets for piece in pieces]),
            starts=np.concatenate([piece.starts for piece in pieces]),
            minutes=np.concatenate([piece.minutes for piece in pieces]),
            elapsed=np.concatenate([piece.elapsed for piece in pieces]),
            truth=np.concatenate([piece.truth for piece in pieces]),
            ratings=np.concatenate([piece.ratings for piece in pieces]),
            summary=np.concatenate([piece.summary for piece in pieces]),
            maxima={name: np.concatenate([piece.maxima[name] for piece in pieces]) for name in first.maxima},
            windows=stored,
        )


class _User(NamedTuple):
    """All windows of a user as recorded: subsets by fold, notes of the splits, and the columns of the features."""

    folds: dict[int, pd.DataFrame]
    about: dict[str, Any]
    modalities: list[Modality]
    features: list[str]
    summary: Floats
    maxima: dict[str, Floats]


def _read_user(features_path: str, folds: dict[int, pd.DataFrame], about: dict[str, Any]) -> _User:
    """Read the windows of one user."""
    table = pq.read_table(features_path)
    notes = read_notes(features_path)
    modalities = [Modality(**entry) for entry in notes["modalities"]]
    features = list(filter(is_summary, table.column_names))
    maxima = {}
    for modality in modalities:
        flat = table.column(maxima_name(modality.name)).combine_chunks().flatten().to_numpy()
        maxima[modality.name] = flat.reshape(len(table), notes["bins"], modality.channels)
    summary = np.stack([table.column(name).to_numpy() for name in features], axis=1)
    return _User(folds, about, modalities, features, summary, maxima)


def _standardised(user: _User, split: pd.DataFrame, standardise: str) -> Samples:
    """Return the windows of a user that a split uses, without the windows as recorded."""
    used = split.subset.notna().to_numpy()
    minutes = split.start.dt.as_unit("s").astype("int64") // 60
    elapsed = minutes - minutes.groupby(split.session).transform("min")
    own = split[used]
    train = (own.subset == "train").to_numpy()
    classes, rating = user.about["classes"], user.about["rating"]
    return Samples(
        own.user.to_numpy(dtype=object),
        own.session.to_numpy(dtype=object),
        own.subset.to_numpy(dtype=object),
        own.start.dt.tz_localize(None).to_numpy(),
        minutes[used].to_numpy(),
        elapsed[used].to_numpy(),
        own.label.map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int),
        np.array([as_number(level) if rating else np.nan for level in own.level], dtype=float),
        _standardise(user.summary[used], train, standardise),
        {name: _standardise(values[used], train, standardise) for name, values in user.maxima.items()},
        None,
        user.features,
        user.modalities,
        classes,
    )


def _standardise(values: Floats, train: Bools, standardise: str) -> NDArray[np.float32]:
    """Standardise by training windows, in double precision."""
    values = values.astype(np.float64)
    return fit_scaling([values[train]], values.shape[-1], standardise).apply(values).astype(np.float32)
