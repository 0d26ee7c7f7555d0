"""Encoders of one modality into 32 features, as published.

Sequences: causal dilated convolutions (Franceschi, Dieuleveut, Jaggi, NeurIPS 2019), global max-pooling, a linear map.
Scalars: two linear layers with batch normalisation.

The pooling passes a gradient to one time step a channel, and that step sees 29 samples. A long sequence is therefore
searched for its maxima without gradients, and only the patches under the maxima are computed with them: the same
value and the same gradient as the plain way (`SequenceEncoder.plain`), for a fraction of the work.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

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
        h = F.leaky_relu(self.first(F.pad(x, (self.padding, 0))), SLOPE, inplace=True)
        h = F.leaky_relu(self.second(F.pad(h, (self.padding, 0))), SLOPE, inplace=True)
        return h + self.residual(x)


class SequenceEncoder(nn.Module):
    """(bags, time, channels) → (bags, 32)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [channels, *[HIDDEN_CHANNELS] * (len(DILATIONS) - 1), LAST_CHANNELS]
        pairs = zip(widths[:-1], widths[1:], DILATIONS, strict=True)
        self.blocks = nn.Sequential(*(CausalBlock(*pair) for pair in pairs))
        self.linear = nn.Linear(LAST_CHANNELS, FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        return encode_together([self], [x])[0]

    def plain(self, x: Tensor) -> Tensor:
        """The encoder as it is written in the papers; `forward` gives the same values and gradients faster."""
        return self.linear(self.blocks(x.transpose(1, 2)).amax(dim=2))


def encode_together(encoders: list[SequenceEncoder], xs: list[Tensor]) -> list[Tensor]:
    """What each encoder says of its own (bags, time, channels): (bags, 32) each; all have the same channels.

    Together, because a training step of small batches is bound by the number of operations, not by their size.
    """
    blocks = [_stacked(same) for same in zip(*(encoder.blocks for encoder in encoders), strict=True)]
    if all(x.shape[1] == 1 for x in xs):
        pooled = _single_steps(blocks, torch.stack(xs)[:, :, 0])
    else:
        found = [_search(blocks, m, x.transpose(1, 2)) for m, x in enumerate(xs)]
        pooled = torch.stack([values for values, _ in found])
        if torch.is_grad_enabled():
            pooled = _maxima(blocks, xs, torch.stack([where for _, where in found]))
    weight = torch.stack([encoder.linear.weight for encoder in encoders])
    bias = torch.stack([encoder.linear.bias for encoder in encoders])
    return list(torch.baddbmm(bias[:, None], pooled, weight.transpose(1, 2)))


class _Block(NamedTuple):
    """The same block of M encoders: weights (M, taps, in, out), biases (M, 1, out)."""

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    residual: Tensor | None  # (M, in, out)
    residual_bias: Tensor | None


def _stacked(blocks: tuple[CausalBlock, ...]) -> _Block:
    def folded(convolutions: list[nn.Conv1d]) -> tuple[Tensor, Tensor]:
        """Weight normalisation (Salimans and Kingma, 2016) of all at once."""
        parts = [conv.parametrizations.weight for conv in convolutions]
        size, direction = torch.stack([p.original0 for p in parts]), torch.stack([p.original1 for p in parts])
        weight = direction * (size / torch.linalg.vector_norm(direction, dim=(2, 3), keepdim=True))
        return weight.permute(0, 3, 2, 1), torch.stack([conv.bias for conv in convolutions])[:, None]

    residual = None, None
    if not isinstance(blocks[0].residual, nn.Identity):
        residual = (
            torch.stack([block.residual.weight[..., 0] for block in blocks]).transpose(1, 2),
            torch.stack([block.residual.bias for block in blocks])[:, None],
        )
    return _Block(*folded([b.first for b in blocks]), *folded([b.second for b in blocks]), *residual)


@torch.no_grad()
def _search(blocks: list[_Block], m: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """Maxima over time and where they are, (bags, 16) each, for x (bags, channels, time) in encoder m.

    Convolutions as matrix products of stacked taps: for so few channels faster than a library's convolution, which also
    has to be compiled anew for every shape.
    """
    found = []
    for h in x.split(max(1, SEARCHED_AT_ONCE // x.shape[2])):
        for block, dilation in zip(blocks, DILATIONS, strict=True):
            before = h
            for weight, bias in ((block.first, block.first_bias), (block.second, block.second_bias)):
                matrix = weight[m].permute(2, 0, 1).flatten(1).expand(len(h), -1, -1)
                h = F.leaky_relu_(torch.baddbmm(bias[m].T, matrix, _shifted(h, dilation)), SLOPE)
            if block.residual is None:
                h += before
            else:
                h.baddbmm_(block.residual[m].T.expand(len(h), -1, -1), before).add_(block.residual_bias[m].T)
        found.append(h.max(dim=2))
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def _shifted(h: Tensor, dilation: int) -> Tensor:
    """What the taps of a causal kernel see, (bags, taps * channels, time), of h (bags, channels, time)."""
    bags, channels, time = h.shape
    seen = h.new_zeros(bags, KERNEL, channels, time)
    for tap in range(KERNEL):
        late = min((KERNEL - 1 - tap) * dilation, time)
        seen[:, tap, :, late:] = h[:, :, : time - late]
    return seen.flatten(1, 2)


def _single_steps(blocks: list[_Block], x: Tensor) -> Tensor:
    """Pooled values (M, bags, 16) of sequences of one step (M, bags, channels): only the last taps see anything."""
    for block in blocks:
        h = F.leaky_relu(torch.baddbmm(block.first_bias, x, block.first[:, -1]), SLOPE)
        h = F.leaky_relu(torch.baddbmm(block.second_bias, h, block.second[:, -1]), SLOPE)
        x = h + (x if block.residual is None else torch.baddbmm(block.residual_bias, x, block.residual))
    return x


def _maxima(blocks: list[_Block], xs: list[Tensor], where: Tensor) -> Tensor:
    """The value of each channel at its maximum, with gradients, (M, bags, 16), from the patches under the maxima.

    A block is computed only where the next one looks: at every step its dilation apart, of which its own second
    convolution wants every second. Steps of a patch are therefore always neighbours of a kernel's taps.
    """
    bags, device = len(xs[0]), xs[0].device
    steps = torch.arange(1 - SIGHT, 1, device=device)
    time = where[..., None] + steps  # (M, bags, 16, 29)
    # Before the window's start all activations are zero: that is how the convolutions are padded.
    inside = (time >= 0)[..., None].to(xs[0].dtype)
    rows, time = torch.arange(bags, device=device)[:, None, None], time.clamp(min=0)
    h = (torch.stack([x[rows, t] for x, t in zip(xs, time, strict=True)]) * inside).flatten(1, 2)
    inside = inside.flatten(1, 2)
    for block in blocks:
        x = h
        h = F.leaky_relu(_convolve(h, block.first, block.first_bias, 1), SLOPE) * inside[:, :, KERNEL - 1 :]
        h = F.leaky_relu(_convolve(h, block.second, block.second_bias, 2), SLOPE)
        x, inside = (y[:, :, 2 * (KERNEL - 1) :: 2] for y in (x, inside))
        if block.residual is not None:
            x = _convolve(x, block.residual[:, None], block.residual_bias, 1)
        h = (h + x) * inside
    # Patch c of a bag lies under the maximum of channel c: that channel of it is the pooled value.
    return h.reshape(len(xs), bags, LAST_CHANNELS, LAST_CHANNELS).diagonal(dim1=2, dim2=3)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """(M, patches, steps, in) by weights (M, taps, in, out) at every `stride`-th step."""
    taps = weight.shape[1]
    last = x.shape[2] - taps + 1
    seen = torch.cat([x[:, :, tap : tap + last : stride] for tap in range(taps)], dim=3)
    out = torch.baddbmm(bias, seen.flatten(1, 2), weight.flatten(1, 2))
    return out.reshape(*seen.shape[:3], -1)


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


class Encoders(nn.ModuleDict):
    """An encoder a modality. Windows by modality, (bags, length, channels) each, to features (bags, M, 32)."""

    def __init__(self, modalities: list[Modality]) -> None:
        kinds = {m.name: SequenceEncoder if m.kind == "sequence" else ScalarEncoder for m in modalities}
        super().__init__({m.name: kinds[m.name](m.channels) for m in modalities})
        alike: dict[int, list[str]] = {}
        for modality in modalities:
            if modality.kind == "sequence":
                alike.setdefault(modality.channels, []).append(modality.name)
        self.together = list(alike.values())

    def forward(self, bags: dict[str, Tensor]) -> Tensor:
        features = {}
        for names in self.together:
            # Single steps (bins) and sequences go different ways.
            for single in (True, False):
                some = [name for name in names if (bags[name].shape[1] == 1) == single]
                if some:
                    encoded = encode_together([self[name] for name in some], [bags[name] for name in some])
                    features |= dict(zip(some, encoded, strict=True))
        for name, encoder in self.items():
            if name not in features:
                features[name] = encoder(bags[name])
        return torch.stack([features[name] for name in self], dim=1)
