"""Standardisation by the training windows of a user; the only implementation, for bags, features and stored windows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lifelog.arrays import Floats


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation per channel, shape (n_channels,) each."""

    mean: Floats
    std: Floats

    def apply(self, values: Floats) -> Floats:
        """Standardise values.

        Parameters
        ----------
        values : ndarray of float, shape (..., n_channels)
            NaN marks missing values.

        Returns
        -------
        ndarray of float, shape (..., n_channels)
            In the data type of `values`; missing values stay NaN.
        """
        return (values - self.mean.astype(values.dtype)) / self.std.astype(values.dtype)


def fit_scaling(batches: Iterable[Floats], channels: int, standardise: str) -> Scaling:
    """Fit the scaling of channels to training windows, in one pass over batches (Chan, Golub and LeVeque, 1983).

    Parameters
    ----------
    batches : iterable of ndarray of float, shape (..., n_channels)
        Training windows; NaN marks missing values, which are ignored.
    channels : int
        Number of channels.
    standardise : str
        `user` to fit the scaling, `none` for mean 0 and standard deviation 1.

    Returns
    -------
    Scaling
        A constant channel (a dead sensor) has standard deviation 1, so that it is centred and not amplified.

    References
    ----------
    Chan, Golub, LeVeque (1983). Algorithms for computing the sample variance. The American Statistician 37(3).
    """
    count, mean, squares = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    for batch in batches if standardise == "user" else ():
        values = batch.reshape(-1, channels).astype(np.float64)
        known = ~np.isnan(values)
        n = known.sum(axis=0)
        total = np.maximum(count + n, 1)
        own = np.where(known, values, 0).sum(axis=0) / np.maximum(n, 1)
        difference = own - mean
        squares += (np.where(known, values - own, 0) ** 2).sum(axis=0) + difference**2 * count * n / total
        mean += difference * n / total
        count += n
    std = np.sqrt(squares / np.maximum(count, 1))
    return Scaling(mean, np.where(std > 1e-6 * (1 + np.abs(mean)), std, 1.0))
