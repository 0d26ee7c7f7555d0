"""What the predictors that are networks share: training, tuning to one user, and prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray

from lifelog.mil.device import pick_device
from lifelog.mil.network import BagNetwork
from lifelog.mil.train import SomeBags, chunks, fit, validation_score
from lifelog.predict.samples import Samples
from lifelog.settings.predict import NetworkSettings


class NetworkPredictor(ABC):
    """A network that is trained on bags and predicts windows."""

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
        torch.manual_seed(self.settings.seed)
        self.network = self.build(train).to(self.device)
        self._train(train, validation)

    def tune(self, train: Samples, validation: Samples) -> None:
        """Continue training on other windows; the network stays as it is unless the validation score improves."""
        before = {name: x.clone() for name, x in self.network.state_dict().items()}
        score = validation_score(self.network, self.bags(validation), self.settings)
        if self._train(train, validation) <= score:
            self.network.load_state_dict(before)

    def _train(self, train: Samples, validation: Samples) -> float:
        """Train, and return the best validation score; without validation windows, the training windows select."""
        validation = validation if len(validation) else train
        fitted = fit(self.network, self.bags(train), self.bags(validation), self.settings, self.settings.seed)
        self.network.load_state_dict(fitted.state)
        return max(epoch["validation_score"] for epoch in fitted.history)

    @torch.no_grad()
    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes): the mean over the bags of a window."""
        self.network.eval()
        parts = [self.network(part.values, part.present) for part in chunks(self.bags(samples))]
        probabilities = torch.cat([part.log_probabilities for part in parts]).double().exp().cpu()
        means: NDArray[np.float64] = probabilities.reshape(len(samples), -1, self.network.classes).mean(dim=1).numpy()
        return means
