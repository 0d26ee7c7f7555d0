"""Class probabilities of predictions, and their temperature.

A temperature T turns probabilities p, of at least `MIN_PROBABILITY`, into p^(1/T), which sum to 1 again: above 1, they
become less certain. One temperature per fold and scheme is fitted on validation windows; it changes no predicted class.

References
----------
Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural networks. ICML.
"""

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats

TEMPERATURES = np.geomspace(1 / 16, 16, 129)
MIN_PROBABILITY = 1e-3  # that is judged: a hundred windows cannot show that one is smaller
MOST_POWERS = 2_000_000  # numbers that are held in memory


def class_probabilities(table: pd.DataFrame, scaled: bool = False) -> Floats:
    """Return the class probabilities of a predictions table.

    Parameters
    ----------
    table : pandas.DataFrame
        Table of `train_predictors`.
    scaled : bool, default False
        Whether to apply the temperatures.

    Returns
    -------
    ndarray of float, shape (n_windows, n_classes)
        In the order of the classes.
    """
    p = table[[name for name in table.columns if name.startswith("p_")]].to_numpy()
    return rescale(p, table.temperature.to_numpy()) if scaled else p


def rescale(probabilities: Floats, temperature: Floats | float) -> Floats:
    """Apply a temperature.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Class probabilities.
    temperature : float or ndarray of float, shape (n_windows,)
        Temperature of all windows, or of each.

    Returns
    -------
    ndarray of float, shape (n_windows, n_classes)
        They sum to 1.
    """
    powers = np.maximum(probabilities, MIN_PROBABILITY) ** (1 / np.reshape(temperature, (-1, 1)))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(probabilities: Floats, truth: Codes) -> float:
    """Find the temperature with the lowest log-loss.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Class probabilities of validation windows.
    truth : ndarray of int, shape (n_windows,)
        Class numbers.

    Returns
    -------
    float
        One of `TEMPERATURES`; 1 without windows.
    """
    if not len(truth):
        return 1.0
    logs = np.log(np.maximum(probabilities, MIN_PROBABILITY))
    logs -= logs.max(axis=1, keepdims=True)
    losses = []
    # Many temperatures at once, but few for many windows, whose powers would not fit into memory.
    for some in np.array_split(TEMPERATURES, 1 + len(TEMPERATURES) * logs.size // MOST_POWERS):
        powers = logs / some[:, None, None]
        own = np.log(np.exp(powers).sum(axis=2)) - powers[:, np.arange(len(truth)), truth]
        losses.append(np.minimum(own, -np.log(MIN_PROBABILITY)).mean(axis=1))
    return float(TEMPERATURES[int(np.argmin(np.concatenate(losses)))])
