"""Reading minutes of raw CSV: this package against pandas, file by file. Prints MB/s and their ratio.

python benchmarks/reading.py [minutes]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from lifelog.config import Config, Simulation
from lifelog.windows.etri import EtriSession
from lifelog.windows.simulated import people, simulate_cohort

ROUNDS = 3


def plainly(session: Path, starts: list[int], names: list[str]) -> None:
    """The reference: every minute and modality by pandas."""
    for start in starts:
        for name in names:
            pd.read_csv(session / name / f"{start}.csv").to_numpy()


def ours(session: Path, starts: list[int], config: Config) -> None:
    reader = EtriSession(session)
    for start in starts:
        for modality in config.modalities:
            reader.read(modality, start)


def seconds(work: Callable[[], None]) -> float:
    """The best of some rounds: what the machine can do when nothing else runs."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def main(minutes: int) -> None:
    config = Config()
    simulation = Simulation(users=2, groups=2, sessions=1, minutes=minutes, missing=0)
    with tempfile.TemporaryDirectory() as folder:
        person = people(simulation)[0]
        simulate_cohort(simulation, {person.name: str(Path(folder) / person.name)}, Path(folder) / "truth.json")
        session = next(path for path in (Path(folder) / person.name).iterdir() if path.is_dir())
        starts = [label.start for label in EtriSession(session).labels]
        size = sum(path.stat().st_size for path in session.glob("*/*.csv")) / 1e6
        names = [modality.name for modality in config.modalities]
        one_by_one = seconds(lambda: plainly(session, starts, names))
        together = seconds(lambda: ours(session, starts, config))
    print(f"{minutes} minutes, {size:.0f} MB of CSV, one core")
    print(f"pandas, file by file: {size / one_by_one:.0f} MB/s")
    print(f"lifelog:              {size / together:.0f} MB/s, {one_by_one / together:.1f} times as fast")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
