"""LifeLogNet on whole windows: the model that the study describes in words, whose encoders see windows as recorded."""

from __future__ import annotations

import torch
from torch import Tensor

from lifelog.mil.bags import Bags
from lifelog.mil.network import BagNetwork
from lifelog.mil.stack import SomeBags
from lifelog.predict.lifelognet import Network
from lifelog.predict.networks import NetworkPredictor
from lifelog.predict.samples import Samples
from lifelog.predict.store import StoredWindows


class StoredBags:
    """Stored windows as bags, of which training takes some at a time to its device."""

    def __init__(self, windows: StoredWindows, classes: Tensor, device: torch.device) -> None:
        self.windows, self.device = windows, device
        self.present, self.classes = torch.from_numpy(windows.present).to(device), classes.to(device)
        self.width = sum(modality.size for modality in windows.modalities)

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: Tensor) -> Bags:
        """Return some bags on the device."""
        values = self.windows.take(rows.cpu().numpy()).read()
        tensors = {name: torch.from_numpy(x).to(self.device) for name, x in values.items()}
        return Bags(tensors, self.present[rows], self.classes[rows])


class Predictor(NetworkPredictor):
    """Trains on windows, predicts windows."""

    def build(self, train: Samples) -> BagNetwork:
        """Return an untrained network."""
        return Network(train.modalities, len(train.classes))

    def bags(self, samples: Samples) -> SomeBags:
        """Return every window as a bag."""
        if samples.windows is None:
            raise ValueError("windownet needs windows: pass them to read_samples")
        return StoredBags(samples.windows, torch.from_numpy(samples.truth), self.device)
