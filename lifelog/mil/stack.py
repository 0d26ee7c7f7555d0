"""Several networks of the same structure as one, and the windows of each of them in one source.

A step of a small network takes most of its time to start its operations. The same operations on the parameters and
windows of all networks take hardly longer (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Sequence
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


class Weights(NamedTuple):
    """Parameters of a network, (n_parameters,), and its buffers by name."""

    values: Tensor
    buffers: dict[str, Tensor]


class Stack:
    """N networks of the same structure, whose parameters are the rows of a matrix.

    Parameters
    ----------
    networks : sequence of BagNetwork
        On one device. Parameters and buffers are copied. The first network runs for all: if it is the only one, its
        parameters become views of the matrix; if only another one is kept, it has the weights of that one.

    Attributes
    ----------
    values, gradient : Tensor, shape (N, n_parameters)
        The parameters, and their gradients.
    """

    def __init__(self, networks: Sequence[BagNetwork]) -> None:
        self.network = networks[0]
        self.shapes = {name: p.shape for name, p in self.network.named_parameters()}
        rows = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
        buffers = zip(*(network.named_buffers() for network in networks), strict=True)
        self.buffers = {same[0][0]: torch.stack([x for _, x in same]) for same in buffers}
        self._use(torch.stack(rows))

    def _use(self, values: Tensor) -> None:
        """Use the rows of a matrix as parameters. A single network is run as it is, without the cost of `vmap`."""
        self.values, self.gradient = values, torch.zeros_like(values)
        if len(values) > 1:
            self.values.requires_grad_().grad = self.gradient
            return
        for name, x in self.network.named_buffers():
            x.copy_(self.buffers[name][0])
            self.buffers[name] = x[None]  # a view, which batch normalisation updates
        parameters, gradients = (self._by_name(x) for x in (self.values, self.gradient))
        for name, p in self.network.named_parameters():
            p.data, p.grad = parameters[name][0], gradients[name][0]

    def _by_name(self, matrix: Tensor) -> dict[str, Tensor]:
        """Return the parameters of all networks by name, each with a leading dimension of networks."""
        parts = matrix.split([shape.numel() for shape in self.shapes.values()], dim=1)
        return {name: x.unflatten(1, shape) for (name, shape), x in zip(self.shapes.items(), parts, strict=True)}

    def __len__(self) -> int:
        return len(self.values)

    def keep(self, rows: Tensor) -> None:
        """Continue with some of the networks."""
        self.buffers = {name: x[rows] for name, x in self.buffers.items()}
        self._use(self.values.detach()[rows])

    def train(self, mode: bool) -> None:
        """Set training or evaluation mode."""
        self.network.train(mode)

    def __call__(self, bags: Bags, shown: Tensor) -> Tensor:
        """Return the log-probabilities (n, B, C) of the first n networks for their own bags, (n, B, ...)."""
        if len(self) == 1:
            values = {name: x[0] for name, x in bags.values.items()}
            return self.network(values, shown[0]).log_probabilities[None]
        count = len(shown)
        own = self._by_name(self.values[:count]) | {name: x[:count] for name, x in self.buffers.items()}
        return torch.vmap(self._predict)(own, bags.values, shown)

    def _predict(self, parameters: dict[str, Tensor], values: dict[str, Tensor], shown: Tensor) -> Tensor:
        output: Tensor = functional_call(self.network, parameters, (values, shown), tie_weights=False).log_probabilities
        return output

    def weights(self, place: int) -> Weights:
        """Return a copy of the weights of a network on its device, in few operations."""
        buffers = {name: x[place].clone() for name, x in self.buffers.items()}
        return Weights(self.values[place].detach().clone(), buffers)

    def state(self, weights: Weights) -> dict[str, Tensor]:
        """Return the state dict of a network on the CPU."""
        parameters = self._by_name(weights.values[None].cpu())
        own = {name: x[0] for name, x in parameters.items()}
        return own | {name: x.cpu() for name, x in weights.buffers.items()}


class StackedBags:
    """The windows of each network of a stack.

    Parameters
    ----------
    parts : sequence of SomeBags
        By network. Several of them are `Bags`, which are joined.

    Attributes
    ----------
    counts : list of int
        Number of windows by network.
    """

    def __init__(self, parts: Sequence[SomeBags]) -> None:
        distinct = {id(part): part for part in parts}
        starts, start = {}, 0
        for key, part in distinct.items():
            starts[key], start = start, start + len(part)
        in_memory = [part for part in distinct.values() if isinstance(part, Bags)]
        self.source = join_bags(in_memory) if len(distinct) > 1 else parts[0]
        self.counts = [len(part) for part in parts]
        self.offsets = torch.tensor([[starts[id(part)]] for part in parts], device=self.source.classes.device)

    def keep(self, places: Sequence[int]) -> None:
        """Continue with some of the networks."""
        self.counts = [self.counts[place] for place in places]
        self.offsets = self.offsets[list(places)]

    def take(self, rows: Tensor) -> Bags:
        """Return bags (n, B, ...) of the first n networks by their own numbers (n, B) on the device of the bags."""
        if len(rows) == 1:  # a source of bags takes numbers in one dimension
            own = self.source.take(rows[0] + self.offsets[0])
            return Bags({name: x[None] for name, x in own.values.items()}, own.present[None], own.classes[None])
        return self.source.take(rows + self.offsets[: len(rows)])
