"""Recorded steps: on a processor with a stand-in for CUDA graphs, on a GPU with those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lifelog.mil import fit as fitting
from lifelog.mil import replay
from lifelog.mil.fit import StackTraining, Task
from lifelog.mil.replay import EAGER, Replay
from lifelog.settings.mil import Mil
from tests.mil.test_fit import normalised, of_sizes

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class Recording(TorchDispatchMode):
    """The operations of a step with the places in memory that they read and write, as CUDA graphs have them.

    While they are recorded, nothing that exists already is changed; operations that wait for the GPU raise an error.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        assert func is not torch.ops.aten._local_scalar_dense.default and func is not torch.ops.aten.nonzero.default
        result = args[0] if func._schema.is_mutable else func(*args, **kwargs)
        self.operations.append((func, args, kwargs, result))
        return result

    def replay(self) -> None:
        """Run the operations again."""
        with torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, recorded in self.operations:
                if func.is_view:
                    continue
                found = func(*args, **kwargs)
                for old, new in zip(tree_leaves(recorded), tree_leaves(found), strict=True):
                    if isinstance(old, torch.Tensor) and old is not new:
                        old.copy_(new)


def record_operations(work: Callable[[], None], device: torch.device) -> Callable[[], None]:
    recording = Recording()
    with recording:
        work()
    return recording.replay


def test_a_step_is_recorded_per_shape_and_replayed_with_new_values(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = []
    monkeypatch.setattr(replay, "record", lambda work, device: recorded.append(1) or record_operations(work, device))
    total = torch.zeros(3)
    calls = []

    def step(x: torch.Tensor, scale: torch.Tensor) -> None:
        calls.append(1)
        total[: len(x)] += (x * scale).clamp(max=10)

    own = Replay(step, total.device)
    for i in range(EAGER + 3):
        own(torch.full((3,), float(i)), torch.tensor(2.0))
        own(torch.ones(2), torch.tensor(float(i)))
    expected = sum(min(2 * i, 10) for i in range(EAGER + 3))
    assert total.tolist() == [expected + sum(range(EAGER + 3))] * 2 + [expected]
    assert len(recorded) == 2 and len(calls) == 2 * (EAGER + 1)


def trained(tasks: list[Task], settings: Mil, monkeypatch: pytest.MonkeyPatch | None = None) -> list[fitting.Fit]:
    """Train networks, with recorded operations if `monkeypatch` is given."""
    training = StackTraining(tasks, settings)
    if monkeypatch:
        monkeypatch.setattr(replay, "record", record_operations)
        training.replay = True
        training._begin()
    return training.run()


def assert_same(first: list[fitting.Fit], second: list[fitting.Fit]) -> None:
    for a, b in zip(first, second, strict=True):
        assert a.epoch == b.epoch and len(a.history) == len(b.history)
        for one, other in zip(a.history, b.history, strict=True):
            assert one == pytest.approx(other)
        for name, x in b.state.items():
            torch.testing.assert_close(a.state[name], x)


@pytest.mark.parametrize("encoder", ["features", "convolution"])
@pytest.mark.parametrize("sizes", [(21,), (66, 40, 21)])
def test_recorded_steps_train_the_same_networks(
    encoder: str, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several shapes of steps, and networks that stop before others; in double precision."""
    settings = Mil(encoder=encoder, epochs=12, patience=3, batch_size=8, modality_dropout=0.3)
    tasks = of_sizes(*sizes, encoder=encoder)[: len(sizes)]
    expected = trained(of_sizes(*sizes, encoder=encoder)[: len(sizes)], settings)
    assert_same(trained(tasks, settings, monkeypatch), expected)
    assert len(sizes) == 1 or len({len(own.history) for own in expected}) > 1


@GPU
@pytest.mark.parametrize("kind", ["features", "convolution", "normalised"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_gpu_trains_the_same_networks_with_and_without_recorded_steps(kind: str, count: int) -> None:
    """In double precision, compared with the processor."""
    settings = Mil(
        encoder="features" if kind == "features" else "convolution",
        epochs=12,
        patience=3,
        batch_size=8,
        modality_dropout=0.3,
    )

    def tasks(device: str) -> list[Task]:
        own = (
            normalised((16, 16, 16), settings)
            if kind == "normalised"
            else of_sizes(66, 40, 21, encoder=settings.encoder)
        )
        place = torch.device(device)
        return [
            Task(task.network.to(place), task.train.to(place), task.validation.to(place), task.seed)
            for task in own[:count]
        ]

    expected = StackTraining(tasks("cpu"), settings).run()
    for recorded in (False, True):
        training = StackTraining(tasks("cuda"), settings, replay=recorded)
        assert isinstance(training._step, Replay) == recorded
        assert_same(training.run(), expected)
