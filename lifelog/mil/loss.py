"""The loss of networks, and the score by which validation windows select their epoch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lifelog.f1 import monitored_score
from lifelog.mil.bags import Bags
from lifelog.mil.network import BagNetwork
from lifelog.mil.stack import SomeBags, Stack, StackedBags
from lifelog.settings.mil import Training

CHUNK = 2**21  # values that are scored at a time: 8 MB


def class_weights(classes: Tensor, count: int, weighting: str) -> Tensor | None:
    """Compute weights that give every occurring class the same total, with mean 1 per window.

    Parameters
    ----------
    classes : Tensor of int64, shape (n_bags,)
        Class numbers of the training windows.
    count : int
        Number of classes.
    weighting : str
        `balanced` or `none`.

    Returns
    -------
    Tensor, shape (count,), or None
        None without weighting.
    """
    if weighting == "none":
        return None
    counts = torch.bincount(classes, minlength=count)
    return torch.where(counts > 0, len(classes) / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)


def bag_loss(
    log_probabilities: Tensor, classes: Tensor, weights: Tensor | None, settings: Training, shares: Tensor | None = None
) -> Tensor:
    """Compute the focal loss (Lin et al., ICCV 2017); cross-entropy for gamma 0.

    Parameters
    ----------
    log_probabilities : Tensor, shape (..., n_bags, n_classes)
        Predictions.
    classes : Tensor of int64, shape (..., n_bags)
        Class numbers.
    weights : Tensor, shape (..., n_classes), or None
        Class weights.
    settings : Training
        Holds gamma.
    shares : Tensor, shape (..., n_bags), optional
        Share of each bag in the mean; the same by default.

    Returns
    -------
    Tensor, shape (...)
        Mean over bags.
    """
    own = log_probabilities.gather(-1, classes[..., None])[..., 0]
    losses = -((1 - own.exp()) ** settings.focal_gamma) * own if settings.focal_gamma else -own
    if weights is not None:
        losses = losses * weights.gather(-1, classes)
    return losses.mean(dim=-1) if shares is None else (losses * shares).sum(dim=-1)


class Evaluation:
    """The evaluation of networks on validation windows.

    Parameters
    ----------
    stack : Stack
        Networks.
    bags : StackedBags
        Their windows with classes.
    weights : Tensor, shape (n_networks, n_classes), or None
        Class weights of the loss.
    settings : Training
        Loss and monitored score.

    Attributes
    ----------
    predicted : Tensor, shape (n_networks, n_bags, n_classes)
        Log-probabilities of the last call of `predict`; those of networks with fewer bags are padded.
    losses : Tensor, shape (n_networks,)
        Mean loss over all bags of the last call of `predict`.
    """

    def __init__(self, stack: Stack, bags: StackedBags, weights: Tensor | None, settings: Training) -> None:
        self._stack, self._bags, self._weights, self._settings = stack, bags, weights, settings
        device = stack.values.device
        counts = torch.tensor(bags.counts, device=device)[:, None]
        places = torch.arange(max(bags.counts), device=device).expand(len(stack), -1)
        self._rows = torch.minimum(places, counts - 1)  # the last window pads
        self._shares = (places < counts) / counts
        self._classes = bags.source.classes[self._rows + bags.offsets]
        self.predicted = stack.values.new_empty(*self._rows.shape, stack.network.classes, requires_grad=False)
        self.losses = stack.values.new_empty(len(stack), requires_grad=False)

    @torch.no_grad()
    def predict(self) -> None:
        """Predict in evaluation mode, without waiting for the device."""
        self._stack.train(False)
        size = max(1, CHUNK // max(1, self._bags.source.width * len(self._stack)))
        for rows, predicted in zip(self._rows.split(size, dim=1), self.predicted.split(size, dim=1), strict=True):
            batch = self._bags.take(rows)
            predicted.copy_(self._stack(batch, batch.present))
        self.losses.copy_(bag_loss(self.predicted, self._classes, self._weights, self._settings, self._shares))

    def scores(self) -> list[float]:
        """Return the monitored score of each network by its predictions."""
        pairs = zip(self._classes.cpu().numpy(), self.predicted.cpu().numpy(), self._bags.counts, strict=True)
        return [monitored_score(self._settings.monitor, x[:count], output[:count]) for x, output, count in pairs]


def validation_score(network: BagNetwork, validation: SomeBags, settings: Training) -> float:
    """Return the monitored score of a network, by which `fit` selects the epoch."""
    evaluation = Evaluation(Stack([network]), StackedBags([validation]), None, settings)
    evaluation.predict()
    return evaluation.scores()[0]


def chunks(bags: SomeBags) -> Iterator[Bags]:
    """Yield bags in pieces of limited memory."""
    size = max(1, CHUNK // max(1, bags.width))
    for rows in torch.arange(len(bags), device=bags.classes.device).split(size):
        yield bags.take(rows)
