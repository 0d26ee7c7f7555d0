"""A bundle: what it predicts and how, its fitted strategies, and the prediction of windows."""

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Bools
from lifelog.bundle.content import About
from lifelog.bundle.strategy import Strategy, fitting_group
from lifelog.groups.unseen import Placer
from lifelog.standardise import fit_scaling
from lifelog.windows.read import Features

REASONS = ("no class is likely", None, "several classes are likely")  # by size of the set, why there is no class
SENSORS = ["user", "modality", "value", "low", "high", "matters", "reason", "feature", "higher"]  # of `explain`
FEWEST_FOR_UNIT = 5  # windows of which a spread is known
FAR = 10.0  # factor between standard deviations of a feature, beyond which the unit is probably another one


class Groups(NamedTuple):
    """Groups by importance from all windows: members, and what places a new participant in one; may be empty."""

    members: dict[str, list[str]]
    placing: dict[str, Placer]


@dataclass(frozen=True)
class Bundle:
    """Fitted models with all that they need to predict new windows.

    Attributes
    ----------
    about : About
        What it was made from.
    known : Strategy or None
        For participants of the run; None if whole participants were tested.
    new : Strategy
        For new participants.
    groups : Groups
        The groups of the report.
    sensors : pandas.DataFrame
        Importance of the modalities for each participant of the run.
    card : str
        The card, as Markdown.
    """

    about: About
    known: Strategy | None
    new: Strategy
    groups: Groups
    sensors: pd.DataFrame
    card: str

    @property
    def users(self) -> list[str]:
        """Participants of the run who have models of their own or of their group."""
        return [] if self.known is None else sorted(self.known.users)

    def strategy(self, user: str | None) -> Strategy:
        """Return the strategy for a participant of the run, or for a new one."""
        return self.known if self.known is not None and user in self.users else self.new

    def predict(self, features: Features, user: str | None = None, fold: int | None = None) -> pd.DataFrame:
        """Predict windows of one participant.

        Parameters
        ----------
        features : Features
            Of `extract_features` or `read_features(path, maxima=True)`, with the modalities of the bundle.
        user : str, optional
            Name of a participant of the run. By default, the participant is new, and all of these windows scale the
            features.
        fold : int, optional
            The only fold whose models are used, such as the one whose test windows these are.

        Returns
        -------
        pandas.DataFrame
            start; per class its probability (`p_`), and that before calibration (`raw_`); set: the classes that are
            likely, joined by " | "; class: that of a set with one class; reason: why there is no class; and for a
            target of kind `rating` expected.

        Raises
        ------
        ValueError
            If the features are others than those of the bundle, the bundle has no models of the participant, or the
            fold has none.
        """
        if user is not None and user not in self.users:
            of_whom = f"those of {', '.join(self.users)}" if self.users else "models for new participants only"
            raise ValueError(f"no models of the participant {user!r}; the bundle has {of_whom} (leave out the name)")
        self._check(features)
        strategy = self.strategy(user)
        known = None if strategy is self.new else user
        found, classes = strategy.predict(features, known, fold), self.about.classes
        names = np.array(classes, dtype=object)
        sets = strategy.sets(found.p)
        sizes = sets.sum(axis=1)
        columns: dict[str, Any] = {"start": features.rows.start.reset_index(drop=True)}
        columns |= {f"p_{name}": p for name, p in zip(classes, found.p.T, strict=True)}
        columns |= {f"raw_{name}": p for name, p in zip(classes, found.raw.T, strict=True)}
        columns |= {"set": [" | ".join(names[row]) for row in sets]}
        columns |= {"class": [names[row][0] if row.sum() == 1 else None for row in sets]}
        columns |= {"reason": [REASONS[min(size, 2)] for size in sizes.tolist()]}
        columns |= {} if found.expected is None else {"expected": found.expected}
        return pd.DataFrame(columns)

    def explain(self) -> pd.DataFrame:
        """Return the sensors by participant.

        Returns
        -------
        pandas.DataFrame
            user, modality, value (what it adds to the AUROC of held-out windows) with interval, matters (True, False,
            or None where it cannot be tested, for the reason), and the feature that differs most between classes, with
            the class in which it is higher. Empty if the split of the run measures no importance (`importance: false`,
            or a split of participants).
        """
        return self.sensors.copy()

    def group_of(self, features: Features, user: str | None = None) -> str | None:
        """Return the group of a participant of the run, or the one that fits the windows of a new participant.

        Parameters
        ----------
        features : Features
            Of the windows of the participant.
        user : str, optional
            Name of a participant of the run.

        Returns
        -------
        str or None
            Name of the group in the report; None for fewer than ten windows of a new participant, or without groups.
        """
        own = [group for group, members in self.groups.members.items() if user in members]
        return own[0] if own else fitting_group(self.groups.placing, features)

    def doubts(self, features: Features) -> list[str]:
        """Return what is unusual about the windows of a new participant: a sensor in another unit, or missing.

        Parameters
        ----------
        features : Features
            Of the windows of the participant.

        Returns
        -------
        list of str
            One sentence per modality. A gain or an offset is no problem where features are scaled by participant.
        """
        spread = pd.DataFrame([scaling.summary.std for scaling in self.new.scalings.values()])
        own = fit_scaling([features.summary.astype(np.float64)], len(features.names), "user").std
        # False where nobody had the sensor.
        far = ((own < spread.min() / FAR) | (own > spread.max() * FAR)).to_numpy()
        known: Bools = np.logical_not(np.isnan(features.summary).all(axis=0))
        of_modality = np.array([name.split(".")[0] for name in features.names])
        found = []
        for modality in self.about.modalities:
            here = of_modality == modality.name
            if not known[here].any():
                found.append(f"{modality.name}: missing in all windows")
            elif len(features.rows) >= FEWEST_FOR_UNIT and far[here].mean() > 0.5:
                unit = f" (expected: {modality.unit})" if modality.unit else ""
                found.append(f"{modality.name}: varies {FAR:g} times less or more than before; another unit?{unit}")
        return found

    def has_seen(self, features: Features) -> bool:
        """Return whether some of these windows are windows of the run that made the bundle."""
        return not set(self.about.windows_seen).isdisjoint(window_digests(features))

    def _check(self, features: Features) -> None:
        if features.names != self.about.features:
            wrong = sorted(set(features.names) ^ set(self.about.features)) or features.names
            raise ValueError(f"other features than those of the bundle: {', '.join(wrong[:6])}")
        bins = {name: values.shape[1:] for name, values in features.maxima.items()}
        expected = {m.name: (self.about.bins, m.channels) for m in self.about.modalities}
        if bins != expected:
            raise ValueError(f"maxima of the shapes {bins}, {expected} expected; read features with maxima=True")


def window_digests(features: Features) -> list[str]:
    """Return a digest of the features of each window."""
    return [hashlib.blake2s(row.tobytes(), digest_size=6).hexdigest() for row in features.summary]
