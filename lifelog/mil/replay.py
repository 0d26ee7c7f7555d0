"""Operations of a function, recorded once on a GPU and started together from then on (CUDA graphs).

A GPU completes the operations of a small step faster than a processor starts them one by one (docs/performance.md).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# Calls with arguments of the same shapes before a recording. The first one initialises libraries, which cannot be
# recorded; a recording takes longer than a call, and is made only for shapes that occur again.
EAGER = 2


class Recorder:
    """Run functions of tensors without a result, and replay their operations from the third call on.

    A recording holds the addresses of all tensors that its function reads and writes. Therefore the function must not
    replace or resize any of them, depend on Python values that change, copy between processor and GPU, or draw random
    numbers on the GPU, and its results are in tensors that existed before. After one of these tensors was replaced, a
    new recorder is needed.

    Parameters
    ----------
    device : torch.device
        A GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.calls: Counter[tuple[str, tuple[torch.Size, ...]]] = Counter()
        self.recorded: dict[tuple[str, tuple[torch.Size, ...]], tuple[list[Tensor], Callable[[], None]]] = {}

    def __call__(self, function: Callable[..., None], *given: Tensor) -> None:
        """Run a function, which is known by its name.

        Parameters
        ----------
        function : callable
            A function of tensors.
        *given : Tensor
            Its arguments. Their values may differ between calls.
        """
        key = function.__name__, tuple(x.shape for x in given)
        if self.calls[key] < EAGER:
            self.calls[key] += 1
            function(*given)
            return
        if key not in self.recorded:
            inputs = [x.clone() for x in given]
            self.recorded[key] = inputs, self.record(lambda: function(*inputs))
        inputs, replay = self.recorded[key]
        for own, x in zip(inputs, given, strict=True):
            own.copy_(x)
        replay()

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Record operations without running them, and return a function that runs them."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.graph(graph, *memory_and_stream(self.device)):
            work()
        return graph.replay


@functools.cache
def memory_and_stream(device: torch.device) -> tuple[Any, torch.cuda.Stream]:
    """Return the memory and the stream of all recordings on a GPU.

    Recordings may share memory, since none leaves a result there and no two run at the same time. They share a stream,
    since torch allocates a workspace per stream and does not free it.
    """
    return torch.cuda.graph_pool_handle(), torch.cuda.Stream(device)


def unrecorded(function: Callable[..., None], *given: Tensor) -> None:
    """Run a function without recording it.

    Parameters
    ----------
    function : callable
        A function of tensors.
    *given : Tensor
        Its arguments.
    """
    function(*given)
