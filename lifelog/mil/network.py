"""The multiple-instance network, whose instance scores are interpretable, and LifeLogNet, as published."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelog.mil.encoders import FEATURES, Encoders, FeatureEncoders
from lifelog.mil.maxima import SLOPE
from lifelog.registry import Registry
from lifelog.settings.mil import Mil
from lifelog.settings.windows import Modality

JOINED = 128  # values of the hidden layer of LifeLogNet


class BagOutput(NamedTuple):
    """Output of a network.

    Attributes
    ----------
    log_probabilities : Tensor, shape (n_bags, n_classes)
        Of the bags.
    attention : Tensor, shape (n_bags, n_modalities)
        Sums to 1 over the modalities that are present, 0 for the others.
    instance_scores : Tensor, shape (n_bags, n_modalities, n_classes)
        Log-probabilities by each modality alone.
    """

    log_probabilities: Tensor
    attention: Tensor
    instance_scores: Tensor


class BagNetwork(nn.Module):
    """A network that maps windows by modality, (B, length, channels) each, present (B, M), to `BagOutput`."""

    classes: int


class PublishedAttention(nn.Module):
    """softmax over modalities of (Q' K / temperature) with K in (0,1) and Q in (0,1)^M per modality, as published.

    Logit j is sum_i Q[i,j] K[i]: every modality contributes to every logit, except for missing ones.
    """

    def __init__(self, size: int, modalities: int, settings: Mil) -> None:
        super().__init__()
        self.key, self.query = nn.Linear(size, 1), nn.Linear(size, modalities)
        self.temperature = settings.attention_temperature

    def forward(self, z: Tensor, present: Tensor) -> Tensor:
        """Return the weights (B, M) of instances z (B, M, features)."""
        h = F.leaky_relu(z, SLOPE)
        keys = torch.sigmoid(self.key(h)) * present[..., None]
        logits = (torch.sigmoid(self.query(h)).transpose(1, 2) @ keys)[..., 0]
        return masked_softmax(logits / self.temperature, present)


class GatedAttention(nn.Module):
    """Gated attention of Ilse, Tomczak, Welling (ICML 2018), with a bias per modality.

    The bias gives a modality a weight that does not depend on its content; without it the shared weights would first
    have to learn to distinguish the modalities.
    """

    def __init__(self, size: int, modalities: int, settings: Mil) -> None:
        super().__init__()
        self.content, self.gate = nn.Linear(size, size), nn.Linear(size, size)
        self.weight = nn.Linear(size, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(modalities))

    def forward(self, z: Tensor, present: Tensor) -> Tensor:
        """Return the weights (B, M) of instances z (B, M, features)."""
        gated = torch.tanh(self.content(z)) * torch.sigmoid(self.gate(z))
        return masked_softmax(self.weight(gated)[..., 0] + self.bias, present)


# By size of an instance, number of modalities, and settings.
ATTENTIONS: Registry[Callable[[int, int, Mil], nn.Module]] = Registry(
    "attention", {"gated": GatedAttention, "published": PublishedAttention}
)


def masked_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Compute the softmax over the present entries of the last dimension.

    Parameters
    ----------
    logits : Tensor, shape (..., n)
        Logits.
    present : Tensor of bool, shape (..., n)
        Entries that are not masked.

    Returns
    -------
    Tensor, shape (..., n)
        0 for masked entries; all 0 (not NaN) if every entry is masked.
    """
    weights = torch.softmax(logits.masked_fill(~present, -torch.inf), dim=-1)
    return torch.where(present.any(dim=-1, keepdim=True), weights, torch.zeros_like(weights))


class MilNetwork(BagNetwork):
    """A bag of modalities to classes.

    The score of a bag is the attention-weighted sum of its instance scores, so that the score and the weight of each
    modality are readable.

    Parameters
    ----------
    modalities : list of Modality
        The instances of a bag.
    classes : int
        Number of classes.
    settings : Mil
        Encoder, attention and its temperature.
    channels : dict of str to int, optional
        Number of channels by modality: of features for the encoder `features`, as recorded by default.
    """

    def __init__(
        self, modalities: list[Modality], classes: int, settings: Mil, channels: dict[str, int] | None = None
    ) -> None:
        super().__init__()
        self.classes = classes
        self.names = [modality.name for modality in modalities]
        channels = channels or {modality.name: modality.channels for modality in modalities}
        by_features = settings.encoder == "features"
        self.encoders = FeatureEncoders(channels) if by_features else Encoders(modalities)
        size = self.encoders.size
        self.scorers = nn.ModuleDict({name: nn.Linear(size, classes) for name in self.names})
        self.attention = ATTENTIONS[settings.attention](size, len(modalities), settings)

    def encode(self, bags: dict[str, Tensor]) -> Tensor:
        """Return instances (B, M, size) of windows by modality, (B, length, channels) each; missing ones are zeros."""
        return self.encoders(bags)

    def classify(self, z: Tensor, present: Tensor) -> BagOutput:
        """Return the output for instances z (B, M, size) of the present modalities (B, M)."""
        weight, bias = (
            torch.stack([getattr(self.scorers[n], kind) for n in self.names]) for kind in ("weight", "bias")
        )
        scores = torch.baddbmm(bias[:, None], F.leaky_relu(z, SLOPE).transpose(0, 1), weight.transpose(1, 2))
        instance_scores = F.log_softmax(scores.transpose(0, 1), dim=-1)
        attention = self.attention(z, present)
        bag_scores = (attention[..., None] * instance_scores).sum(dim=1)
        return BagOutput(F.log_softmax(bag_scores, dim=-1), attention, instance_scores)

    def forward(self, bags: dict[str, Tensor], present: Tensor) -> BagOutput:
        """Return the output for windows by modality, (B, length, channels) each, present (B, M)."""
        return self.classify(self.encode(bags), present)


class LifeLogNetwork(BagNetwork):
    """LifeLogNet: an encoder per modality, concatenation, and two layers, as published.

    All encoders are convolutional, also those of scalars, which are sequences of length 1. Hidden modalities are zero.
    """

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
