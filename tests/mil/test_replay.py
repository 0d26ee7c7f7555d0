"""Recorded steps: on a processor with a stand-in for CUDA graphs, on a GPU with those."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lifelog.mil import fit as fitting
from lifelog.mil.fit import StackTraining, Task
from lifelog.mil.replay import EAGER, Recorder
from lifelog.settings.mil import Mil
from tests.mil.test_fit import assert_same, normalised, of_sizes

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class Operations(TorchDispatchMode):
    """The operations of a function with the places in memory that they read and write, as CUDA graphs have them.

    While they are recorded, no tensor that exists already is changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten.native_batch_norm.default:  # changes its statistics, which its schema hides
            result = func(*(x.clone() if isinstance(x, torch.Tensor) else x for x in args), **kwargs)
        else:
            result = args[0] if func._schema.is_mutable else func(*args, **kwargs)
        self.recorded.append((func, args, kwargs, result))
        return result

    def replay(self) -> None:
        """Run the operations again."""
        with torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, recorded in self.recorded:
                if func.is_view:
                    continue
                found = func(*args, **kwargs)
                for old, new in zip(tree_leaves(recorded), tree_leaves(found), strict=True):
                    if isinstance(old, torch.Tensor) and old is not new:
                        old.copy_(new)


class ProcessorRecorder(Recorder):
    """Records on a processor."""

    made: ClassVar[list[Recorder]] = []

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.made.append(self)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        operations = Operations()
        with operations:
            work()
        return operations.replay


def test_a_function_is_recorded_per_shape_and_replayed_with_new_values() -> None:
    total, calls = torch.zeros(3), []

    def step(x: torch.Tensor, scale: torch.Tensor) -> None:
        calls.append(1)
        total[: len(x)] += (x * scale).clamp(max=10)

    def reset() -> None:
        total.zero_()

    recorder = ProcessorRecorder(total.device)
    for i in range(EAGER + 3):
        recorder(reset)
        recorder(step, torch.full((3,), float(i)), torch.tensor(2.0))
        recorder(step, torch.ones(2), torch.tensor(float(i)))
        assert total.tolist() == [min(2 * i, 10) + i] * 2 + [min(2 * i, 10)]
    assert len(recorder.recorded) == 3 and len(calls) == 2 * (EAGER + 1)


def settings_of(kind: str) -> Mil:
    encoder = "features" if kind == "features" else "convolution"
    return Mil(encoder=encoder, epochs=14, patience=2, batch_size=8, learning_rate=0.03, modality_dropout=0.3)


def tasks_of(kind: str, count: int, device: str) -> list[Task]:
    """Networks in double precision, of which some stop before others."""
    settings, place = settings_of(kind), torch.device(device)
    if kind == "normalised":
        own = normalised((19, 19, 19, 19), settings)
    else:
        own = of_sizes(66, 40, 21, 9, encoder=settings.encoder)
    return [
        Task(task.network.to(place), task.train.to(place), task.validation.to(place), task.seed) for task in own[:count]
    ]


KINDS = pytest.mark.parametrize("kind", ["features", "convolution", "normalised"])
COUNTS = pytest.mark.parametrize("count", [1, 4])


@KINDS
@COUNTS
def test_replayed_steps_train_the_same_networks(kind: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With several shapes of steps, and networks that stop before others."""
    expected = StackTraining(tasks_of(kind, count, "cpu"), settings_of(kind)).run()
    monkeypatch.setattr(ProcessorRecorder, "made", [])
    monkeypatch.setattr(fitting, "Recorder", ProcessorRecorder)
    assert_same(StackTraining(tasks_of(kind, count, "cpu"), settings_of(kind), replay=True).run(), expected)
    first, *later = ProcessorRecorder.made
    assert {name for name, _ in first.recorded} == {"_take_step", "predict"}
    if count > 1:
        assert len({len(own.history) for own in expected}) > 2
        assert 1 <= len(later) <= 2  # when half of the networks have stopped


@pytest.mark.parametrize("replay", [False, True])
def test_a_training_is_freed_with_its_windows(replay: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the garbage collector: the windows of the next fold need the memory."""
    monkeypatch.setattr(fitting, "Recorder", ProcessorRecorder)
    monkeypatch.setattr(ProcessorRecorder, "made", [])
    training = StackTraining(tasks_of("features", 4, "cpu"), settings_of("features"), replay=replay)
    training.run()
    ProcessorRecorder.made.clear()
    remaining = weakref.ref(training.train)
    gc.disable()
    try:
        del training
        assert remaining() is None
    finally:
        gc.enable()


@GPU
@KINDS
@COUNTS
def test_a_gpu_trains_the_same_networks_with_and_without_replay(kind: str, count: int) -> None:
    """Compared with the processor."""
    expected = StackTraining(tasks_of(kind, count, "cpu"), settings_of(kind)).run()
    assert count == 1 or len({len(own.history) for own in expected}) > 2
    for replay in (False, True):
        training = StackTraining(tasks_of(kind, count, "cuda"), settings_of(kind), replay)
        first = training.recorder
        assert_same(training.run(), expected)
        names = {name for name, _ in first.recorded} if isinstance(first, Recorder) else set()
        assert names == ({"_take_step", "predict"} if replay else set())
