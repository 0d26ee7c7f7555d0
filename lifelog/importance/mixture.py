"""A mixture of importance profiles with the known error of each user: groups, their number, and shrunken importance.

People of a kind respond with the same modalities, but not equally strongly. The importance of a user is therefore the
mean of a group times the user's strength (normal, with mean 1 and a common variance), plus a draw with a common
spread, plus an error whose variance is known from the user's blocks of time (extreme deconvolution: Bovy, Hogg and
Roweis, 2011). Users who differ in strength only, or no more than their errors allow, are one group; a user with a large
error is shrunk towards the mean of its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lifelog.arrays import Bools, Floats
from lifelog.importance.vectors import Profiles

STARTS = 20  # initial means; the most likely result is used
ITERATIONS = 200
TOLERANCE = 1e-3  # nats of log-likelihood per iteration
FINEST = 1e-6  # of the best start
MIN_VARIANCE = 1e-8  # of the spread within groups
STRENGTH = 0.1  # initial variance of strengths
MOST_STRENGTH = 0.5  # largest one: strengths are rarely negative


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


def best_mixture(profiles: Profiles, k_max: int, seed: int) -> tuple[int, Mixture]:
    """Return the number of groups with the lowest BIC, and its mixture.

    Parameters
    ----------
    profiles : Profiles
        Importance of users.
    k_max : int
        Largest number of groups; there is at least one user more than groups.
    seed : int
        Seed of the initial means.

    Returns
    -------
    int, Mixture
        1 group is possible.
    """
    fits = fit_mixtures(profiles, list(range(1, max(1, min(k_max, len(profiles.users) - 1)) + 1)), seed)
    best = min(fits, key=lambda k: fits[k].bic)
    return best, fits[best]


def fit_mixtures(profiles: Profiles, ks: list[int], seed: int) -> dict[int, Mixture]:
    """Return the mixture of the users' importance for each number of groups."""
    vectors, errors = profiles.users.to_numpy(), profiles.errors.to_numpy()
    return {k: fit_mixture(vectors, errors, k, seed, STARTS) for k in ks}


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
    initial = np.stack([_initial(vectors, errors, k, rng) for _ in range(2 if k == 1 else starts)])
    users, modalities = vectors.shape
    shares = np.full((len(initial), k), 1 / k)
    spread = np.full((len(initial), modalities), float(np.median(errors)) / 10 + MIN_VARIANCE)
    strength = np.where(np.arange(len(initial)) % 2, 0.0, STRENGTH)  # from 0, which is kept, a limit is reached at once
    state = _climb(vectors, errors, _expect(vectors, errors, shares, initial, spread, strength), TOLERANCE)
    best = _climb(vectors, errors, state.of([int(state.likelihood.argmax())]), FINEST).of(0)
    memberships, likelihood = best.memberships, float(best.likelihood)
    parameters = k * modalities + modalities + k  # means, spread, shares, and the variance of strengths
    kept = best.spread / (errors + best.spread)
    means = best.strengths[..., None] * best.means
    towards = means + kept[:, None] * (vectors[:, None] - means)
    shrunken = np.einsum("nk,nkm->nm", memberships, towards)
    between = np.einsum("nk,nkm->nm", memberships, (towards - shrunken[:, None]) ** 2)
    bic = parameters * np.log(users) - 2 * likelihood
    return Mixture(likelihood, bic, memberships, best.means, shrunken, kept * errors + between)


def _initial(vectors: Floats, errors: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Choose users as initial means, each far from the ones before (k-means++: Arthur and Vassilvitskii, 2007)."""
    scaled = vectors / np.sqrt(np.median(errors, axis=0))
    chosen = [int(rng.integers(len(vectors)))]
    while len(chosen) < k:
        distances = ((scaled[:, None] - scaled[chosen]) ** 2).sum(axis=2).min(axis=1) + 1e-12
        chosen.append(int(rng.choice(len(vectors), p=distances / distances.sum())))
    return vectors[chosen]


class _State(NamedTuple):
    """Starts of the maximisation: log-likelihood, memberships, shares, means, spread and variance of strengths.

    With s starts, n users, k groups and m modalities: (s,), (s, n, k), (s, k), (s, k, m), (s, m), (s,). The strengths,
    and their squares, of users as members of each group are expected ones, (s, n, k).
    """

    likelihood: Floats
    memberships: Floats
    shares: Floats
    means: Floats
    spread: Floats
    strength: Floats
    strengths: Floats
    squares: Floats

    def of(self, starts: Bools | list[int] | int) -> _State:
        """Return some starts, or one."""
        return _State(*(array[starts] for array in self))


def _climb(vectors: Floats, errors: Floats, state: _State, tolerance: float) -> _State:
    """Maximise the likelihood from each start, until an iteration raises it by less than the tolerance."""
    live = np.ones(len(state.likelihood), dtype=bool)
    for _ in range(ITERATIONS - 1):
        own = state.of(live)
        further = _expect(vectors, errors, *_update(vectors, errors, own))
        for whole, part in zip(state, further, strict=True):
            whole[live] = part
        live[live] = further.likelihood - own.likelihood >= tolerance
        if not live.any():
            break
    return state


# Sums over users, groups and modalities are products of matrices: no array has all of these dimensions.


def _expect(vectors: Floats, errors: Floats, shares: Floats, means: Floats, spread: Floats, strength: Floats) -> _State:
    """Return the starts with their memberships, likelihoods and expected strengths."""
    total = errors + spread[:, None]  # (s, n, m)
    precision = 1 / total
    own = ((vectors**2 * precision) + np.log(2 * np.pi * total)).sum(axis=2)[..., None]
    columns = means.transpose(0, 2, 1)
    cross, size = (vectors * precision) @ columns, precision @ columns**2  # (s, n, k)
    # The covariance is that of errors and spread, plus the variance of strengths along the mean of the group.
    widened = 1 + strength[:, None, None] * size
    slope = strength[:, None, None] / widened
    logs = -0.5 * (own - 2 * cross + size - slope * (cross - size) ** 2 + np.log(widened)) + np.log(shares)[:, None]
    top = logs.max(axis=2, keepdims=True)
    joint = top[..., 0] + np.log(np.exp(logs - top).sum(axis=2))
    strengths = 1 + slope * (cross - size)
    memberships = np.exp(logs - joint[..., None])
    return _State(joint.sum(axis=1), memberships, shares, means, spread, strength, strengths, strengths**2 + slope)


def _update(vectors: Floats, errors: Floats, state: _State) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the most likely shares, means, spread and variance of strengths by the memberships."""
    memberships, spread = state.memberships, state.spread[:, None]
    precision = 1 / (errors + spread)
    scaled, squared = memberships * state.strengths, memberships * state.squares
    weights = squared.transpose(0, 2, 1) @ precision
    means = scaled.transpose(0, 2, 1) @ (precision * vectors) / np.maximum(weights, 1e-12)
    kept = spread * precision
    deviations = vectors**2 - 2 * vectors * (scaled @ means) + squared @ means**2
    expected = kept**2 * np.maximum(deviations, 0) + spread * (1 - kept)
    shares = np.maximum(memberships.mean(axis=1), 1e-12)
    strength = (memberships * (state.squares - 2 * state.strengths + 1)).sum(axis=2).mean(axis=1)
    return (
        shares,
        means,
        np.maximum(expected.mean(axis=1), MIN_VARIANCE),
        np.minimum(np.maximum(strength, 0), MOST_STRENGTH),
    )
