"""Global maxima over time of the causal convolutions, and their exact gradient, without most of the work.

The maximum over time passes a gradient to one time step a channel, and that step sees 29 samples. So the forward pass
only searches: convolutions without a graph, then where each channel is greatest. The backward pass computes the 29
samples under each maximum, a patch, once more with all that a gradient needs. For windows of thousands of samples this
is several times less arithmetic and a small part of the memory of the plain way, for the same numbers.

A search runs the windows as one long sequence, rows of channels, with gaps of zeros between windows. Patches lie as
(steps, channels, patches): the taps of a kernel at a step are then neighbouring rows of a matrix that needs no copy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

KERNEL = 3
DILATIONS = (1, 2, 4)  # of the blocks
REACH = (KERNEL - 1) * DILATIONS[-1]  # samples before a step that one convolution looks back at most: 8
SIGHT = 1 + 2 * (KERNEL - 1) * sum(DILATIONS)  # samples that a pooled value depends on: 29
SLOPE = 0.01
# Values that are worked on at once: what the processor's caches hold; a GPU wants few large operations.
SEARCHED = {"cpu": 2**16, "cuda": 2**22}  # time steps
PATCHES = {"cpu": 2**10, "cuda": 2**18}
CANDIDATES = 64  # steps that are left when the search for a maximum stops halving


class Block(NamedTuple):
    """Two causal convolutions and a residual: weights (out, in, taps) and biases (out,)."""

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    residual: Tensor | None  # (out, in); None where input and output have the same width
    residual_bias: Tensor | None


def maxima(x: Tensor, blocks: list[Block]) -> Tensor:
    """Maxima over time, (bags, channels out), of the blocks' output on x (bags, time, channels)."""
    return _Maxima.apply(x, *(tensor for block in blocks for tensor in block))


class _Maxima(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *flat: Tensor | None) -> Tensor:
        if x.requires_grad:
            raise NotImplementedError("no gradient by the samples here; SequenceEncoder.plain gives it")
        values, where = search(x, _blocks(flat))
        ctx.save_for_backward(x, where, *flat)
        return values

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, where, *flat = ctx.saved_tensors
        blocks = _blocks(flat)
        size = max(1, PATCHES[x.device.type] // gradient.shape[1])
        totals: list[Tensor | None] = []
        for some in zip(x.split(size), where.split(size), gradient.split(size), strict=True):
            parts = _patch_gradients(*some, blocks)
            totals = [t if p is None else t + p for t, p in zip(totals, parts, strict=True)] if totals else parts
        return None, *totals


def _blocks(flat: tuple[Tensor | None, ...] | list[Tensor | None]) -> list[Block]:
    size = len(Block._fields)
    return [Block(*flat[i : i + size]) for i in range(0, len(flat), size)]


def search(x: Tensor, blocks: list[Block]) -> tuple[Tensor, Tensor]:
    """Maxima over time and the steps where they are, (bags, channels out) each, for x (bags, time, channels)."""
    time, found = x.shape[1], []
    for part in x.split(max(1, SEARCHED[x.device.type] // time)):
        bags, width = len(part), time + REACH
        h = part.new_zeros(SIGHT - 1 + bags * width, x.shape[2])
        h[SIGHT - 1 :].unflatten(0, (bags, width))[:, :time] = part
        before = SIGHT - 1  # rows ahead of the first window
        for block, dilation in zip(blocks, DILATIONS, strict=True):
            inner = F.leaky_relu_(_rows(h, block.first, block.first_bias, dilation), SLOPE)
            before -= (KERNEL - 1) * dilation
            _blank(inner, bags, width, before)
            outer = F.leaky_relu_(_rows(inner, block.second, block.second_bias, dilation), SLOPE)
            before -= (KERNEL - 1) * dilation
            if block.residual is None:
                outer += h[len(h) - len(outer) :]
            else:
                # With an idle tap, for the library is slow at kernels of one.
                kernel = F.pad(block.residual[:, :, None], (1, 0))
                outer += _rows(h[len(h) - len(outer) - 1 :], kernel, block.residual_bias, 1)
            h = outer
            if before:
                _blank(h, bags, width, before)
        found.append(_greatest(h.unflatten(0, (bags, width))[:, :time]))
    return torch.cat([values for values, _ in found]), torch.cat([where for _, where in found])


def _rows(h: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """A convolution of rows (steps, in); the steps that it cannot see whole are left out."""
    steps, channels = h.shape
    # An image of one line with its channels last: the library's fastest form for so few channels.
    image = h.as_strided((1, channels, 1, steps), (h.numel(), 1, h.numel(), channels))
    kernel = weight[:, :, None].contiguous(memory_format=torch.channels_last)
    return torch.conv2d(image, kernel, bias, dilation=(1, dilation))[0, :, 0].T.contiguous()


def _blank(h: Tensor, bags: int, width: int, before: int) -> None:
    """Zero the gaps around the windows: before a window's start all activations are zero, that is its padding."""
    channels = h.shape[1]
    shape, strides = (bags + 1, REACH, channels), (width * channels, channels, 1)
    h.as_strided(shape, strides, h.storage_offset() + (before - REACH) * channels).zero_()


def _greatest(h: Tensor) -> tuple[Tensor, Tensor]:
    """Maxima of h (bags, time, channels) and their steps, (bags, channels) each.

    Halves of the time are compared with each other, whole vectors at once, until few steps are left.
    """
    left, shifts = h, [0]
    while left.shape[1] > CANDIDATES:
        time = left.shape[1]
        half = (time + 1) // 2
        left = torch.maximum(left[:, :half], left[:, time - half :])
        shifts += [shift + time - half for shift in shifts]
    values, first = left.max(dim=1)
    places = first[:, None] + torch.tensor(sorted(shifts), device=h.device)[:, None]
    hit = (h.gather(1, places) == values[:, None]).byte().argmax(dim=1, keepdim=True)
    return values, places.gather(1, hit)[:, 0]


def _patch_gradients(x: Tensor, where: Tensor, gradient: Tensor, blocks: list[Block]) -> list[Tensor | None]:
    """Gradients of the blocks' tensors, in their order, given those of the maxima, (bags, channels out)."""
    bags, outputs = gradient.shape
    steps = torch.arange(1 - SIGHT, 1, device=x.device)[:, None, None]
    time = where.T + steps  # (29, channels out, bags)
    inside = (time >= 0).to(x.dtype).reshape(SIGHT, 1, -1)
    rows = time.clamp_(min=0) + torch.arange(bags, device=x.device) * x.shape[1]
    h = x.flatten(0, 1).index_select(0, rows.flatten()).reshape(SIGHT, -1, x.shape[2])
    h = h.transpose(1, 2).contiguous() * inside

    passed = []
    for block in blocks:
        inner = F.leaky_relu_(_convolve(h, block.first, block.first_bias, 1), SLOPE)
        inner *= inside[KERNEL - 1 :]
        outer = F.leaky_relu_(_convolve(inner, block.second, block.second_bias, 2), SLOPE)
        passed.append((block, h, inner, outer, inside))
        h, inside = (tensor[2 * (KERNEL - 1) :: 2] for tensor in (h, inside))
        if block.residual is not None:
            h = torch.baddbmm(block.residual_bias[:, None], block.residual.expand(len(h), -1, -1), h)
        h = (outer + h) * inside

    # Patch c of a bag lies under the maximum of channel c, which alone is passed on.
    g = gradient.new_zeros(1, outputs, outputs, bags)
    g[0].diagonal(dim1=0, dim2=1).copy_(gradient)
    g = g.reshape(1, outputs, -1)
    found: list[Tensor | None] = []
    for block, h, inner, outer, inside in reversed(passed):
        seen = h[2 * (KERNEL - 1) :: 2]
        g = g * inside[2 * (KERNEL - 1) :: 2]
        residual = None, None
        if block.residual is not None:
            residual = torch.bmm(g, seen.transpose(1, 2)).sum(dim=0), g.sum(dim=(0, 2))
        g_outer = _through(g, outer)
        g_inner = _through(_spread(g_outer, block.second, 2), inner) * inside[KERNEL - 1 :]
        found[:0] = *_kernel_gradient(g_inner, h, 1), *_kernel_gradient(g_outer, inner, 2), *residual
        if block is not blocks[0]:
            before = _spread(g_inner, block.first, 1)
            back = g if block.residual is None else torch.matmul(block.residual.T, g)
            before[2 * (KERNEL - 1) :: 2] += back
            g = before
    return found


def _convolve(h: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """(steps, in, patches) by weights (out, in, taps) at every `stride`-th step."""
    seen = _taps(h, stride)
    matrix = weight.transpose(1, 2).reshape(1, len(weight), -1).expand(len(seen), -1, -1)
    return torch.baddbmm(bias[:, None], matrix, seen)


def _taps(h: Tensor, stride: int) -> Tensor:
    """What a kernel sees at every `stride`-th step of h (steps, in, patches): (steps, taps * in, patches), a view."""
    steps, channels, patches = h.shape
    shape = ((steps - KERNEL) // stride + 1, KERNEL * channels, patches)
    return h.as_strided(shape, (stride * channels * patches, patches, 1))


def _spread(g: Tensor, weight: Tensor, stride: int) -> Tensor:
    """The convolution's transpose: gradients of its output (steps, out, patches) to those of its input."""
    steps, outputs, patches = g.shape
    edge = KERNEL - 1
    apart = g.new_zeros(2 * edge + (steps - 1) * stride + 1, outputs, patches)
    apart[edge:-edge:stride] = g
    seen = _taps(apart, 1)
    matrix = weight.flip(2).permute(1, 2, 0).reshape(1, weight.shape[1], -1).expand(len(seen), -1, -1)
    return torch.bmm(matrix, seen)


def _kernel_gradient(g: Tensor, h: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Gradients of a convolution's weight and bias."""
    matrix = torch.bmm(g, _taps(h, stride).transpose(1, 2)).sum(dim=0)
    weight = matrix.reshape(g.shape[1], KERNEL, -1).transpose(1, 2)
    return weight, g.sum(dim=(0, 2))


def _through(g: Tensor, activated: Tensor) -> Tensor:
    """The gradient before a leaky ReLU, given what it put out."""
    return torch.ops.aten.leaky_relu_backward(g, activated, SLOPE, True)
