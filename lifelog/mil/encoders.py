"""Encoders of one modality into 32 features, as published.

Sequences: causal dilated convolutions (Franceschi, Dieuleveut, Jaggi, NeurIPS 2019), global max-pooling, a linear map.
Scalars: two linear layers with batch normalisation.

The pooling passes a gradient to one time step a channel, and that step sees 29 samples. A long sequence is therefore
searched for its maxima without gradients, and only the patches under the maxima are computed with them: the same
value and the same gradient as the plain way (`SequenceEncoder.plain`), for a fraction of the work.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import cached

from lifelog.config import Modality

FEATURES = 32
HIDDEN_CHANNELS = 8
LAST_CHANNELS = 16
KERNEL = 3
DILATIONS = (1, 2, 4)  # of the blocks
SIGHT = 1 + 2 * (KERNEL - 1) * sum(DILATIONS)  # samples that an output depends on: 29
SEARCHED_AT_ONCE = 16384  # time steps whose activations stay in the processor's cache
SLOPE = 0.01


class CausalBlock(nn.Module):
    """Two weight-normalised causal convolutions with a residual. (bags, in, time) → (bags, out, time)."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.padding = (KERNEL - 1) * dilation
        self.first = weight_norm(nn.Conv1d(inputs, outputs, KERNEL, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(outputs, outputs, KERNEL, dilation=dilation))
        self.residual = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] == 1:  # nothing but padding lies before: the last tap is all there is
            h = F.leaky_relu(F.conv1d(x, self.first.weight[..., -1:], self.first.bias), SLOPE)
            h = F.leaky_relu(F.conv1d(h, self.second.weight[..., -1:], self.second.bias), SLOPE)
            return h + self.residual(x)
        h = F.leaky_relu(self.first(F.pad(x, (self.padding, 0))), SLOPE, inplace=True)
        h = F.leaky_relu(self.second(F.pad(h, (self.padding, 0))), SLOPE, inplace=True)
        return h + self.residual(x)

    def cone(self, x: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """The same for patches x (patches, in, steps) at `time` (patches, steps), where x holds all that is needed.

        Returns fewer steps and their times. Before the window's start all activations are zero, as `forward` pads them.
        """
        h = F.leaky_relu(self.first(x), SLOPE) * (time[:, None, self.padding :] >= 0)
        h = F.leaky_relu(self.second(h), SLOPE)
        time = time[:, 2 * self.padding :]
        return (h + self.residual(x[..., 2 * self.padding :])) * (time[:, None] >= 0), time


class SequenceEncoder(nn.Module):
    """(bags, time, channels) → (bags, 32)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [channels, *[HIDDEN_CHANNELS] * (len(DILATIONS) - 1), LAST_CHANNELS]
        pairs = zip(widths[:-1], widths[1:], DILATIONS, strict=True)
        self.blocks = nn.Sequential(*(CausalBlock(*pair) for pair in pairs))
        self.linear = nn.Linear(LAST_CHANNELS, FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        if not torch.is_grad_enabled():
            return self.linear(self._search(x)[0])
        if x.shape[2] <= 2 * LAST_CHANNELS * SIGHT:  # the search does not pay
            return self.linear(self.blocks(x).amax(dim=2))
        return self.linear(self._patches(x, self._search(x)[1]))

    def plain(self, x: Tensor) -> Tensor:
        """The encoder as it is written in the papers; `forward` gives the same values and gradients faster."""
        return self.linear(self.blocks(x.transpose(1, 2)).amax(dim=2))

    @torch.no_grad()
    def _search(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maxima over time and where they are, (bags, 16) each, for x (bags, channels, time)."""
        with cached():  # weight normalisation once, not once a piece
            found = [self.blocks(piece).max(dim=2) for piece in x.split(max(1, SEARCHED_AT_ONCE // x.shape[2]))]
        return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])

    def _patches(self, x: Tensor, where: Tensor) -> Tensor:
        """The value of each channel at its maximum, with gradients, (bags, 16)."""
        steps = torch.arange(1 - SIGHT, 1, device=x.device)
        time = (where[..., None] + steps).flatten(0, 1)  # (bags * 16, 29)
        bag = torch.arange(len(x), device=x.device).repeat_interleave(LAST_CHANNELS)
        patch = x.transpose(1, 2)[bag[:, None], time.clamp(min=0)] * (time >= 0)[..., None]
        h = patch.transpose(1, 2)
        for block in self.blocks:
            h, time = block.cone(h, time)
        # Patch c of a bag lies under the maximum of channel c: that channel of it is the pooled value.
        return h.reshape(len(x), LAST_CHANNELS, LAST_CHANNELS).diagonal(dim1=1, dim2=2)


class ScalarEncoder(nn.Module):
    """(bags, 1, channels) → (bags, 32)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, FEATURES),
            nn.BatchNorm1d(FEATURES),
            nn.LeakyReLU(SLOPE),
            nn.Linear(FEATURES, FEATURES),
            nn.BatchNorm1d(FEATURES),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x[:, 0])


def build_encoder(modality: Modality) -> nn.Module:
    """The encoder that fits a modality."""
    return (ScalarEncoder if modality.kind == "scalar" else SequenceEncoder)(modality.channels)
