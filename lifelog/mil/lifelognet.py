"""LifeLogNet: an encoder per modality, concatenation, and two layers, as published.

All encoders are convolutional, also those of scalars, which are sequences of length 1.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from lifelog.mil.encoders import FEATURES, Encoders
from lifelog.mil.maxima import SLOPE
from lifelog.mil.network import BagNetwork, BagOutput
from lifelog.settings.windows import Modality

JOINED = 128


class LifeLogNetwork(BagNetwork):
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
