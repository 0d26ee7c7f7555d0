"""LifeLogNet on the 5-second maxima of windows, as published: an encoder per modality, concatenation, two layers.

Each bin of a window is a sample with the label of the window; the probabilities of a window are the mean over its bins.
All encoders are convolutional, also those of scalars; a bin is a sequence of length 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelog.mil.bags import Bags
from lifelog.mil.encoders import FEATURES, Encoders
from lifelog.mil.maxima import SLOPE
from lifelog.mil.network import BagNetwork, BagOutput
from lifelog.mil.stack import SomeBags
from lifelog.predict.networks import NetworkPredictor
from lifelog.predict.samples import Samples
from lifelog.settings.predict import LifeLogNet
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


class Predictor(NetworkPredictor):
    """Trains on bins, predicts windows."""

    settings: LifeLogNet

    def seen(self, modality: Modality) -> Modality:
        """Return a modality as the network sees it."""
        columns = self.settings.columns.get(modality.name, modality.columns)
        return modality.model_copy(update={"kind": "sequence", "columns": columns})

    def build(self, train: Samples) -> BagNetwork:
        """Return an untrained network."""
        return Network([self.seen(modality) for modality in train.modalities], len(train.classes))

    def bags(self, samples: Samples) -> SomeBags:
        """Return every bin of every window as a bag."""
        values = {}
        for modality in samples.modalities:
            maxima = torch.from_numpy(samples.maxima[modality.name])
            channels = [modality.columns.index(name) for name in self.seen(modality).columns]
            values[modality.name] = maxima[..., channels].flatten(0, 1)[:, None]
        bins = next(iter(samples.maxima.values())).shape[1]
        present = torch.stack([~torch.isnan(x[:, 0, 0]) for x in values.values()], dim=1)
        known = {name: torch.nan_to_num(x) for name, x in values.items()}
        return Bags(known, present, torch.from_numpy(samples.truth).repeat_interleave(bins)).to(self.device)
