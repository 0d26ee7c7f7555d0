"""Settings of targets and splits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, TypeAdapter, field_validator, model_validator

from lifelog.settings.base import Name, Section, complete
from lifelog.settings.levels import Level, as_number, as_range, matches, overlap

Subset = Literal["train", "validation", "test"]
SUBSETS: tuple[Subset, ...] = get_args(Subset)


class Target(Section):
    """A label column and its classes."""

    name: Name
    """wildcard {target} of the results"""

    column: str = Field(min_length=1)
    """label column of the recordings"""

    bins: dict[Name, list[Level]] = Field(min_length=2)
    """class name: its label values, or ranges such as 0..33; windows with other values are not used"""

    relative: Literal["user"] | None = None
    """user: bins are ranges of percent of the user's own answers, from 0..N to M..100, whose ends are found in training
    windows: more than usual for this user. Label values are numbers. Implies `ordinal: true`"""

    kind: Literal["classes", "rating"] = "classes"
    """rating: label values are numbers, and the bins divide their scale in ascending order; predictions are also scored
    on the scale itself. Implies `ordinal: true`"""

    ordinal: bool = False
    """true: the classes are in an order, such as low, middle, high; scores that count how far a prediction is from the
    true class are added"""

    @model_validator(mode="before")
    @classmethod
    def _order_scales(cls, values: Any) -> Any:
        ordered = isinstance(values, dict) and (values.get("kind") == "rating" or values.get("relative"))
        return {"ordinal": True} | values if ordered else values

    @field_validator("bins", mode="before", json_schema_input_type=dict[str, Level | list[Level]])
    @classmethod
    def _to_lists(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for name in value:
            if isinstance(name, bool):
                meant = "yes" if name else "no"
                raise ValueError(f'an unquoted {meant} is a boolean in YAML; write the bin "{meant}"')
        return {name: levels if isinstance(levels, list) else [levels] for name, levels in value.items()}

    @model_validator(mode="after")
    def _is_whole(self) -> Target:
        if self.relative is None:
            return self
        ends = [as_range(level) for levels in self.bins.values() for level in levels]
        spans = [(0.0, 0.0), *(end or (-1.0, -1.0) for end in ends), (100.0, 100.0)]
        joined = all(before[1] == after[0] and after[0] <= after[1] for before, after in pairwise(spans))
        if len(ends) != len(self.bins) or not joined or any(end and end[0] == end[1] for end in ends):
            example = "{usual: 0..67, more: 67..100}"
            raise ValueError(f"target {self.name!r}: bins of a relative target are percentages without gaps: {example}")
        if not self.ordinal:
            raise ValueError(f"target {self.name!r}: relative classes are in an order; remove `ordinal: false`")
        return self

    @model_validator(mode="after")
    def _is_disjoint(self) -> Target:
        if self.relative:  # neighbouring ranges share an end
            return self
        levels = [(name, level) for name, levels in self.bins.items() for level in levels]
        for i, (name, level) in enumerate(levels):
            ends = as_range(level)
            if ends and ends[0] > ends[1]:
                raise ValueError(f"range {level!r} of bin {name!r} ends before it starts")
            for other, earlier in levels[:i]:
                if overlap(level, earlier):
                    values = f"{earlier!r} and {level!r} overlap: values are"
                    if level == earlier:
                        values = f"value {level!r} is"
                    raise ValueError(f"{values} in two bins, {other!r} and {name!r}")
        return self

    @model_validator(mode="after")
    def _is_scale(self) -> Target:
        if self.kind != "rating" or self.relative:
            return self
        if not self.ordinal:
            raise ValueError(f"target {self.name!r}: ratings are in an order; remove `ordinal: false`")
        scale = [(as_range(level) or (as_number(level),), name) for name in self.bins for level in self.bins[name]]
        for ends, name in scale:
            if None in ends:
                raise ValueError(f"target {self.name!r}: bin {name!r} of a rating holds numbers and ranges only")
        spans = [
            [end for ends, bin_name in scale if bin_name == name for end in ends if end is not None]
            for name in self.bins
        ]
        for name, (lower, upper) in zip(list(self.bins)[1:], pairwise(spans), strict=True):
            if max(lower) >= min(upper):
                raise ValueError(f"target {self.name!r}: bin {name!r} of a rating is not above the bin before it")
        return self

    def class_of(self, value: str | None) -> str | None:
        """Return the class of a label, or None if it is in no bin; not of a relative target."""
        return next((name for name, levels in self.bins.items() if matches(value, levels)), None)

    def is_usable(self, value: str | None) -> bool:
        """Return whether a label can have a class: it is in a bin, or a number if the target is relative."""
        if self.relative is not None:
            return value is not None and as_number(value) is not None
        return self.class_of(value) is not None

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in order."""
        return list(self.bins)

    @property
    def shares(self) -> list[float]:
        """Shares of the answers below the upper end of each bin but the last one, of a relative target."""
        ends = (as_range(level) for levels in self.bins.values() for level in levels)
        return [end[1] / 100 for end in ends if end][:-1]


class WindowAssignment(Section):
    """Keys of every split that assigns windows to subsets."""

    renamed: ClassVar[dict[str, str]] = {"light": "fast"}

    name: Name
    """wildcard {split} of the results"""

    test: float = Field(0.2, gt=0, lt=1)
    """share of the windows in the test subset; not used with several folds"""

    validation: float = Field(0.125, gt=0, lt=1)
    """share of the remaining windows used to choose the epoch"""

    seed: int = Field(32, ge=0)
    """seed of the assignment"""

    block_minutes: int = Field(8, ge=1)
    """length of blocks of time in minutes; windows of a block are not treated as independent"""

    importance: bool = True
    """false: no importance and no groups, only models of all and personal models"""

    fast: bool = False
    """true: only predictors that take seconds: lda, ordinal, and those without sensors"""


class RandomSplit(WindowAssignment):
    """Windows shuffled one by one."""

    method: Literal["random"] = "random"
    """shuffles single windows, as published; neighbours in time leak between subsets"""

    rotates: ClassVar[bool] = False
    longest_embargo: ClassVar[int] = 0
    label_column: ClassVar[str | None] = None


class SeparatedSplit(WindowAssignment):
    """Keys of every split whose subsets are apart in time."""

    min_sessions: int = Field(4, ge=3)
    """users with fewer sessions are split by blocks of minutes"""

    embargo_minutes: int | None = Field(None, ge=0)
    """minimum gap between subsets in minutes; null: block_minutes where users are split by blocks of minutes, else 1"""

    @property
    def longest_embargo(self) -> int:
        """Gap between subsets in minutes that suits every user."""
        return self.block_minutes if self.embargo_minutes is None else self.embargo_minutes


class SessionsSplit(SeparatedSplit):
    """Some sessions tested by models of others: the next visit, or the future."""

    method: Literal["sessions"] = "sessions"
    """tests the last sessions in time, or those with values of a label column, such as the second visit"""

    column: str | None = None
    """label column that sorts windows, such as a visit; null: the last sessions, with a share `test`, are tested"""

    train_on: list[Level] = Field([])
    """column: its values of windows for training and validation"""

    test_on: list[Level] = Field([])
    """column: its values of tested windows"""

    rotates: ClassVar[bool] = False
    tasks: ClassVar[None] = None
    hold_out: ClassVar[list[Level]] = []

    @property
    def label_column(self) -> str | None:
        """Label column that the split uses."""
        return self.column

    @property
    def needed(self) -> list[list[Level]]:
        """Values of the label column, of each of which a user needs one."""
        return [self.test_on, self.train_on]

    @model_validator(mode="after")
    def _is_consistent(self) -> SessionsSplit:
        if (self.column is None) != (not self.train_on and not self.test_on):
            raise ValueError(f"split {self.name!r}: set column, train_on and test_on together")
        if self.column is not None and not (self.train_on and self.test_on):
            raise ValueError(f"split {self.name!r}: train_on and test_on need at least one value each")
        for value in self.train_on:
            if any(overlap(value, other) for other in self.test_on):
                raise ValueError(f"split {self.name!r}: {value!r} is in train_on and in test_on")
        return self


class BlockedSplit(SeparatedSplit):
    """Whole blocks of time kept together."""

    method: Literal["blocked"] = "blocked"
    """keeps whole sessions, blocks of minutes, or whole tasks together"""

    folds: int = Field(5, ge=1, le=50)
    """number of folds, each of which serves as test set once; 1: one test subset"""

    tasks: str | None = None
    """label column of a protocol's tasks; runs of a task stay together"""

    between: Level | None = None
    """tasks: label of the time between tasks; cut in the middle"""

    hold_out: list[Level] = Field([])
    """tasks: the tasks to test, each in a separate fold; empty: all tasks, in folds that are drawn per user"""

    @property
    def rotates(self) -> bool:
        """Whether there are several folds, each of which serves as test set once."""
        return (len(self.hold_out) or self.folds) > 1

    @property
    def label_column(self) -> str | None:
        """Label column that the split uses."""
        return self.tasks

    @property
    def needed(self) -> list[list[Level]]:
        """Values of the label column, of each of which a user needs one."""
        return [self.hold_out]

    @model_validator(mode="after")
    def _is_consistent(self) -> BlockedSplit:
        if self.tasks is None and (self.between is not None or self.hold_out):
            raise ValueError(f"split {self.name!r}: between and hold_out refer to tasks; set tasks to a label column")
        for i, task in enumerate(self.hold_out):
            if any(overlap(task, other) for other in self.hold_out[:i]):
                raise ValueError(f"split {self.name!r}: {task!r} is held out twice")
        if self.between in self.hold_out:
            raise ValueError(f"split {self.name!r}: {self.between!r} is the label between tasks; it cannot be held out")
        return self


class ParticipantsSplit(SeparatedSplit):
    """Whole participants tested by models of others."""

    method: Literal["participants"] = "participants"
    """tests whole participants, as if they were new: models are those of the other participants"""

    folds: int = Field(5, ge=2)
    """number of folds of participants; as many as participants, or more: each participant alone"""

    importance: Literal[False] = False
    """importance is that of the first split that measures it"""

    rotates: ClassVar[bool] = True
    label_column: ClassVar[None] = None
    tasks: ClassVar[None] = None
    hold_out: ClassVar[list[Level]] = []


AnySplit = BlockedSplit | SessionsSplit | ParticipantsSplit | RandomSplit
Split = Annotated[AnySplit, Field(discriminator="method")]


def split_from_params(params: Mapping[str, Any]) -> AnySplit:
    """Rebuild a split from the params of a job. Raises ValueError unless every key is given."""
    return complete(TypeAdapter(Split).validate_python(dict(params)), params)
