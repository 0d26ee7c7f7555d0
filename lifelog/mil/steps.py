"""The steps of an epoch: which windows each network gets in each step, and which of their modalities it sees."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

import torch
from torch import Tensor

from lifelog.settings.mil import Training


class Step(NamedTuple):
    """Windows of a step of n networks, with padding to as many for each.

    Attributes
    ----------
    rows : Tensor of int64, shape (n, n_windows)
        Rows of the windows; the first window of a network is its padding.
    shares : Tensor, shape (n, n_windows)
        Share of each window in the loss of its network, 0 for padding.
    numbers : Tensor, shape (n, n_windows, n_modalities)
        Random numbers of modality dropout, from 0 to 1; without modality dropout, n_modalities is 0.
    """

    rows: Tensor
    shares: Tensor
    numbers: Tensor


def draw_epoch(
    windows: Sequence[range],
    generators: Sequence[torch.Generator],
    modalities: int,
    settings: Training,
    device: torch.device,
) -> Iterator[Step]:
    """Draw the steps of an epoch: passes over the windows of each network in random order.

    Parameters
    ----------
    windows : sequence of range
        Rows of the training windows by network, those with more steps first.
    generators : sequence of torch.Generator
        Source of random numbers by network. What a network gets does not depend on the others.
    modalities : int
        Number of modalities.
    settings : Training
        Batch size, updates per epoch, and modality dropout.
    device : torch.device
        Device of the networks.

    Yields
    ------
    Step
        Of the first n networks; the others have fewer steps.
    """
    sizes = [step_sizes(len(own), settings) for own in windows]
    by_step = list(zip_longest(*sizes, fillvalue=0))
    counts = torch.tensor(by_step)[..., None]
    used = torch.arange(int(counts.max())) < counts
    rows = torch.tensor([own.start for own in windows])[:, None, None].repeat(1, *used.shape[::2])
    numbers = torch.zeros(*used.shape, modalities if settings.modality_dropout else 0)
    orders = []
    for network, (own, steps, generator) in enumerate(zip(windows, sizes, generators, strict=True)):
        passes = -(-sum(steps) // len(own))
        orders += [torch.randperm(len(own), generator=generator) for _ in range(passes)]
        orders[-1] = orders[-1][: sum(steps) - len(own) * (passes - 1)]
        if settings.modality_dropout:
            drawn = torch.rand(len(steps), max(steps), modalities, generator=generator)
            numbers[: len(steps), network, : max(steps)] = drawn
    rows[used.transpose(0, 1)] += torch.cat(orders)
    tensors = [x.to(device) for x in (rows.transpose(0, 1), used / counts.clamp(min=1), numbers)]
    for step, own_sizes in enumerate(by_step):
        networks, size = sum(own > 0 for own in own_sizes), max(own_sizes)
        yield Step(*(x[step, :networks, :size] for x in tensors))


def step_sizes(windows: int, settings: Training) -> list[int]:
    """Return the number of windows of each step of an epoch.

    Parameters
    ----------
    windows : int
        Number of windows of the network.
    settings : Training
        Batch size, and updates per epoch.

    Returns
    -------
    list of int
        For one pass over the windows, or for as many steps as configured.
    """
    size = min(settings.batch_size, windows)
    if settings.updates_per_epoch is not None:
        return [size] * settings.updates_per_epoch
    steps = max(1, windows // size)
    return [windows // steps + (step < windows % steps) for step in range(steps)]


def hide_modalities(present: Tensor, numbers: Tensor, probability: float) -> Tensor:
    """Hide modalities at random, so that each one learns to predict alone; never all modalities of a bag.

    Parameters
    ----------
    present : Tensor of bool, shape (..., n_modalities)
        Which modalities are not missing.
    numbers : Tensor, shape (..., n_modalities)
        Random numbers from 0 to 1.
    probability : float
        Probability of hiding a modality.

    Returns
    -------
    Tensor of bool, shape (..., n_modalities)
        Which modalities are shown to the network.
    """
    if probability == 0:
        return present
    shown = present & (numbers >= probability)
    return torch.where(shown.any(dim=-1, keepdim=True), shown, present)
