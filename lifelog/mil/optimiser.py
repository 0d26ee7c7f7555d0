"""AdamW with gradient clipping, over all parameters as one vector.

The same steps as torch.optim.AdamW after clip_grad_norm_ (a test compares them), in a few operations per step for any
number of parameters. torch.optim also imports the compiler of torch, which takes about as long as a job of the default
run (docs/performance.md).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BETAS, EPSILON = (0.9, 0.999), 1e-8


class ClippedAdamW:
    """AdamW (Loshchilov and Hutter, ICLR 2019) with gradients clipped to `max_grad_norm`.

    The parameters and gradients of the network become views of two vectors.
    """

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float, max_grad_norm: float) -> None:
        parameters = list(network.parameters())
        self.values = torch.cat([p.detach().flatten() for p in parameters])
        self.gradient = torch.zeros_like(self.values)
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.learning_rate, self.weight_decay, self.max_grad_norm = learning_rate, weight_decay, max_grad_norm
        self.steps = 0
        sizes = [p.numel() for p in parameters]
        for p, value, gradient in zip(parameters, self.values.split(sizes), self.gradient.split(sizes), strict=True):
            p.data, p.grad = value.view_as(p), gradient.view_as(p)

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self.gradient.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters."""
        self.steps += 1
        (b1, b2), rate = BETAS, self.learning_rate
        g: Tensor = self.gradient
        g *= (self.max_grad_norm / (torch.linalg.vector_norm(g) + 1e-6)).clamp(max=1)
        self.values *= 1 - rate * self.weight_decay
        self.mean.lerp_(g, 1 - b1)
        self.square.mul_(b2).addcmul_(g, g, value=1 - b2)
        std = self.square.sqrt().div_((1 - b2**self.steps) ** 0.5).add_(EPSILON)
        self.values.addcdiv_(self.mean, std, value=-rate / (1 - b1**self.steps))
