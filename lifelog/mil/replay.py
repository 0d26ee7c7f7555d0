"""Steps whose operations are recorded once on a GPU and started together from then on (CUDA graphs).

A GPU completes the operations of a small step faster than a processor starts them one by one (docs/performance.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

# Steps of a shape that are run before one is recorded: the first one initialises libraries, and a shape that does not
# occur again is not worth a recording.
EAGER = 2


class Replay:
    """A step that is recorded per shape of its arguments, if it has any.

    Parameters
    ----------
    step : callable
        A function of tensors on a GPU without a result. All other tensors that it reads and writes stay at their place
        in memory, and it does not wait for the GPU.
    device : torch.device
        The GPU.
    """

    def __init__(self, step: Callable[..., None], device: torch.device) -> None:
        self.step, self.device = step, device
        self.seen: Counter[tuple[torch.Size, ...]] = Counter()
        self.recorded: dict[tuple[torch.Size, ...], tuple[list[Tensor], Callable[[], None]]] = {}

    def __call__(self, *given: Tensor) -> None:
        """Run the step."""
        shapes = tuple(x.shape for x in given)
        if self.seen[shapes] < EAGER:
            self.seen[shapes] += 1
            self.step(*given)
            return
        if shapes not in self.recorded:
            inputs = [x.clone() for x in given]
            self.recorded[shapes] = inputs, record(lambda: self.step(*inputs), self.device)
        inputs, replay = self.recorded[shapes]
        for own, x in zip(inputs, given, strict=True):
            own.copy_(x)
        replay()


def record(work: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Record operations on a GPU without running them, and return a function that runs them."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device), torch.cuda.graph(graph):
        work()
    return graph.replay
