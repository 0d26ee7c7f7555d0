"""train_mil: one user's networks, one a seed; the epoch with the best validation score is kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lifelog import __version__
from lifelog.config import Mil, Modality, Target, Training
from lifelog.metrics import confusion, macro_f1, published_f1
from lifelog.mil.bags import Bags, Scaling, fit_scaling, read_bags, scale
from lifelog.mil.device import pick_device
from lifelog.mil.network import MilNetwork
from lifelog.mil.optimiser import ClippedAdamW
from lifelog.splits import exclusion
from lifelog.tables import read_json, write_json, written_whole

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10
SCORES = {"macro_f1": macro_f1, "published_f1": published_f1}
CHUNK = 2**21  # values scored at once: 8 MB


class TrainingError(RuntimeError):
    """Training cannot go on, with the epoch and the cause."""


@dataclass
class Fit:
    """A trained network's best weights, and how it got there."""

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
    checkpoints: list[str] | list[Path],
) -> None:
    """Train a user's network under every seed; write its checkpoint (safetensors) and the JSON beside it.

    An excluded user, and one whose training fails, gets checkpoints without weights whose JSON says why: later stages
    leave that user out, and the report names the reason.
    """
    reason, networks = exclusion(splits_path), []
    if reason is None:
        try:
            # Handed straight on: nobody else holds the raw windows when `_networks` lets them go.
            networks = list(
                _networks(
                    *read_bags(windows_path, splits_path, modalities, settings.labels, target.classes),
                    modalities,
                    standardise,
                    settings,
                )
            )
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
    for seed, checkpoint, (tensors, found) in zip(settings.seeds, checkpoints, networks, strict=True):
        _write_checkpoint(tensors, about | {"seed": seed} | found, checkpoint)


def _networks(
    raw: Bags, used: pd.DataFrame, classes: list[str], modalities: list[Modality], standardise: str, settings: Mil
) -> Iterator[tuple[dict[str, Tensor], dict[str, Any]]]:
    """The tensors of every seed's checkpoint, and what its JSON tells of the training; of what `read_bags` gives."""
    device = pick_device(settings.device)
    parts = [raw.take(torch.tensor((used.part == part).tolist())) for part in ("train", "validation")]
    del raw  # a user of many days is not held three times
    scaling = fit_scaling(parts[0], standardise)
    train, validation = (scale(part, scaling).to(device) for part in parts)
    del parts
    for seed in settings.seeds:
        torch.manual_seed(seed)
        fitted = fit(MilNetwork(modalities, len(classes), settings).to(device), train, validation, settings, seed)
        tensors = {f"network.{name}": value for name, value in fitted.state.items()}
        for name, (mean, spread) in scaling.items():
            tensors |= {f"scaling.{name}.mean": mean, f"scaling.{name}.spread": spread}
        found = {"classes": classes, "epoch": fitted.epoch, "history": fitted.history, "device": device.type}
        yield tensors, found


def _write_checkpoint(tensors: dict[str, Tensor], about: dict[str, Any], checkpoint: str | Path) -> None:
    with written_whole(checkpoint) as part:
        save_file({name: value.contiguous() for name, value in sorted(tensors.items())}, part)
    write_json(about, Path(checkpoint).with_suffix(".json"))


def exclusion_of(checkpoint: str | Path) -> str | None:
    """Why the user has no network; None if there is one."""
    return read_json(Path(checkpoint).with_suffix(".json"))["excluded"]


def load_mil(checkpoint: str | Path) -> tuple[MilNetwork, Scaling, dict[str, Any]] | None:
    """Network in evaluation mode, scaling and JSON of a checkpoint; None for an excluded user."""
    about = read_json(Path(checkpoint).with_suffix(".json"))
    if about["excluded"] is not None:
        return None
    tensors = load_file(checkpoint)
    modalities = [Modality(**entry) for entry in about["modalities"]]
    network = MilNetwork(modalities, len(about["classes"]), Mil(**about["mil"]))
    prefix = "network."
    network.load_state_dict({name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)})
    scaling = {m.name: (tensors[f"scaling.{m.name}.mean"], tensors[f"scaling.{m.name}.spread"]) for m in modalities}
    return network.eval(), scaling, about


class SomeBags(Protocol):
    """What can be trained on: bags in memory, or where some can be taken from."""

    present: Tensor
    classes: Tensor
    width: int

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Bags: ...


class BagNetwork(Protocol):
    """What can be trained here: called with values by modality and presence, it gives `log_probabilities`."""

    classes: int


def fit(network: BagNetwork, train: SomeBags, validation: SomeBags, settings: Training, seed: int) -> Fit:
    """The training loop. Raises TrainingError when the loss is no number any more."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = ClippedAdamW(network, settings.learning_rate, settings.weight_decay, settings.clip)
    weights = class_weights(train.classes, network.classes, settings.class_weights)
    best, best_key, fitted = 0, (-1.0, 0.0), Fit({})
    started = said = time.monotonic()
    for epoch in range(1, settings.epochs + 1):
        network.train()
        total = torch.zeros((), dtype=torch.float64, device=train.classes.device)
        order = torch.randperm(len(train), generator=generator).to(train.classes.device)
        for rows in order.tensor_split(max(1, len(order) // settings.batch)):
            batch = train.take(rows)
            shown = hide_modalities(batch.present, settings.modality_dropout, generator)
            loss = bag_loss(network(batch.values, shown).log_probabilities, batch.classes, weights, settings)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(rows)  # read once an epoch: a GPU need not be waited for at every step
        trained = total.item() / len(train)
        if not math.isfinite(trained):
            raise TrainingError(
                f"epoch {epoch}: the loss is {trained}; lower mil.learning_rate or use windows.standardise: user"
            )
        loss, score = evaluate(network, validation, weights, settings)
        fitted.history.append(
            {"epoch": epoch, "train_loss": trained, "validation_loss": loss, "validation_score": score}
        )
        if (score, -loss) > best_key:
            best, best_key = epoch, (score, -loss)
            fitted.epoch = epoch
            fitted.state = {name: x.detach().cpu().clone() for name, x in network.state_dict().items()}
        now = time.monotonic()
        if now - said > SECONDS_BETWEEN_LINES or epoch in (1, settings.epochs):
            left = (now - started) / epoch * (settings.epochs - epoch)
            logger.info("epoch %d/%d: score %.3f, at most %.0f s left", epoch, settings.epochs, score, left)
            said = now
        if epoch - best >= settings.patience:
            break
    logger.info("best epoch %d of %d: validation %s %.3f", best, epoch, settings.keep, best_key[0])
    return fitted


def hide_modalities(present: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Presence with modalities hidden at random, so that each learns to speak for itself; never all of a bag."""
    if chance == 0:
        return present
    shown = present & (torch.rand(present.shape, generator=generator) >= chance).to(present.device)
    return torch.where(shown.any(dim=1, keepdim=True), shown, present)


def class_weights(classes: Tensor, count: int, way: str) -> Tensor | None:
    """Weights that give every class that occurs the same total, mean 1 a window; None without weighting."""
    if way == "none":
        return None
    counts = torch.bincount(classes, minlength=count)
    return torch.where(counts > 0, len(classes) / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)


def bag_loss(log_probabilities: Tensor, classes: Tensor, weights: Tensor | None, settings: Training) -> Tensor:
    """Focal loss (Lin et al., ICCV 2017) of log-probabilities (B, C); cross-entropy where gamma is 0."""
    own = log_probabilities.gather(1, classes[:, None])[:, 0]
    losses = -((1 - own.exp()) ** settings.focal_gamma) * own if settings.focal_gamma else -own
    return losses.mean() if weights is None else (losses * weights[classes]).mean()


@torch.no_grad()
def evaluate(network: BagNetwork, bags: SomeBags, weights: Tensor | None, settings: Training) -> tuple[float, float]:
    """Loss over all bags, and the score whose best epoch is kept."""
    network.eval()
    said = torch.cat([network(part.values, part.present).log_probabilities for part in chunks(bags)])
    counts = confusion(bags.classes.cpu().numpy(), said.argmax(dim=1).cpu().numpy(), said.shape[1])
    return bag_loss(said, bags.classes, weights, settings).item(), SCORES[settings.keep](counts)


def chunks(bags: SomeBags) -> Iterator[Bags]:
    """Bags in pieces that do not fill the memory."""
    size = max(1, CHUNK // max(1, bags.width))
    for rows in torch.arange(len(bags), device=bags.classes.device).split(size):
        yield bags.take(rows)
