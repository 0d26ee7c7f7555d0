"""What the settings of all predictors share, and how predictors are found.

A predictor is a module of `lifelog/predict/predictors/`: its settings with citations and glossary entry, such as `Lda`,
and its implementation, such as `LdaPredictor`. All of these modules are imported with the configuration, so that they
must import torch and scikit-learn on use only.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from lifelog.settings.base import Section, complete
from lifelog.settings.mil import Training

Scheme = Literal[
    "global", "pooled", "tuned", "importance", "attention", "raw", "class-shares", "random", "personal", "blend"
]
# Schemes that combine the windows of a user with those of other users.
COMBINED = ("pooled", "tuned", "blend")
UNGROUPED = ("global", "personal", *COMBINED)  # schemes that need no groups by importance
Inputs = Literal["nothing", "time", "features", "windows"]
FOLDER = Path(__file__).parents[1] / "predict" / "predictors"


def positive(values: list[float], what: str) -> list[float]:
    """Return values, or raise ValueError unless all are positive."""
    if not all(0 < number < math.inf for number in values):
        raise ValueError(f"{what} is a positive number")
    return values


class PredictorSettings(Section):
    """Keys of every predictor."""

    inputs: ClassVar[Inputs]  # nothing: class shares only; time: time stamps; features or windows: the sensors
    needs_torch: ClassVar[bool] = False
    fast: ClassVar[bool] = False  # takes seconds: trained under all schemes in one job, and in fast splits
    stored: ClassVar[bool] = False  # whether a bundle can hold its models
    combines: ClassVar[tuple[Scheme, ...]] = ("blend",)  # of the schemes in COMBINED, those that it supports
    needs: ClassVar[str | None] = None  # what its target needs, such as `ordinal: true`
    citations: ClassVar[tuple[str, ...]] = ()  # keys of report/page/references.yaml
    meaning: ClassVar[str]  # for the glossary

    name: str

    schemes: Literal["all"] | list[Scheme] = "all"
    """all that it supports, or the schemes this predictor is used with"""

    def build(self) -> Any:
        """Return a `Predictor`, not yet fitted: of the class `{settings}Predictor` in the module of the settings."""
        return getattr(import_module(type(self).__module__), f"{type(self).__name__}Predictor")(self)

    @property
    def uses_sensors(self) -> bool:
        """Whether the predictor sees sensor data."""
        return self.inputs in ("features", "windows")

    @property
    def weighs_classes(self) -> bool:
        """Whether all classes have the same weight in its training, however many windows they have."""
        return self.uses_sensors

    def wants(self, scheme: Scheme) -> bool:
        """Return whether the predictor is trained under a scheme, if the run has it."""
        return self.supports(scheme) and (self.schemes == "all" or scheme in self.schemes)

    def supports(self, scheme: Scheme) -> bool:
        """Return whether the predictor can be trained under a scheme."""
        return scheme not in COMBINED or scheme in self.combines

    def check(self, columns: Mapping[str, list[str]]) -> None:
        """Raise ValueError if the settings do not suit the modalities, given with their columns."""


class NetworkSettings(Training, PredictorSettings):
    """Keys of every network that predicts."""

    needs_torch: ClassVar[bool] = True
    combines: ClassVar[tuple[Scheme, ...]] = ("tuned", "blend")

    @property
    def weighs_classes(self) -> bool:
        """Whether all classes have the same weight in its training, however many windows they have."""
        return self.class_weights == "balanced"

    modality_dropout: float = Field(0.0, ge=0, lt=1)
    """probability of hiding each modality during training (published: 0)"""

    seed: int = Field(0, ge=0)
    """seed of the initial weights and the order of windows"""


@functools.cache
def predictor_kinds() -> dict[str, type[PredictorSettings]]:
    """Return the settings of all predictors by name, from the modules of `lifelog/predict/predictors/`."""
    kinds = {}
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        module = import_module(f"lifelog.predict.predictors.{path.stem}")
        (kind,) = (
            kind
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, PredictorSettings) and kind.__module__ == module.__name__
        )
        kinds[str(kind.model_fields["name"].default)] = kind
    return kinds


def predictor_settings(name: str, **settings: Any) -> PredictorSettings:
    """Return the settings of a predictor.

    Parameters
    ----------
    name : str
        Name of the predictor, such as lda.
    **settings
        Its keys; the others have their defaults (docs/config.md).

    Returns
    -------
    PredictorSettings
        Validated settings.

    Raises
    ------
    KeyError
        If there is no such predictor.
    pydantic.ValidationError
        If a key is unknown or a value is invalid.

    Examples
    --------
    >>> from lifelog import predictor_settings
    >>> predictor_settings("lda", shrinkage=[0.5]).shrinkage
    [0.5]
    """
    return predictor_kinds()[name](**settings)


def predictor_from_params(params: Mapping[str, Any]) -> PredictorSettings:
    """Rebuild a predictor's settings from the params of a job. Raises ValueError unless every key is given."""
    kind = predictor_kinds()[params["name"]]
    return complete(kind.model_validate(dict(params)), params)


def sensorless() -> list[str]:
    """Return the names of the predictors that see no sensor data."""
    return [name for name, kind in predictor_kinds().items() if kind.inputs in ("nothing", "time")]


def time_only() -> list[str]:
    """Return the names of the predictors that see time stamps only."""
    return [name for name, kind in predictor_kinds().items() if kind.inputs == "time"]
