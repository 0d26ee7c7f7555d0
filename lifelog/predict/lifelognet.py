"""LifeLogNet: an encoder a modality, joined, three layers; on 5-second maxima as published, or on whole windows.

lifelognet  Each bin of a window is a sample with its label; a window's probabilities are the mean over its bins.
windownet   The model that the study describes in words: the encoders see the window as it was recorded.
"""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lifelog.config import LifeLogNet, Modality, WindowNet
from lifelog.mil.bags import Bags
from lifelog.mil.device import pick_device
from lifelog.mil.encoders import FEATURES, SLOPE, Encoders
from lifelog.mil.network import BagOutput
from lifelog.mil.train import SomeBags, chunks, fit
from lifelog.predict.samples import Samples
from lifelog.predict.store import StoredWindows

JOINED = 128


class Network(nn.Module):
    """Sequences (B, length, channels) by modality to log-probabilities (B, C); hidden modalities enter as zeros."""

    def __init__(self, modalities: list[Modality], classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.encoders = Encoders(modalities)
        self.layers = nn.Sequential(
            nn.LeakyReLU(SLOPE),
            nn.Linear(FEATURES * len(modalities), JOINED),
            nn.LeakyReLU(SLOPE),
            nn.Linear(JOINED, classes),
        )

    def forward(self, bags: dict[str, Tensor], present: Tensor) -> BagOutput:
        z = self.encoders(bags) * present[..., None]
        log_probabilities = F.log_softmax(self.layers(z.flatten(1)), dim=-1)
        return BagOutput(log_probabilities, present.float(), log_probabilities[:, None])


class LifeLogNetPredictor:
    """Trains on bins or windows, predicts windows."""

    def __init__(self, settings: LifeLogNet | WindowNet) -> None:
        self.settings = settings
        self.bags = _bins if settings.name == "lifelognet" else _windows
        self.device = pick_device(settings.device)

    def fit(self, train: Samples, validation: Samples) -> None:
        torch.manual_seed(self.settings.seed)
        self.network = Network(train.modalities, len(train.classes)).to(self.device)
        pair = (self.bags(samples, self.device) for samples in (train, validation))
        fitted = fit(self.network, *pair, self.settings, self.settings.seed)
        self.network.load_state_dict(fitted.state)

    @torch.no_grad()
    def predict(self, samples: Samples) -> NDArray:
        self.network.eval()
        parts = [self.network(part.values, part.present) for part in chunks(self.bags(samples, self.device))]
        probabilities = torch.cat([part.log_probabilities for part in parts]).double().exp().cpu()
        return probabilities.reshape(len(samples), -1, self.network.classes).mean(dim=1).numpy()


class StoredBags:
    """Stored windows as bags of which training takes some at a time to its device."""

    def __init__(self, windows: StoredWindows, classes: Tensor, device: torch.device) -> None:
        self.windows, self.device = windows, device
        self.present, self.classes = torch.from_numpy(windows.present).to(device), classes.to(device)
        self.width = sum(modality.length * modality.channels for modality in windows.modalities)

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: Tensor) -> Bags:
        values = self.windows.take(rows.cpu().numpy()).read()
        tensors = {name: torch.from_numpy(x).to(self.device) for name, x in values.items()}
        return Bags(tensors, self.present[rows], self.classes[rows])


def _windows(samples: Samples, device: torch.device) -> SomeBags:
    """Every window as a bag."""
    return StoredBags(samples.windows, torch.from_numpy(samples.truth), device)


def _bins(samples: Samples, device: torch.device) -> SomeBags:
    """Every bin of every window as a bag of its own."""
    values = {name: torch.from_numpy(x).flatten(0, 1)[:, None] for name, x in samples.maxima.items()}
    bins = next(iter(samples.maxima.values())).shape[1]
    present = torch.stack([~torch.isnan(x[:, 0, 0]) for x in values.values()], dim=1)
    known = {name: torch.nan_to_num(x) for name, x in values.items()}
    return Bags(known, present, torch.from_numpy(samples.truth).repeat_interleave(bins)).to(device)
