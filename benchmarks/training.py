"""Cases of networks and their training."""

from __future__ import annotations

import random
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.cohort import CONFIG, CONVOLUTION, TARGET, Tables, cohort_tables
from benchmarks.plain_training import PlainNetwork, PlainTraining, TorchAdamW, windows_of
from benchmarks.timing import Work, best, seconds
from lifelog.mil.bags import Bags, LabelledBags, fit_scalings, make_bags, standardise_bags
from lifelog.mil.checkpoint import write_checkpoint
from lifelog.mil.device import pick_device
from lifelog.mil.fit import StackTraining, Task, fit, start
from lifelog.mil.loss import bag_loss
from lifelog.mil.network import MilNetwork
from lifelog.mil.optimiser import ClippedAdamW
from lifelog.mil.stack import Stack
from lifelog.mil.train import train_mil
from lifelog.settings.mil import Mil
from lifelog.splits.folds import Folds, read_folds
from lifelog.windows.read import read_windows

Way = Literal["plain", "lifelog"]
Optimiser = Literal["torch", "fused", "lifelog"]
FEATURES = 12  # per modality, about as many as a modality has
UNMEASURED = 2  # first epochs
MULTIPLICATIONS = 23e6  # per window in the forward pass of the nine encoders


def baseline() -> dict[str, float]:
    """Do nothing: the peak memory is that of Python and the modules of the training cases."""
    return {}


def step(way: Way, batch: int, threads: int = 1, rounds: int = 10) -> dict[str, float]:
    """Run one training step of the nine-modality network at full length, including the selection of the batch."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    settings = CONVOLUTION.model_copy(update={"batch_size": batch})
    bags = _random_bags(batch)
    if way == "lifelog":
        network = MilNetwork(CONFIG.modalities, len(TARGET.classes), settings)
        work: Work = _training([Task(network, bags, bags, 0)], settings).train_epoch  # of one batch
    else:
        plain_network = PlainNetwork(CONFIG.modalities, len(TARGET.classes), settings)
        work = PlainTraining(plain_network, bags, settings).epoch  # of one batch
    return {"ms/window": 1000 * best(work, rounds) / batch}


def optimiser(way: Optimiser, batch: int = 8, rounds: int = 100) -> dict[str, float]:
    """Construct an optimiser in a new process, run its first step and further ones, on one thread.

    `torch` is torch.optim.AdamW after clip_grad_norm_, `fused` the same with fused=True; the network is the same.
    `s start` is the time of the construction and of the optimiser's part of the first step.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    bags = _random_bags(batch)
    network = MilNetwork(CONFIG.modalities, len(TARGET.classes), CONVOLUTION)
    start = time.perf_counter()
    zero, update = _adamw(way, network)
    construction = time.perf_counter() - start

    def backward() -> None:
        batch = bags.take(torch.randperm(len(bags)))
        loss = bag_loss(network(batch.values, batch.present).log_probabilities, batch.classes, None, CONVOLUTION)
        zero()
        torch.autograd.backward(loss)

    def whole() -> None:
        backward()
        update()

    backward()
    figures = {"s start": construction + seconds(update)}
    figures["ms/step"] = 1000 * best(whole, rounds)
    return figures | {"ms/update": 1000 * best(update, rounds)}


def epochs(way: Way, device: str, windows: int = 1290, batch: int = 512, count: int = 50) -> dict[str, float]:
    """Train one user's network on a device; each epoch also scores a tenth as many validation windows.

    On a GPU also the time of its kernels, and a lower bound: the multiplications of the forward pass of all windows at
    the speed of a large matrix product. The first epochs, in which libraries are initialised, are not measured.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    place = pick_device(device)
    settings = CONVOLUTION.model_copy(update={"batch_size": batch})
    train, validation = (_random_bags(size) for size in (windows, max(1, windows // 10)))
    if way == "lifelog":
        network = MilNetwork(CONFIG.modalities, len(TARGET.classes), settings).to(place)
        epoch = _epoch([_training([Task(network, train.to(place), validation.to(place), 0)], settings)])
    else:
        plain_network = PlainNetwork(CONFIG.modalities, len(TARGET.classes), settings).to(place)
        training, held_out = PlainTraining(plain_network, train, settings), windows_of(validation)

        def epoch() -> None:
            training.epoch()
            training.score(held_out)

    _repeat(epoch, UNMEASURED)
    figures = {"ms/epoch": 1000 * seconds(lambda: _repeat(epoch, count)) / count}
    return figures | (_gpu_figures(epoch, place, windows) if place.type == "cuda" else {})


def together(
    networks: int,
    encoder: Literal["features", "convolution"] = "features",
    device: str = "cpu",
    windows: int = 40,
    batch: int = 8,
    count: int = 10,
) -> dict[str, float]:
    """Train networks of as many participants at once, and one after the other; each epoch also scores a tenth.

    `speed-up` is the time of one network after the other by the time at once, of the same process.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    place = pick_device(device)
    settings = CONFIG.mil if encoder == "features" else CONVOLUTION
    settings = settings.model_copy(update={"batch_size": batch})
    tasks = []
    for seed in range(networks):
        train, validation = (_random_bags(size).to(place) for size in (windows, max(2, windows // 10)))
        if encoder == "features":
            train, validation = (_first_samples(bags) for bags in (train, validation))
        network = MilNetwork(CONFIG.modalities, len(TARGET.classes), settings, train.channels).to(place)
        tasks.append(Task(network, train, validation, seed))

    def milliseconds(trainings: list[StackTraining]) -> float:
        epoch = _epoch(trainings)
        _repeat(epoch, UNMEASURED)
        return 1000 * best(lambda: _repeat(epoch, count), 2) / count

    at_once = milliseconds([_training(tasks, settings)])
    alone = milliseconds([_training([task], settings) for task in tasks])
    return {"ms/epoch": at_once, "ms/epoch alone": alone, "speed-up": alone / at_once}


def _training(tasks: list[Task], settings: Mil) -> StackTraining:
    """Return the training of all tasks at once."""
    return StackTraining(start(tasks, settings), settings)


def _epoch(trainings: list[StackTraining]) -> Work:
    """Return a function that trains and scores for an epoch."""

    def epoch() -> None:
        for training in trainings:
            training.train_epoch().tolist()
            training.evaluate()

    return epoch


def _repeat(work: Work, count: int) -> None:
    for _ in range(count):
        work()


def _first_samples(bags: Bags) -> Bags:
    """Return bags in which the first samples stand for features."""
    values = {name: x.flatten(1)[:, None, :FEATURES] for name, x in bags.values.items()}
    return Bags(values, bags.present, bags.classes)


def _gpu_figures(epoch: Work, place: torch.device, windows: int, count: int = 2) -> dict[str, float]:
    """Return the GPU's figures of the case `epochs`."""
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        _repeat(epoch, count)
    kernels = sum(event.self_device_time_total for event in profiled.key_averages())
    peak = torch.cuda.max_memory_reserved() / 2**20
    square = torch.randn(8192, 8192, device=place)
    product = best(lambda: (square @ square)[0, 0].item(), 5)
    bound = product * MULTIPLICATIONS * (windows + windows // 10) / 8192**3
    return {"kernels ms/epoch": kernels / 1000 / count, "bound ms/epoch": 1000 * bound, "peak GPU MiB": peak}


def learning(way: Way, score: float = 0.8, seeds: int = 3, windows: int = 200, limit: int = 60) -> dict[str, float]:
    """Train one user's network until a validation macro-F1; epochs and seconds are means over seeds.

    A training that does not reach the score within `limit` epochs counts with all of them.
    """
    torch.set_num_threads(1)
    settings = CONVOLUTION.model_copy(update={"epochs": limit, "patience": limit, "batch_size": 16})
    with tempfile.TemporaryDirectory() as folder:
        tables = cohort_tables(Path(folder), 1, windows)
        folds, (bags, *_) = _recorded(tables)
    subsets = folds.fold(1).subset
    recorded = [bags.take(torch.tensor((subsets == subset).tolist())) for subset in ("train", "validation")]
    scalings = fit_scalings(recorded[0], "user")
    train, validation = (standardise_bags(subset, scalings) for subset in recorded)
    learn = _learn if way == "lifelog" else _learn_plain
    results = np.array([learn(train, validation, settings, score, seed) for seed in range(seeds)])
    return dict(zip(("epochs", "s"), results.mean(axis=0).tolist(), strict=True))


def _learn(train: Bags, validation: Bags, settings: Mil, score: float, seed: int) -> tuple[int, float]:
    """Train for all epochs; return the first epoch that reaches the score, and the share of the seconds until then."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    network = MilNetwork(CONFIG.modalities, len(TARGET.classes), settings)
    (fitted,) = fit([Task(network, train, validation, seed)], settings)
    scores = [row["validation_score"] for row in fitted.history]
    epoch = next((i for i, reached in enumerate(scores, 1) if reached >= score), len(scores))
    return epoch, (time.perf_counter() - start) * epoch / len(scores)


def _learn_plain(train: Bags, validation: Bags, settings: Mil, score: float, seed: int) -> tuple[int, float]:
    """Train until the score; return the epochs and seconds."""
    start = time.perf_counter()
    random.seed(seed)
    torch.manual_seed(seed)
    training = PlainTraining(PlainNetwork(CONFIG.modalities, len(TARGET.classes), settings), train, settings)
    held_out = windows_of(validation)
    epoch, reached = 0, 0.0
    while reached < score and epoch < settings.epochs:
        training.epoch()
        epoch, reached = epoch + 1, training.score(held_out)
    return epoch, time.perf_counter() - start


def mil(windows: int) -> dict[str, float]:
    """Train the network of one user with a given number of windows, for two epochs."""
    settings = CONVOLUTION.model_copy(update={"epochs": 2, "batch_size": 64, "seeds": [0]})
    with tempfile.TemporaryDirectory() as folder:
        tables = cohort_tables(Path(folder), 1, windows)

        def train() -> None:
            folds, bags = _recorded(tables)
            (checkpoint,) = train_mil(bags, folds, CONFIG.modalities, TARGET, settings)
            write_checkpoint(checkpoint, Path(folder) / "network.safetensors")

        return {"s": seconds(train)}


def _recorded(tables: Tables) -> tuple[Folds, LabelledBags]:
    """Read the folds and the windows of the first user."""
    folds = read_folds(tables.splits[0])
    return folds, make_bags(read_windows(tables.windows[0], CONFIG.modalities), folds)


def _adamw(way: Optimiser, network: MilNetwork) -> tuple[Work, Work]:
    """Return functions of an optimiser of a network: one sets its gradients to zero, the other updates it."""
    numbers = CONVOLUTION.learning_rate, CONVOLUTION.weight_decay, CONVOLUTION.max_grad_norm
    if way != "lifelog":
        other = TorchAdamW(network, *numbers, way == "fused")
        return other.zero_grad, other.step
    stack = Stack(network, [network.state_dict()])
    own = ClippedAdamW(stack.values, stack.gradient, *numbers)
    return partial(stack.gradient.zero_), partial(own.step, 1)


def _random_bags(count: int) -> Bags:
    """Return bags of noise of the nine modalities, all present."""
    values = {m.name: torch.randn(count, m.length, m.channels) for m in CONFIG.modalities}
    present = torch.ones(count, len(values), dtype=torch.bool)
    return Bags(values, present, torch.randint(0, len(TARGET.classes), (count,)))
