"""Sets of modalities, and their weights in the value of each modality."""

from math import comb
from typing import NamedTuple

import numpy as np

from lifelog.arrays import Bools, Floats

MAX_EXACT = 12  # modalities; 2 ** 12 sets


class Game(NamedTuple):
    """Sets of M modalities whose payoffs are combined into the value of each modality.

    Attributes
    ----------
    sets : ndarray of bool, shape (n_sets, M)
        Sets of modalities.
    weights : ndarray of float, shape (n_sets, M)
        Weight of the payoff of each set in the value of each modality.
    """

    sets: Bools
    weights: Floats


def shapley_game(modalities: int, permutations: int = 1000, seed: int = 0, max_exact: int = MAX_EXACT) -> Game:
    """Return the sets and weights of Shapley values: the mean gain of a modality over all orders of modalities.

    Parameters
    ----------
    modalities : int
        Number of modalities.
    permutations : int, default 1000
        Sampled orders, for more than `max_exact` modalities; each is used with its reverse, which halves the error.
    seed : int, default 0
        Seed of the orders.
    max_exact : int, default 12
        Number of modalities up to which values are exact.

    Returns
    -------
    Game
        Values of all modalities sum to the payoff of the set of all of them, minus that of none.

    References
    ----------
    Shapley (1953). A value for n-person games. Contributions to the Theory of Games 2, 307-317.
    Covert, Lundberg, Lee (2020). Understanding global feature contributions with additive importance measures. NeurIPS.
    """
    if modalities > max_exact:
        return _sampled(modalities, permutations, np.random.default_rng(seed))
    sets = (np.arange(2**modalities)[:, None] >> np.arange(modalities) & 1).astype(bool)
    size = sets.sum(axis=1)
    within = np.array([0.0] + [1 / (modalities * comb(modalities - 1, k - 1)) for k in range(1, modalities + 1)])
    without = np.array([1 / (modalities * comb(modalities - 1, k)) for k in range(modalities)] + [0.0])
    return Game(sets, np.where(sets, within[size][:, None], -without[size][:, None]))


def _sampled(modalities: int, permutations: int, rng: np.random.Generator) -> Game:
    """Return the sets of random orders, each of which occurs once."""
    drawn = [rng.permutation(modalities) for _ in range(max(2, permutations // 2))]
    orders = [order for one in drawn for order in (one, one[::-1])]
    steps = np.concatenate([order.argsort() < np.arange(modalities + 1)[:, None] for order in orders])
    sets, number = np.unique(steps, axis=0, return_inverse=True)
    numbers = number.reshape(len(orders), modalities + 1)
    weights = np.zeros((len(sets), modalities))
    for order, of_order in zip(orders, numbers, strict=True):
        np.add.at(weights, (of_order[1:], order), 1 / len(orders))
        np.add.at(weights, (of_order[:-1], order), -1 / len(orders))
    return Game(sets, weights)


def first_last_game(modalities: int) -> Game:
    """Return the sets and weights of the mean of the first and the last gain: alone, and beside all others.

    Of the Shapley value, which is the mean over all places in an order, these are the first and the last term. The
    errors and the test need them many times.
    """
    one = np.eye(modalities, dtype=bool)
    none, every = np.zeros((1, modalities), dtype=bool), np.ones((1, modalities), dtype=bool)
    own = one.astype(float)
    weights = np.concatenate([none - 0.5, 0.5 * own, every * 0.5, -0.5 * own])
    return Game(np.concatenate([none, one, every, ~one]), weights)
