"""The training of networks: each keeps the weights of the epoch with the best validation score.

Small networks of the same structure are trained together. Each has its own windows, random numbers, number of steps per
epoch, and best epoch. The result equals separate training up to floating-point rounding.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from lifelog.f1 import monitored_score
from lifelog.mil.bags import Bags
from lifelog.mil.loss import bag_loss, class_weights, predict_stack
from lifelog.mil.network import BagNetwork
from lifelog.mil.optimiser import ClippedAdamW, Moments
from lifelog.mil.stack import BagRange, SomeBags, Stack, join_sources, take_bags
from lifelog.mil.steps import draw_epoch, hide_modalities, step_sizes
from lifelog.settings.mil import Training

logger = logging.getLogger(__name__)

LOG_SECONDS = 10  # between lines of the log
# Values of the windows of a step, up to which networks are trained together: a processor's larger steps are not bound
# by the number of their operations, and a GPU's larger ones take longer together (docs/performance.md).
STEP_VALUES = {"cpu": 2**16, "cuda": 2**22}


class TrainingError(RuntimeError):
    """Training cannot continue; the message has the epoch and the cause."""


class Task(NamedTuple):
    """A network to train.

    Attributes
    ----------
    network : BagNetwork
        Untrained, or to train further.
    train : SomeBags
        Training windows.
    validation : SomeBags
        Windows that select the epoch.
    seed : int
        Seed of the order of windows and of modality dropout.
    """

    network: BagNetwork
    train: SomeBags
    validation: SomeBags
    seed: int


@dataclass
class Fit:
    """The best weights of a network, the epoch they come from, its validation score, and the history of all epochs."""

    state: dict[str, Tensor] = field(default_factory=dict)
    epoch: int = 0
    key: tuple[float, float] = (-1.0, 0.0)
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Validation score of the best epoch."""
        return self.key[0]

    def update(self, epoch: int, train_loss: float, loss: float, score: float, state: dict[str, Tensor]) -> None:
        """Add an epoch to the history, and copy its weights to the CPU if its validation score is the best one."""
        self.history.append(
            {"epoch": epoch, "train_loss": train_loss, "validation_loss": loss, "validation_score": score}
        )
        if (score, -loss) > self.key:
            self.epoch, self.key = epoch, (score, -loss)
            self.state = {name: x.to("cpu", copy=True) for name, x in state.items()}


@dataclass
class Learner:
    """A network in training.

    Attributes
    ----------
    network : BagNetwork
        Its initial weights are those of the training.
    train, validation : BagRange
        Its windows.
    class_weights : Tensor, shape (n_classes,), or None
        Class weights of its loss.
    generator : torch.Generator
        Source of its random numbers.
    state : dict of str to Tensor
        Current weights.
    moments : Moments, optional
        Current state of its optimiser; none before the first step.
    fit : Fit
        Best epoch so far.
    """

    network: BagNetwork
    train: BagRange
    validation: BagRange
    class_weights: Tensor | None
    generator: torch.Generator
    state: dict[str, Tensor]
    moments: Moments | None = None
    fit: Fit = field(default_factory=Fit)


def fit(tasks: Sequence[Task], settings: Training) -> list[Fit]:
    """Train networks of the same structure, and give each the weights of the epoch with the best validation score.

    Parameters
    ----------
    tasks : sequence of Task
        Networks with their windows.
    settings : Training
        Epochs, patience, optimiser, loss, and the monitored score.

    Returns
    -------
    list of Fit
        By task.

    Raises
    ------
    TrainingError
        If a loss is not finite.
    """
    fits: dict[int, Fit] = {}
    for places in stacks(tasks, settings):
        fits |= dict(zip(places, train_together([tasks[i] for i in places], settings), strict=True))
    for i, task in enumerate(tasks):
        task.network.load_state_dict(fits[i].state)
        task.network.zero_grad()  # gradients may be views of those of a stack
    return [fits[i] for i in range(len(tasks))]


def stacks(tasks: Sequence[Task], settings: Training) -> list[list[int]]:
    """Choose networks to train together.

    Parameters
    ----------
    tasks : sequence of Task
        Networks of the same structure.
    settings : Training
        Batch size, and updates per epoch.

    Returns
    -------
    list of list of int
        Numbers of tasks; those with similar numbers of steps per epoch are together. Networks with buffers, which are
        the statistics of batch normalisation, are only with those of as many windows: the statistics would include
        padding. Networks with windows in a file are alone.
    """
    task, counts = tasks[0], [len(task.train) for task in tasks]
    size = max(1, STEP_VALUES[task.train.classes.device.type] // (task.train.width * settings.batch_size))
    size = size if isinstance(task.train, Bags) else 1
    order = sorted(range(len(tasks)), key=lambda i: (-len(step_sizes(counts[i], settings)), counts[i]))
    normalised = any(True for _ in task.network.buffers())
    same = [list(tied) for _, tied in groupby(order, lambda i: counts[i])] if normalised else [order]
    return [numbers[first : first + size] for numbers in same for first in range(0, len(numbers), size)]


def train_together(tasks: Sequence[Task], settings: Training) -> list[Fit]:
    """Train networks at once, each until its validation score has not improved for `patience` epochs.

    Parameters
    ----------
    tasks : sequence of Task
        One item of `stacks`.
    settings : Training
        Epochs, patience, optimiser, loss, and the monitored score.

    Returns
    -------
    list of Fit
        By task.
    """
    learners = start(tasks, settings)
    running, stack = learners, StackTraining(learners, settings)
    started = logged = time.monotonic()
    for epoch in range(1, settings.epochs + 1):
        train_losses = stack.train_epoch().tolist()
        for loss in train_losses:
            if not math.isfinite(loss):
                raise TrainingError(
                    f"epoch {epoch}: the loss is {loss}; lower mil.learning_rate or use windows.standardise: user"
                )
        losses, scores = stack.evaluate()
        for learner, train_loss, loss, score in zip(running, train_losses, losses, scores, strict=True):
            learner.fit.update(epoch, train_loss, loss, score, learner.state)
        now = time.monotonic()
        if now - logged > LOG_SECONDS or epoch in (1, settings.epochs):
            left = (now - started) / epoch * (settings.epochs - epoch)
            logger.info("epoch %d/%d: score %.3f, at most %.0f s left", epoch, settings.epochs, max(scores), left)
            logged = now
        still = [learner for learner in running if epoch - learner.fit.epoch < settings.patience]
        if not still:
            break
        if len(still) < len(running):
            running, stack = still, StackTraining(still, settings)
    fits = [learner.fit for learner in learners]
    for best in fits:
        epochs, name = len(best.history), settings.monitor
        logger.info("best epoch %d of %d: validation %s %.3f", best.epoch, epochs, name, best.score)
    return fits


def start(tasks: Sequence[Task], settings: Training) -> list[Learner]:
    """Return a learner for each task."""
    train, validation = join_sources([task.train for task in tasks]), join_sources([task.validation for task in tasks])
    learners = []
    for task, train_rows, validation_rows in zip(tasks, train, validation, strict=True):
        weights = class_weights(task.train.classes, task.network.classes, settings.class_weights)
        generator = torch.Generator().manual_seed(task.seed)
        state = task.network.state_dict()
        learners.append(Learner(task.network, train_rows, validation_rows, weights, generator, state))
    return learners


class StackTraining:
    """The training of several networks at once.

    Parameters
    ----------
    learners : sequence of Learner
        In descending order of their steps per epoch. Their weights and optimiser states are copied into one stack, and
        become views of it: a later stack of some of the learners continues their training.
    settings : Training
        Optimiser, loss, and the monitored score.
    """

    def __init__(self, learners: Sequence[Learner], settings: Training) -> None:
        self.learners, self.settings = learners, settings
        self.stack = Stack(learners[0].network, [learner.state for learner in learners])
        before = [learner.moments for learner in learners if learner.moments is not None]
        keys = settings.learning_rate, settings.weight_decay, settings.max_grad_norm
        self.optimiser = ClippedAdamW(self.stack.values, self.stack.gradient, *keys, before)
        for learner, state, moments in zip(learners, self.stack.states, self.optimiser.moments, strict=True):
            learner.state, learner.moments = state, moments
        weights = [learner.class_weights for learner in learners if learner.class_weights is not None]
        self.class_weights = torch.stack(weights) if weights else None

    def train_epoch(self) -> Tensor:
        """Train for an epoch, and return the mean loss of each network, (N,), without waiting for the device."""
        learners, source = self.learners, self.learners[0].train.source
        device, modalities = source.classes.device, source.present.shape[1]
        windows, generators = [learner.train.rows for learner in learners], [learner.generator for learner in learners]
        self.stack.network.train()
        losses, counts = torch.zeros(2, len(learners), dtype=torch.float64, device=device)
        for rows, shares, numbers in draw_epoch(windows, generators, modalities, self.settings, device):
            networks, sizes = len(rows), (shares > 0).sum(dim=1)
            losses[:networks] += self._step(take_bags(source, rows), shares, numbers) * sizes
            counts[:networks] += sizes
        return losses / counts

    def _step(self, bags: Bags, shares: Tensor, numbers: Tensor) -> Tensor:
        """Update the first n networks by the windows of a step, and return their losses, (n,)."""
        networks = len(shares)
        shown = hide_modalities(bags.present, numbers, self.settings.modality_dropout)
        weights = None if self.class_weights is None else self.class_weights[:networks]
        losses = bag_loss(self.stack(bags, shown), bags.classes, weights, self.settings, shares)
        self.stack.gradient.zero_()
        losses.sum().backward()
        self.optimiser.step(networks)
        return losses.detach()

    def evaluate(self) -> tuple[list[float], list[float]]:
        """Return the validation loss and the monitored score of each network."""
        source, ranges = self.learners[0].validation.source, [learner.validation.rows for learner in self.learners]
        device = source.classes.device
        starts = torch.tensor([[rows.start] for rows in ranges], device=device)
        counts = torch.tensor([[len(rows)] for rows in ranges], device=device)
        places = torch.arange(max(map(len, ranges)), device=device).expand(len(ranges), -1)
        rows = starts + torch.minimum(places, counts - 1)  # the last window pads
        predicted, classes = predict_stack(self.stack, source, rows), source.classes[rows]
        losses = bag_loss(predicted, classes, self.class_weights, self.settings, (places < counts) / counts)
        pairs = zip(classes.cpu().numpy(), predicted.cpu().numpy(), map(len, ranges), strict=True)
        monitor = self.settings.monitor
        return losses.tolist(), [monitored_score(monitor, true[:n], output[:n]) for true, output, n in pairs]
