"""The loss of networks, and the score by which validation windows select their epoch."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lifelog.f1 import monitored_score
from lifelog.mil.bags import Bags
from lifelog.mil.network import BagNetwork
from lifelog.mil.stack import SomeBags, Stack, take_bags
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
def predict_stack(stack: Stack, source: SomeBags, rows: Tensor) -> Tensor:
    """Predict in evaluation mode, in pieces of limited memory.

    Parameters
    ----------
    stack : Stack
        N networks.
    source : SomeBags
        Windows of all networks.
    rows : Tensor of int64, shape (N, n_bags)
        Rows of the windows of each network.

    Returns
    -------
    Tensor, shape (N, n_bags, n_classes)
        Log-probabilities.
    """
    stack.network.eval()
    parts = []
    for some in rows.split(max(1, CHUNK // max(1, source.width * len(stack))), dim=1):
        bags = take_bags(source, some)
        parts.append(stack(bags, bags.present))
    return torch.cat(parts, dim=1)


@torch.no_grad()
def validation_score(network: BagNetwork, validation: SomeBags, settings: Training) -> float:
    """Return the monitored score of a network, by which `fit` selects the epoch."""
    network.eval()
    predicted = torch.cat([network(bags.values, bags.present).log_probabilities for bags in chunks(validation)])
    return monitored_score(settings.monitor, validation.classes.cpu().numpy(), predicted.cpu().numpy())


def chunks(bags: SomeBags) -> Iterator[Bags]:
    """Yield bags in pieces of limited memory."""
    size = max(1, CHUNK // max(1, bags.width))
    for rows in torch.arange(len(bags), device=bags.classes.device).split(size):
        yield bags.take(rows)
