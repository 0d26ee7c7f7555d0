"""train_mil: the networks of a user; of each, the epoch with the best validation score is kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lifelog import __version__
from lifelog.evaluate.metrics import METRICS
from lifelog.mil.bags import Bags, fit_scalings, read_bags, standardise_bags
from lifelog.mil.device import pick_device
from lifelog.mil.network import BagNetwork, MilNetwork
from lifelog.mil.optimiser import ClippedAdamW
from lifelog.settings.mil import Mil, Training
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality
from lifelog.splits.assign import DESCRIBED, exclusion, folds_tested, read_folds
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


class Member(NamedTuple):
    """A network of a checkpoint.

    Attributes
    ----------
    fold : int
        The fold of the split whose training windows it was trained on.
    network : MilNetwork
        In evaluation mode.
    scalings : dict of str to Scaling
        By modality, of its training windows.
    """

    fold: int
    network: MilNetwork
    scalings: dict[str, Scaling]


def train_mil(
    data_path: str | Path,
    splits_path: str | Path,
    modalities: list[Modality],
    target: Target,
    standardise: str,
    settings: Mil,
    checkpoints: Sequence[str | Path],
) -> None:
    """Train the networks of a user, and write one checkpoint (safetensors) per seed with a JSON file beside it.

    A checkpoint holds a network per tested fold of the split. It is trained on the training windows of the fold; the
    validation windows select its epoch.

    An excluded user, or one whose training fails, has checkpoints without weights, and the JSON file has the reason.
    Later stages leave the user out, and the report shows the reason.

    Parameters
    ----------
    data_path : str or Path
        A file of `extract_features` for the encoder `features`, of `extract_windows` for `convolution`.
    splits_path : str or Path
        A file of `assign_splits`.
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
    tensors: list[dict[str, Tensor]] = [{} for _ in settings.seeds]
    trained: list[dict[str, Any]] = [{} for _ in settings.seeds]
    if reason is None:
        folds = read_folds(splits_path)
        bags, used, classes = read_bags(
            data_path, folds[DESCRIBED], modalities, settings.labels, target.classes, settings.encoder
        )
        trained = [{"classes": classes, "channels": bags.channels, "folds": {}} for _ in settings.seeds]
        try:
            for fold in folds_tested(folds):
                subsets = folds[fold].subset[used.index]
                train, validation = (
                    bags.take(torch.tensor((subsets == name).tolist())) for name in ("train", "validation")
                )
                fits, scalings = _fit_seeds(train, validation, modalities, len(classes), standardise, settings)
                for own, about_own, fitted in zip(tensors, trained, fits, strict=True):
                    own |= _member_tensors(fold, fitted, scalings)
                    about_own["folds"][str(fold)] = {"epoch": fitted.epoch, "history": fitted.history}
        except TrainingError as error:
            reason = f"training failed: {error}"
            tensors, trained = [{} for _ in settings.seeds], [{} for _ in settings.seeds]
    if reason is not None:
        logger.warning("excluded: %s", reason)
    about: dict[str, Any] = {
        "version": __version__,
        "excluded": reason,
        "mil": settings.model_dump(exclude={"seeds"}),
        "standardise": standardise,
        "target": target.model_dump(),
        "modalities": [modality.model_dump() for modality in modalities],
    }
    for seed, checkpoint, own, about_own in zip(settings.seeds, checkpoints, tensors, trained, strict=True):
        with write_atomically(checkpoint) as file:
            save_file({name: value.contiguous() for name, value in sorted(own.items())}, file)
        write_json(about | {"seed": seed} | about_own, Path(checkpoint).with_suffix(".json"))


def _fit_seeds(
    train: Bags,
    validation: Bags,
    modalities: list[Modality],
    classes: int,
    standardise: str,
    settings: Mil,
) -> tuple[list[Fit], dict[str, Scaling]]:
    """Return a network per seed, and the scaling of the training windows."""
    device = pick_device(settings.device)
    scalings = fit_scalings(train, standardise)
    train = standardise_bags(train, scalings).to(device)
    validation = standardise_bags(validation, scalings).to(device)
    fits = []
    for seed in settings.seeds:
        torch.manual_seed(seed)
        network = MilNetwork(modalities, classes, settings, train.channels).to(device)
        fits.append(fit(network, train, validation, settings, seed))
    return fits, scalings


def _member_tensors(fold: int, fitted: Fit, scalings: dict[str, Scaling]) -> dict[str, Tensor]:
    """Return the tensors of a network of a checkpoint, by name."""
    prefix = _prefix(fold)
    tensors = {f"{prefix}network.{name}": value for name, value in fitted.state.items()}
    for name, scaling in scalings.items():
        for part, values in (("mean", scaling.mean), ("std", scaling.std)):
            tensors[f"{prefix}scaling.{name}.{part}"] = torch.from_numpy(values).float()
    return tensors


def _prefix(fold: int) -> str:
    return f"fold-{fold}."


def exclusion_of(checkpoint: str | Path) -> str | None:
    """Return why a user has no network, or None."""
    return read_json(Path(checkpoint).with_suffix(".json"))["excluded"]


def load_mil(
    checkpoint: str | Path, fold: int | None = None
) -> tuple[MilNetwork, dict[str, Scaling], dict[str, Any]] | None:
    """Load the network of a user in a fold.

    Parameters
    ----------
    checkpoint : str or Path
        A safetensors file of `train_mil`, with its JSON file beside it.
    fold : int, optional
        A tested fold of the split; the first one by default.

    Returns
    -------
    tuple of MilNetwork, dict of str to Scaling, and dict, or None
        The network in evaluation mode, the scaling by modality, and the content of the JSON file (settings, classes,
        and by fold: epoch, history). None for an excluded user.
    """
    members = load_members(checkpoint)
    if not members:
        return None
    own = next(member for member in members if fold in (None, member.fold))
    return own.network, own.scalings, read_json(Path(checkpoint).with_suffix(".json"))


def load_members(checkpoint: str | Path) -> list[Member]:
    """Load all networks of a checkpoint; none for an excluded user."""
    about = read_json(Path(checkpoint).with_suffix(".json"))
    if about["excluded"] is not None:
        return []
    tensors = load_file(checkpoint)
    settings = Mil.from_params(about["mil"] | {"seeds": [about["seed"]]})
    modalities = [Modality(**entry) for entry in about["modalities"]]
    members = []
    for fold in map(int, about["folds"]):
        network = MilNetwork(modalities, len(about["classes"]), settings, about["channels"])
        prefix = f"{_prefix(fold)}network."
        network.load_state_dict(
            {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
        )
        scalings = {
            name: Scaling(*(tensors[f"{_prefix(fold)}scaling.{name}.{part}"].numpy() for part in ("mean", "std")))
            for name in about["channels"]
        }
        members.append(Member(fold, network.eval(), scalings))
    return members


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
    train : SomeBags
        Training windows.
    validation : SomeBags
        Windows that select the epoch.
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
        seen = 0
        for rows in batches(len(train), settings, generator):
            batch = train.take(rows.to(train.classes.device))
            shown = hide_modalities(batch.present, settings.modality_dropout, generator)
            loss = bag_loss(network(batch.values, shown).log_probabilities, batch.classes, weights, settings)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(rows)  # read once per epoch: reading waits for the GPU
            seen += len(rows)
        train_loss = total.item() / seen
        if not math.isfinite(train_loss):
            raise TrainingError(
                f"epoch {epoch}: the loss is {train_loss}; lower mil.learning_rate or use windows.standardise: user"
            )
        validation_loss, score = evaluate(network, validation, weights, settings)
        scores = {"validation_loss": validation_loss, "validation_score": score}
        fitted.history.append({"epoch": epoch, "train_loss": train_loss} | scores)
        if (score, -validation_loss) > best_key:
            best_epoch, best_key = epoch, (score, -validation_loss)
            fitted.epoch, fitted.state = epoch, _state(network)
        now = time.monotonic()
        if now - logged > LOG_SECONDS or epoch in (1, settings.epochs):
            left = (now - started) / epoch * (settings.epochs - epoch)
            logger.info("epoch %d/%d: score %.3f, at most %.0f s left", epoch, settings.epochs, score, left)
            logged = now
        if epoch - best_epoch >= settings.patience:
            break
    logger.info("best epoch %d of %d: validation %s %.3f", best_epoch, epoch, settings.monitor, best_key[0])
    return fitted


def batches(windows: int, settings: Training, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the windows of each step of an epoch: one pass over them in random order, or as many steps as configured.

    Parameters
    ----------
    windows : int
        Number of windows.
    settings : Training
        Batch size, and updates per epoch.
    generator : torch.Generator
        Source of random numbers.

    Yields
    ------
    Tensor of int64, shape (n_windows_of_the_step,)
        Numbers of windows. A configured number of steps takes as many passes as it needs.
    """
    size = min(settings.batch_size, windows)
    steps = settings.updates_per_epoch
    if steps is None:
        yield from torch.randperm(windows, generator=generator).tensor_split(max(1, windows // size))
        return
    passes = -(-steps * size // windows)
    order = torch.cat([torch.randperm(windows, generator=generator) for _ in range(passes)])
    yield from order[: steps * size].split(size)


def _state(network: BagNetwork) -> dict[str, Tensor]:
    """Return a copy of the weights on the CPU."""
    return {name: x.detach().cpu().clone() for name, x in network.state_dict().items()}


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
    score = METRICS[settings.monitor].score(bags.classes.cpu().numpy(), outputs.cpu().numpy(), None)
    return bag_loss(outputs, bags.classes, weights, settings).item(), score


def validation_score(network: BagNetwork, validation: SomeBags, settings: Training) -> float:
    """Return the monitored score of a network, by which `fit` selects the epoch."""
    return evaluate(network, validation, None, settings)[1]


def chunks(bags: SomeBags) -> Iterator[Bags]:
    """Yield bags in pieces of limited memory."""
    size = max(1, CHUNK // max(1, bags.width))
    for rows in torch.arange(len(bags), device=bags.classes.device).split(size):
        yield bags.take(rows)
