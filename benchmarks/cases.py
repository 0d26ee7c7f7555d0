"""What is measured. Each case runs in a process of its own and gives figures; `way` is `plain` or `lifelog`."""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.config import Config
from lifelog.settings.predict import Boosting, LifeLogNet, WindowNet
from lifelog.settings.windows import Simulation
from lifelog.tables import write_table
from lifelog.windows.etri import EtriSession, open_sessions
from lifelog.windows.extract import ROWS_AT_ONCE, extract_windows, read_pieces, windows_schema
from lifelog.windows.features import extract_features
from lifelog.windows.read import read_windows
from lifelog.windows.simulated import participants, simulate_cohort

CONFIG = Config()
CLASSES = CONFIG.target("tension").classes
STATES = 7  # of the simulated windows: enough for slow changes


def best(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest round, after one to warm up: what the machine can do when nothing else runs."""
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken[1:])


@contextlib.contextmanager
def recordings(minutes: int) -> Iterator[tuple[Path, float]]:
    """A simulated person's raw folder in sessions of 500 minutes at most, and its megabytes of CSV."""
    sessions = max(1, minutes // 500)
    simulation = Simulation(users=2, groups=2, sessions=sessions, minutes=minutes // sessions, missing=0)
    with tempfile.TemporaryDirectory() as folder:
        person = participants(simulation)[0]
        raw = Path(folder) / person.name
        simulate_cohort(simulation, {person.name: str(raw)}, Path(folder) / "truth.json")
        yield raw, sum(path.stat().st_size for path in raw.glob("*/*/*.csv")) / 1e6


def reading(way: str, minutes: int = 120) -> dict[str, float]:
    """Samples of every labelled minute from CSV, one core."""
    from benchmarks.plain import read_minutes

    with recordings(minutes) as (raw, megabytes):
        session = next(path for path in raw.iterdir() if path.is_dir())
        starts = [label.start for label in EtriSession(session).labels]

        def ours() -> None:
            for piece in EtriSession(session).cut(ROWS_AT_ONCE):
                for label in piece.labels:
                    for modality in CONFIG.modalities:
                        piece.read(modality, label.start)

        names = [modality.name for modality in CONFIG.modalities]
        work = ours if way == "lifelog" else lambda: read_minutes(session, starts, names)
        return {"MB/s": megabytes / best(work, 10 if way == "lifelog" else 3)}


def extraction(minutes: int, most: int = 1) -> dict[str, float]:
    """extract_windows from raw CSV on one core to `most`: read only, and with both tables written.

    The numbers of cores take turns, and medians over the turns are given: a machine that others share is not equally
    fast all the time. `times` is how much faster than on one core in the same turn.
    """
    with recordings(minutes) as (raw, megabytes):
        paths = raw.parent / "w.parquet", raw.parent / "q.parquet"
        settings = CONFIG.cohort, CONFIG.windows, CONFIG.modalities

        def read(processes: int) -> None:
            _, sessions = open_sessions(raw.name, raw, CONFIG.cohort, CONFIG.windows)
            pieces = (piece for session in sessions for piece in session.cut(ROWS_AT_ONCE))
            for _ in read_pieces(pieces, CONFIG.windows, CONFIG.modalities, processes):
                pass

        def written(processes: int) -> None:
            for path in paths:
                path.unlink(missing_ok=True)  # as in a run, where no job writes over a file
            extract_windows(raw.name, raw, *settings, *paths, processes)

        turns = []
        for _ in range(12 if minutes <= 2000 else 1):
            turn = {}
            for way in (read, written):
                for n in range(1, most + 1):
                    turn[f"s {way.__name__}, {n}"] = best(lambda: way(n), 1)  # noqa: B023 (called at once)
                    turn[f"times {way.__name__}, {n}"] = turn[f"s {way.__name__}, 1"] / turn[f"s {way.__name__}, {n}"]
            turns.append(turn)
        return {"MB of CSV": megabytes} | {name: float(np.median([turn[name] for turn in turns])) for name in turns[0]}


def windows_table(path: Path, user: str, count: int, seed: int) -> None:
    """A user's table of simulated windows, without CSV: noise, with a level that follows the label."""
    rng = np.random.default_rng(seed)
    labels = pa.schema([("emotionTension", pa.int16())])
    schema = windows_schema(labels, CONFIG.modalities)
    levels = np.repeat(rng.integers(1, 8, count // STATES + 1), STATES)[:count]
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for begin in range(0, count, 256):
            some = levels[begin : begin + 256]
            starts = 1_567_000_000 + 60 * np.arange(begin, begin + len(some))
            columns = [
                pa.array([user] * len(some)),
                pa.array(["0"] * len(some)),
                pa.array(starts).cast(pa.timestamp("s", tz="UTC")),
                pa.array(some.astype(np.int16)),
            ]
            for modality in CONFIG.modalities:
                size = modality.length * modality.channels
                values = rng.standard_normal((len(some), size), dtype=np.float32) + 0.05 * some[:, None]
                columns.append(pa.FixedSizeListArray.from_arrays(pa.array(values.astype(np.float32).ravel()), size))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def split_table(windows: Path, path: Path) -> None:
    """Parts of a windows table at random, as assign_splits writes them."""
    table = pq.read_table(windows, columns=["user", "session", "start", "emotionTension"]).to_pandas()
    rng = np.random.default_rng(0)
    bins = np.digitize(table.emotionTension, [3, 5])
    table["label"], table["level"] = [CLASSES[i] for i in bins], table.emotionTension.astype(str)
    table["subset"] = rng.choice(["train", "validation", "test"], len(table), p=[0.7, 0.15, 0.15])
    table = pa.Table.from_pandas(table.drop(columns="emotionTension"), preserve_index=False)
    write_table(table, path, table.schema, {"classes": CLASSES, "excluded": None})


def cohort_tables(folder: Path, users: int, windows: int) -> tuple[list[str], list[str], list[str], list[str]]:
    """Names, windows, features and splits of simulated users."""
    names = [str(101 + i) for i in range(users)]
    for i, name in enumerate(names):
        windows_table(folder / f"windows/{name}.parquet", name, windows, i)
        extract_features(folder / f"windows/{name}.parquet", 60, folder / f"features/{name}.parquet")
        split_table(folder / f"windows/{name}.parquet", folder / f"splits/{name}.parquet")
    files = ([str(folder / kind / f"{name}.parquet") for name in names] for kind in ("windows", "features", "splits"))
    return names, *files


def features(way: str, windows: int = 256) -> dict[str, float]:
    """Summary statistics and bin maxima of a user's windows."""
    from benchmarks.plain import describe

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.parquet"
        windows_table(path, "101", windows, 0)
        if way == "lifelog":
            seconds = best(lambda: extract_features(path, 60, Path(folder) / "f.parquet"), 3)
        else:
            seconds = best(lambda: describe(read_windows(path, CONFIG.modalities), 60), 1)
        return {"ms/window": 1000 * seconds / windows}


def step(way: str, batch: int, threads: int) -> dict[str, float]:
    """One training step of the nine modalities at full length, batch included."""
    import torch

    from benchmarks.plain import PlainNetwork, PlainTraining
    from lifelog.mil.bags import Bags
    from lifelog.mil.network import MilNetwork
    from lifelog.mil.optimiser import ClippedAdamW
    from lifelog.mil.train import bag_loss

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    settings = CONFIG.mil.model_copy(update={"batch_size": batch})
    values = {m.name: torch.randn(batch, m.length, m.channels) for m in CONFIG.modalities}
    present = torch.ones(batch, len(values), dtype=torch.bool)
    bags = Bags(values, present, torch.randint(0, len(CLASSES), (batch,)))
    kind = MilNetwork if way == "lifelog" else PlainNetwork
    network = kind(CONFIG.modalities, len(CLASSES), settings)
    if way == "lifelog":
        optimiser = ClippedAdamW(network, settings.learning_rate, settings.weight_decay, settings.max_grad_norm)

        def work() -> None:
            some = bags.take(torch.randperm(batch))
            loss = bag_loss(network(some.values, some.present).log_probabilities, some.classes, None, settings)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    else:
        training = PlainTraining(network, bags, settings)
        work = training.epoch  # of one batch
    return {"ms/window": 1000 * best(work, 8 if way == "lifelog" else 3) / batch}


MULTIPLICATIONS = 23e6  # of a window's way forward through the nine encoders


def epochs(way: str, device: str, windows: int = 1290, batch: int = 512, count: int = 10) -> dict[str, float]:
    """Epochs of one user's training on a device, each with the scores of 129 more windows, as in a whole training.

    Of a GPU also the time that its kernels take, and a floor: the multiplications of the way forward, of all windows,
    at the speed of a large product of matrices.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile

    from benchmarks.plain import PlainNetwork, PlainTraining
    from lifelog.mil.bags import Bags
    from lifelog.mil.device import pick_device
    from lifelog.mil.network import MilNetwork
    from lifelog.mil.train import fit

    torch.set_num_threads(1)
    torch.manual_seed(0)
    place = pick_device(device)
    settings = CONFIG.mil.model_copy(update={"batch_size": batch, "epochs": count, "patience": count})
    parts = []
    for size in (windows, max(1, windows // 10)):
        values = {m.name: torch.randn(size, m.length, m.channels) for m in CONFIG.modalities}
        present = torch.ones(size, len(values), dtype=torch.bool)
        parts.append(Bags(values, present, torch.randint(0, len(CLASSES), (size,))))
    if way == "lifelog":
        network = MilNetwork(CONFIG.modalities, len(CLASSES), settings).to(place)
        train, validation = (part.to(place) for part in parts)

        def work() -> None:
            fit(network, train, validation, settings, 0)
    else:
        training = PlainTraining(PlainNetwork(CONFIG.modalities, len(CLASSES), settings).to(place), parts[0], settings)
        held_out = PlainTraining(training.network, parts[1], settings).windows

        def work() -> None:
            for _ in range(count):
                training.epoch()
                training.score(held_out)

    figures = {"ms/epoch": 1000 * best(work, 1) / count}
    if place.type == "cuda":
        with profile(activities=[ProfilerActivity.CUDA]) as profiled:
            work()
        kernels = sum(event.self_device_time_total for event in profiled.key_averages())
        square = torch.randn(8192, 8192, device=place)
        product = best(lambda: (square @ square)[0, 0].item(), 5)
        figures["kernels ms/epoch"] = kernels / 1000 / count
        figures["floor ms/epoch"] = 1000 * product * MULTIPLICATIONS * (windows + windows // 10) / 8192**3
        figures["peak GPU MiB"] = torch.cuda.max_memory_allocated() / 2**20
    return figures


def learning(way: str, wanted: float = 0.8, seeds: int = 3) -> dict[str, float]:
    """Epochs and seconds of one user's training until the validation macro-F1 is reached, means over seeds.

    A training that does not get there counts with all its epochs.
    """
    import torch

    from benchmarks.plain import PlainNetwork, PlainTraining
    from lifelog.mil.bags import read_bags
    from lifelog.mil.network import MilNetwork
    from lifelog.mil.train import fit

    torch.set_num_threads(1)
    settings = CONFIG.mil.model_copy(update={"epochs": 60, "patience": 60, "batch_size": 16})
    epochs, seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        _, (windows,), _, (splits,) = cohort_tables(Path(folder), 1, 200)
        raw, used, classes = read_bags(windows, splits, CONFIG.modalities, "bins", CLASSES)
        parts = [raw.take(torch.tensor((used.subset == part).tolist())) for part in ("train", "validation")]
        train, validation = (scale(part, fit_scaling(parts[0], "user")) for part in parts)
    for seed in range(seeds):
        random.seed(seed)
        torch.manual_seed(seed)
        begun = time.perf_counter()
        if way == "lifelog":
            network = MilNetwork(CONFIG.modalities, len(classes), settings)
            scores = [h["validation_score"] for h in fit(network, train, validation, settings, seed).history]
            per_epoch = (time.perf_counter() - begun) / len(scores)
            epoch = next((i for i, score in enumerate(scores, 1) if score >= wanted), len(scores))
            taken = per_epoch * epoch
        else:
            training = PlainTraining(PlainNetwork(CONFIG.modalities, len(classes), settings), train, settings)
            held_out = PlainTraining(training.network, validation, settings).windows
            epoch, score = 0, 0.0
            while score < wanted and epoch < settings.epochs:
                training.epoch()
                epoch, score = epoch + 1, training.score(held_out)
            taken = time.perf_counter() - begun
        epochs.append(epoch)
        seconds.append(taken)
    return {"epochs": float(np.mean(epochs)), "s": float(np.mean(seconds))}


def mil(windows: int) -> dict[str, float]:
    """train_mil on one user of so many windows, two epochs."""
    from lifelog.mil.train import train_mil

    settings = CONFIG.mil.model_copy(update={"epochs": 2, "batch_size": 64, "seeds": [0]})
    with tempfile.TemporaryDirectory() as folder:
        _, (path,), _, (splits,) = cohort_tables(Path(folder), 1, windows)
        target, checkpoint = CONFIG.target("tension"), Path(folder) / "m.safetensors"
        begun = time.perf_counter()
        train_mil(path, splits, CONFIG.modalities, target, "user", settings, [checkpoint])
        return {"s": time.perf_counter() - begun}


def prepare(folder: str, users: int, windows: int) -> dict[str, float]:
    """The tables of a cohort, for the cases that only read them."""
    cohort_tables(Path(folder), users, windows)
    return {}


def predictor(name: str, folder: str) -> dict[str, float]:
    """One predictor for everyone, one epoch or few trees, on tables that lie in `folder`."""
    from lifelog.predict.samples import read_samples
    from lifelog.predict.train import train_predictor

    settings = {
        "boosting": Boosting(max_iter=20),
        "lifelognet": LifeLogNet(epochs=1),
        "windownet": WindowNet(epochs=1, batch_size=64),
    }[name]
    kinds = {kind: sorted(map(str, Path(folder, kind).iterdir())) for kind in ("features", "splits", "windows")}
    users = [Path(path).stem for path in kinds["splits"]]
    begun = time.perf_counter()
    windows = kinds["windows"] if name == "windownet" else None
    samples = read_samples(kinds["features"], kinds["splits"], users, "user", windows, folder)
    groups = pd.DataFrame({"user": users, "group": "everyone", "share": 1.0})
    train_predictor(groups, samples, settings, Path(folder) / f"{name}.parquet")
    return {"s": time.perf_counter() - begun, "windows": len(samples)}
