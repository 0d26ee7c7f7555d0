"""What the time explains is credited to no modality.

Labels and signals both change with the time: in a session, over the days of a study, and with the time of day. A sensor
that only follows the time then predicts labels as a clock does. Features are therefore used without what the time
explains of them, and the time itself has a value of its own beside the sensors.
"""

import numpy as np
import pandas as pd

from lifelog.arrays import Floats

SESSIONS_PER_TERM = 3  # at least, for terms that differ between sessions
ROUNDING = 1e-9  # of a feature's size: what remains of a constant is no signal


def clock_terms(starts: pd.Series, sessions: pd.Series) -> Floats:
    """Return functions of the time of windows.

    Parameters
    ----------
    starts : pandas.Series
        Start of each window, UTC.
    sessions : pandas.Series
        Session of each window.

    Returns
    -------
    ndarray of float, shape (n_windows, n_terms)
        Centred: time since the start of the session and its square; with three sessions the time since the start of
        the recordings, with six its square, with twelve sine and cosine of the time of day.
    """
    seconds = starts.dt.as_unit("s").astype("int64").to_numpy(dtype=float)
    within = seconds - pd.Series(seconds).groupby(sessions.to_numpy()).transform("min").to_numpy()
    study, day = _unit(seconds), 2 * np.pi * (seconds % 86400) / 86400
    between = [study, study**2, np.sin(day), np.cos(day)]
    places = sessions.nunique() // SESSIONS_PER_TERM
    terms = [_unit(within), _unit(within) ** 2, *between[: 4 if places >= len(between) else min(places, 2)]]
    return np.stack([term - term.mean() for term in terms], axis=1)


def _unit(times: Floats) -> Floats:
    """Return times with mean 0 and standard deviation 1; 0 if they are equal."""
    spread = times.std()
    return (times - times.mean()) / spread if spread > 0 else np.zeros_like(times)


def without_clock(values: Floats, terms: Floats) -> Floats:
    """Remove what the time explains of a modality, by least squares that are shrunk by what chance explains.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, n_features)
        Features; NaN marks missing values.
    terms : ndarray of float, shape (n_windows, n_terms)
        Of `clock_terms`.

    Returns
    -------
    ndarray of float, shape (n_windows, n_features)
        Residuals. No label is used. A feature with too few values for the terms is only centred.

    Notes
    -----
    Residuals of few windows are less predictable than noise, so that a fit to noise must not be removed. Features of a
    modality often change with time together, and their mean dependence on it is less uncertain than that of each. A
    feature whose own dependence is clearer is shrunk by that, with twice the chance.

    References
    ----------
    James, Stein (1961). Estimation with quadratic loss. Proceedings of the Fourth Berkeley Symposium 1, 361-379.
    Snoek, Miletic, Scholte (2019). How to control for confounds in decoding analyses of neuroimaging data. NeuroImage
    184, 741-760.
    """
    known, fitted = ~np.isnan(values), np.zeros_like(values)
    counts = known.sum(axis=0)
    centred = np.where(known, values - np.where(known, values, 0).sum(axis=0) / np.maximum(counts, 1), 0)
    many = counts >= 3 * terms.shape[1]
    for column in np.flatnonzero(many):
        rows = known[:, column]
        design = np.c_[np.ones(counts[column]), terms[rows]]
        fitted[rows, column] = design @ np.linalg.lstsq(design, centred[rows, column], rcond=None)[0]
    rest = centred - fitted
    # Both are the variance, if a feature does not depend on the time.
    variances = np.maximum((centred**2).sum(axis=0), np.finfo(float).tiny)
    explained = (fitted**2).sum(axis=0) / variances / terms.shape[1]
    unexplained = (rest**2).sum(axis=0) / variances / np.maximum(counts - terms.shape[1] - 1, 1)
    together = _beyond_chance(explained[many].mean(), unexplained[many].mean()) if many.any() else 0
    kept = centred - np.maximum(together, _beyond_chance(explained, 2 * unexplained)) * fitted
    size = np.where(known, np.abs(values), 0).max(axis=0)
    return np.where(known, np.where(np.abs(kept) > ROUNDING * size, kept, 0), np.nan)


def _beyond_chance(explained: Floats, by_chance: Floats) -> Floats:
    """Return by which factor to shrink a fit: 0 for noise, 1 for a clear dependence."""
    return 1 - np.minimum(by_chance / np.maximum(explained, np.finfo(float).tiny), 1)
