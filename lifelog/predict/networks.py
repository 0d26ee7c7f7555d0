"""What the predictors that are networks share: training, tuning to one user, and prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lifelog.mil.device import pick_device
from lifelog.mil.fit import Fit, Task, fit
from lifelog.mil.loss import chunks, validation_score
from lifelog.mil.network import BagNetwork
from lifelog.mil.stack import SomeBags
from lifelog.predict.samples import Samples
from lifelog.settings.predict import NetworkSettings


class NetworkPredictor(ABC):
    """A network that is trained on bags and predicts windows."""

    network: BagNetwork

    def __init__(self, settings: NetworkSettings) -> None:
        self.settings = settings
        self.device = pick_device(settings.device)

    @abstractmethod
    def build(self, train: Samples) -> BagNetwork:
        """Return an untrained network for some windows."""

    @abstractmethod
    def bags(self, samples: Samples) -> SomeBags:
        """Return the bags of windows: as many per window, one after the other."""

    def fit(self, train: Samples, validation: Samples) -> None:
        """Train the network."""
        self.fit_all([self], [(train, validation)])

    @classmethod
    def fit_all(cls, models: Sequence[NetworkPredictor], windows: Sequence[tuple[Samples, Samples]]) -> None:
        """Train the network of each model on its training and validation windows."""
        if not models:
            return
        for model, (train, _) in zip(models, windows, strict=True):
            torch.manual_seed(model.settings.seed)
            model.network = model.build(train).to(model.device)
        _train(models, windows)

    @classmethod
    def tune_all(cls, models: Sequence[NetworkPredictor], windows: Sequence[tuple[Samples, Samples]]) -> None:
        """Continue training on other windows; a network stays as it is unless its validation score improves."""
        before, scores = [], []
        for model, (_, validation) in zip(models, windows, strict=True):
            before.append({name: x.clone() for name, x in model.network.state_dict().items()})
            scores.append(validation_score(model.network, model.bags(validation), model.settings))
        for model, state, score, fitted in zip(models, before, scores, _train(models, windows), strict=True):
            if fitted.score <= score:
                model.network.load_state_dict(state)

    @torch.no_grad()
    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes): the mean over the bags of a window."""
        self.network.eval()
        parts = [self.network(part.values, part.present) for part in chunks(self.bags(samples))]
        probabilities = torch.cat([part.log_probabilities for part in parts]).double().exp().cpu()
        means: NDArray[np.float64] = probabilities.reshape(len(samples), -1, self.network.classes).mean(dim=1).numpy()
        return means


def _train(models: Sequence[NetworkPredictor], windows: Sequence[tuple[Samples, Samples]]) -> list[Fit]:
    """Train networks together; without validation windows, the training windows select the epoch."""
    tasks = []
    for model, (train, validation) in zip(models, windows, strict=True):
        bags = model.bags(train)
        selecting = model.bags(validation) if len(validation) else bags
        tasks.append(Task(model.network, bags, selecting, model.settings.seed))
    return fit(tasks, models[0].settings)
