"""The multiple-instance network: encoders, attention over the modalities that are there, readable instance scores."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lifelog.config import Mil, Modality
from lifelog.mil.encoders import FEATURES, SLOPE, Encoders


class BagOutput(NamedTuple):
    """What the network says of B bags with M modalities and C classes."""

    log_probabilities: Tensor  # (B, C)
    attention: Tensor  # (B, M), sums to 1 over the modalities that are there, 0 for the others
    instance_scores: Tensor  # (B, M, C), log-probabilities by each modality alone


class PublishedAttention(nn.Module):
    """softmax over modalities of (Q' K / s) with K in (0,1) and Q in (0,1)^M a modality, as published.

    Logit j is sum_i Q[i,j] K[i]: every modality votes on every position; one that is missing has no vote.
    """

    def __init__(self, modalities: int, scale: float) -> None:
        super().__init__()
        self.key, self.query = nn.Linear(FEATURES, 1), nn.Linear(FEATURES, modalities)
        self.scale = scale

    def forward(self, z: Tensor, present: Tensor) -> Tensor:
        h = F.leaky_relu(z, SLOPE)
        keys = torch.sigmoid(self.key(h)) * present[..., None]
        logits = (torch.sigmoid(self.query(h)).transpose(1, 2) @ keys)[..., 0]
        return masked_softmax(logits / self.scale, present)


class GatedAttention(nn.Module):
    """Gated attention of Ilse, Tomczak, Welling (ICML 2018), with a bias a modality.

    The bias lets a modality be worth more or less whatever it holds; without it the shared weights would first have
    to learn to tell the modalities apart by their content.
    """

    def __init__(self, modalities: int) -> None:
        super().__init__()
        self.content, self.gate = nn.Linear(FEATURES, FEATURES), nn.Linear(FEATURES, FEATURES)
        self.weight = nn.Linear(FEATURES, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(modalities))

    def forward(self, z: Tensor, present: Tensor) -> Tensor:
        gated = torch.tanh(self.content(z)) * torch.sigmoid(self.gate(z))
        return masked_softmax(self.weight(gated)[..., 0] + self.bias, present)


def masked_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Softmax over the last dimension where `present`, 0 elsewhere; all 0 (not NaN) where nothing is present."""
    weights = torch.softmax(logits.masked_fill(~present, -torch.inf), dim=-1)
    return torch.where(present.any(dim=-1, keepdim=True), weights, torch.zeros_like(weights))


class MilNetwork(nn.Module):
    """A bag of modalities to classes.

    The bag's score is the attention-weighted sum of the instance scores, so that each modality's own opinion and its
    weight can be read.
    """

    def __init__(self, modalities: list[Modality], classes: int, settings: Mil) -> None:
        super().__init__()
        self.classes = classes
        self.names = [modality.name for modality in modalities]
        self.encoders = Encoders(modalities)
        self.scorers = nn.ModuleDict({name: nn.Linear(FEATURES, classes) for name in self.names})
        self.attention: nn.Module = (
            GatedAttention(len(modalities))
            if settings.attention == "gated"
            else PublishedAttention(len(modalities), settings.scale)
        )

    def encode(self, bags: dict[str, Tensor]) -> Tensor:
        """Windows by modality, (B, length, channels) each, to features (B, M, 32). A missing one is all zeros."""
        return self.encoders(bags)

    def decide(self, z: Tensor, present: Tensor) -> BagOutput:
        """Features (B, M, 32) and which modalities count (B, M) to the output."""
        weight, bias = (
            torch.stack([getattr(self.scorers[n], kind) for n in self.names]) for kind in ("weight", "bias")
        )
        scores = torch.baddbmm(bias[:, None], F.leaky_relu(z, SLOPE).transpose(0, 1), weight.transpose(1, 2))
        instance_scores = F.log_softmax(scores.transpose(0, 1), dim=-1)
        attention = self.attention(z, present)
        bag_scores = (attention[..., None] * instance_scores).sum(dim=1)
        return BagOutput(F.log_softmax(bag_scores, dim=-1), attention, instance_scores)

    def forward(self, bags: dict[str, Tensor], present: Tensor) -> BagOutput:
        return self.decide(self.encode(bags), present)


def parameters(network: nn.Module) -> int:
    """Number of trained values."""
    return sum(math.prod(p.shape) for p in network.parameters())
