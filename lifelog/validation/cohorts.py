"""Simulated participants with planted modalities, by several generators.

Unlike the simulated recordings of the default run, these cohorts are made as windows: of other signals, with other ways
in which a modality depends on the label, and with the difficulties of real cohorts.

    level     the mean of the samples                   spread    their standard deviation
    bursts    the rate of short bursts                  rhythm    the frequency of a periodic signal
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats
from lifelog.settings.windows import Modality
from lifelog.validation.scenarios import Scenario

SECONDS = 60
SESSION_WINDOWS = 10
FIRST = 1_600_000_000  # start of the first window, in unix seconds
TEST = 0.2  # share of test windows
MEMORY = 0.75  # correlation of the label with that of the window before
CLASSES = 3
Mechanism = Literal["level", "spread", "bursts", "rhythm", "scalar"]

MECHANISMS: dict[str, Mechanism] = {
    **{"acc": "spread", "bvp": "rhythm", "eda": "bursts", "hr": "scalar", "temp": "level"},
    **{"gps": "scalar", "gyr": "spread", "mag": "level", "phone": "bursts"},
}
UNITS = {"acc": "g", "bvp": "nW", "eda": "µS", "temp": "°C"}
RATES = {"acc": 16, "bvp": 16, "eda": 4, "temp": 4, "gyr": 16, "mag": 8, "phone": 16}  # Hz
CHANNELS = {"acc": 3, "gyr": 3, "mag": 3, "phone": 3, "gps": 2}
PAIRS = list(combinations(MECHANISMS, 2))
PROFILES = [("eda", "temp"), ("bvp", "hr"), ("acc", "phone"), ("gyr", "mag"), ("eda", "acc")]

MODALITIES = [
    Modality(
        name=name,
        kind="scalar" if mechanism == "scalar" else "sequence",
        columns=["x", "y", "z"][: CHANNELS.get(name, 1)],
        rate=RATES.get(name),
        length=RATES[name] * SECONDS if name in RATES else 1,
        unit=UNITS.get(name, ""),
    )
    for name, mechanism in MECHANISMS.items()
]


@dataclass
class Simulated:
    """A simulated participant.

    Attributes
    ----------
    name : str
        Name of the participant.
    kind : int
        Kind of people, -1 for a loner.
    planted : tuple of str
        Modalities that depend on the label.
    sensors : dict of str to ndarray of float32, shape (n_windows, length, n_channels)
        Windows by modality; NaN where it is missing.
    classes : ndarray of int, shape (n_windows,)
        Class numbers, from 0 to 2.
    sessions : ndarray of int, shape (n_windows,)
        Session of each window.
    """

    name: str
    kind: int
    planted: tuple[str, ...]
    sensors: dict[str, Floats] = field(repr=False)
    classes: Codes = field(repr=False)
    sessions: Codes = field(repr=False)

    @property
    def modalities(self) -> list[Modality]:
        """The modalities."""
        return MODALITIES

    @property
    def labels(self) -> pd.DataFrame:
        """One row per window, as `read_labels` returns it: a session per day, a minute per window."""
        place = np.arange(len(self.classes)) % SESSION_WINDOWS
        seconds = FIRST + 86400 * self.sessions.astype(int) + SECONDS * place
        return pd.DataFrame(
            {
                "user": self.name,
                "session": self.sessions.astype(str).astype(object),
                "start": pd.to_datetime(seconds, unit="s", utc=True),
                "label_rows": [{"label": [f"labels.csv:{row + 2}"]} for row in range(len(self.classes))],
                "label": self.classes.astype(str).astype(object),
            }
        )


def make_cohort(participants: int = 12, windows: int = 60, effect: float = 1.0, seed: int = 0) -> list[Simulated]:
    """Simulate participants of two kinds with planted modalities, for examples and tests.

    Parameters
    ----------
    participants : int, default 12
        Number of participants.
    windows : int, default 60
        Windows of a minute per participant, in sessions of ten.
    effect : float, default 1.0
        Effect of the label on the planted modalities.
    seed : int, default 0
        Seed.

    Returns
    -------
    list of Simulated
        Labels, windows by modality, and the planted modalities of each participant.

    Examples
    --------
    >>> from lifelog import make_cohort
    >>> first, second = make_cohort(participants=2, windows=20)
    >>> first.planted, second.planted
    (('eda', 'temp'), ('bvp', 'hr'))
    >>> first.labels.label.value_counts().sort_index().to_dict()
    {'0': 7, '1': 7, '2': 6}
    """
    sizes = (participants - participants // 2, participants // 2)
    return simulated(Scenario(sizes, round(windows * (1 - TEST)), effect), seed)


def simulated(scenario: Scenario, seed: int) -> list[Simulated]:
    """Simulate a cohort.

    Parameters
    ----------
    scenario : Scenario
        The kind of cohort.
    seed : int
        Seed.

    Returns
    -------
    list of Simulated
        The kinds of people one after the other, loners last.
    """
    kinds = [kind for kind, size in enumerate(scenario.sizes) for _ in range(size)]
    kinds += [-1, -1] if scenario.difficulty == "loners" else []
    kinds = [-1] * len(kinds) if scenario.difficulty == "different" else kinds
    return [simulate(scenario, kind, seed, number) for number, kind in enumerate(kinds)]


def simulate(scenario: Scenario, kind: int, seed: int, number: int, recording: int = 0) -> Simulated:
    """Simulate a participant; another `recording` is one of the same person at another time."""
    person = np.random.default_rng([seed, number])
    rng = np.random.default_rng([seed, number, 1 + recording])
    planted: tuple[str, ...] = PROFILES[kind % len(PROFILES)]
    if kind < 0 and scenario.difficulty == "different":
        planted = PAIRS[np.random.default_rng(seed).permutation(len(PAIRS))[number]]
    elif kind < 0:
        planted = tuple(str(name) for name in person.choice(list(MECHANISMS), 2, replace=False))
    traits = {name: float(person.normal()) for name in MECHANISMS}
    direction = -1.0 if scenario.difficulty == "opposite" and number % 2 else 1.0
    sessions = np.arange(round(scenario.windows / (1 - TEST))) // SESSION_WINDOWS
    label = _slow(rng, sessions, MEMORY)
    rank = label.argsort().argsort() / len(label)
    drive = direction * scenario.effect * (rank - 0.5) * np.sqrt(12)
    drifts = {name: _slow(rng, sessions, 0.6) for name in MECHANISMS}
    if scenario.difficulty == "redundant":
        drifts[planted[1]] = drifts[planted[0]]
    values = {}
    for name, mechanism in MECHANISMS.items():
        response = drive if name in planted else np.zeros_like(drive)
        if scenario.difficulty == "interaction":
            response = response * (drifts[next(other for other in MECHANISMS if other not in planted)] < 0)
        drift = drifts[name] * (0.5 if name in planted else 1.0)
        rate, channels = RATES.get(name, 0), CHANNELS.get(name, 1)
        time = np.arange(max(1, rate * SECONDS)) / max(1, rate)
        signal = SIGNALS[mechanism](rng, time, traits[name], response, drift)
        if channels > 1:  # Only one of the channels responds if the scenario is about channels.
            silent = np.zeros_like(response) if scenario.difficulty == "channel" else response
            others = [SIGNALS[mechanism](rng, time, traits[name], silent, drift) for _ in range(2)]
            signal = np.concatenate([signal, *others][:channels], axis=2)
            signal = np.roll(signal, number % channels if scenario.difficulty == "channel" else 0, axis=2)
        share = 1 / 3 if scenario.difficulty == "missing" and name in planted else 0.02
        signal[rng.random(len(signal)) < share] = np.nan
        values[name] = signal.astype(np.float32)
    classes = np.minimum((rank * CLASSES).astype(int), CLASSES - 1)
    return Simulated(f"{kind}-{number}" if kind >= 0 else f"loner-{number}", kind, planted, values, classes, sessions)


def _slow(rng: np.random.Generator, sessions: Codes, memory: float) -> Floats:
    """Return a stationary first-order process within sessions, standard normal in each window."""
    x = rng.normal(size=len(sessions))
    for i in range(1, len(x)):
        if sessions[i] == sessions[i - 1]:
            x[i] = memory * x[i - 1] + np.sqrt(1 - memory**2) * x[i]
    return x


# A signal maps time in seconds (n_samples,), the trait of a person, response to the label (n_windows,) and drift
# (n_windows,) to the samples of a channel (n_windows, n_samples, 1).


def _noise(rng: np.random.Generator, time: Floats, response: Floats) -> Floats:
    return rng.normal(size=(len(response), len(time), 1))


def _level(rng: np.random.Generator, time: Floats, trait: float, response: Floats, drift: Floats) -> Floats:
    level = 3 * trait + 0.8 * response + 0.6 * drift
    return level[:, None, None] + 0.3 * _noise(rng, time, response)


def _scalar(rng: np.random.Generator, time: Floats, trait: float, response: Floats, drift: Floats) -> Floats:
    level = 3 * trait + response + 0.6 * drift
    return level[:, None, None] + 0.4 * _noise(rng, time, response)


def _spread(rng: np.random.Generator, time: Floats, trait: float, response: Floats, drift: Floats) -> Floats:
    size = np.exp(0.4 * response + 0.3 * drift)
    return trait + size[:, None, None] * _noise(rng, time, response)


def _bursts(rng: np.random.Generator, time: Floats, trait: float, response: Floats, drift: Floats) -> Floats:
    rate = 4 * np.exp(0.8 * response + 0.2 * drift)
    values = 0.05 * _noise(rng, time, response) + trait + (0.3 * drift)[:, None, None]
    for row, count in zip(values, rng.poisson(rate), strict=True):
        onset, size = rng.uniform(0, SECONDS, count), rng.uniform(0.6, 1.4, count)
        since = np.maximum(time[:, None] - onset, 0)
        row[:, 0] += ((np.exp(-since / 4) - np.exp(-since)) * size).sum(axis=1)
    return values


def _rhythm(rng: np.random.Generator, time: Floats, trait: float, response: Floats, drift: Floats) -> Floats:
    frequency = 1.2 + 0.1 * trait + 0.1 * response + 0.05 * drift
    phase = 2 * np.pi * (frequency[:, None] * time + rng.random(len(frequency))[:, None])
    return np.sin(phase)[:, :, None] + 0.5 * _noise(rng, time, response)


SIGNALS: dict[Mechanism, Callable[[np.random.Generator, Floats, float, Floats, Floats], Floats]] = {
    "level": _level,
    "scalar": _scalar,
    "spread": _spread,
    "bursts": _bursts,
    "rhythm": _rhythm,
}
