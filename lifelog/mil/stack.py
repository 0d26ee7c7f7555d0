"""Several networks of the same structure as one, and the windows of each of them in one source.

A step of a small network spends most of its time on starting its operations. The same operations on the parameters and
windows of all networks take hardly longer (docs/performance.md).
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.func import functional_call

from lifelog.mil.bags import Bags, join_bags
from lifelog.mil.network import BagNetwork


class SomeBags(Protocol):
    """Windows of a network: bags in memory, or a source of bags."""

    present: Tensor
    classes: Tensor

    @property
    def width(self) -> int:
        """Number of values per bag."""

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Bags:
        """Return some bags."""


class BagRange(NamedTuple):
    """Windows of one network: a range of rows of a source, which several networks share."""

    source: SomeBags
    rows: range


def join_sources(parts: Sequence[SomeBags]) -> list[BagRange]:
    """Join the windows of several networks, so that one operation selects windows for all of them.

    Parameters
    ----------
    parts : sequence of SomeBags
        By network. Different ones must be `Bags`; the same one may occur several times and is joined once.

    Returns
    -------
    list of BagRange
        By network.
    """
    distinct = {id(part): part for part in parts}
    in_memory = [part for part in distinct.values() if isinstance(part, Bags)]
    source = join_bags(in_memory) if len(distinct) > 1 else parts[0]
    ends = dict(zip(distinct, accumulate(len(part) for part in distinct.values()), strict=True))
    return [BagRange(source, range(ends[id(part)] - len(part), ends[id(part)])) for part in parts]


def take_bags(source: SomeBags, rows: Tensor) -> Bags:
    """Return bags of several networks.

    Parameters
    ----------
    source : SomeBags
        Bags.
    rows : Tensor of int64, shape (N, B)
        Their numbers in the source, by network.

    Returns
    -------
    Bags
        Of shape (N, B, ...).
    """
    bags = source.take(rows.flatten())
    values = {name: x.unflatten(0, rows.shape) for name, x in bags.values.items()}
    return Bags(values, bags.present.unflatten(0, rows.shape), bags.classes.unflatten(0, rows.shape))


class Stack:
    """N networks of the same structure, whose parameters are the rows of a matrix.

    Parameters
    ----------
    network : BagNetwork
        The structure. If N is 1, its parameters become views of the matrix.
    states : sequence of dict of str to Tensor
        State dict of each network, on one device. They are copied.

    Attributes
    ----------
    values, gradient : Tensor, shape (N, n_parameters)
        The parameters, and their gradients.
    states : list of dict of str to Tensor
        State dict of each network: views, which follow the training.
    """

    def __init__(self, network: BagNetwork, states: Sequence[Mapping[str, Tensor]]) -> None:
        self.network = network
        self._shapes = {name: p.shape for name, p in network.named_parameters()}
        self._buffers = {name: torch.stack([x[name] for x in states]) for name, _ in network.named_buffers()}
        self.values = torch.stack([torch.cat([x[name].flatten() for name in self._shapes]) for x in states])
        self.gradient = torch.zeros_like(self.values)
        parameters, gradients = self._by_name(self.values.detach()), self._by_name(self.gradient)
        if len(states) > 1:
            self.values.requires_grad_().grad = self.gradient
        else:  # The network runs as it is, without the cost of `vmap`.
            for name, x in network.named_buffers():
                x.copy_(self._buffers[name][0])
                self._buffers[name] = x[None]  # a view, which batch normalisation updates
            for name, p in network.named_parameters():
                p.data, p.grad = parameters[name][0], gradients[name][0]
        tensors = parameters | self._buffers
        self.states = [{name: x[i] for name, x in tensors.items()} for i in range(len(states))]

    def _by_name(self, matrix: Tensor) -> dict[str, Tensor]:
        """Return the parameters of all networks by name, each with a leading dimension of networks."""
        parts = matrix.split([shape.numel() for shape in self._shapes.values()], dim=1)
        return {name: x.unflatten(1, shape) for (name, shape), x in zip(self._shapes.items(), parts, strict=True)}

    def __len__(self) -> int:
        return len(self.values)

    def __call__(self, bags: Bags, shown: Tensor) -> Tensor:
        """Return the log-probabilities (n, B, C) of the first n networks for their own bags, (n, B, ...)."""
        if len(self) == 1:
            values = {name: x[0] for name, x in bags.values.items()}
            return self.network(values, shown[0]).log_probabilities[None]
        count = len(shown)
        own = self._by_name(self.values[:count]) | {name: x[:count] for name, x in self._buffers.items()}
        return torch.vmap(self._predict)(own, bags.values, shown)

    def _predict(self, parameters: dict[str, Tensor], values: dict[str, Tensor], shown: Tensor) -> Tensor:
        output: Tensor = functional_call(self.network, parameters, (values, shown), tie_weights=False).log_probabilities
        return output
