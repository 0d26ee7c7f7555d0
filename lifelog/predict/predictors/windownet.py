"""LifeLogNet on whole windows: the model that the study describes in words, whose encoders see windows as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from lifelog.predict.networks import NetworkPredictor
from lifelog.settings.predict import Inputs, NetworkSettings

if TYPE_CHECKING:
    from lifelog.mil.network import BagNetwork
    from lifelog.mil.stack import SomeBags
    from lifelog.predict.samples import Samples


class WindowNet(NetworkSettings):
    """The network of the study on whole windows."""

    inputs: ClassVar[Inputs] = "windows"
    citations: ClassVar[tuple[str, ...]] = ("franceschi2019",)
    meaning: ClassVar[str] = "The network of the published study, on whole windows as recorded."

    name: Literal["windownet"] = "windownet"
    """the same network on whole windows"""

    epochs: int = Field(10, ge=1, le=100000)
    """maximum number of epochs"""

    updates_per_epoch: int | None = Field(40, ge=1)
    """steps of the optimiser per epoch, so that small groups train as long as large ones; null: one pass over the
    windows"""

    batch_size: int = Field(16, ge=2)
    """windows per step"""


class WindowNetPredictor(NetworkPredictor):
    """Trains on windows, predicts windows."""

    def network_for(self, train: Samples) -> BagNetwork:
        """Return an untrained network."""
        from lifelog.mil.network import LifeLogNetwork

        return LifeLogNetwork(train.modalities, len(train.classes))

    def bags(self, samples: Samples) -> SomeBags:
        """Return every window as a bag."""
        import torch

        from lifelog.predict.store import StoredBags

        if samples.windows is None:
            raise ValueError("windownet needs windows: store them with the samples")
        return StoredBags(samples.windows, torch.from_numpy(samples.truth), self.device)
