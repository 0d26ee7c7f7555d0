"""The steps of an epoch: which windows each network gets in each step, and which of their modalities it sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lifelog.settings.mil import Training


class Plan(NamedTuple):
    """The windows of every step of an epoch, of N networks in descending order of their number of steps.

    Attributes
    ----------
    rows : Tensor of int64, shape (n_steps, N, n_windows)
        Numbers of windows, 0 for padding.
    shares : Tensor, shape (n_steps, N, n_windows)
        Share of each window in the loss of its step, 0 for padding.
    numbers : Tensor, shape (n_steps, N, n_windows, n_modalities)
        Random numbers of modality dropout, from 0 to 1; without modality dropout, n_modalities is 0.
    networks, sizes : list of int
        By step: number of networks, and of windows.
    windows : Tensor of float64, shape (N,)
        Number of windows of the epoch by network.
    """

    rows: Tensor
    shares: Tensor
    numbers: Tensor
    networks: list[int]
    sizes: list[int]
    windows: Tensor


def plan_epoch(counts: Sequence[int], modalities: int, settings: Training, generators: list[torch.Generator]) -> Plan:
    """Draw the windows of every step of an epoch.

    Parameters
    ----------
    counts : sequence of int
        Number of windows by network.
    modalities : int
        Number of modalities.
    settings : Training
        Batch size, updates per epoch, and modality dropout.
    generators : list of torch.Generator
        Source of random numbers by network.

    Returns
    -------
    Plan
        What a network gets does not depend on the others.
    """
    steps = [list(batches(count, settings, own)) for count, own in zip(counts, generators, strict=True)]
    longest, widest = max(map(len, steps)), max(len(step) for own in steps for step in own)
    rows = torch.zeros(longest, len(counts), widest, dtype=torch.long)
    shares = torch.zeros(rows.shape)
    numbers = torch.zeros(*rows.shape, modalities if settings.modality_dropout else 0)
    for network, own in enumerate(steps):
        for step, drawn in enumerate(own):
            rows[step, network, : len(drawn)] = drawn
            shares[step, network, : len(drawn)] = 1 / len(drawn)
        if settings.modality_dropout:
            shape = len(own), max(map(len, own)), modalities
            numbers[: shape[0], network, : shape[1]] = torch.rand(shape, generator=generators[network])
    networks = [sum(len(own) > step for own in steps) for step in range(longest)]
    sizes = [max(len(own[step]) for own in steps if len(own) > step) for step in range(longest)]
    windows = torch.tensor([sum(map(len, own)) for own in steps], dtype=torch.float64)
    return Plan(rows, shares, numbers, networks, sizes, windows)


def steps_per_epoch(windows: int, settings: Training) -> int:
    """Return the number of steps of an epoch."""
    return settings.updates_per_epoch or max(1, windows // min(settings.batch_size, windows))


def batches(windows: int, settings: Training, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the windows of each step of an epoch: one pass over them in random order, or as many steps as configured.

    Parameters
    ----------
    windows : int
        Number of windows.
    settings : Training
        Batch size, and updates per epoch.
    generator : torch.Generator
        Source of random numbers.

    Yields
    ------
    Tensor of int64, shape (n_windows_of_the_step,)
        Numbers of windows. A configured number of steps takes as many passes as it needs.
    """
    steps, size = steps_per_epoch(windows, settings), min(settings.batch_size, windows)
    if settings.updates_per_epoch is None:
        yield from torch.randperm(windows, generator=generator).tensor_split(steps)
        return
    passes = -(-steps * size // windows)
    order = torch.cat([torch.randperm(windows, generator=generator) for _ in range(passes)])
    yield from order[: steps * size].split(size)


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
