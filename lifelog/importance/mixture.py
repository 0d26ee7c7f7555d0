"""A mixture of importance profiles with the known error of each user: groups, their number, and shrunken importance.

People of a kind respond with the same modalities, but not equally strongly. The importance of a user is therefore the
mean of a group times the user's strength, which has a part that all modalities share and a part of each modality (both
normal), plus a draw with a common spread, plus an error whose variance is known from the user's blocks of time (extreme
deconvolution: Bovy, Hogg and Roweis, 2011). Users who differ in strength only, or no more than their errors allow, are
one group; a user with a large error is shrunk towards the mean of its group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lifelog.arrays import Bools, Codes, Floats
from lifelog.importance.vectors import Profiles

STARTS = 20  # initial means
SHORT = 5  # rounds from each of them, of which the most likely ones are continued
CONTINUED = 4
ROUNDS = 100
TOLERANCE = 1e-3  # nats of log-likelihood per round
LONGEST = 100.0  # step of an extrapolation, in iterations
FEWEST = 1e-12  # share of a group
MIN_VARIANCE = 1e-8  # of the spread within groups
SHARED, OWN = 0.1, 0.05  # initial variances of strengths: of the part that modalities share, and of that of each
MOST_SHARED, MOST_OWN = 0.5, 0.25  # largest ones: strengths are rarely negative
STRONG = 10.0  # difference of BIC that is very strong evidence (Kass and Raftery, 1995)


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
    """Return the number of groups by `evidence`, and its mixture.

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
    scores = evidence({k: fit.bic for k, fit in fits.items()})
    best = max(scores, key=scores.__getitem__)
    return best, fits[best]


def evidence(bic: Mapping[int, float]) -> dict[int, float]:
    """Return the score that chooses the number of groups: the negative BIC, one group ahead by very strong evidence.

    Parameters
    ----------
    bic : mapping of int to float
        By number of groups.

    Returns
    -------
    dict of int to float
        The highest is chosen. BIC is an approximation for many users, and of few users with estimated errors it finds
        groups where there are none.

    References
    ----------
    Kass, Raftery (1995). Bayes factors. Journal of the American Statistical Association 90, 773-795.
    """
    return {k: -value - STRONG * (k > 1) for k, value in bic.items()}


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
        Number of initial means; the most likely result is used.

    Returns
    -------
    Mixture
        The fitted mixture.

    References
    ----------
    Bovy, Hogg, Roweis (2011). Extreme deconvolution: inferring complete distribution functions from noisy,
    heterogeneous and incomplete observations. Annals of Applied Statistics 5, 1657-1677.
    Biernacki, Celeux, Govaert (2003). Choosing starting values for the EM algorithm for getting the highest likelihood
    in multivariate Gaussian mixture models. Computational Statistics and Data Analysis 41, 561-575.
    Schwarz (1978). Estimating the dimension of a model. Annals of Statistics 6, 461-464.
    Varadhan, Roland (2008). Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm. Scandinavian Journal of Statistics 35, 335-353.
    """
    rng = np.random.default_rng([seed, k])
    initial = np.stack([_initial(vectors, errors, k, rng) for _ in range(2 if k == 1 else starts)])
    count = len(initial)
    varies = np.arange(count) % 2 == 0  # a variance of 0 is kept: with no strengths, a limit is reached at once
    spread = np.full(count, float(np.median(errors)) / 10 + MIN_VARIANCE)
    law = _Law(np.full((count, k), 1 / k), initial, spread, SHARED * varies, OWN * varies)
    state = _climb(vectors, errors, _expect(vectors, errors, law), SHORT)
    state = _climb(vectors, errors, state.of(np.argsort(-state.likelihood, kind="stable")[:CONTINUED]), ROUNDS)
    best = state.of(int(state.likelihood.argmax()))
    likelihood = float(best.likelihood)
    parameters = vectors.shape[1] * k + k + 2  # means, shares, and the variances of the spread and of strengths
    kept = best.law.spread / (errors + best.law.spread)
    means = best.strengths * best.law.means
    towards = means + kept[:, None] * (vectors[:, None] - means)
    shrunken = np.einsum("nk,nkm->nm", best.memberships, towards)
    between = np.einsum("nk,nkm->nm", best.memberships, (towards - shrunken[:, None]) ** 2)
    bic = parameters * np.log(len(vectors)) - 2 * likelihood
    return Mixture(likelihood, bic, best.memberships, best.law.means, shrunken, kept * errors + between)


def _initial(vectors: Floats, errors: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Choose users as initial means, each far from the ones before (k-means++: Arthur and Vassilvitskii, 2007)."""
    scaled = vectors / np.sqrt(np.median(errors, axis=0))
    chosen = [int(rng.integers(len(vectors)))]
    while len(chosen) < k:
        distances = ((scaled[:, None] - scaled[chosen]) ** 2).sum(axis=2).min(axis=1) + 1e-12
        chosen.append(int(rng.choice(len(vectors), p=distances / distances.sum())))
    return vectors[chosen]


class _Law(NamedTuple):
    """Parameters of s starts with k groups and m modalities.

    Shares (s, k) and means (s, k, m) of groups, and variances (s,): the spread, and the part of strengths that
    modalities share, and that of each modality.
    """

    shares: Floats
    means: Floats
    spread: Floats
    shared: Floats
    own: Floats


class _State(NamedTuple):
    """Starts of the maximisation, and what the next law follows from.

    Log-likelihoods (s,), memberships of n users (s, n, k), and expectations of users as members of each group: their
    strengths and squares (s, n, k, m), and of all users the variances (s,) of both parts of strengths.
    """

    law: _Law
    likelihood: Floats
    memberships: Floats
    strengths: Floats
    squares: Floats
    shared: Floats
    own: Floats

    @property
    def arrays(self) -> list[Floats]:
        """All arrays, those of the law first."""
        law, *rest = self
        return [*law, *rest]

    def of(self, starts: Bools | Codes | list[int] | int) -> _State:
        """Return some starts, or one."""
        law, *rest = self
        return _State(_Law(*(array[starts] for array in law)), *(array[starts] for array in rest))


def _climb(vectors: Floats, errors: Floats, state: _State, rounds: int) -> _State:
    """Maximise the likelihood from each start, until a round raises it by less than the tolerance.

    A round is two iterations and an extrapolation, which is kept where it is more likely: without it, hundreds of
    iterations do not reach the maximum (SQUAREM: Varadhan and Roland, 2008).
    """
    live = np.ones(len(state.likelihood), dtype=bool)
    for _ in range(rounds):
        start = state.of(live)
        first = _expect(vectors, errors, _update(vectors, errors, start))
        second = _expect(vectors, errors, _update(vectors, errors, first))
        further = _expect(vectors, errors, _extrapolate(start.law, first.law, second.law))
        better = further.likelihood > second.likelihood
        for whole, part, other in zip(state.arrays, second.arrays, further.arrays, strict=True):
            part[better] = other[better]
            whole[live] = part
        live[live] = second.likelihood - start.likelihood > TOLERANCE
        if not live.any():
            break
    return state


def _extrapolate(start: _Law, first: _Law, second: _Law) -> _Law:
    """Return the law that lies further in the direction of two iterations, by the third step length of the reference.

    Each parameter has its own length: a variance may move to its bound while means stay.
    """
    shares, *rest = map(_further, start, first, second)
    shares = np.maximum(shares, FEWEST)
    return _bounded(shares / shares.sum(axis=1, keepdims=True), *rest)


def _bounded(shares: Floats, means: Floats, spread: Floats, shared: Floats, own: Floats) -> _Law:
    """Return a law with its parameters within their bounds."""
    return _Law(
        np.maximum(shares, FEWEST),
        means,
        np.maximum(spread, MIN_VARIANCE),
        np.clip(shared, 0, MOST_SHARED),
        np.clip(own, 0, MOST_OWN),
    )


def _further(start: Floats, first: Floats, second: Floats) -> Floats:
    """Return an extrapolation for each entry of the first axis."""
    step, bend = first - start, second - 2 * first + start
    of_entry = tuple(range(1, start.ndim))
    squares = [(change**2).sum(axis=of_entry, keepdims=True) for change in (step, bend)]
    length = np.clip(np.sqrt(squares[0] / np.maximum(squares[1], 1e-300)), 1, LONGEST)
    return start + 2 * length * step + length**2 * bend


def _expect(vectors: Floats, errors: Floats, law: _Law) -> _State:
    """Return memberships, likelihoods and expected strengths under a law."""
    means, x = law.means[:, None], vectors[:, None]
    own, shared = law.own[:, None, None, None], law.shared[:, None, None]
    # The covariance is diagonal, plus the variance of shared strengths along the mean of the group.
    total = (errors + law.spread[:, None, None])[:, :, None] + own * means**2
    scaled = means / total
    cross, size = (scaled * x).sum(axis=3), (scaled * means).sum(axis=3)
    widened = 1 + shared * size
    slope = shared / widened  # variance of the shared strength, given the user
    fit = (x**2 / total + np.log(2 * np.pi * total)).sum(axis=3)
    logs = -0.5 * (fit - 2 * cross + size - slope * (cross - size) ** 2 + np.log(widened)) + np.log(law.shares)[:, None]
    top = logs.max(axis=2, keepdims=True)
    joint = top[..., 0] + np.log(np.exp(logs - top).sum(axis=2))
    memberships = np.exp(logs - joint[..., None])
    strength = 1 + slope * (cross - size)
    gain = own * scaled  # of the part of each modality, from what the shared part leaves
    rest, left = x - strength[..., None] * means, own * (1 - gain * means)
    strengths = strength[..., None] + gain * rest
    squares = strengths**2 + slope[..., None] * (1 - gain * means) ** 2 + left
    of_own = gain**2 * (rest**2 + slope[..., None] * means**2) + left
    return _State(
        law,
        joint.sum(axis=1),
        memberships,
        strengths,
        squares,
        (memberships * (slope + (strength - 1) ** 2)).sum(axis=2).mean(axis=1),
        np.einsum("snk,snkm->s", memberships, of_own) / vectors.size,
    )


def _update(vectors: Floats, errors: Floats, state: _State) -> _Law:
    """Return the most likely law under the expectations."""
    memberships, spread = state.memberships, state.law.spread[:, None, None]
    noise = errors + spread
    scaled = np.einsum("snk,snkm->snkm", memberships, state.strengths)
    squared = np.einsum("snk,snkm->snkm", memberships, state.squares)
    weights = np.einsum("snkm,snm->skm", squared, 1 / noise)
    means = np.einsum("snkm,snm->skm", scaled, vectors / noise) / np.maximum(weights, 1e-12)
    deviations = vectors**2 - 2 * vectors * np.einsum("snkm,skm->snm", scaled, means)
    deviations += np.einsum("snkm,skm->snm", squared, means**2)
    kept = spread / noise
    expected = kept**2 * np.maximum(deviations, 0) + spread * (1 - kept)
    return _bounded(memberships.mean(axis=1), means, expected.mean(axis=(1, 2)), state.shared, state.own)
