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
    """Remove what the time explains of each feature, by least squares that are shrunk by what chance explains.

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

    References
    ----------
    James, Stein (1961). Estimation with quadratic loss. Proceedings of the Fourth Berkeley Symposium 1, 361-379.
    Snoek, Miletic, Scholte (2019). How to control for confounds in decoding analyses of neuroimaging data. NeuroImage
    184, 741-760 (of residuals in few windows, which are less predictable than noise).
    """
    residuals = np.full_like(values, np.nan)
    for column in range(values.shape[1]):
        known = ~np.isnan(values[:, column])
        if not known.any():
            continue
        count = int(known.sum())
        design = np.ones((count, 1)) if count < 3 * terms.shape[1] else np.c_[np.ones(count), terms[known]]
        own = values[known, column] - values[known, column].mean()
        fitted = design @ np.linalg.lstsq(design, own, rcond=None)[0]
        rest = own - _beyond_chance(own, fitted, design.shape[1] - 1) * fitted
        residuals[known, column] = np.where(np.abs(rest) > ROUNDING * np.abs(values[known, column]).max(), rest, 0)
    return residuals


def _beyond_chance(values: Floats, fitted: Floats, terms: int) -> float:
    """Return by which factor to shrink a fit, since terms fit even noise: 0 for noise, 1 for a clear dependence."""
    explained, free = float(fitted @ fitted), len(values) - terms - 1
    if terms == 0 or explained <= 0 or free < 1:
        return 1.0
    rest = values - fitted
    return max(0.0, 1 - float(rest @ rest) / free / (explained / terms))
