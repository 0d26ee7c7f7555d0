"""train_mil: the networks of a participant; of each, the epoch with the best validation score is kept."""

import logging
from itertools import product
from typing import Any

import torch

from lifelog import __version__
from lifelog.mil.bags import LabelledBags, fit_scalings, standardise_bags
from lifelog.mil.checkpoint import Checkpoint, fold_tensors
from lifelog.mil.device import pick_device
from lifelog.mil.fit import Task, TrainingError, fit
from lifelog.mil.network import MilNetwork
from lifelog.settings.mil import Mil
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality
from lifelog.splits.folds import Folds

logger = logging.getLogger(__name__)


def train_mil(
    labelled: LabelledBags,
    folds: Folds,
    modalities: list[Modality],
    target: Target,
    settings: Mil,
    standardise: str = "user",
) -> list[Checkpoint]:
    """Train the networks of a participant: one per training seed and tested fold.

    A network is trained on the training windows of its fold; the validation windows select its epoch.

    Parameters
    ----------
    labelled : LabelledBags
        Of `make_bags`, by features for the encoder `features`, by samples for `convolution`.
    folds : Folds
        Of `assign_splits`.
    modalities : list of Modality
        The instances of a bag.
    target : Target
        What is predicted.
    settings : Mil
        Network and training.
    standardise : str, default "user"
        `user` or `none`.

    Returns
    -------
    list of Checkpoint
        One per seed of `settings`. An excluded participant, or one whose training fails, has checkpoints without
        weights, which hold the reason: later stages leave the participant out.

    Examples
    --------
    >>> from lifelog import BlockedSplit, Mil, Target, make_cohort
    >>> from lifelog import assign_splits, extract_features, feature_instances, make_bags, train_mil
    >>> (person,) = make_cohort(participants=1, windows=40)
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=2))
    >>> features = extract_features([person.sensors], person.labels, person.modalities)
    >>> bags = make_bags(feature_instances(features), folds)
    >>> (checkpoint,) = train_mil(bags, folds, person.modalities, target, Mil(seeds=[0], epochs=2))
    >>> [member.fold for member in checkpoint.members()]
    [1, 2]
    """
    reason, trained = folds.excluded, [Checkpoint({}, {}) for _ in settings.seeds]
    if reason is None:
        try:
            trained = _train_folds(labelled, folds, modalities, standardise, settings)
        except TrainingError as error:
            reason = f"training failed: {error}"
    if reason is not None:
        logger.warning("excluded: %s", reason)
    about: dict[str, Any] = {"version": __version__, "excluded": reason, "mil": settings.model_dump(exclude={"seeds"})}
    about |= {"standardise": standardise, "target": target.model_dump()}
    about |= {"modalities": [modality.model_dump() for modality in modalities]}
    pairs = zip(settings.seeds, trained, strict=True)
    return [Checkpoint(about | {"seed": seed} | part.about, part.tensors) for seed, part in pairs]


def _train_folds(
    labelled: LabelledBags, folds: Folds, modalities: list[Modality], standardise: str, settings: Mil
) -> list[Checkpoint]:
    """Return the networks and histories of all folds, by seed.

    The networks of all folds are trained together. Samples, of which each fold has a standardised copy, would take too
    much memory: they are trained fold by fold.
    """
    device, channels = pick_device(settings.device), labelled.bags.channels
    about = {"classes": labelled.classes, "channels": channels}
    checkpoints = [Checkpoint(about | {"folds": {}}, {}) for _ in settings.seeds]
    for together in [folds.tested] if settings.encoder == "features" else [[fold] for fold in folds.tested]:
        scalings, tasks = {}, []
        for fold in together:
            split = folds.fold(fold)
            subsets, bags = split.subset[labelled.rows.index].to_numpy(), labelled.of_fold(split)
            train, validation = (bags.take(torch.from_numpy(subsets == x)) for x in ("train", "validation"))
            scalings[fold] = fit_scalings(train, standardise)
            train, validation = (standardise_bags(x, scalings[fold]).to(device) for x in (train, validation))
            for seed in settings.seeds:
                torch.manual_seed(seed)
                network = MilNetwork(modalities, len(labelled.classes), settings, channels).to(device)
                tasks.append(Task(network, train, validation, seed))
        for (fold, checkpoint), fitted in zip(product(together, checkpoints), fit(tasks, settings), strict=True):
            checkpoint.tensors.update(fold_tensors(fold, fitted.state, scalings[fold]))
            checkpoint.about["folds"][str(fold)] = {"epoch": fitted.epoch, "history": fitted.history}
    return checkpoints
