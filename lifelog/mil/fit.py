"""The training of networks; of each, the epoch with the best validation score is kept.

Small networks of the same structure are trained together. Each has its own windows, random numbers, number of steps per
epoch and best epoch, and leaves the others when it stops, so that it becomes what it would become alone, to rounding.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from lifelog.mil.bags import Bags
from lifelog.mil.loss import Evaluation, bag_loss, class_weights
from lifelog.mil.network import BagNetwork
from lifelog.mil.optimiser import ClippedAdamW
from lifelog.mil.replay import Recorder, unrecorded
from lifelog.mil.stack import SomeBags, Stack, StackedBags, Weights
from lifelog.mil.steps import Schedule, hide_modalities, step_sizes
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
        own = [tasks[i] for i in places]
        fits |= dict(zip(places, StackTraining(own, settings).run(), strict=True))
    for i, task in enumerate(tasks):
        task.network.load_state_dict(fits[i].state)
        task.network.zero_grad()  # gradients are views of those of all
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
    same = [list(own) for _, own in groupby(order, lambda i: counts[i])] if normalised else [order]
    return [own[start : start + size] for own in same for start in range(0, len(own), size)]


class StackTraining:
    """The training of a stack of networks.

    Parameters
    ----------
    tasks : sequence of Task
        In descending order of their steps per epoch.
    settings : Training
        Epochs, patience, optimiser, loss, and the monitored score.
    replay : bool, optional
        Record steps and evaluations, and replay them; by default on a GPU. Windows in a file are read in every step,
        which is never recorded.
    """

    def __init__(self, tasks: Sequence[Task], settings: Training, replay: bool | None = None) -> None:
        self.settings = settings
        self.stack = Stack([task.network for task in tasks])
        self.optimiser = ClippedAdamW(
            self.stack.values,
            self.stack.gradient,
            settings.learning_rate,
            settings.weight_decay,
            settings.max_grad_norm,
        )
        self.train = StackedBags([task.train for task in tasks])
        self.validation = StackedBags([task.validation for task in tasks])
        self.generators = [torch.Generator().manual_seed(task.seed) for task in tasks]
        count, weighting = tasks[0].network.classes, settings.class_weights
        weights = [class_weights(task.train.classes, count, weighting) for task in tasks]
        self.weights = torch.stack([x for x in weights if x is not None]) if weighting != "none" else None
        self.fits = [Fit() for _ in tasks]
        self.best: dict[int, Weights] = {}
        self.active = list(range(len(tasks)))  # the tasks of the networks of the stack
        self.device = self.stack.values.device
        wanted = self.device.type == "cuda" if replay is None else replay
        self.replay = wanted and isinstance(self.train.source, Bags)
        self._begin()

    def _begin(self) -> None:
        """Prepare what depends on the networks of the stack; former recordings hold the addresses of former tensors."""
        modalities = self.train.source.present.shape[1]
        self.schedule = Schedule(self.train.counts, modalities, self.settings, self.device)
        self.losses = torch.zeros(len(self.stack), dtype=torch.float64, device=self.device)  # sums over an epoch
        self.evaluation = Evaluation(self.stack, self.validation, self.weights, self.settings)
        self.recorder: Callable[..., None] = Recorder(self.device) if self.replay else unrecorded

    @property
    def running(self) -> list[int]:
        """Places in the stack of the networks that have improved lately; the others have stopped."""
        fits = [self.fits[i] for i in self.active]
        return [p for p, own in enumerate(fits) if len(own.history) - own.epoch < self.settings.patience]

    def run(self) -> list[Fit]:
        """Train until every network stops."""
        settings = self.settings
        started = logged = time.monotonic()
        for epoch in range(1, settings.epochs + 1):
            train_losses = self.train_epoch().tolist()
            for loss in (train_losses[place] for place in self.running):
                if not math.isfinite(loss):
                    raise TrainingError(
                        f"epoch {epoch}: the loss is {loss}; lower mil.learning_rate or use windows.standardise: user"
                    )
            self._select(epoch, train_losses)
            now = time.monotonic()
            if now - logged > LOG_SECONDS or epoch in (1, settings.epochs):
                left = (now - started) / epoch * (settings.epochs - epoch)
                best = max(self.fits[i].history[-1]["validation_score"] for i in self.active)
                logger.info("epoch %d/%d: score %.3f, at most %.0f s left", epoch, settings.epochs, best, left)
                logged = now
            if not self.running:
                break
            self._drop_stopped()
        for i, own in enumerate(self.fits):
            own.state = self.stack.state(self.best[i])
            logger.info(
                "best epoch %d of %d: validation %s %.3f", own.epoch, len(own.history), settings.monitor, own.score
            )
        return self.fits

    def train_epoch(self) -> Tensor:
        """Train all networks for an epoch, and return the mean loss of each, (N,), without waiting for the device.

        Only the recording of a step waits.
        """
        self.stack.train(True)
        schedule = self.schedule
        rows, numbers = schedule.draw(self.generators)
        self.losses.zero_()
        for step, (count, size) in enumerate(zip(schedule.networks, schedule.sizes, strict=True)):
            self.recorder(self._take_step, *(x[step, :count, :size] for x in (rows, schedule.shares, numbers)))
        return self.losses / schedule.windows

    def _take_step(self, rows: Tensor, shares: Tensor, numbers: Tensor) -> None:
        """Update the first n networks by their windows `rows`, (n, B); see `Schedule`."""
        count = len(rows)
        batch = self.train.take(rows)
        shown = hide_modalities(batch.present, numbers, self.settings.modality_dropout)
        own = None if self.weights is None else self.weights[:count]
        losses = bag_loss(self.stack(batch, shown), batch.classes, own, self.settings, shares)
        self.stack.gradient.zero_()
        losses.sum().backward()
        self.optimiser.step(count)
        self.losses[:count] += losses.detach() * (shares > 0).sum(dim=1)

    def evaluate(self) -> tuple[list[float], list[float]]:
        """Return the validation loss and score of each network of the stack."""
        self.recorder(self.evaluation.predict)
        return self.evaluation.losses.tolist(), self.evaluation.scores()

    def _select(self, epoch: int, train_losses: list[float]) -> None:
        """Score the networks that have not stopped, and keep the weights of those that have improved."""
        losses, scores = self.evaluate()
        for place in self.running:
            i = self.active[place]
            own, scored = self.fits[i], {"validation_loss": losses[place], "validation_score": scores[place]}
            own.history.append({"epoch": epoch, "train_loss": train_losses[place]} | scored)
            if (scores[place], -losses[place]) > own.key:
                own.epoch, own.key = epoch, (scores[place], -losses[place])
                self.best[i] = self.stack.weights(place)

    def _drop_stopped(self) -> None:
        """Continue without the networks that have stopped."""
        places = self.running
        # New recordings take longer than steps of stopped networks, until these are half of the stack.
        if len(places) > (len(self.active) // 2 if self.replay else len(self.active) - 1):
            return
        rows = torch.tensor(places, device=self.device)
        self.stack.keep(rows)
        self.optimiser.keep(self.stack.values, self.stack.gradient, rows)
        self.train.keep(places)
        self.validation.keep(places)
        self.weights = None if self.weights is None else self.weights[rows]
        self.generators = [self.generators[place] for place in places]
        self.active = [self.active[place] for place in places]
        self._begin()
