"""Settings of the predictors. Each predictor declares what it sees and whether it needs torch.

The predictor `name` is implemented by the class `Predictor` of the module `lifelog/predict/{name}.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, TypeAdapter, field_validator

from lifelog.settings.base import Section, complete
from lifelog.settings.mil import Training

Scheme = Literal[
    "global", "pooled", "tuned", "importance", "attention", "raw", "class-shares", "random", "personal", "blend"
]
# Schemes that are no groups of users, but combine the windows of a user with those of the others.
COMBINED = ("pooled", "tuned", "blend")
UNGROUPED = ("global", "personal", *COMBINED)  # schemes that need no groups by importance
Inputs = Literal["nothing", "time", "features", "windows"]


def _positive(value: list[float], what: str) -> list[float]:
    if not all(0 < number < math.inf for number in value):
        raise ValueError(f"{what} is a positive number")
    return value


class PredictorSettings(Section):
    """Keys of every predictor."""

    sees: ClassVar[Inputs]  # nothing: class shares only; time: time stamps; features or windows: the sensors
    needs_torch: ClassVar[bool] = False
    fast: ClassVar[bool] = False  # takes seconds: trained under all schemes in one job, and in light splits
    combines: ClassVar[tuple[Scheme, ...]] = ("blend",)  # of the schemes in COMBINED, those that it supports

    schemes: Literal["all"] | list[Scheme] = "all"
    """all that it supports, or the schemes this predictor is used with"""

    @property
    def uses_sensors(self) -> bool:
        """Whether the predictor sees sensor data."""
        return self.inputs in ("features", "windows")

    def wants(self, scheme: Scheme) -> bool:
        """Return whether the predictor is trained under a scheme, if the run has it."""
        return self.supports(scheme) and (self.schemes == "all" or scheme in self.schemes)

    def supports(self, scheme: Scheme) -> bool:
        """Return whether the predictor can be trained under a scheme."""
        return scheme not in COMBINED or scheme in self.combines


class Majority(PredictorSettings):
    """Class shares."""

    sees: ClassVar[Inputs] = "nothing"
    fast: ClassVar[bool] = True

    name: Literal["majority"] = "majority"
    """class shares of the training windows; no sensors"""


class NearestMinute(PredictorSettings):
    """Nearest label in time."""

    sees: ClassVar[Inputs] = "time"
    fast: ClassVar[bool] = True

    name: Literal["nearest_minute"] = "nearest_minute"
    """label of the user's training window that is nearest in time; no sensors"""


class LastLabel(PredictorSettings):
    """Last label before."""

    sees: ClassVar[Inputs] = "time"
    fast: ClassVar[bool] = True

    name: Literal["last_label"] = "last_label"
    """label of the user's last training window before; no sensors"""


class Clock(PredictorSettings):
    """Class shares by elapsed time."""

    sees: ClassVar[Inputs] = "time"
    fast: ClassVar[bool] = True

    name: Literal["clock"] = "clock"
    """class shares by time since the session start; no sensors"""


class Boosting(PredictorSettings):
    """Gradient boosting."""

    sees: ClassVar[Inputs] = "features"

    name: Literal["boosting"] = "boosting"
    """histogram gradient boosting on summary features"""

    max_iter: int = Field(100, ge=1)
    """maximum number of trees per class; chosen on validation windows"""

    learning_rate: float = Field(0.1, gt=0)
    """shrinkage"""

    min_samples_leaf: int = Field(5, ge=1)
    """minimum number of windows per leaf"""

    seed: int = Field(0, ge=0)
    """random state of the booster"""


class Lda(PredictorSettings):
    """Linear discriminant."""

    sees: ClassVar[Inputs] = "features"
    fast: ClassVar[bool] = True
    combines: ClassVar[tuple[Scheme, ...]] = ("pooled", "blend")

    name: Literal["lda"] = "lda"
    """linear discriminant with shrunken correlations on summary features"""

    shrinkage: list[float] = Field([0.1, 0.3, 0.5, 0.7, 0.9], min_length=1)
    """shrinkages of correlations to choose from on validation windows; above 0, 1 for independent features"""

    strength: list[float] = Field([10, 30, 100, 300], min_length=1)
    """scheme pooled: numbers of own windows that the windows of the others count as, to choose from on validation
    windows"""

    @field_validator("strength")
    @classmethod
    def _is_positive(cls, value: list[float]) -> list[float]:
        return _positive(value, "a strength")

    @field_validator("shrinkage")
    @classmethod
    def _is_share(cls, value: list[float]) -> list[float]:
        if not all(0 < share <= 1 for share in value):
            raise ValueError("a shrinkage is a number above 0 and at most 1")
        return value


class Ordinal(Lda):
    """Linear discriminant for classes in an order."""

    name: Literal["ordinal"] = "ordinal"  # type: ignore[assignment]
    """as lda, for classes in an order (targets with `ordinal: true`)"""

    order: list[float] = Field([0, 0.5, 1], min_length=1)
    """how far class means are drawn towards a line on which they have equal distances, to choose from on validation
    windows; 0 for not at all (lda), 1 for onto the line"""

    @field_validator("order")
    @classmethod
    def _is_part(cls, value: list[float]) -> list[float]:
        if not all(0 <= part <= 1 for part in value):
            raise ValueError("an order is a number from 0 to 1")
        return value


class Embedding(Lda):
    """Linear discriminant on embeddings."""

    sees: ClassVar[Inputs] = "windows"
    needs_torch: ClassVar[bool] = True
    fast: ClassVar[bool] = False
    combines: ClassVar[tuple[Scheme, ...]] = ("blend",)

    name: Literal["embedding"] = "embedding"  # type: ignore[assignment]
    """as lda, on embeddings of windows by pretrained models"""

    models: dict[str, str] = Field(min_length=1)
    """by modality, a file of torch.export.save: a model of windows (windows, channels, samples), standardised
    according to `windows.standardise`, with a dynamic number of windows; it returns one row per window"""


class Rocket(PredictorSettings):
    """Random convolutions."""

    sees: ClassVar[Inputs] = "windows"

    name: Literal["rocket"] = "rocket"
    """MultiRocket and Hydra on windows, with ridge regression; needs aeon (`make rocket`)"""

    kernels: int = Field(1000, ge=84)
    """number of MultiRocket's kernels per modality"""

    groups: int = Field(16, ge=1)
    """number of Hydra's groups of eight kernels per modality"""

    penalty: list[float] = Field([0.1, 1, 10, 100, 1000, 10000], min_length=1)
    """penalties of the ridge regression to choose from on validation windows"""

    seed: int = Field(0, ge=0)
    """seed of the kernels"""

    @field_validator("penalty")
    @classmethod
    def _is_positive(cls, value: list[float]) -> list[float]:
        return _positive(value, "a penalty")


class NetworkSettings(Training, PredictorSettings):
    """Keys of every network that predicts."""

    needs_torch: ClassVar[bool] = True
    combines: ClassVar[tuple[Scheme, ...]] = ("tuned", "blend")

    modality_dropout: float = Field(0.0, ge=0, lt=1)
    """probability of hiding each modality during training (published: 0)"""

    seed: int = Field(0, ge=0)
    """seed of the initial weights and the order of windows"""


class MilNet(NetworkSettings):
    """The multiple-instance network of `mil`, on features."""

    sees: ClassVar[Inputs] = "features"

    name: Literal["mil"] = "mil"
    """the personal network (mil) on features"""

    updates_per_epoch: int | None = Field(20, ge=1)
    """steps of the optimiser per epoch, so that one user trains as long as all; null: one pass over the windows"""

    weight_decay: float = Field(0.3, ge=0)
    """weight decay of AdamW"""

    modality_dropout: float = Field(0.3, ge=0, lt=1)
    """probability of hiding each modality during training"""


class LifeLogNet(NetworkSettings):
    """The network of the study."""

    sees: ClassVar[Inputs] = "features"

    name: Literal["lifelognet"] = "lifelognet"
    """the study's network on 5-second maxima"""

    updates_per_epoch: int | None = Field(10, ge=1)
    """steps of the optimiser per epoch, so that small groups train as long as large ones; null: one pass over the
    windows (published)"""

    batch_size: int = Field(512, ge=2)
    """5-second bins per step"""

    columns: dict[str, list[str]] = Field({})
    """by modality, the columns that the network sees; all by default"""


class WindowNet(NetworkSettings):
    """The network of the study on whole windows."""

    sees: ClassVar[Inputs] = "windows"

    name: Literal["windownet"] = "windownet"
    """the same network on whole windows"""

    epochs: int = Field(10, ge=1, le=100000)
    """maximum number of epochs"""

    updates_per_epoch: int | None = Field(40, ge=1)
    """steps of the optimiser per epoch, so that small groups train as long as large ones; null: one pass over the
    windows"""

    batch_size: int = Field(16, ge=2)
    """windows per step"""


AnyPredictor = (
    Lda
    | Ordinal
    | Boosting
    | Rocket
    | Embedding
    | MilNet
    | LifeLogNet
    | WindowNet
    | Majority
    | NearestMinute
    | LastLabel
    | Clock
)
Predictor = Annotated[AnyPredictor, Field(discriminator="name")]


def _names(*sees: Inputs) -> tuple[str, ...]:
    return tuple(kind.model_fields["name"].default for kind in get_args(AnyPredictor) if kind.inputs in sees)


SENSORLESS = _names("nothing", "time")
TIME_ONLY = _names("time")


def predictor_from_params(params: Mapping[str, Any]) -> AnyPredictor:
    """Rebuild a predictor's settings from the params of a job. Raises ValueError unless every key is given."""
    return complete(TypeAdapter(Predictor).validate_python(dict(params)), params)
