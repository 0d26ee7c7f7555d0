"""AdamW with gradient clipping over all parameters as one vector.

The same steps as torch.optim.AdamW after clip_grad_norm_ (a test compares them), but a handful of operations a step
whatever the number of parameters; and torch.optim takes longer to load than a small model to train.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BETAS, EPSILON = (0.9, 0.999), 1e-8


class ClippedAdamW:
    """AdamW (Loshchilov and Hutter, ICLR 2019); the gradient's norm is held to `clip`.

    The network's parameters and gradients become views of two vectors.
    """

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float, clip: float) -> None:
        parameters = list(network.parameters())
        self.values = torch.cat([p.detach().flatten() for p in parameters])
        self.gradient = torch.zeros_like(self.values)
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.learning_rate, self.weight_decay, self.clip, self.steps = learning_rate, weight_decay, clip, 0
        sizes = [p.numel() for p in parameters]
        for p, value, gradient in zip(parameters, self.values.split(sizes), self.gradient.split(sizes), strict=True):
            p.data, p.grad = value.view_as(p), gradient.view_as(p)

    def zero_grad(self) -> None:
        self.gradient.zero_()

    @torch.no_grad()
    def step(self) -> None:
        self.steps += 1
        (b1, b2), rate = BETAS, self.learning_rate
        g: Tensor = self.gradient
        g *= (self.clip / (torch.linalg.vector_norm(g) + 1e-6)).clamp(max=1)
        self.values *= 1 - rate * self.weight_decay
        self.mean.lerp_(g, 1 - b1)
        self.square.mul_(b2).addcmul_(g, g, value=1 - b2)
        spread = self.square.sqrt().div_((1 - b2**self.steps) ** 0.5).add_(EPSILON)
        self.values.addcdiv_(self.mean, spread, value=-rate / (1 - b1**self.steps))
