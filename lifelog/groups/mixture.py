"""A mixture of importance profiles with the known error of each user: groups, their number, and shrunken importance.

The importance of a user is a draw from a group (normal, with an own mean and a common spread) plus an error whose
variance is known from the user's blocks of time (extreme deconvolution: Bovy, Hogg and Roweis, 2011). Users who differ
no more than their errors allow are one group; a user with a large error is drawn towards the mean of its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

ITERATIONS = 200
TOLERANCE = 1e-3  # nats of log-likelihood per iteration
MIN_VARIANCE = 1e-8  # of the spread within groups


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture of k groups of n users with m modalities.

    Attributes
    ----------
    log_likelihood, bic : float
        In nats; Bayesian information criterion (lower is better).
    memberships : ndarray of float, shape (n, k)
        Probability of each group by user.
    means : ndarray of float, shape (k, m)
        Mean importance of each group.
    shrunken, variances : ndarray of float, shape (n, m)
        Expected importance of each user, given its group and error, and the variance of that estimate.
    """

    log_likelihood: float
    bic: float
    memberships: Floats
    means: Floats
    shrunken: Floats
    variances: Floats


def fit_mixture(vectors: Floats, errors: Floats, k: int, seed: int, starts: int) -> Mixture:
    """Fit a mixture by expectation maximisation.

    Parameters
    ----------
    vectors : ndarray of float, shape (n, m)
        Importance of each user.
    errors : ndarray of float, shape (n, m)
        Variance of its error.
    k : int
        Number of groups.
    seed : int
        Seed of the initial means.
    starts : int
        Number of initialisations; the most likely result is used.

    Returns
    -------
    Mixture
        The fitted mixture.

    References
    ----------
    Bovy, Hogg, Roweis (2011). Extreme deconvolution: inferring complete distribution functions from noisy,
    heterogeneous and incomplete observations. Annals of Applied Statistics 5, 1657-1677.
    Schwarz (1978). Estimating the dimension of a model. Annals of Statistics 6, 461-464.
    """
    rng = np.random.default_rng([seed, k])
    initial = np.stack([_initial(vectors, errors, k, rng) for _ in range(1 if k == 1 else starts)])
    likelihood, memberships, means, spread = _maximise(vectors, errors, initial)
    users, modalities = vectors.shape
    parameters = k * modalities + modalities + k - 1
    kept = spread / (errors + spread)
    towards = means + kept[:, None] * (vectors[:, None] - means)
    shrunken = np.einsum("nk,nkm->nm", memberships, towards)
    between = np.einsum("nk,nkm->nm", memberships, (towards - shrunken[:, None]) ** 2)
    return Mixture(
        likelihood,
        parameters * np.log(users) - 2 * likelihood,
        memberships,
        means,
        shrunken,
        kept * errors + between,
    )


def _initial(vectors: Floats, errors: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Choose users as initial means, each far from the ones before (k-means++: Arthur and Vassilvitskii, 2007)."""
    scaled = vectors / np.sqrt(np.median(errors, axis=0))
    chosen = [int(rng.integers(len(vectors)))]
    while len(chosen) < k:
        distances = ((scaled[:, None] - scaled[chosen]) ** 2).sum(axis=2).min(axis=1) + 1e-12
        chosen.append(int(rng.choice(len(vectors), p=distances / distances.sum())))
    return vectors[chosen]


def _maximise(vectors: Floats, errors: Floats, means: Floats) -> tuple[float, Floats, Floats, Floats]:
    """Return log-likelihood, memberships, means and spread of the best start; means have the shape (starts, k, m)."""
    starts, k, modalities = means.shape
    shares = np.full((starts, k), 1 / k)
    spread = np.full((starts, modalities), float(np.median(errors)) / 10 + MIN_VARIANCE)
    last = np.full(starts, -np.inf)
    for _ in range(ITERATIONS):
        total = errors[:, None] + spread[:, None, None]  # (starts, n, 1, m)
        squares = (vectors[:, None] - means[:, None]) ** 2  # (starts, n, k, m)
        logs = -0.5 * (squares / total + np.log(2 * np.pi * total)).sum(axis=3) + np.log(shares)[:, None]
        top = logs.max(axis=2, keepdims=True)
        joint = top[..., 0] + np.log(np.exp(logs - top).sum(axis=2))
        memberships, likelihood = np.exp(logs - joint[..., None]), joint.sum(axis=1)
        if (likelihood - last < TOLERANCE).all():
            break
        last = likelihood
        shares = np.maximum(memberships.mean(axis=1), 1e-12)
        weights = memberships[..., None] / total
        means = (weights * vectors[:, None]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
        kept = spread[:, None, None] / total
        deviations = (kept * (vectors[:, None] - means[:, None])) ** 2 + spread[:, None, None] * (1 - kept)
        spread = np.maximum((memberships[..., None] * deviations).sum(axis=(1, 2)) / len(vectors), MIN_VARIANCE)
    best = int(likelihood.argmax())
    return float(likelihood[best]), memberships[best], means[best], spread[best]
