"""Global maxima over time of the causal convolutions, with exact gradients, without most of the work.

The maximum over time passes a gradient to one time step per channel, and that step depends on 29 samples. Therefore the
maxima are searched without a graph, and only the 29 samples before each maximum, a patch, are computed again by
autograd. For windows of thousands of samples this takes several times less time and memory than backpropagation through
whole windows, and gives the same gradients (docs/performance.md).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

KERNEL = 3
DILATIONS = (1, 2, 4)  # of the blocks
RECEPTIVE_FIELD = 1 + 2 * (KERNEL - 1) * sum(DILATIONS)  # samples that a pooled value depends on: 29
SLOPE = 0.01
SEARCH_STEPS = {"cpu": 2**16, "cuda": 2**22}  # time steps at a time: the cache of a processor; few operations on a GPU
PATCH_BAGS = {"cpu": 2**6, "cuda": 2**14}


class Block(NamedTuple):
    """Two causal convolutions and a residual of M encoders.

    Attributes
    ----------
    first, second : Tensor, shape (M, out, in, taps)
        Weights of the convolutions.
    first_bias, second_bias : Tensor, shape (M, out)
        Their biases.
    residual : Tensor, shape (M, out, in), or None
        Weights of the residual; None for the input itself.
    residual_bias : Tensor, shape (M, out), or None
        Its bias.
    """

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    residual: Tensor | None
    residual_bias: Tensor | None

    def of(self, encoders: int | list[int]) -> Block:
        """Return the block of some encoders, or of one, without the leading dimension."""
        if isinstance(encoders, int):
            return Block(*(None if tensor is None else tensor[encoders] for tensor in self))  # type: ignore[arg-type]
        # A list as index would be copied to a GPU in every step.
        some = (None if tensor is None else torch.stack([tensor[m] for m in encoders]) for tensor in self)
        return Block(*some)  # type: ignore[arg-type]


def maxima(xs: list[Tensor], blocks: list[Block]) -> Tensor:
    """Compute the maxima over time of the blocks' output.

    Parameters
    ----------
    xs : list of Tensor, shape (n_bags, length, n_channels)
        The input of each of M encoders; gradients by the input are not available.
    blocks : list of Block
        The blocks of all encoders.

    Returns
    -------
    Tensor, shape (M, n_bags, out)
        With a graph to the tensors of the blocks, if gradients are enabled.
    """
    if any(x.requires_grad for x in xs):
        raise NotImplementedError("maxima have no gradient by the samples; use SequenceEncoder.plain")
    with torch.no_grad():
        found = [search(x, [block.of(m) for block in blocks]) for m, x in enumerate(xs)]
    if not torch.is_grad_enabled():
        return torch.stack([values for values, _ in found])
    size, channels = PATCH_BAGS[xs[0].device.type], blocks[0].first.shape[2]
    pieces = []
    for start in range(0, len(xs[0]), size):
        rows = slice(start, start + size)
        parts = [_patches(x[rows], steps[rows], channels) for x, (_, steps) in zip(xs, found, strict=True)]
        patches, inside = zip(*parts, strict=True)
        pieces.append(_recompute(torch.stack(patches), torch.stack(inside), blocks))
    return torch.cat(pieces, dim=1)


def search(x: Tensor, blocks: list[Block]) -> tuple[Tensor, Tensor]:
    """Find the maxima over time of one encoder, without a graph.

    Parameters
    ----------
    x : Tensor, shape (n_bags, length, n_channels)
        Input of the encoder.
    blocks : list of Block
        Its blocks, without the leading dimension.

    Returns
    -------
    values : Tensor, shape (n_bags, out)
        The maxima.
    steps : Tensor of int64, shape (n_bags, out)
        Where they are.
    """
    length, found = x.shape[1], []
    for part in x.split(max(1, SEARCH_STEPS[x.device.type] // length)):
        # An image of one line with its channels last is the fastest form for few channels. Padding adds as many steps
        # after the window as before it; they are cut at the end, since causal outputs do not depend on them.
        h = part[:, None].permute(0, 3, 1, 2)
        for block, dilation in zip(blocks, DILATIONS, strict=True):
            inner = F.leaky_relu_(_convolve_image(h, block.first, block.first_bias, dilation), SLOPE)
            outer = F.leaky_relu_(_convolve_image(inner, block.second, block.second_bias, dilation), SLOPE)
            if block.residual is None:
                outer[..., : h.shape[3]] += h
            else:
                outer[..., : h.shape[3]] += _convolve_image(h, block.residual[..., None], block.residual_bias, 1)
            h = outer
        found.append(h[:, :, 0, :length].max(dim=2))
    return torch.cat([maximum.values for maximum in found]), torch.cat([maximum.indices for maximum in found])


def _convolve_image(h: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
    """Return the convolution of an image of one line (B, in, 1, steps), padded on both sides.

    Weights of input channels that the image lacks, which are zero, are left out.
    """
    channels_last = weight[:, : h.shape[1], None].permute(0, 2, 3, 1).contiguous()
    kernel = channels_last.permute(0, 3, 1, 2)
    padding = (weight.shape[2] - 1) * dilation
    return torch.conv2d(h, kernel, bias, padding=(0, padding), dilation=(1, dilation))


def _patches(x: Tensor, steps: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """Return the samples before each maximum, (RECEPTIVE_FIELD, channels, B * out), and which are inside the window."""
    time = steps + torch.arange(1 - RECEPTIVE_FIELD, 1, device=x.device)[:, None, None]  # (RECEPTIVE_FIELD, B, out)
    inside = (time >= 0).reshape(RECEPTIVE_FIELD, 1, -1).to(x.dtype)
    rows = time.clamp(min=0) + torch.arange(len(x), device=x.device)[:, None] * x.shape[1]
    samples = x.flatten(0, 1).index_select(0, rows.flatten()).view(RECEPTIVE_FIELD, -1, x.shape[2]).transpose(1, 2)
    return F.pad(samples, (0, 0, 0, channels - x.shape[2])) * inside, inside


def _recompute(h: Tensor, inside: Tensor, blocks: list[Block]) -> Tensor:
    """Return the outputs (M, B, out) at the last step of patches, each for its own channel.

    Activations before the start of a window are zero, which is the padding of the convolutions. The next block has
    twice the dilation and needs only every second step, so that all convolutions here have dilation 1.
    """
    for block in blocks:
        inner = F.leaky_relu(_convolve(h, block.first, block.first_bias, 1), SLOPE) * inside[:, KERNEL - 1 :]
        outer = F.leaky_relu(_convolve(inner, block.second, block.second_bias, 2), SLOPE)
        h, inside = h[:, 2 * (KERNEL - 1) :: 2], inside[:, 2 * (KERNEL - 1) :: 2]
        if block.residual is not None and block.residual_bias is not None:
            h = block.residual[:, None] @ h + block.residual_bias[:, None, :, None]
        h = (outer + h) * inside
    return h[:, 0].unflatten(2, (-1, h.shape[2])).diagonal(dim1=1, dim2=3)


def _convolve(h: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Return the convolution of patches (M, steps, in, P) at every `stride`-th step."""
    steps = (h.shape[1] - KERNEL) // stride + 1
    taps = torch.cat([h[:, tap : tap + (steps - 1) * stride + 1 : stride] for tap in range(KERNEL)], dim=2)
    matrix = weight.transpose(2, 3).flatten(2)[:, None]  # (M, 1, out, taps * in)
    return matrix @ taps + bias[:, None, :, None]
