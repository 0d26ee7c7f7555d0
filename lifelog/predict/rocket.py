"""MultiRocket and Hydra: random convolutions of every modality, with ridge regression on top, by aeon.

References
----------
Tan, Dempster, Bergmeir, Webb (2022). MultiRocket. Data Mining and Knowledge Discovery 36, 1623-1646.
Dempster, Schmidt, Webb (2023). Hydra. Data Mining and Knowledge Discovery 37, 1779-1805.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import RidgeClassifier

from lifelog.f1 import confusion, macro_f1
from lifelog.predict.samples import Samples
from lifelog.settings.predict import Rocket
from lifelog.standardise import fit_scaling

SHORTEST = 10  # samples of a window; modalities with shorter ones have their values as features


class Predictor:
    """Ridge regression with class weights; the validation windows select the penalty."""

    def __init__(self, settings: Rocket) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples) -> None:
        """Draw and fit the convolutions of each modality on training windows, and the ridge regressions."""
        self.transforms = {m.name: self._transforms() if m.length >= SHORTEST else [] for m in train.modalities}
        values = self._features(train, fit=True)
        self.scaling = fit_scaling([values], values.shape[1], "user")
        x, held_out = self._scaled(values), self._scaled(self._features(validation)) if len(validation) else None
        scores, models = [], []
        for alpha in sorted(self.settings.penalty, reverse=True):  # of equal ones, the strongest
            models.append(RidgeClassifier(alpha, class_weight="balanced").fit(x, train.truth))
            if held_out is not None:
                counts = confusion(validation.truth, models[-1].predict(held_out), len(train.classes))
                scores.append(macro_f1(counts))
        self.model = models[int(np.argmax(scores)) if scores else 0]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes): the softmax of the regressions."""
        scores = self.model.decision_function(self._scaled(self._features(samples)))
        if scores.ndim == 1:  # of two classes
            scores = np.stack([-scores, scores], axis=1)
        probabilities = np.zeros((len(samples), len(samples.classes)))
        probabilities[:, self.model.classes_] = softmax(scores, axis=1)
        return probabilities

    def _transforms(self) -> list[Any]:
        try:
            from aeon.transformations.collection.convolution_based import HydraTransformer, MultiRocket
        except ImportError as problem:
            raise ModuleNotFoundError(
                f"the predictor rocket needs aeon, which cannot be imported ({problem}): run `make rocket`"
            ) from problem
        kernels, groups, seed = self.settings.kernels, self.settings.groups, self.settings.seed
        return [MultiRocket(kernels, random_state=seed), HydraTransformer(n_groups=groups, random_state=seed)]

    def _features(self, samples: Samples, fit: bool = False) -> NDArray[np.float64]:
        """Return the features of all modalities (n_windows, n_features); NaN where a modality is missing."""
        if samples.windows is None:
            raise ValueError("rocket needs windows: pass them to read_samples")
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

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return standardised features, with the mean instead of missing values."""
        return np.nan_to_num(self.scaling.apply(values))
