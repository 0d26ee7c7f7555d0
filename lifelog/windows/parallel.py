"""Parallel reading of the sessions of one user.

The values of a session lie in memory that the processes share: sent through pipes, they cost a fifth of the time of two
processes (docs/performance.md).
"""

from __future__ import annotations

import math
import mmap
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lifelog.windows.layout import Session

R = TypeVar("R")
Values = NDArray[np.float32]

_shared: Values  # in the reading processes: (slots, labels, width)


def read_parallel(
    sessions: Iterable[Session], shape: tuple[int, int], processes: int, read: Callable[[Session, Values], R]
) -> Iterator[tuple[Session, Values, R]]:
    """Read sessions in other processes, a few ahead, and yield them in order.

    Parameters
    ----------
    sessions : iterable of Session
        Sessions of at most `shape[0]` labels.
    shape : tuple of int
        Maximum number of labels of a session, and number of values per label.
    processes : int
        Number of processes.
    read : callable
        Writes the values of a session into an array of shape (n_labels, n_values), and returns anything else.

    Yields
    ------
    session : Session
        The session.
    values : ndarray of float32, shape (n_labels, n_values)
        Its values, which are valid until the next session is requested.
    result : object
        What `read` returned.
    """
    slots = 2 * processes + 1
    # Anonymous memory; pages are allocated when they are first written.
    shared = np.frombuffer(mmap.mmap(-1, 4 * slots * math.prod(shape)), np.float32).reshape(slots, *shape)
    ahead: deque[tuple[Session, Values, Future[R]]] = deque()
    # Fork: any other start method would run the script of the job again.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _share, (shared,)) as pool:
        for number, session in enumerate(sessions):
            slot = number % slots
            ahead.append((session, shared[slot, : len(session.labels)], pool.submit(_read_into, slot, session, read)))
            if len(ahead) == slots:
                done, values, future = ahead.popleft()
                yield done, values, future.result()
        for done, values, future in ahead:
            yield done, values, future.result()


def _share(values: Values) -> None:
    """Initialise a reading process."""
    global _shared
    _shared = values


def _read_into(slot: int, session: Session, read: Callable[[Session, Values], R]) -> R:
    return read(session, _shared[slot, : len(session.labels)])
