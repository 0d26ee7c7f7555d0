"""Settings of the networks."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lifelog.settings.base import Section


class Training(Section):
    """Keys of every network."""

    renamed: ClassVar[dict[str, str]] = {"keep": "monitor", "batch": "batch_size", "clip": "max_grad_norm"}

    epochs: int = Field(20, ge=1, le=100000)
    """maximum number of epochs (published: 1000)"""

    updates_per_epoch: int | None = Field(None, ge=1)
    """steps of the optimiser per epoch, independent of the number of windows; null: one pass over the windows
    (published)"""

    patience: int = Field(6, ge=1)
    """epochs without improvement of the monitored score before stopping"""

    monitor: Literal["macro_f1", "published_f1"] = "macro_f1"
    """validation score that selects the epoch (published: published_f1)"""

    batch_size: int = Field(8, ge=2)
    """windows per step (published: 512)"""

    learning_rate: float = Field(0.01, gt=0)
    """learning rate of AdamW"""

    weight_decay: float = Field(0.01, ge=0)
    """weight decay of AdamW"""

    max_grad_norm: float = Field(0.9, gt=0)
    """gradients are clipped to this norm"""

    modality_dropout: float = Field(0.15, ge=0, lt=1)
    """probability of hiding each modality during training (published: 0)"""

    class_weights: Literal["balanced", "none"] = "balanced"
    """class weights in the loss"""

    focal_gamma: float = Field(0.0, ge=0, le=10)
    """exponent of the focal loss; 0 is cross-entropy"""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: a GPU if one is visible; cuda: also requests one from the scheduler (resource gpu)"""


class AttentionKeys(Section):
    """Keys of the attention of a multiple-instance network."""

    attention: Literal["gated", "published"] = "gated"
    """gated: Ilse et al. 2018; published: softmax of Q'K over the temperature"""

    attention_temperature: float = Field(3.0, gt=0)
    """published attention only: divisor of the logits"""


class Mil(Training, AttentionKeys):
    """The personal multiple-instance network."""

    renamed: ClassVar[dict[str, str]] = Training.renamed | {"scale": "attention_temperature"}
    removed: ClassVar[dict[str, str]] = {
        "folds": "the networks of the folds of a split explain the windows that they were not trained on"
    }

    encoder: Literal["features", "convolution"] = "features"
    """what the instance of a modality is; features: its features, by a linear map; convolution: its samples, by a
    convolutional network (published)"""

    weight_decay: float = Field(0.3, ge=0)
    """weight decay of AdamW (published: 0.01)"""

    modality_dropout: float = Field(0.3, ge=0, lt=1)
    """probability of hiding each modality during training (published: 0)"""

    labels: Literal["bins", "levels"] = "bins"
    """bins: the target's classes; levels: the label values of each user (as published)"""

    seeds: list[int] = Field([0, 1], min_length=1)
    """one network per seed and fold of the split; importance is their mean"""

    @field_validator("seeds")
    @classmethod
    def _are_distinct(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value) or min(value) < 0:
            raise ValueError("seeds must be distinct and non-negative")
        return value
