"""LifeLogNet on the 5-second maxima of windows, as published.

Each bin of a window is a sample with the label of the window; the probabilities of a window are the mean over its bins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from lifelog.predict.networks import NetworkPredictor
from lifelog.settings.predict import Inputs, NetworkSettings

if TYPE_CHECKING:
    from lifelog.mil.network import BagNetwork
    from lifelog.mil.stack import SomeBags
    from lifelog.predict.samples import Samples
    from lifelog.settings.windows import Modality


class LifeLogNet(NetworkSettings):
    """The network of the study."""

    inputs: ClassVar[Inputs] = "features"
    stored: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("franceschi2019",)
    meaning: ClassVar[str] = "The network of the published study, on the maxima of five seconds each."

    name: Literal["lifelognet"] = "lifelognet"
    """the study's network on 5-second maxima"""

    updates_per_epoch: int | None = Field(10, ge=1)
    """steps of the optimiser per epoch, so that small groups train as long as large ones; null: one pass over the
    windows (published)"""

    batch_size: int = Field(512, ge=2)
    """5-second bins per step"""

    columns: dict[str, list[str]] = Field({})
    """by modality, the columns that the network sees; all by default"""

    def check(self, columns: Mapping[str, list[str]]) -> None:
        """Raise ValueError for unknown modalities or columns."""
        for name, chosen in self.columns.items():
            if name not in columns:
                known = list(columns)
                raise ValueError(f"predictors: lifelognet.columns: {name!r} is not among the modalities {known}")
            if not chosen or not set(chosen) <= set(columns[name]):
                some = f"needs some of the columns {columns[name]}"
                raise ValueError(f"predictors: lifelognet.columns: {name!r} {some}")


class LifeLogNetPredictor(NetworkPredictor):
    """Trains on bins, predicts windows."""

    def seen(self, modality: Modality) -> Modality:
        """Return a modality as the network sees it."""
        columns = self.settings.columns.get(modality.name, modality.channel_names)
        return modality.model_copy(update={"kind": "sequence", "columns": columns})

    def network_for(self, train: Samples) -> BagNetwork:
        """Return an untrained network."""
        from lifelog.mil.network import LifeLogNetwork

        return LifeLogNetwork([self.seen(modality) for modality in train.modalities], len(train.classes))

    def bags(self, samples: Samples) -> SomeBags:
        """Return every bin of every window as a bag."""
        import torch

        from lifelog.mil.bags import bags_of

        values = {}
        for modality in samples.modalities:
            maxima = torch.from_numpy(samples.maxima[modality.name])
            channels = [modality.channel_names.index(name) for name in self.seen(modality).columns]
            values[modality.name] = maxima[..., channels].flatten(0, 1)[:, None]
        bins = next(iter(samples.maxima.values())).shape[1]
        present = torch.stack([~torch.isnan(x[:, 0]).all(dim=1) for x in values.values()], dim=1)
        classes = torch.from_numpy(samples.truth).repeat_interleave(bins)
        return bags_of(values, present, classes).to(self.device)
