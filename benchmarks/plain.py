"""The reference: the study's way to read and to train, written from its description, without any of our shortcuts."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from torch import Tensor

from lifelog.mil.bags import Bags
from lifelog.mil.network import MilNetwork
from lifelog.mil.train import bag_loss, class_weights
from lifelog.settings.mil import Mil


def read_minutes(session: Path, starts: list[int], names: list[str]) -> None:
    """Every minute and modality by pandas, one file after the other."""
    for start in starts:
        for name in names:
            pd.read_csv(session / name / f"{start}.csv").to_numpy()


def describe(windows: dict[str, NDArray], seconds: int) -> list[dict[str, float]]:
    """Summary statistics window by window, channel by channel."""
    rows = []
    for i in range(len(next(iter(windows.values())))):
        row = {}
        for name, values in windows.items():
            for c in range(values.shape[2]):
                x = values[i, :, c].astype(np.float64)
                t = np.arange(len(x)) * (seconds / len(x))
                row[f"{name}.{c}.mean"] = x.mean()
                if len(x) > 1:
                    row |= {f"{name}.{c}.std": x.std(), f"{name}.{c}.min": x.min(), f"{name}.{c}.max": x.max()}
                    row[f"{name}.{c}.slope"] = np.polyfit(t, x, 1)[0]
                    row[f"{name}.{c}.change"] = np.abs(np.diff(x)).mean()
                    power = np.abs(np.fft.rfft(x - x.mean())) ** 2
                    row[f"{name}.{c}.peak_hz"] = (1 + power[1:].argmax()) / seconds
                    row |= {f"{name}.{c}.bin_{b}": part.max() for b, part in enumerate(np.array_split(x, 12))}
        rows.append(row)
    return rows


class PlainNetwork(MilNetwork):
    """The same network, every encoder as it is written in the papers."""

    def encode(self, bags: dict[str, Tensor]) -> Tensor:
        each = [getattr(encoder, "plain", encoder)(bags[name]) for name, encoder in self.encoders.items()]
        return torch.stack(each, dim=1)


class PlainTraining:
    """Windows as a list of dictionaries, batches collated window by window, scores from lists."""

    def __init__(self, network: PlainNetwork, bags: Bags, settings: Mil) -> None:
        self.network, self.settings = network, settings
        self.device = next(network.parameters()).device
        self.windows = [
            ({name: x[i].numpy() for name, x in bags.values.items()}, bags.present[i], int(bags.classes[i]))
            for i in range(len(bags))
        ]
        weights = class_weights(bags.classes, network.classes, settings.class_weights)
        self.weights = None if weights is None else weights.to(self.device)
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def epoch(self) -> None:
        self.network.train()
        random.shuffle(self.windows)
        for i in range(0, len(self.windows), self.settings.batch_size):
            self.step(self.windows[i : i + self.settings.batch_size])

    def step(self, batch: list) -> None:
        values, present, classes = self.collate(batch)
        loss = bag_loss(self.network(values, present).log_probabilities, classes, self.weights, self.settings)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.max_grad_norm_grad_norm_(self.network.parameters(), self.settings.max_grad_norm)
        self.optimiser.step()

    def collate(self, batch: list) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        values = {name: torch.stack([torch.tensor(item[0][name]) for item in batch]) for name in batch[0][0]}
        present, classes = torch.stack([item[1] for item in batch]), torch.tensor([item[2] for item in batch])
        return {n: x.to(self.device) for n, x in values.items()}, present.to(self.device), classes.to(self.device)

    @torch.no_grad()
    def score(self, windows: list) -> float:
        self.network.eval()
        truth, said = [], []
        for i in range(0, len(windows), self.settings.batch_size):
            values, present, classes = self.collate(windows[i : i + self.settings.batch_size])
            said += self.network(values, present).log_probabilities.argmax(dim=1).tolist()
            truth += classes.tolist()
        return f1_score(truth, said, average="macro")
