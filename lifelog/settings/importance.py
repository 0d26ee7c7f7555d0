"""Settings of the importance of modalities."""

from typing import ClassVar, Literal

from pydantic import Field

from lifelog.settings.base import Section
from lifelog.settings.splits import Subset


class Shapley(Section):
    """The Shapley value of a modality: what it adds to the prediction of held-out windows."""

    folds: int = Field(8, ge=3, le=50)
    """inner folds of sessions or blocks; two are left out at a time"""

    shrinkage: float = Field(0.5, ge=0, le=1)
    """shrinkage of the correlations of a modality's features; 1 for independent features"""

    permutations: int = Field(1000, ge=4)
    """sampled orders of modalities, for more than 12 modalities"""

    draws: int = Field(999, ge=99)
    """exchanges of the label sequences of sessions, by which it is tested whether a modality matters"""

    seed: int = Field(0, ge=0)
    """seed of the sampled orders and of the exchanges"""

    level: float = Field(0.95, gt=0, lt=1)
    """confidence level of intervals"""


class Vectors(Section):
    """Which importance describes a user."""

    renamed_values: ClassVar[dict[str, dict[str, str]]] = {"importance": {"value": "shapley"}}

    importance: Literal["shapley", "attention", "ablation"] = "shapley"
    """importance measure that forms the groups (published: attention)"""

    subsets: list[Subset] = Field(["train", "validation"], min_length=1)
    """windows of a fold whose importance forms its groups; networks explain validation and test windows only
    (published: test)"""
