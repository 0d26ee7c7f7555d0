"""The personal network (`lifelog.mil`) as a predictor, for any group of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from lifelog.predict.networks import NetworkPredictor
from lifelog.settings.mil import AttentionKeys, Mil
from lifelog.settings.predict import Inputs, NetworkSettings

if TYPE_CHECKING:
    from lifelog.mil.network import BagNetwork
    from lifelog.mil.stack import SomeBags
    from lifelog.predict.samples import Samples


class MilNet(NetworkSettings, AttentionKeys):
    """The multiple-instance network of `mil`, on features."""

    inputs: ClassVar[Inputs] = "features"
    stored: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("ilse2018",)
    meaning: ClassVar[str] = "Multiple-instance network: weighs the modalities of each window by attention."

    name: Literal["mil"] = "mil"
    """the personal network (mil) on features"""

    updates_per_epoch: int | None = Field(20, ge=1)
    """steps of the optimiser per epoch, so that one user trains as long as all; null: one pass over the windows"""

    weight_decay: float = Field(0.3, ge=0)
    """weight decay of AdamW"""

    modality_dropout: float = Field(0.3, ge=0, lt=1)
    """probability of hiding each modality during training"""


class MilNetPredictor(NetworkPredictor):
    """A bag per window, whose instances are the features of the modalities."""

    def network_for(self, train: Samples) -> BagNetwork:
        """Return an untrained network."""
        from lifelog.mil.network import MilNetwork

        keys = {name: getattr(self.settings, name) for name in AttentionKeys.model_fields}
        channels = {name: len(columns) for name, columns in train.columns_by_modality().items()}
        return MilNetwork(train.modalities, len(train.classes), Mil(encoder="features", **keys), channels)

    def bags(self, samples: Samples) -> SomeBags:
        """Return every window as a bag."""
        import torch

        from lifelog.mil.bags import bags_of

        columns = samples.columns_by_modality()
        values = {name: torch.from_numpy(samples.summary[:, places])[:, None] for name, places in columns.items()}
        present = torch.stack([~torch.isnan(x).all(dim=2).all(dim=1) for x in values.values()], dim=1)
        return bags_of(values, present, torch.from_numpy(samples.truth)).to(self.device)
