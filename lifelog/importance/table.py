"""The table that holds the importance of all measures."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from lifelog.tables import TEXT, TIME, read_notes, read_tables

# One row per fold, window, seed, measure and modality. fold: null describes the participant from all windows; the
# importance of the other folds forms the groups of the models that are tested in them. block: windows of a block are
# not independent. importance: null if the modality is missing.
KEYS = dict(user=TEXT, start=TIME, fold=pa.int16(), subset=TEXT, block=pa.int32(), seed=pa.int32())
MEASURED = dict(measure=TEXT, modality=TEXT, importance=pa.float32())
# Of the variance of the mean over windows: how often larger it is by the error of training, and its least value.
ERRORS = dict(error_factor=pa.float32(), least_variance=pa.float32())
IMPORTANCE = pa.schema(KEYS | MEASURED | ERRORS)


# Of a participant and modality; without a modality, of all of them together. p: of the test whether the modality
# matters, one-sided; p_corrected: for the number of modalities; null where it cannot be tested, for the reason.
# p_absence: whether the absence of the modality depends on the labels, corrected. detectable: the value that is found
# in four of five recordings. interchangeable: modalities that can replace this one. time: value of the time itself.
TESTS = ["user", "modality", "p", "p_corrected", "p_absence", "detectable", "interchangeable", "time", "reason"]


def read_importance(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the importance of several participants.

    Parameters
    ----------
    paths : iterable of str or Path
        Files with the importance of `estimate_shapley` and `explain_networks`.

    Returns
    -------
    pandas.DataFrame
        One row per fold, window, seed, measure and modality: user, start, fold, subset, block, seed, measure, modality,
        importance.

    Raises
    ------
    ValueError
        If no participant has importance; the message has the reason of each.
    """
    paths = list(paths)
    importance = read_tables(paths)
    if importance.empty:
        excluded = {f"user {Path(path).stem}": read_notes(path)["excluded"] for path in paths}
        reasons = "; ".join(f"{user}: {reason}" for user, reason in excluded.items())
        remedy = "with `importance: false` in the split, models of all and personal models are compared nevertheless"
        raise ValueError(f"no user has importance: {reasons} ({remedy})")
    return importance


def read_tests(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the tests of several participants.

    Parameters
    ----------
    paths : iterable of str or Path
        Files with the importance of `estimate_shapley`; others have no tests.

    Returns
    -------
    pandas.DataFrame
        In the columns `TESTS`.
    """
    entries = [{"user": Path(path).stem} | entry for path in paths for entry in read_notes(path).get("tests", [])]
    return pd.DataFrame(entries, columns=TESTS)
