"""Classes of labels: by their values, or relative to the other answers of the participant.

People use a scale differently: 3 of 7 is much for one, and little for another. A relative target divides the answers of
each participant at quantiles of their own, which are found in the training windows of a fold: no answer of a test
window changes a class.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats
from lifelog.settings.levels import as_number
from lifelog.settings.splits import Target
from lifelog.windows.labels import shared_rows

FEWEST_ANSWERS = 5  # of which quantiles are taken


def as_numbers(levels: pd.Series) -> Floats:
    """Return label values as numbers, NaN for others."""
    return levels.map({value: as_number(value) for value in levels.dropna().unique()}).to_numpy(dtype=float)


def find_cuts(values: Floats, answers: Codes, shares: list[float]) -> Floats | None:
    """Find the values that divide answers into shares.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows,)
        Answers as numbers.
    answers : ndarray of int, shape (n_windows,)
        Number of the answer of each window; an answer counts once.
    shares : list of float
        Shares of the answers below each cut, ascending.

    Returns
    -------
    ndarray of float, shape (n_shares,), or None
        Each lies in the middle between two neighbouring answers, where the share below is nearest to the wanted one.
        None for fewer than five answers, or equal ones.
    """
    given = np.sort(values[np.unique(answers, return_index=True)[1]])
    levels, counts = np.unique(given, return_counts=True)
    if len(given) < FEWEST_ANSWERS or len(levels) < 2:
        return None
    below = np.cumsum(counts)[:-1] / len(given)
    nearest = np.abs(below - np.array(shares)[:, None]).argmin(axis=1)
    return (levels[nearest] + levels[nearest + 1]) / 2


@dataclass(frozen=True)
class Labels:
    """The labels of a participant's windows that can have a class.

    Attributes
    ----------
    levels : pandas.Series
        Label value of each window.
    answers : ndarray of int, shape (n_windows,)
        Number of the answer of each window.
    minutes : ndarray of float, shape (n_windows,)
        Start of each window.
    target : Target
        Classes.
    """

    levels: pd.Series
    answers: Codes
    minutes: Floats
    target: Target

    def codes(self, known: Bools | None = None) -> Codes:
        """Return class numbers, shape (n_windows,).

        Those of a relative target are relative to the answers of the known windows, by default of all; they are -1 if
        these are too few or all equal.
        """
        if self.target.relative is None:
            return self._absolute
        known = np.ones(len(self.answers), dtype=bool) if known is None else known
        return self._relative(known, np.ones(len(known), dtype=bool))

    def codes_from_before(self) -> Codes:
        """Return class numbers as they are known of a new participant, shape (n_windows,).

        Those of a relative target are relative to the answers before each; they are -1 if these are too few or equal.
        """
        if self.target.relative is None:
            return self._absolute
        codes = np.full(len(self.answers), -1)
        first = pd.Series(self.minutes).groupby(self.answers).transform("min").to_numpy()
        for start in np.unique(first):
            codes[first == start] = self._relative(first < start, first == start)
        return codes

    @property
    def balanced(self) -> Codes:
        """Class numbers that folds are balanced by; one class if a fold decides about classes, shape (n_windows,)."""
        return self._absolute if self.target.relative is None else np.zeros(len(self.answers), dtype=int)

    @cached_property
    def _absolute(self) -> Codes:
        classes = {name: number for number, name in enumerate(self.target.classes)}
        of_level = {level: self.target.class_of(level) for level in self.levels.unique()}
        return np.array([classes[str(of_level[level])] for level in self.levels], dtype=int)

    @cached_property
    def _numbers(self) -> Floats:
        return as_numbers(self.levels)

    def _relative(self, known: Bools, wanted: Bools) -> Codes:
        cuts = find_cuts(self._numbers[known], self.answers[known], self.target.shares)
        return np.full(wanted.sum(), -1) if cuts is None else np.searchsorted(cuts, self._numbers[wanted])


def label_windows(windows: pd.DataFrame, target: Target) -> tuple[Bools, Labels]:
    """Return which windows can have a class, and their labels.

    Parameters
    ----------
    windows : pandas.DataFrame
        Windows of a participant, as `read_labels` returns them.
    target : Target
        Label column and classes.

    Returns
    -------
    ndarray of bool, shape (n_windows,)
        Windows whose label value is in a bin, or a number for a relative target.
    Labels
        Of these windows.
    """
    levels = windows[target.column]
    usable = {value: target.is_usable(value) for value in levels.dropna().unique()}
    used = levels.map(usable).eq(True).to_numpy()
    labelled = windows[used]
    return used, Labels(levels[used], shared_answers(labelled, target), start_minutes(labelled), target)


def start_minutes(windows: pd.DataFrame) -> Floats:
    """Return the starts of windows in minutes."""
    return (windows.start.dt.as_unit("s").astype("int64") / 60).to_numpy()


def shared_answers(labelled: pd.DataFrame, target: Target, runs: Codes | None = None) -> Codes:
    """Number windows such that those which share an answer, or are in one run, have the same number."""
    rows = [own.get(target.column, []) for own in labelled.label_rows]
    if runs is not None:
        rows = [[*names, f"time {run}"] for names, run in zip(rows, runs, strict=True)]
    return np.array(shared_rows(rows), dtype=int)


def class_names(codes: Codes, target: Target) -> list[str | None]:
    """Return the names of classes; None for -1."""
    names = [*target.classes, None]
    return [names[code] for code in codes]
