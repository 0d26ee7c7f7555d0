"""MultiRocket and Hydra: random convolutions of every modality, with ridge regression on top, by aeon.

References
----------
Tan, Dempster, Bergmeir, Webb (2022). MultiRocket. Data Mining and Knowledge Discovery 36, 1623-1646.
Dempster, Schmidt, Webb (2023). Hydra. Data Mining and Knowledge Discovery 37, 1779-1805.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from lifelog.arrays import Floats
from lifelog.f1 import confusion, macro_f1
from lifelog.predict.interface import Predictor
from lifelog.settings.predict import Inputs, PredictorSettings, positive

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples

SHORTEST = 10  # samples of a window; modalities with shorter ones have their values as features


class Rocket(PredictorSettings):
    """Random convolutions."""

    inputs: ClassVar[Inputs] = "windows"
    citations: ClassVar[tuple[str, ...]] = ("tan2022", "dempster2023")
    meaning: ClassVar[str] = "Random convolutions of whole windows (MultiRocket, Hydra), with ridge regression on top."

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
        return positive(value, "a penalty")


class RocketPredictor(Predictor):
    """Ridge regression with class weights; the validation windows select the penalty."""

    def fit(self, train: Samples, validation: Samples) -> None:
        """Draw and fit the convolutions of each modality on training windows, and the ridge regressions."""
        from sklearn.linear_model import RidgeClassifier

        self.transforms = {m.name: self._transforms() if m.length >= SHORTEST else [] for m in train.modalities}
        x = self.fit_filling(self._features(train, fit=True))
        held_out = self.filled(self._features(validation)) if len(validation) else None
        scores, models = [], []
        for alpha in sorted(self.settings.penalty, reverse=True):  # of equal ones, the strongest
            models.append(RidgeClassifier(alpha, class_weight="balanced").fit(x, train.truth))
            if held_out is not None:
                counts = confusion(validation.truth, models[-1].predict(held_out), len(train.classes))
                scores.append(macro_f1(counts))
        self.model = models[int(np.argmax(scores)) if scores else 0]

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes): the softmax of the regressions."""
        from scipy.special import softmax

        scores = self.model.decision_function(self.filled(self._features(samples)))
        if scores.ndim == 1:  # of two classes
            scores = np.stack([-scores, scores], axis=1)
        return self.aligned(softmax(scores, axis=1), self.model.classes_, len(samples.classes))

    def _transforms(self) -> list[Any]:
        try:
            from aeon.transformations.collection.convolution_based import HydraTransformer, MultiRocket
        except ImportError as problem:
            raise ModuleNotFoundError(
                f"the predictor rocket needs aeon, which cannot be imported ({problem}): run `make rocket`"
            ) from problem
        kernels, groups, seed = self.settings.kernels, self.settings.groups, self.settings.seed
        return [MultiRocket(kernels, random_state=seed), HydraTransformer(n_groups=groups, random_state=seed)]

    def _features(self, samples: Samples, fit: bool = False) -> Floats:
        """Return the features of all modalities (n_windows, n_features); NaN where a modality is missing."""
        if samples.windows is None:
            raise ValueError("rocket needs windows: store them with the samples")
        windows, parts = samples.windows.read(), []
        for modality, present in zip(samples.modalities, samples.windows.present.T, strict=True):
            x = windows[modality.name].transpose(0, 2, 1)
            own = [x.reshape(len(x), -1)]
            if self.transforms[modality.name]:
                for transform in self.transforms[modality.name] if fit else ():
                    transform.fit(x[present] if present.any() else x)
                multirocket, hydra = (np.asarray(t.transform(x)) for t in self.transforms[modality.name])
                own = [multirocket, np.sqrt(np.maximum(hydra, 0))]  # counts
            features = np.concatenate(own, axis=1).astype(np.float64)
            features[~present] = np.nan
            parts.append(features)
        return np.concatenate(parts, axis=1)
