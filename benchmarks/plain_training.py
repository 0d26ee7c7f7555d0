"""Plain reference of training, written from the study's description, without the shortcuts of the package."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifelog.mil.bags import Bags
from lifelog.mil.loss import bag_loss, class_weights
from lifelog.mil.network import MilNetwork
from lifelog.settings.mil import Mil

Window = tuple[dict[str, NDArray[np.float32]], Tensor, int]  # values by modality, presence, class number


class PlainNetwork(MilNetwork):
    """The same network; every encoder is computed as in the papers."""

    def encode(self, bags: dict[str, Tensor]) -> Tensor:
        """Return features (B, M, 32)."""
        features = [getattr(encoder, "plain", encoder)(bags[name]) for name, encoder in self.encoders.items()]
        return torch.stack(features, dim=1)


class TorchAdamW:
    """torch.optim.AdamW after clip_grad_norm_.

    `fused` selects torch's implementation with one kernel per step.
    """

    def __init__(
        self, network: nn.Module, learning_rate: float, weight_decay: float, max_grad_norm: float, fused: bool = False
    ) -> None:
        self.parameters, self.max_grad_norm = list(network.parameters()), max_grad_norm
        self.adamw = torch.optim.AdamW(
            self.parameters, lr=learning_rate, weight_decay=weight_decay, fused=True if fused else None
        )

    def zero_grad(self) -> None:
        """Reset all gradients."""
        self.adamw.zero_grad()

    def step(self) -> None:
        """Update the parameters."""
        nn.utils.clip_grad_norm_(self.parameters, self.max_grad_norm)
        self.adamw.step()


class PlainTraining:
    """Training on a list of windows; batches are collated window by window, and scores are computed from lists."""

    def __init__(self, network: PlainNetwork, bags: Bags, settings: Mil) -> None:
        self.network, self.settings = network, settings
        self.device = next(network.parameters()).device
        self.windows = windows_of(bags)
        weights = class_weights(bags.classes, network.classes, settings.class_weights)
        self.weights = None if weights is None else weights.to(self.device)
        self.optimiser = TorchAdamW(network, settings.learning_rate, settings.weight_decay, settings.max_grad_norm)

    def epoch(self) -> None:
        """Train on all windows once, in random order."""
        self.network.train()
        random.shuffle(self.windows)
        for i in range(0, len(self.windows), self.settings.batch_size):
            values, present, classes = self._collate(self.windows[i : i + self.settings.batch_size])
            loss = bag_loss(self.network(values, present).log_probabilities, classes, self.weights, self.settings)
            self.optimiser.zero_grad()
            torch.autograd.backward(loss)
            self.optimiser.step()

    @torch.no_grad()
    def score(self, windows: list[Window]) -> float:
        """Return the macro-F1 of the predictions."""
        from sklearn.metrics import f1_score  # only here: its memory would count in every case

        self.network.eval()
        truth: list[int] = []
        predictions: list[int] = []
        for i in range(0, len(windows), self.settings.batch_size):
            values, present, classes = self._collate(windows[i : i + self.settings.batch_size])
            predictions += self.network(values, present).log_probabilities.argmax(dim=1).tolist()
            truth += classes.tolist()
        return float(f1_score(truth, predictions, average="macro"))

    def _collate(self, batch: list[Window]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        values = {name: self._stack(torch.tensor(values[name]) for values, _, _ in batch) for name in batch[0][0]}
        present = self._stack(present for _, present, _ in batch)
        return values, present, torch.tensor([number for _, _, number in batch]).to(self.device)

    def _stack(self, tensors: Iterable[Tensor]) -> Tensor:
        return torch.stack(list(tensors)).to(self.device)


def windows_of(bags: Bags) -> list[Window]:
    """Return bags as a list of windows."""
    return [
        ({name: x[i].numpy() for name, x in bags.values.items()}, bags.present[i], int(bags.classes[i]))
        for i in range(len(bags))
    ]
