"""Simulate recordings in the diary layout: python record.py cohort

Stress affects the heart rate of two participants and the wrist acceleration of the two others.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd


def record(root: Path, days: int = 8, minutes: int = 10) -> None:
    """Write the recordings of four participants below `root`: `days` sessions of `minutes` labelled minutes each."""
    for i, name in enumerate(("anna", "ben", "chris", "dana")):
        rng, folder = np.random.default_rng(i), root / name
        folder.mkdir(parents=True)
        heart, wrist, diary = [], [], []
        for day in pd.date_range("2024-03-01 09:00", periods=days, tz="Europe/Berlin"):
            stress = np.clip(np.round(3 + np.cumsum(rng.normal(0, 1.2, minutes))), 1, 5)
            for minute, level in enumerate(stress):
                start = day + pd.Timedelta(minutes=minute)
                beat = pd.DataFrame({"time": start + pd.to_timedelta(np.arange(60), unit="s")})
                heart.append(beat.assign(bpm=rng.normal(70 + (6 * level if i < 2 else 0), 3, 60).round(1)))
                move = rng.normal(0, 1 + (level if i >= 2 else 0), (1200, 3)).round(3)
                at = start + pd.to_timedelta(np.arange(1200) * 50, unit="ms")
                wrist.append(pd.DataFrame(move, columns=["x", "y", "z"]).assign(time=at))
                diary.append({"time": start, "stress": int(level), "task": "desk"})
        for file, tables in (("heart", heart), ("wrist", wrist), ("diary", [pd.DataFrame(diary)])):
            table = pd.concat(tables)
            table.insert(0, "time", table.pop("time").map(lambda time: time.isoformat(timespec="milliseconds")))
            table.to_csv(folder / f"{file}.csv", index=False)


if __name__ == "__main__":
    record(Path(sys.argv[1]))
