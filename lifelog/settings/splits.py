"""Settings of targets and splits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter, model_validator

from lifelog.settings.base import Level, Name, Section, complete

Subset = Literal["train", "validation", "test"]
SUBSETS: tuple[Subset, ...] = get_args(Subset)


class Target(Section):
    """A label column and its classes."""

    name: Name
    """wildcard {target} of the results"""

    column: Name
    """label column of the recordings"""

    bins: dict[Name, list[Level]] = Field(min_length=2)
    """class name: its label values; windows with other values are not used"""

    @model_validator(mode="after")
    def _is_disjoint(self) -> Target:
        seen: dict[str, str] = {}
        for name, levels in self.bins.items():
            for level in levels:
                if str(level) in seen:
                    raise ValueError(f"value {level!r} is in two bins, {seen[str(level)]!r} and {name!r}")
                seen[str(level)] = name
        return self

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in order."""
        return list(self.bins)


def etri_targets() -> list[Target]:
    """Return the three targets of the ETRI lifelog data."""
    tension = {"low": [1], "middle": [2, 3, 4], "high": [5, 6, 7]}
    positive = {"negative": [1, 2, 3], "neutral": [4], "positive": [5, 6, 7]}
    rest = ["recreation_media", "entertainment", "hobby", "recreation_etc", "meal", "sleep", "socialising"]
    action = {"work": ["work", "study"], "rest": rest, "move": ["travel", "outdoor_act", "shop"]}
    targets = (
        ("tension", "emotionTension", tension),
        ("positive", "emotionPositive", positive),
        ("action", "action", action),
    )
    return [Target.model_validate(dict(name=name, column=column, bins=bins)) for name, column, bins in targets]


class WindowAssignment(Section):
    """Keys of every split that assigns windows to subsets."""

    name: Name
    """wildcard {split} of the results"""

    test: float = Field(0.2, gt=0, lt=1)
    """share of the windows in the test subset"""

    validation: float = Field(0.125, gt=0, lt=1)
    """share of the remaining windows used to choose the epoch"""

    seed: int = Field(32, ge=0)
    """seed of the assignment"""


class RandomSplit(WindowAssignment):
    """Windows shuffled one by one."""

    method: Literal["random"] = "random"
    """shuffles single windows, as published; neighbours in time leak between subsets"""


class BlockedSplit(WindowAssignment):
    """Whole blocks of time kept together."""

    method: Literal["blocked"] = "blocked"
    """keeps whole sessions, blocks of minutes, or whole tasks together"""

    min_sessions: int = Field(3, ge=3)
    """users with fewer sessions are split by blocks of minutes"""

    block_minutes: int = Field(8, ge=1)
    """length of such a block in minutes"""

    embargo_minutes: int = Field(1, ge=0)
    """minimum gap between subsets in minutes"""

    tasks: Name | None = None
    """label column of a protocol's tasks; runs of a task stay together"""

    between: Level | None = None
    """tasks: label of the time between tasks; cut in the middle"""

    hold_out: list[Level] = Field([])
    """tasks: the test tasks of every user; empty: drawn per user"""

    @model_validator(mode="after")
    def _is_consistent(self) -> BlockedSplit:
        if self.tasks is None and (self.between is not None or self.hold_out):
            raise ValueError(f"split {self.name!r}: between and hold_out refer to tasks; set tasks to a label column")
        if self.between in self.hold_out:
            raise ValueError(f"split {self.name!r}: {self.between!r} is the label between tasks; it cannot be held out")
        return self


class UsersSplit(Section):
    """Predictors tested on users that they were not trained on."""

    method: Literal["users"] = "users"
    """tests each predictor on users it was not trained on"""

    name: Name
    """wildcard {split} of the results"""

    within: Name
    """the split that provides subsets, personal models and groups"""

    folds: int = Field(3, ge=2)
    """number of folds of users; a smaller group leaves out one user per fold"""

    seed: int = Field(0, ge=0)
    """seed of the folds"""


WindowSplit = RandomSplit | BlockedSplit  # assigns every window to a subset
AnySplit = BlockedSplit | RandomSplit | UsersSplit
Split = Annotated[AnySplit, Field(discriminator="method")]


def split_from_params(params: Mapping[str, Any]) -> AnySplit:
    """Rebuild a split from the params of a job. Raises ValueError unless every key is given."""
    return complete(TypeAdapter(Split).validate_python(dict(params)), params)
