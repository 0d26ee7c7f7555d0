"""Encoders of a modality into an instance.

By samples, into 32 values, as published. Sequences: causal dilated convolutions (Franceschi, Dieuleveut, Jaggi, NeurIPS
2019), global max-pooling, a linear map. Scalars: two linear layers with batch normalisation.
By features, into 8 values: a linear map.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from lifelog.mil.maxima import DILATIONS, KERNEL, SLOPE, Block, maxima
from lifelog.settings.windows import Modality

FEATURES = 32
HIDDEN_CHANNELS = 8
LAST_CHANNELS = 16
OF_FEATURES = 8  # values of an instance that is encoded by its features


class CausalBlock(nn.Module):
    """Two weight-normalised causal convolutions with a residual. (bags, in, time) → (bags, out, time)."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.padding = (KERNEL - 1) * dilation
        self.first = weight_norm(nn.Conv1d(inputs, outputs, KERNEL, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(outputs, outputs, KERNEL, dilation=dilation))
        self.residual = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return (bags, out, time) for (bags, in, time)."""
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
        """Return features (bags, 32)."""
        return encode_together([self], [x])[0]

    def plain(self, x: Tensor) -> Tensor:
        """Return the same features, computed as in the papers; `forward` has the same gradients and is faster."""
        return self.linear(self.blocks(x.transpose(1, 2)).amax(dim=2))


def encode_together(encoders: list[SequenceEncoder], xs: list[Tensor]) -> list[Tensor]:
    """Encode the input of several encoders at once, since small training steps are bound by the number of operations.

    Parameters
    ----------
    encoders : list of SequenceEncoder
        The encoders.
    xs : list of Tensor, shape (n_bags, length, n_channels)
        The input of each encoder.

    Returns
    -------
    list of Tensor, shape (n_bags, 32)
        The features of each encoder.
    """
    blocks = folded(encoders)
    pooled: dict[int, Tensor] = {}
    single = [m for m, x in enumerate(xs) if x.shape[1] == 1]
    longer = [m for m, x in enumerate(xs) if x.shape[1] > 1]
    if single:
        own = _of_encoders(blocks, single)
        width = own[0].first.shape[2]
        steps = torch.stack([F.pad(xs[m][:, 0], (0, width - xs[m].shape[2])) for m in single])
        pooled |= dict(zip(single, _single_steps(own, steps), strict=True))
    if longer:
        pooled |= dict(zip(longer, maxima([xs[m] for m in longer], _of_encoders(blocks, longer)), strict=True))
    weight = torch.stack([encoder.linear.weight for encoder in encoders])
    bias = torch.stack([encoder.linear.bias for encoder in encoders])
    together = torch.stack([pooled[m] for m in range(len(xs))])
    return list(torch.baddbmm(bias[:, None], together, weight.transpose(1, 2)))


def folded(encoders: list[SequenceEncoder]) -> list[Block]:
    """Return the blocks of M encoders with weight normalisation (Salimans and Kingma, 2016) applied.

    Input channels that an encoder lacks have zero weights.
    """

    def padded(weights: list[Tensor]) -> Tensor:
        width = max(weight.shape[1] for weight in weights)
        return torch.cat([F.pad(w, (0, 0, 0, width - w.shape[1])) if w.shape[1] < width else w for w in weights])

    def convolution(convs: list[nn.Conv1d]) -> tuple[Tensor, Tensor]:
        sizes, directions, biases = zip(*map(_weight_parts, convs), strict=True)
        direction = padded(list(directions))
        weight = direction * (torch.cat(sizes) / torch.linalg.vector_norm(direction, dim=(1, 2), keepdim=True))
        return weight.unflatten(0, (len(convs), -1)), torch.stack(biases)

    blocks = []
    for same in zip(*(encoder.blocks for encoder in encoders), strict=True):
        residual: tuple[Tensor | None, Tensor | None] = None, None
        if any(isinstance(block.residual, nn.Conv1d) for block in same):
            weights, biases = zip(*(_residual(block) for block in same), strict=True)
            weight = padded(list(weights))[..., 0].unflatten(0, (len(same), -1))
            residual = weight, torch.stack(biases)
        blocks.append(Block(*convolution([b.first for b in same]), *convolution([b.second for b in same]), *residual))
    return blocks


def _weight_parts(conv: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return size and direction of a weight-normalised convolution, and its bias."""
    weight = conv.parametrizations.weight
    return weight.original0, weight.original1, conv.bias


def _residual(block: CausalBlock) -> tuple[Any, Any]:
    """Return weight (out, in, 1) and bias of a residual; the identity where it is the input itself."""
    residual: Any = block.residual
    if isinstance(residual, nn.Conv1d):
        return residual.weight, residual.bias
    bias = _weight_parts(block.first)[2]
    return torch.eye(len(bias), dtype=bias.dtype, device=bias.device)[..., None], torch.zeros_like(bias)


def _of_encoders(blocks: list[Block], which: list[int]) -> list[Block]:
    """Return the blocks of some encoders."""
    if len(which) == len(blocks[0].first):
        return blocks
    return [block.of(which) for block in blocks]


def _single_steps(blocks: list[Block], x: Tensor) -> Tensor:
    """Return the pooled values (M, bags, 16) of single steps (M, bags, channels); only the last taps matter."""

    def applied(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))

    for block in blocks:
        h = F.leaky_relu(applied(x, block.first[..., -1], block.first_bias), SLOPE)
        h = F.leaky_relu(applied(h, block.second[..., -1], block.second_bias), SLOPE)
        residual, bias = block.residual, block.residual_bias
        x = h + (x if residual is None or bias is None else applied(x, residual, bias))
    return x


class ScalarEncoder(nn.Module):
    """(bags, 1, channels) → (bags, 32); if `averaged`, channels are averaged first, as published."""

    def __init__(self, channels: int, averaged: bool = False) -> None:
        super().__init__()
        self.averaged = averaged
        self.layers = nn.Sequential(
            nn.Linear(1 if averaged else channels, FEATURES),
            nn.BatchNorm1d(FEATURES),
            nn.LeakyReLU(SLOPE),
            nn.Linear(FEATURES, FEATURES),
            nn.BatchNorm1d(FEATURES),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features (bags, 32)."""
        return self.layers(x.mean(dim=2) if self.averaged else x[:, 0])


def _encoder(modality: Modality) -> SequenceEncoder | ScalarEncoder:
    if modality.kind == "sequence":
        return SequenceEncoder(modality.channels)
    return ScalarEncoder(modality.channels, averaged=modality.kind == "mean")


class FeatureEncoders(nn.Module):
    """A linear map per modality. Features by modality, (bags, 1, n_features) each, to instances (bags, M, 8).

    Maps are computed together: features that a modality lacks have zero weights.
    """

    size = OF_FEATURES

    def __init__(self, widths: dict[str, int]) -> None:
        super().__init__()
        self.names, widest = list(widths), max(widths.values())
        weight, bias = torch.zeros(len(widths), widest, OF_FEATURES), torch.zeros(len(widths), 1, OF_FEATURES)
        for row, width in enumerate(widths.values()):
            bound = width**-0.5  # as in nn.Linear
            weight[row, :width].uniform_(-bound, bound)
            bias[row].uniform_(-bound, bound)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, bags: dict[str, Tensor]) -> Tensor:
        """Return instances (bags, M, 8)."""
        widest = self.weight.shape[1]
        columns = [F.pad(bags[name][:, 0], (0, widest - bags[name].shape[2])) for name in self.names]
        return torch.baddbmm(self.bias, torch.stack(columns), self.weight).transpose(0, 1)


class Encoders(nn.ModuleDict):
    """One encoder per modality. Windows by modality, (bags, length, channels) each, to features (bags, M, 32)."""

    size = FEATURES

    def __init__(self, modalities: list[Modality]) -> None:
        super().__init__({m.name: _encoder(m) for m in modalities})
        self.sequences = [modality.name for modality in modalities if modality.kind == "sequence"]

    def forward(self, bags: dict[str, Tensor]) -> Tensor:
        """Return features (bags, M, 32)."""
        features = {name: encoder(bags[name]) for name, encoder in self.items() if name not in self.sequences}
        if self.sequences:
            encoders: list[Any] = [self[name] for name in self.sequences]
            encoded = encode_together(encoders, [bags[name] for name in self.sequences])
            features |= dict(zip(self.sequences, encoded, strict=True))
        return torch.stack([features[name] for name in self], dim=1)
