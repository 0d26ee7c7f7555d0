"""Settings of the predictors. Each predictor declares what it sees and whether it needs torch.

The predictor `name` is implemented by the class `Predictor` of the module `lifelog/predict/{name}.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, TypeAdapter, field_validator

from lifelog.settings.base import Section, complete
from lifelog.settings.mil import Training

Scheme = Literal["global", "importance", "attention", "raw", "class-shares", "random", "personal"]
UNGROUPED = ("global", "personal")  # schemes that need no importance
Sees = Literal["nothing", "time", "features", "windows"]


class PredictorSettings(Section):
    """Keys of every predictor."""

    sees: ClassVar[Sees]  # nothing: class shares only; time: time stamps; features or windows: the sensors
    needs_torch: ClassVar[bool] = False

    schemes: Literal["all"] | list[Scheme] = "all"
    """all, or the schemes this predictor is used with"""

    @property
    def uses_sensors(self) -> bool:
        """Whether the predictor sees sensor data."""
        return self.sees in ("features", "windows")


class Majority(PredictorSettings):
    """Class shares."""

    sees: ClassVar[Sees] = "nothing"

    name: Literal["majority"] = "majority"
    """class shares of the training windows; no sensors"""


class NearestMinute(PredictorSettings):
    """Nearest label in time."""

    sees: ClassVar[Sees] = "time"

    name: Literal["nearest_minute"] = "nearest_minute"
    """label of the user's training window that is nearest in time; no sensors"""


class LastLabel(PredictorSettings):
    """Last label before."""

    sees: ClassVar[Sees] = "time"

    name: Literal["last_label"] = "last_label"
    """label of the user's last training window before; no sensors"""


class Clock(PredictorSettings):
    """Class shares by elapsed time."""

    sees: ClassVar[Sees] = "time"

    name: Literal["clock"] = "clock"
    """class shares by time since the session start; no sensors"""


class Boosting(PredictorSettings):
    """Gradient boosting."""

    sees: ClassVar[Sees] = "features"

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

    sees: ClassVar[Sees] = "features"

    name: Literal["lda"] = "lda"
    """linear discriminant with shrunken correlations on summary features"""

    shrinkage: list[float] = Field([0.1, 0.3, 0.5, 0.7, 0.9], min_length=1)
    """shrinkages of correlations to choose from on validation windows; above 0, 1 for independent features"""

    @field_validator("shrinkage")
    @classmethod
    def _is_share(cls, value: list[float]) -> list[float]:
        if not all(0 < share <= 1 for share in value):
            raise ValueError("a shrinkage is a number above 0 and at most 1")
        return value


class LifeLogNet(Training, PredictorSettings):
    """The network of the study."""

    sees: ClassVar[Sees] = "features"
    needs_torch: ClassVar[bool] = True

    name: Literal["lifelognet"] = "lifelognet"
    """the study's network on 5-second maxima"""

    updates_per_epoch: int | None = Field(10, ge=1)
    """steps of the optimiser per epoch, so that small groups train as long as large ones; null: one pass over the
    windows (published)"""

    batch_size: int = Field(512, ge=2)
    """5-second bins per step"""

    modality_dropout: float = Field(0.0, ge=0, lt=1)
    """probability of hiding each modality during training (published: 0)"""

    seed: int = Field(0, ge=0)
    """seed of the initial weights and the order of windows"""


class WindowNet(Training, PredictorSettings):
    """The network of the study on whole windows."""

    sees: ClassVar[Sees] = "windows"
    needs_torch: ClassVar[bool] = True

    name: Literal["windownet"] = "windownet"
    """the same network on whole windows"""

    epochs: int = Field(10, ge=1, le=100000)
    """maximum number of epochs"""

    updates_per_epoch: int | None = Field(40, ge=1)
    """steps of the optimiser per epoch, so that small groups train as long as large ones; null: one pass over the
    windows"""

    batch_size: int = Field(16, ge=2)
    """windows per step"""

    modality_dropout: float = Field(0.0, ge=0, lt=1)
    """probability of hiding each modality during training"""

    seed: int = Field(0, ge=0)
    """seed of the initial weights and the order of windows"""


AnyPredictor = Lda | LifeLogNet | WindowNet | Boosting | Majority | NearestMinute | LastLabel | Clock
Predictor = Annotated[AnyPredictor, Field(discriminator="name")]


def _names(*sees: Sees) -> tuple[str, ...]:
    return tuple(kind.model_fields["name"].default for kind in get_args(AnyPredictor) if kind.sees in sees)


SENSORLESS = _names("nothing", "time")
TIME_ONLY = _names("time")


def predictor_from_params(params: Mapping[str, Any]) -> AnyPredictor:
    """Rebuild a predictor's settings from the params of a job. Raises ValueError unless every key is given."""
    return complete(TypeAdapter(Predictor).validate_python(dict(params)), params)
