"""The personal network (`lifelog.mil`) as a predictor, for any group of users."""

from __future__ import annotations

import torch

from lifelog.mil.bags import Bags
from lifelog.mil.network import BagNetwork, MilNetwork
from lifelog.mil.stack import SomeBags
from lifelog.predict.networks import NetworkPredictor
from lifelog.predict.samples import Samples
from lifelog.settings.mil import Mil


class Predictor(NetworkPredictor):
    """A bag per window, whose instances are the features of the modalities."""

    def build(self, train: Samples) -> BagNetwork:
        """Return an untrained network."""
        channels = {name: len(columns) for name, columns in train.columns_by_modality().items()}
        return MilNetwork(train.modalities, len(train.classes), Mil(encoder="features"), channels)

    def bags(self, samples: Samples) -> SomeBags:
        """Return every window as a bag."""
        columns = samples.columns_by_modality()
        values = {name: torch.from_numpy(samples.summary[:, own])[:, None] for name, own in columns.items()}
        present = torch.stack([~torch.isnan(x).all(dim=2).all(dim=1) for x in values.values()], dim=1)
        known = {name: torch.nan_to_num(x) for name, x in values.items()}
        return Bags(known, present, torch.from_numpy(samples.truth)).to(self.device)
