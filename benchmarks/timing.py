"""Measuring time and memory."""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

Work = Callable[[], object]


def seconds(work: Work) -> float:
    """Return the duration of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best(work: Work, rounds: int) -> float:
    """Return the seconds of the fastest of several rounds, after one round to warm up.

    The fastest round is the one that other processes of the machine disturbed least.
    """
    work()
    return min(seconds(work) for _ in range(rounds))


def alternate(works: Mapping[str, Work], rounds: int) -> pd.DataFrame:
    """Return the seconds of several works, one column per work and one row per round, after one round to warm up.

    All works run in every round: on a shared machine, whose speed varies, ratios are taken within a round.
    """
    table = pd.DataFrame([{name: seconds(work) for name, work in works.items()} for _ in range(rounds + 1)])
    return table[1:]


def peak_memory() -> float:
    """Return the peak memory in MiB of this process or of one of its children, whichever is higher."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    status = Path("/proc/self/status")
    # getrusage also counts the memory of the parent process before it started this program; VmHWM does not.
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(encoding="utf-8"), re.M) if status.exists() else None
    own = int(match[1]) if match else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own / 1024, children)
