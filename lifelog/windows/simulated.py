"""A simulated cohort in the ETRI layout with known truth: which modalities depend on whose tension, and how.

Tension is a slow process in time. In each group of participants two modalities depend on it, each in its own way:

    electrodermal   e4Eda: bursts (skin conductance responses)    e4Temp: level (the skin cools)
    cardiac         e4Bvp: rhythm (a faster, smaller pulse)       e4Hr: level
    motor           e4Acc: spread (restless hand)                 mAcc: bursts (jolts of the phone)

Every modality of every participant has its own baseline and slow changes that are independent of tension. With effect 0
no modality depends on tension.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from lifelog.arrays import Floats
from lifelog.files import write_json
from lifelog.settings.windows import Simulation

Signal = tuple[Floats, Floats]  # seconds since the window start (n,), values (n, channels)

GROUPS = {"electrodermal": ("e4Eda", "e4Temp"), "cardiac": ("e4Bvp", "e4Hr"), "motor": ("e4Acc", "mAcc")}
CHANNELS = {
    **{name: ("x", "y", "z") for name in ("e4Acc", "mAcc", "mGyr", "mMag")},
    **{"e4Bvp": ("x",), "e4Eda": ("x",), "e4Hr": ("x",), "e4Temp": ("x",), "mGps": ("lat", "lon", "accuracy")},
}
HEADER = (
    *("ts", "action", "actionOption", "actionSub", "actionSubOption", "condition", "conditionSub1Option"),
    *("conditionSub2Option", "place", "emotionPositive", "emotionTension", "activity"),
)
ACTIONS = (
    *("work", "study", "recreation_media", "travel", "meal", "personal_care", "household"),
    "communitiy_interaction",  # as in the data
)
FIRST_DAY = 1_567_296_000  # 2019-09-01 00:00 UTC
# Level of tension by rank within the participant: one third 1, one third 2-4, one third 5-7.
LEVEL_BOUNDS = np.array([1 / 3, 4 / 9, 5 / 9, 2 / 3, 7 / 9, 8 / 9])


@dataclass(frozen=True)
class Participant:
    """A simulated participant: name, group, planted modalities, session starts (unix seconds), minutes per session."""

    name: str
    group: str
    modalities: tuple[str, ...]
    starts: tuple[int, ...]
    minutes: int


def participants(simulation: Simulation) -> list[Participant]:
    """Return the participants of the cohort; groups alternate, the last participant has short recordings."""
    cohort = []
    for i in range(simulation.users):
        group = list(GROUPS)[i % simulation.groups]
        rng = np.random.default_rng([simulation.seed, i, 0])
        days = np.sort(rng.choice(simulation.sessions * 2, simulation.sessions, replace=False))
        starts = FIRST_DAY + days * 86400 + rng.integers(0, 12 * 60, simulation.sessions) * 60
        short = i == simulation.users - 1
        minutes = max(2, simulation.minutes * 2 // 3) if short else simulation.minutes
        cohort.append(Participant(str(101 + i), group, GROUPS[group], tuple(int(s) for s in starts), minutes))
    return cohort


def truth(simulation: Simulation) -> dict[str, Any]:
    """Return the planted effect, and by user the group and the planted modalities."""
    users = {who.name: {"group": who.group, "modalities": who.modalities} for who in participants(simulation)}
    return {"effect": simulation.effect, "users": users}


def truth_path(root: str | Path) -> Path:
    """Return the path of the truth: beside the raw recordings, not among them."""
    return Path(f"{root}.truth.json")


def simulate_cohort(simulation: Simulation, folders: dict[str, str], path: str | Path) -> None:
    """Write the raw recordings of a simulated cohort.

    Parameters
    ----------
    simulation : Simulation
        Size, effect and seed of the cohort.
    folders : dict of str to str
        Folder to write by participant; others are skipped.
    path : str or Path
        JSON file of the truth: the effect, and by user the group and the planted modalities.
    """
    write_json(truth(simulation), path)
    for index, participant in enumerate(participants(simulation)):
        if participant.name in folders:
            _write_participant(participant, index, simulation, Path(folders[participant.name]))


def _write_participant(participant: Participant, index: int, simulation: Simulation, folder: Path) -> None:
    rng = np.random.default_rng([simulation.seed, index, 1])
    sessions, minutes = len(participant.starts), participant.minutes
    tension = _slow(rng, sessions, minutes, memory=0.75)
    # Slow changes of each modality that are independent of tension.
    drift = {name: _slow(rng, sessions, minutes, memory=0.6) for name in CHANNELS}
    trait = {name: rng.normal() for name in CHANNELS}
    # Besides single files, whole minutes are missing, and modalities for a whole session.
    missing = rng.random((sessions, minutes)) < simulation.missing
    ranks = tension.ravel().argsort().argsort().reshape(tension.shape) / tension.size
    levels = 1 + np.searchsorted(LEVEL_BOUNDS, ranks, side="right")
    response = simulation.effect * (ranks - 0.5) * np.sqrt(12)
    for s, start in enumerate(participant.starts):
        _write_labels(folder / str(start), start, levels[s], simulation.missing, rng)
        for name in CHANNELS:
            target = folder / str(start) / name
            target.mkdir(parents=True, exist_ok=True)
            planted = name in participant.modalities
            absent = (rng.random(minutes) < simulation.missing) | missing[s] | (rng.random() < simulation.missing)
            for m in np.flatnonzero(~absent):
                drive = float(response[s, m]) if planted else 0.0
                # Planted modalities have half of the independent changes of other modalities.
                own = float(drift[name][s, m]) * (0.5 if planted else 1.0)
                seconds, values = SIGNALS[name](rng, trait[name], drive, own)
                _write_minute(target / f"{start + 60 * m}.csv", seconds, values, CHANNELS[name])


def _slow(rng: np.random.Generator, sessions: int, minutes: int, memory: float) -> Floats:
    """Return a stationary first-order process per session, standard normal at each minute, (sessions, minutes)."""
    x = rng.normal(size=(sessions, minutes))
    for m in range(1, minutes):
        x[:, m] = memory * x[:, m - 1] + np.sqrt(1 - memory**2) * x[:, m]
    return x


def _clock(rate: float, rng: np.random.Generator | None = None) -> Floats:
    """Return the sample times of a minute; with `rng` those of a phone, which writes 1786 or 1787 rows at 30 Hz."""
    n = round(rate * 60) if rng is None else int(rng.integers(1786, 1788))
    return np.arange(n) * (60 / n)


def _bursts(rng: np.random.Generator, t: Floats, rate: float, rise: float, fall: float) -> Floats:
    """Return a sum of bursts at random times, `rate` per minute on average; rise and fall are in seconds."""
    onset = rng.uniform(0, 60, rng.poisson(rate))
    size = rng.uniform(0.6, 1.4, len(onset))
    dt = np.maximum(t[:, None] - onset, 0)
    return ((np.exp(-dt / fall) - np.exp(-dt / rise)) * size).sum(axis=1)


def _e4_acc(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(32)
    posture = np.array([0.2, 0.3 + 0.1 * trait, 0.9]) + 0.05 * own
    restless = 0.05 * np.exp(0.5 * drive + 0.3 * own)
    return t, np.round((posture + restless * rng.normal(size=(len(t), 3))) * 64) / 64


def _e4_bvp(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(64)
    rate = (70 + 6 * trait + 7 * drive + 2 * own) / 60
    phase = 2 * np.pi * (rate * t + rng.random()) + 0.3 * np.sin(2 * np.pi * 0.25 * t + rng.random())
    size = 40 * np.exp(-0.4 * drive + 0.1 * own)
    return t, np.round(size * (np.sin(phase) + 0.4 * np.sin(2 * phase)) + 3 * rng.normal(size=len(t)), 2)[:, None]


def _e4_eda(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(4)
    level = np.exp(0.5 + 0.4 * trait) * (1 + 0.06 * own)
    bursts = 0.8 * _bursts(rng, t, rate=3 * np.exp(1.0 * drive), rise=1.0, fall=4.0)
    return t, np.round(level + bursts + 0.02 * rng.normal(size=len(t)), 6)[:, None]


def _e4_hr(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    # As in the real data: a few values per minute at irregular times.
    t = np.sort(rng.choice(60, int(rng.integers(3, 60)), replace=False)).astype(float)
    return t, np.round(70 + 6 * trait + 7 * drive + 2 * own + 1.5 * rng.normal(size=len(t)), 2)[:, None]


def _e4_temp(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(4)
    return t, np.round((33 + trait - 0.25 * drive + 0.2 * own + 0.01 * rng.normal(size=len(t))) * 50)[:, None] / 50


def _m_acc(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(30, rng)
    rest = np.array([0.3 * trait, 2.0, 9.4]) + 0.4 * own
    jolts = 2.0 * np.exp(0.8 * drive) * _bursts(rng, t, rate=6 * np.exp(0.5 * drive), rise=0.1, fall=0.5)
    return t, np.round(rest + (0.15 + jolts[:, None]) * rng.normal(size=(len(t), 3)), 4)


def _m_gyr(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(30, rng)
    return t, np.round(0.1 * np.exp(0.3 * trait + 0.4 * own) * rng.normal(size=(len(t), 3)), 5)


def _m_mag(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    t = _clock(30, rng)
    field = np.array([20 + 5 * trait, -10.0, -40.0]) + 6 * own
    return t, np.round(field + 0.5 * rng.normal(size=(len(t), 3)), 3)


def _m_gps(rng: np.random.Generator, trait: float, drive: float, own: float) -> Signal:
    place = [36.35 + 0.02 * trait + 0.004 * own, 127.38 + 0.02 * trait + 0.003 * own, 15 * np.exp(0.3 * own)]
    return np.array([float(rng.integers(0, 60))]), np.round([place], 6)


SIGNALS: dict[str, Callable[[np.random.Generator, float, float, float], Signal]] = {
    **{"e4Acc": _e4_acc, "e4Bvp": _e4_bvp, "e4Eda": _e4_eda, "e4Hr": _e4_hr, "e4Temp": _e4_temp},
    **{"mAcc": _m_acc, "mGps": _m_gps, "mGyr": _m_gyr, "mMag": _m_mag},
}


def _write_minute(path: Path, seconds: Floats, values: Floats, channels: tuple[str, ...]) -> None:
    columns = {"timestamp": np.round(seconds, 5), **dict(zip(channels, values.T, strict=True))}
    pacsv.write_csv(pa.table(columns), path)


def _write_labels(folder: Path, start: int, levels: Floats, missing: float, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    action, place = str(rng.choice(ACTIONS)), str(rng.choice(["home", "workplace", "outdoors"]))
    lines = [",".join(HEADER)]
    for m, level in enumerate(levels):
        if rng.random() < missing:
            continue
        if rng.random() < 0.1:
            action = str(rng.choice(ACTIONS))
        positive = int(np.clip(np.round(8 - level + rng.normal()), 1, 7))
        row = dict.fromkeys(HEADER, "") | {"ts": start + 60 * m, "action": action, "condition": "ALONE"}
        row |= {"place": place, "emotionPositive": positive, "emotionTension": int(level), "activity": 1}
        lines.append(",".join(str(row[name]) for name in HEADER))
    (folder / f"{folder.name}_label.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
