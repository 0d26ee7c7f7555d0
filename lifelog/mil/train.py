"""train_mil: the networks of a user; of each, the epoch with the best validation score is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from lifelog import __version__
from lifelog.mil.bags import Bags, fit_scalings, read_bags, standardise_bags
from lifelog.mil.device import pick_device
from lifelog.mil.fit import Fit, Task, TrainingError, fit
from lifelog.mil.network import MilNetwork
from lifelog.settings.mil import Mil
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality
from lifelog.splits.assign import DESCRIBED, exclusion, folds_tested, read_folds
from lifelog.standardise import Scaling
from lifelog.tables import read_json, write_atomically, write_json

logger = logging.getLogger(__name__)


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
            subsets = {fold: folds[fold].subset[used.index].to_numpy() for fold in folds_tested(folds)}
            for fold, fits, scalings in _fit_folds(bags, subsets, modalities, len(classes), standardise, settings):
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


def _fit_folds(
    bags: Bags,
    subsets: dict[int, NDArray[np.str_]],
    modalities: list[Modality],
    classes: int,
    standardise: str,
    settings: Mil,
) -> Iterator[tuple[int, list[Fit], dict[str, Scaling]]]:
    """Yield each fold, its network per seed, and the scaling of its training windows.

    The networks of all folds are trained together. Samples, of which each fold has a standardised copy, would take too
    much memory: they are trained fold by fold.
    """
    device = pick_device(settings.device)
    folds = list(subsets)
    for together in [folds] if settings.encoder == "features" else [[fold] for fold in folds]:
        scalings, tasks = {}, []
        for fold in together:
            train, validation = (bags.take(torch.from_numpy(subsets[fold] == x)) for x in ("train", "validation"))
            scalings[fold] = fit_scalings(train, standardise)
            train, validation = (standardise_bags(own, scalings[fold]).to(device) for own in (train, validation))
            for seed in settings.seeds:
                torch.manual_seed(seed)
                network = MilNetwork(modalities, classes, settings, bags.channels).to(device)
                tasks.append(Task(network, train, validation, seed))
        fits = iter(fit(tasks, settings))
        for fold in together:
            yield fold, [next(fits) for _ in settings.seeds], scalings[fold]


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
