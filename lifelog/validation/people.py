"""Simulated features of participants that look like recordings.

Features and labels depend on the minutes before, labels come in runs, sessions have levels of their own, classes have
unequal shares, and both labels and features may drift. No signals are made, so that hundreds of people take seconds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats
from lifelog.settings.splits import AnySplit, BlockedSplit, Target
from lifelog.settings.windows import Modality
from lifelog.splits.assign import assign_splits
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features

START = pd.Timestamp("2025-01-06 09:00", tz="UTC")
TARGETS = {
    2: Target(name="label", column="label", bins={"low": [0], "high": [1]}),
    3: Target(name="label", column="label", bins={"low": [0], "middle": [1], "high": [2]}),
}
SPLIT = BlockedSplit(name="described", folds=1)
CHANNELS = 4  # features of a modality
AFFECTED = 2  # features that the label changes


@dataclass(frozen=True)
class Design:
    """A kind of recordings.

    Attributes
    ----------
    sessions, windows : int
        Sessions, and windows in each.
    memory : float
        Correlation of a feature with that of the window before.
    run : float
        Mean length of runs of equal labels, in windows; 1 for independent labels.
    shares : tuple of float
        Shares of the classes.
    effects : tuple of float
        Difference of the affected features between the first and the last class in standard deviations, by modality.
    responders : float
        Share of the participants with these effects.
    copy : float or None
        Standard deviation by which the second modality differs from the first one; None for two different ones.
    levels : float
        Standard deviation of the levels of sessions.
    drift : float
        Slope over the study, in standard deviations, of all features; labels become more frequent too.
    minutes : int
        Time between the starts of two windows of a session.
    unequal : bool
        Whether sessions have half to three halves of the windows.
    individual : bool
        Whether every participant responds in a direction of their own, of all features of a modality.
    """

    sessions: int
    windows: int
    memory: float = 0.0
    run: float = 1.0
    shares: tuple[float, ...] = (0.5, 0.5)
    effects: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    responders: float = 1.0
    copy: float | None = None
    levels: float = 0.0
    drift: float = 0.0
    minutes: int = 1
    unequal: bool = False
    individual: bool = False

    def responds(self, number: int) -> bool:
        """Return whether a participant has the effects."""
        return number * self.responders % 1 < self.responders


def simulate_person(
    design: Design, seed: int, number: int, split: AnySplit = SPLIT, unseen: int | None = None
) -> tuple[Features, Folds]:
    """Simulate the features and the folds of a participant.

    Parameters
    ----------
    design : Design
        The kind of recordings.
    seed, number : int
        Seed of the cohort, and number of the participant.
    split : BlockedSplit, SessionsSplit, ParticipantsSplit or RandomSplit, optional
        How windows are assigned; by default, all windows describe the participant.
    unseen : int, optional
        Of a split of participants, the fold in which this one is tested.

    Returns
    -------
    Features, Folds
        Of all windows.
    """
    rng = np.random.default_rng([seed, number])
    sizes = np.full(design.sessions, design.windows)
    if design.unequal:
        sizes = rng.integers(design.windows // 2, design.windows * 3 // 2 + 1, design.sessions)
    session = np.repeat(np.arange(design.sessions), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    day = (session - session.mean()) / max(1e-9, session.std())
    codes = np.concatenate([_runs(rng, design, size) for size in sizes])
    if design.drift:
        codes = (rng.random(len(codes)) < 1 / (1 + np.exp(-1.5 * design.drift * day))) * (len(design.shares) - 1)
    shape = (len(design.effects), CHANNELS)
    values = np.concatenate([_signals(rng, design, (size, *shape)) for size in sizes])
    values += design.drift * rng.normal(size=(1, *shape)) * day[:, None, None]
    effects = np.array(design.effects) * design.responds(number)
    response = np.zeros(shape)
    response[:, :AFFECTED] = 1
    if design.individual:
        directions = np.random.default_rng([seed, number, 1]).normal(size=shape)
        response = directions * np.sqrt(AFFECTED) / np.linalg.norm(directions, axis=1, keepdims=True)
    values += response * effects[:, None] * (codes / (len(design.shares) - 1) - 0.5)[:, None, None]
    if design.copy is not None:
        values[:, 1] = values[:, 0] + design.copy * rng.normal(size=values[:, 0].shape)
    start = START + pd.to_timedelta(1440 * session + design.minutes * place, unit="min")
    user = f"p{number}"
    labels = pd.DataFrame({"user": user, "session": session.astype(str).astype(object), "start": start.as_unit("s")})
    labels = labels.assign(label=codes.astype(str).astype(object))
    labels["label_rows"] = [{"label": [f"labels.csv:{row}"]} for row in range(len(labels))]
    folds = assign_splits(labels, TARGETS[len(design.shares)], split, 60 * design.minutes, unseen=unseen)
    names = [f"m{m}" for m in range(shape[0])]
    modalities = [Modality(name=name, kind="scalar", columns=["a", "b", "c", "d"][:CHANNELS]) for name in names]
    columns = [f"{name}.{channel}.mean" for name in names for channel in "abcd"[:CHANNELS]]
    summary = values.reshape(len(values), -1)
    return Features(labels[["user", "start"]], columns, summary, {}, modalities), folds


def _signals(rng: np.random.Generator, design: Design, shape: tuple[int, int, int]) -> Floats:
    """Return the features of a session without effect: stationary first-order processes around a level."""
    values = rng.normal(size=shape)
    for i in range(1, len(values)):
        values[i] = design.memory * values[i - 1] + np.sqrt(1 - design.memory**2) * values[i]
    return values + design.levels * rng.normal(size=shape[1:])


def _runs(rng: np.random.Generator, design: Design, windows: int) -> Codes:
    """Return the labels of a session: at random places, a class is drawn by the shares, which may be the same one."""
    codes, shares = np.empty(windows, dtype=int), np.array(design.shares)
    drawn = min(1.0, 1 / (design.run * (1 - (shares**2).sum())))  # so that runs have the mean length
    for i in range(windows):
        if i == 0 or rng.random() < drawn:
            codes[i] = rng.choice(len(design.shares), p=design.shares)
        else:
            codes[i] = codes[i - 1]
    return codes
