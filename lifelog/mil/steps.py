"""The steps of an epoch: which windows each network gets in each step, and which of their modalities it sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lifelog.settings.mil import Training


class Schedule:
    """The steps of an epoch of N networks.

    Parameters
    ----------
    counts : sequence of int
        Number of windows by network, those with more steps first.
    modalities : int
        Number of modalities.
    settings : Training
        Batch size, updates per epoch, and modality dropout.
    device : torch.device
        Device of the networks.

    Attributes
    ----------
    networks, sizes : list of int
        By step: number of networks, and largest number of windows.
    shares : Tensor, shape (n_steps, N, n_windows)
        Share of each window in the loss of its step, 0 for padding.
    windows : Tensor of float64, shape (N,)
        Number of windows of the epoch by network.
    """

    def __init__(self, counts: Sequence[int], modalities: int, settings: Training, device: torch.device) -> None:
        self._counts = counts
        self._modalities = modalities if settings.modality_dropout else 0
        self._steps = [step_sizes(count, settings) for count in counts]
        longest, widest = len(self._steps[0]), max(map(max, self._steps))
        self.networks = [sum(len(own) > step for own in self._steps) for step in range(longest)]
        self.sizes = [max(own[step] for own in self._steps if len(own) > step) for step in range(longest)]
        shares = torch.zeros(longest, len(counts), widest)
        for network, own in enumerate(self._steps):
            for step, size in enumerate(own):
                shares[step, network, :size] = 1 / size
        self._used = shares.transpose(0, 1) > 0
        self.shares = shares.to(device)
        self.windows = torch.tensor([sum(own) for own in self._steps], dtype=torch.float64).to(device)

    def draw(self, generators: Sequence[torch.Generator]) -> tuple[Tensor, Tensor]:
        """Draw the windows of an epoch: passes over those of each network in random order.

        Parameters
        ----------
        generators : sequence of torch.Generator
            Source of random numbers by network. What a network gets does not depend on the others.

        Returns
        -------
        rows : Tensor of int64, shape (n_steps, N, n_windows)
            Numbers of windows, 0 for padding.
        numbers : Tensor, shape (n_steps, N, n_windows, n_modalities)
            Random numbers of modality dropout, from 0 to 1; without modality dropout, n_modalities is 0.
        """
        rows = torch.zeros(self._used.shape, dtype=torch.long)
        numbers = torch.zeros(*self.shares.shape, self._modalities)
        orders = []
        for network, (count, own) in enumerate(zip(self._counts, self._steps, strict=True)):
            passes = -(-sum(own) // count)
            orders += [torch.randperm(count, generator=generators[network]) for _ in range(passes)]
            orders[-1] = orders[-1][: sum(own) - count * (passes - 1)]
            if self._modalities:
                shape = len(own), max(own), self._modalities
                numbers[: shape[0], network, : shape[1]] = torch.rand(shape, generator=generators[network])
        rows[self._used] = torch.cat(orders)
        return rows.transpose(0, 1).to(self.shares.device), numbers.to(self.shares.device)


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
