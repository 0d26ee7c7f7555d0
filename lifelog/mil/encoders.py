"""Encoders of one modality into 32 features, as published.

Sequences: causal dilated convolutions (Franceschi, Dieuleveut, Jaggi, NeurIPS 2019), global max-pooling, a linear map.
Scalars: two linear layers with batch normalisation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from lifelog.config import Modality
from lifelog.mil.maxima import DILATIONS, KERNEL, SLOPE, Block, maxima

FEATURES = 32
HIDDEN_CHANNELS = 8
LAST_CHANNELS = 16


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
    """What each encoder says of its own (bags, time, channels): (bags, 32) each.

    Together, because a training step of small batches is bound by the number of operations, not by their size.
    """
    blocks, pooled = folded(encoders), {}
    single = [m for m, x in enumerate(xs) if x.shape[1] == 1]
    if single:
        some = blocks if len(single) == len(xs) else [_some(block, single) for block in blocks]
        width = some[0].first.shape[2]
        steps = torch.stack([F.pad(xs[m][:, 0], (0, width - xs[m].shape[2])) for m in single])
        pooled |= dict(zip(single, _single_steps(some, steps), strict=True))
    for m, (x, own) in enumerate(zip(xs, _by_encoder(blocks), strict=True)):
        if m not in pooled:
            first, *others = own
            residual = None if first.residual is None else first.residual[:, : x.shape[2]]
            pooled[m] = maxima(x, [first._replace(first=first.first[:, : x.shape[2]], residual=residual), *others])
    weight = torch.stack([encoder.linear.weight for encoder in encoders])
    bias = torch.stack([encoder.linear.bias for encoder in encoders])
    together = torch.stack([pooled[m] for m in range(len(xs))])
    return list(torch.baddbmm(bias[:, None], together, weight.transpose(1, 2)))


def folded(encoders: list[SequenceEncoder]) -> list[Block]:
    """The blocks of M encoders, tensors (M, ...) with weight normalisation (Salimans and Kingma, 2016) folded in.

    Input channels that an encoder lacks have weights of zero.
    """

    def filled(weights: list[Tensor]) -> Tensor:
        most = max(weight.shape[1] for weight in weights)
        return torch.cat([F.pad(w, (0, 0, 0, most - w.shape[1])) if w.shape[1] < most else w for w in weights])

    def convolution(convs: list[nn.Conv1d]) -> tuple[Tensor, Tensor]:
        parts = [conv.parametrizations.weight for conv in convs]
        size, direction = torch.cat([p.original0 for p in parts]), filled([p.original1 for p in parts])
        weight = torch._weight_norm(direction, size, 0)
        return weight.unflatten(0, (len(convs), -1)), torch.stack([conv.bias for conv in convs])

    blocks = []
    for same in zip(*(encoder.blocks for encoder in encoders), strict=True):
        residual = None, None
        if any(isinstance(block.residual, nn.Conv1d) for block in same):
            weights, biases = zip(*(_residual(block) for block in same), strict=True)
            weight = filled(list(weights))[..., 0].unflatten(0, (len(same), -1))
            residual = weight, torch.stack(biases)
        blocks.append(Block(*convolution([b.first for b in same]), *convolution([b.second for b in same]), *residual))
    return blocks


def _residual(block: CausalBlock) -> tuple[Tensor, Tensor]:
    """Weight (out, in, 1) and bias of a residual; written out where it is the input itself."""
    if isinstance(block.residual, nn.Conv1d):
        return block.residual.weight, block.residual.bias
    bias = block.first.bias
    return torch.eye(len(bias), dtype=bias.dtype, device=bias.device)[..., None], torch.zeros_like(bias)


def _some(block: Block, which: list[int]) -> Block:
    """The block of some encoders."""
    return Block(*(None if tensor is None else tensor[which] for tensor in block))


def _by_encoder(blocks: list[Block]) -> list[tuple[Block, ...]]:
    """The blocks of each encoder; taken apart at once, their gradients come back as one tensor, not one each to add."""
    apart = []
    for block in blocks:
        count = len(block.first)
        tensors = ([None] * count if tensor is None else tensor.unbind() for tensor in block)
        apart.append([Block(*own) for own in zip(*tensors, strict=True)])
    return list(zip(*apart, strict=True))


def _single_steps(blocks: list[Block], x: Tensor) -> Tensor:
    """Pooled values (M, bags, 16) of sequences of one step (M, bags, channels): only the last taps see anything."""

    def applied(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))

    for block in blocks:
        h = F.leaky_relu(applied(x, block.first[..., -1], block.first_bias), SLOPE)
        h = F.leaky_relu(applied(h, block.second[..., -1], block.second_bias), SLOPE)
        x = h + (x if block.residual is None else applied(x, block.residual, block.residual_bias))
    return x


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
        self.sequences = [modality.name for modality in modalities if modality.kind == "sequence"]

    def forward(self, bags: dict[str, Tensor]) -> Tensor:
        features = {name: encoder(bags[name]) for name, encoder in self.items() if name not in self.sequences}
        if self.sequences:
            encoders, xs = zip(*((self[name], bags[name]) for name in self.sequences), strict=True)
            features |= dict(zip(self.sequences, encode_together(encoders, xs), strict=True))
        return torch.stack([features[name] for name in self], dim=1)
