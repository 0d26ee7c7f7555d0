"""train_mil: one network per seed for a user; the epoch with the best validation score is kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lifelog import __version__
from lifelog.metrics import METRICS
from lifelog.mil.bags import Bags, fit_scalings, read_bags, standardise_bags
from lifelog.mil.device import pick_device
from lifelog.mil.network import BagNetwork, MilNetwork
from lifelog.mil.optimiser import ClippedAdamW
from lifelog.settings.mil import Mil, Training
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality
from lifelog.splits import exclusion
from lifelog.standardise import Scaling
from lifelog.tables import read_json, write_atomically, write_json

logger = logging.getLogger(__name__)

LOG_SECONDS = 10  # between lines of the log
CHUNK = 2**21  # values that are scored at a time: 8 MB


class TrainingError(RuntimeError):
    """Training cannot continue; the message has the epoch and the cause."""


@dataclass
class Fit:
    """The best weights of a network, the epoch they come from, and the history of all epochs."""

    state: dict[str, Tensor]
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def train_mil(
    windows_path: str | Path,
    splits_path: str | Path,
    modalities: list[Modality],
    target: Target,
    standardise: str,
    settings: Mil,
    checkpoints: Sequence[str | Path],
) -> None:
    """Train the networks of a user, and write one checkpoint (safetensors) per seed with a JSON file beside it.

    An excluded user, or one whose training fails, has checkpoints without weights, and the JSON file has the reason.
    Later stages leave the user out, and the report shows the reason.

    Parameters
    ----------
    windows_path, splits_path : str or Path
        Files of `extract_windows` and `assign_splits`.
    modalities : list of Modality
        The instances of a bag.
    target : Target
        Its bins are the classes.
    standardise : str
        `user` or `none`.
    settings : Mil
        Network and training.
    checkpoints : sequence of str or Path
        One file to write per seed of `settings`.
    """
    reason = exclusion(splits_path)
    networks: list[tuple[dict[str, Tensor], dict[str, Any]]] = []
    if reason is None:
        try:
            bags, used, classes = read_bags(windows_path, splits_path, modalities, settings.labels, target.classes)
            train, validation = (
                bags.take(torch.tensor((used.subset == subset).tolist())) for subset in ("train", "validation")
            )
            del bags  # not held twice: a user may have windows of many days
            scalings = fit_scalings(train, standardise)
            train, validation = (standardise_bags(subset, scalings) for subset in (train, validation))
            networks = list(_train_seeds(train, validation, classes, scalings, modalities, settings))
        except TrainingError as error:
            reason = f"training failed: {error}"
    if reason is not None:
        logger.warning("excluded: %s", reason)
        networks = [({}, {})] * len(settings.seeds)
    about: dict[str, Any] = {
        "version": __version__,
        "excluded": reason,
        "mil": settings.model_dump(exclude={"seeds"}),
        "standardise": standardise,
        "target": target.model_dump(),
        "modalities": [modality.model_dump() for modality in modalities],
    }
    for seed, checkpoint, (tensors, trained) in zip(settings.seeds, checkpoints, networks, strict=True):
        with write_atomically(checkpoint) as file:
            save_file({name: value.contiguous() for name, value in sorted(tensors.items())}, file)
        write_json(about | {"seed": seed} | trained, Path(checkpoint).with_suffix(".json"))


def _train_seeds(
    train: Bags,
    validation: Bags,
    classes: list[str],
    scalings: dict[str, Scaling],
    modalities: list[Modality],
    settings: Mil,
) -> Iterator[tuple[dict[str, Tensor], dict[str, Any]]]:
    """Yield the tensors of each seed's checkpoint, and the description of its training."""
    device = pick_device(settings.device)
    train, validation = train.to(device), validation.to(device)
    scaling_tensors: dict[str, Tensor] = {}
    for name, scaling in scalings.items():
        for part, values in (("mean", scaling.mean), ("std", scaling.std)):
            scaling_tensors[f"scaling.{name}.{part}"] = torch.from_numpy(values).float()
    for seed in settings.seeds:
        torch.manual_seed(seed)
        fitted = fit(MilNetwork(modalities, len(classes), settings).to(device), train, validation, settings, seed)
        tensors = {f"network.{name}": value for name, value in fitted.state.items()} | scaling_tensors
        yield tensors, {"classes": classes, "epoch": fitted.epoch, "history": fitted.history, "device": device.type}


def exclusion_of(checkpoint: str | Path) -> str | None:
    """Return why a user has no network, or None."""
    return read_json(Path(checkpoint).with_suffix(".json"))["excluded"]


def load_mil(checkpoint: str | Path) -> tuple[MilNetwork, dict[str, Scaling], dict[str, Any]] | None:
    """Load a checkpoint.

    Parameters
    ----------
    checkpoint : str or Path
        A safetensors file of `train_mil`, with its JSON file beside it.

    Returns
    -------
    tuple of MilNetwork, dict of str to Scaling, and dict, or None
        The network in evaluation mode, the scaling by modality, and the content of the JSON file (settings, classes,
        epoch, history). None for an excluded user.
    """
    about = read_json(Path(checkpoint).with_suffix(".json"))
    if about["excluded"] is not None:
        return None
    tensors = load_file(checkpoint)
    modalities = [Modality(**entry) for entry in about["modalities"]]
    settings = Mil.from_params(about["mil"] | {"seeds": [about["seed"]]})
    network = MilNetwork(modalities, len(about["classes"]), settings)
    prefix = "network."
    network.load_state_dict({name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)})
    scalings = {
        m.name: Scaling(tensors[f"scaling.{m.name}.mean"].numpy(), tensors[f"scaling.{m.name}.std"].numpy())
        for m in modalities
    }
    return network.eval(), scalings, about


class SomeBags(Protocol):
    """Training data: bags in memory, or a source of bags."""

    present: Tensor
    classes: Tensor

    @property
    def width(self) -> int:
        """Number of values per bag."""

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Bags:
        """Return some bags."""


def fit(network: BagNetwork, train: SomeBags, validation: SomeBags, settings: Training, seed: int) -> Fit:
    """Train a network, and keep the weights of the epoch with the best validation score.

    Parameters
    ----------
    network : BagNetwork
        It is trained in place.
    train, validation : SomeBags
        Training windows, and the windows that select the epoch.
    settings : Training
        Epochs, patience, optimiser, loss, and the monitored score.
    seed : int
        Seed of the order of windows and of modality dropout.

    Returns
    -------
    Fit
        The best weights on the CPU, their epoch, and the history.

    Raises
    ------
    TrainingError
        If the loss is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    optimiser = ClippedAdamW(network, settings.learning_rate, settings.weight_decay, settings.max_grad_norm)
    weights = class_weights(train.classes, network.classes, settings.class_weights)
    best_epoch, best_key, fitted = 0, (-1.0, 0.0), Fit({})
    started = logged = time.monotonic()
    for epoch in range(1, settings.epochs + 1):
        network.train()
        total = torch.zeros((), dtype=torch.float64, device=train.classes.device)
        order = torch.randperm(len(train), generator=generator).to(train.classes.device)
        for rows in order.tensor_split(max(1, len(order) // settings.batch_size)):
            batch = train.take(rows)
            shown = hide_modalities(batch.present, settings.modality_dropout, generator)
            loss = bag_loss(network(batch.values, shown).log_probabilities, batch.classes, weights, settings)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(rows)  # read once per epoch: reading waits for the GPU
        train_loss = total.item() / len(train)
        if not math.isfinite(train_loss):
            raise TrainingError(
                f"epoch {epoch}: the loss is {train_loss}; lower mil.learning_rate or use windows.standardise: user"
            )
        validation_loss, score = evaluate(network, validation, weights, settings)
        scores = {"validation_loss": validation_loss, "validation_score": score}
        fitted.history.append({"epoch": epoch, "train_loss": train_loss} | scores)
        if (score, -validation_loss) > best_key:
            best_epoch, best_key = epoch, (score, -validation_loss)
            fitted.epoch = epoch
            fitted.state = {name: x.detach().cpu().clone() for name, x in network.state_dict().items()}
        now = time.monotonic()
        if now - logged > LOG_SECONDS or epoch in (1, settings.epochs):
            left = (now - started) / epoch * (settings.epochs - epoch)
            logger.info("epoch %d/%d: score %.3f, at most %.0f s left", epoch, settings.epochs, score, left)
            logged = now
        if epoch - best_epoch >= settings.patience:
            break
    logger.info("best epoch %d of %d: validation %s %.3f", best_epoch, epoch, settings.monitor, best_key[0])
    return fitted


def hide_modalities(present: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Hide modalities at random, so that each one learns to predict alone; never all modalities of a bag.

    Parameters
    ----------
    present : Tensor of bool, shape (n_bags, n_modalities)
        Which modalities are not missing.
    probability : float
        Probability of hiding a modality.
    generator : torch.Generator
        Source of random numbers.

    Returns
    -------
    Tensor of bool, shape (n_bags, n_modalities)
        Which modalities are shown to the network.
    """
    if probability == 0:
        return present
    shown = present & (torch.rand(present.shape, generator=generator) >= probability).to(present.device)
    return torch.where(shown.any(dim=1, keepdim=True), shown, present)


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


def bag_loss(log_probabilities: Tensor, classes: Tensor, weights: Tensor | None, settings: Training) -> Tensor:
    """Compute the focal loss (Lin et al., ICCV 2017); cross-entropy for gamma 0.

    Parameters
    ----------
    log_probabilities : Tensor, shape (n_bags, n_classes)
        Predictions.
    classes : Tensor of int64, shape (n_bags,)
        Class numbers.
    weights : Tensor, shape (n_classes,), or None
        Class weights.
    settings : Training
        Holds gamma.

    Returns
    -------
    Tensor, shape ()
        Mean over bags.
    """
    own = log_probabilities.gather(1, classes[:, None])[:, 0]
    losses = -((1 - own.exp()) ** settings.focal_gamma) * own if settings.focal_gamma else -own
    return losses.mean() if weights is None else (losses * weights[classes]).mean()


@torch.no_grad()
def evaluate(network: BagNetwork, bags: SomeBags, weights: Tensor | None, settings: Training) -> tuple[float, float]:
    """Evaluate a network.

    Parameters
    ----------
    network : BagNetwork
        It is set to evaluation mode.
    bags : SomeBags
        Windows with their classes.
    weights : Tensor, shape (n_classes,), or None
        Class weights of the loss.
    settings : Training
        Loss and monitored score.

    Returns
    -------
    loss, score : float
        Loss over all bags, and monitored score.
    """
    network.eval()
    outputs = torch.cat([network(part.values, part.present).log_probabilities for part in chunks(bags)])
    score = METRICS[settings.monitor].score(bags.classes.cpu().numpy(), outputs.cpu().numpy())
    return bag_loss(outputs, bags.classes, weights, settings).item(), score


def chunks(bags: SomeBags) -> Iterator[Bags]:
    """Yield bags in pieces of limited memory."""
    size = max(1, CHUNK // max(1, bags.width))
    for rows in torch.arange(len(bags), device=bags.classes.device).split(size):
        yield bags.take(rows)
