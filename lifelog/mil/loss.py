"""The loss of networks, and the score by which validation windows select their epoch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lifelog.evaluate.metrics import METRICS
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


@torch.no_grad()
def evaluate(
    stack: Stack, bags: StackedBags, weights: Tensor | None, settings: Training
) -> tuple[list[float], list[float]]:
    """Evaluate networks.

    Parameters
    ----------
    stack : Stack
        Networks; they are set to evaluation mode.
    bags : StackedBags
        Their windows with classes.
    weights : Tensor, shape (n_networks, n_classes), or None
        Class weights of the loss.
    settings : Training
        Loss and monitored score.

    Returns
    -------
    losses, scores : list of float
        By network: loss over all bags, and monitored score.
    """
    stack.train(False)
    device = bags.source.classes.device
    outputs, classes = [], []
    rows = torch.arange(max(bags.counts), device=device).expand(len(stack), -1)
    counts = torch.tensor(bags.counts, device=device)[:, None]
    for part in rows.split(max(1, CHUNK // max(1, bags.source.width * len(stack))), dim=1):
        batch = bags.take(torch.minimum(part, counts - 1))  # the last window pads
        outputs.append(stack(batch, batch.present))
        classes.append(batch.classes)
    predicted, truth = torch.cat(outputs, dim=1), torch.cat(classes, dim=1)
    losses = bag_loss(predicted, truth, weights, settings, (rows < counts) / counts)
    score = METRICS[settings.monitor].score
    pairs = zip(truth.cpu().numpy(), predicted.cpu().numpy(), bags.counts, strict=True)
    return losses.tolist(), [score(own[:count], output[:count], None) for own, output, count in pairs]


def validation_score(network: BagNetwork, validation: SomeBags, settings: Training) -> float:
    """Return the monitored score of a network, by which `fit` selects the epoch."""
    return evaluate(Stack([network]), StackedBags([validation]), None, settings)[1][0]


def chunks(bags: SomeBags) -> Iterator[Bags]:
    """Yield bags in pieces of limited memory."""
    size = max(1, CHUNK // max(1, bags.width))
    for rows in torch.arange(len(bags), device=bags.classes.device).split(size):
        yield bags.take(rows)
