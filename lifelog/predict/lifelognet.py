"""LifeLogNet on the 5-second maxima of windows, as published: an encoder per modality, concatenation, two layers.

Each bin of a window is a sample with the label of the window; the probabilities of a window are the mean over its bins.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lifelog.mil.bags import Bags
from lifelog.mil.device import pick_device
from lifelog.mil.encoders import FEATURES, Encoders
from lifelog.mil.maxima import SLOPE
from lifelog.mil.network import BagNetwork, BagOutput
from lifelog.mil.train import SomeBags, chunks, fit
from lifelog.predict.samples import Samples
from lifelog.settings.predict import LifeLogNet, WindowNet
from lifelog.settings.windows import Modality

JOINED = 128


class Network(BagNetwork):
    """Sequences (B, length, channels) by modality to log-probabilities (B, C); hidden modalities are zero."""

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
        """Return the output for windows by modality, (B, length, channels) each, present (B, M)."""
        z = self.encoders(bags) * present[..., None]
        log_probabilities = F.log_softmax(self.layers(z.flatten(1)), dim=-1)
        return BagOutput(log_probabilities, present.float(), log_probabilities[:, None])


class Predictor:
    """Trains on bins, predicts windows."""

    def __init__(self, settings: LifeLogNet | WindowNet) -> None:
        self.settings = settings
        self.device = pick_device(settings.device)

    def fit(self, train: Samples, validation: Samples) -> None:
        """Train the network."""
        torch.manual_seed(self.settings.seed)
        self.network = Network(train.modalities, len(train.classes)).to(self.device)
        fitted = fit(self.network, self.bags(train), self.bags(validation), self.settings, self.settings.seed)
        self.network.load_state_dict(fitted.state)

    @torch.no_grad()
    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        self.network.eval()
        parts = [self.network(part.values, part.present) for part in chunks(self.bags(samples))]
        probabilities = torch.cat([part.log_probabilities for part in parts]).double().exp().cpu()
        means: NDArray[np.float64] = probabilities.reshape(len(samples), -1, self.network.classes).mean(dim=1).numpy()
        return means

    def bags(self, samples: Samples) -> SomeBags:
        """Return every bin of every window as a bag."""
        values = {name: torch.from_numpy(x).flatten(0, 1)[:, None] for name, x in samples.maxima.items()}
        bins = next(iter(samples.maxima.values())).shape[1]
        present = torch.stack([~torch.isnan(x[:, 0, 0]) for x in values.values()], dim=1)
        known = {name: torch.nan_to_num(x) for name, x in values.items()}
        return Bags(known, present, torch.from_numpy(samples.truth).repeat_interleave(bins)).to(self.device)
