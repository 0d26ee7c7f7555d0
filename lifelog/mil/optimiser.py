"""AdamW with gradient clipping, over all parameters of a network as one vector, and of several networks as a matrix.

The same steps as torch.optim.AdamW after clip_grad_norm_ (a test compares them), in a few operations per step for any
number of parameters and networks. torch.optim also imports the compiler of torch, which takes about as long as a job of
the default run (docs/performance.md).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Moments(NamedTuple):
    """What AdamW remembers of a network; of several networks, stacked.

    Attributes
    ----------
    mean, square : Tensor, shape (n_parameters,)
        Running means of the gradients and of their squares.
    steps : Tensor of float64, shape (1,)
        Number of steps.
    """

    mean: Tensor
    square: Tensor
    steps: Tensor


class ClippedAdamW:
    """AdamW (Loshchilov and Hutter, ICLR 2019) with the gradients of each network clipped to `max_grad_norm`.

    Parameters
    ----------
    values, gradient : Tensor, shape (n_networks, n_parameters)
        The parameters of each network, which are updated in place, and their gradients.
    learning_rate, weight_decay, max_grad_norm : float
        As in torch.
    moments : sequence of Moments, optional
        Of networks whose training continues; they are copied. Without them, training starts.

    Attributes
    ----------
    moments : list of Moments
        Of each network: views, which follow the steps.
    """

    def __init__(
        self,
        values: Tensor,
        gradient: Tensor,
        learning_rate: float,
        weight_decay: float,
        max_grad_norm: float,
        moments: Sequence[Moments] = (),
    ) -> None:
        self.values, self.gradient = values, gradient
        self.learning_rate, self.weight_decay, self.max_grad_norm = learning_rate, weight_decay, max_grad_norm
        if moments:
            self._all = Moments(*(torch.stack(rows) for rows in zip(*moments, strict=True)))
        else:
            steps = torch.zeros(len(values), 1, dtype=torch.float64, device=values.device)
            self._all = Moments(torch.zeros_like(values), torch.zeros_like(values), steps)
        self.moments = [Moments(*rows) for rows in zip(*self._all, strict=True)]

    @torch.no_grad()
    def step(self, count: int) -> None:
        """Update the first `count` networks."""
        (b1, b2), rate = BETAS, self.learning_rate
        values, g = self.values[:count], self.gradient[:count]
        mean, square, steps = (x[:count] for x in self._all)
        steps += 1
        first, second = (rate / (1 - b1**steps)).to(values), ((1 - b2**steps) ** 0.5).to(values)
        g *= (self.max_grad_norm / (torch.linalg.vector_norm(g, dim=1, keepdim=True) + 1e-6)).clamp(max=1)
        values *= 1 - rate * self.weight_decay
        mean.lerp_(g, 1 - b1)
        square.mul_(b2).addcmul_(g, g, value=1 - b2)
        values.addcdiv_(mean * first, square.sqrt().div_(second).add_(EPSILON), value=-1)
