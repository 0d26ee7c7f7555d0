"""What the predictors that are networks share: training, tuning to one user, and prediction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from lifelog.arrays import Arrays, Floats, check_shapes
from lifelog.predict.interface import Predictor, TunablePredictor
from lifelog.settings.predict import NetworkSettings, PredictorSettings

if TYPE_CHECKING:  # this module is imported with the configuration, and torch takes a second
    from lifelog.mil.fit import Fit
    from lifelog.mil.network import BagNetwork
    from lifelog.mil.stack import SomeBags
    from lifelog.predict.interface import Windows
    from lifelog.predict.samples import Samples


class NetworkPredictor(TunablePredictor):
    """A network that is trained on bags and predicts windows."""

    network: BagNetwork

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings)
        from lifelog.mil.device import pick_device

        self.device = pick_device(settings.device)

    @abstractmethod
    def network_for(self, train: Samples) -> BagNetwork:
        """Return an untrained network for some windows."""

    @abstractmethod
    def bags(self, samples: Samples) -> SomeBags:
        """Return the bags of windows: as many per window, one after the other."""

    def fit(self, train: Samples, validation: Samples) -> None:
        """Train the network."""
        self._build(train)
        _train([self], [(train, validation)])

    @classmethod
    def fit_each(cls, settings: PredictorSettings, windows: Iterable[Windows]) -> Iterator[Predictor]:
        """Yield a network trained on the windows of each of several groups; they are trained together."""
        together = list(windows)
        models: list[Any] = [settings.build() for _ in together]
        for model, (train, _) in zip(models, together, strict=True):
            model._build(train)
        if models:
            _train(models, together)
        yield from models

    @classmethod
    def tune_each(cls, models: Sequence[Self], windows: Sequence[Windows]) -> None:
        """Continue the training of each network; it stays as it is unless its validation score improves."""
        from lifelog.mil.loss import validation_score

        before, scores = [], []
        for model, (_, validation) in zip(models, windows, strict=True):
            before.append({name: x.clone() for name, x in model.network.state_dict().items()})
            scores.append(validation_score(model.network, model.bags(validation), model.settings))
        for model, state, score, fitted in zip(models, before, scores, _train(models, windows), strict=True):
            if fitted.score <= score:
                model.network.load_state_dict(state)

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes): the mean over the bags of a window."""
        import torch

        from lifelog.mil.loss import chunks

        self.network.eval()
        with torch.no_grad():
            parts = [self.network(part.values, part.present) for part in chunks(self.bags(samples))]
        probabilities = torch.cat([part.log_probabilities for part in parts]).double().exp().cpu()
        means: Floats = probabilities.reshape(len(samples), -1, self.network.classes).mean(dim=1).numpy()
        return means

    def state(self) -> Arrays:
        """Return the weights of the network."""
        return {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}

    def restore(self, state: Arrays, like: Samples) -> None:
        """Make this the network of a state."""
        import torch

        self._build(like)
        check_shapes(state, {name: tuple(x.shape) for name, x in self.network.state_dict().items()})
        self.network.load_state_dict({name: torch.from_numpy(values) for name, values in state.items()})

    def _build(self, train: Samples) -> None:
        import torch

        torch.manual_seed(self.settings.seed)
        self.network = self.network_for(train).to(self.device)


def _train(models: Sequence[NetworkPredictor], windows: Sequence[Windows]) -> list[Fit]:
    """Train networks together; without validation windows, the training windows select the epoch."""
    from lifelog.mil.fit import Task, fit

    tasks = []
    for model, (train, validation) in zip(models, windows, strict=True):
        bags = model.bags(train)
        selecting = model.bags(validation) if len(validation) else bags
        tasks.append(Task(model.network, bags, selecting, model.settings.seed))
    return fit(tasks, models[0].settings)
