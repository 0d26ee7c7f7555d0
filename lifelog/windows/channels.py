"""Channels that look like errors of a recording: implausible values, constant channels, and copies of each other."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from lifelog.arrays import Bools, Codes, Floats
from lifelog.settings.windows import Modality
from lifelog.windows.layout import BadInput, RawSamples

FEWEST_WINDOWS = 10  # from which a channel is judged


def without_implausible(samples: RawSamples, modality: Modality) -> tuple[RawSamples, int]:
    """Return samples without values outside the plausible limits of their unit, and the number of these values.

    Parameters
    ----------
    samples : RawSamples
        Samples as recorded.
    modality : Modality
        Its limits, unit and scale.

    Returns
    -------
    RawSamples
        Without rows that have no value, or miss some value of a regular recording.
    int
        Number of implausible values.
    """
    if modality.limits is None or not len(samples.seconds):
        return samples, 0
    low, high = np.sort(np.array(modality.limits) / modality.scale)
    outside = (samples.values < low) | (samples.values > high)
    if not outside.any():
        return samples, 0
    values = np.where(outside, np.nan, samples.values)
    regular = modality.kind == "sequence" or modality.rate or samples.rate
    kept = ~np.isnan(values).any(axis=1) if regular else ~np.isnan(values).all(axis=1)
    return RawSamples(samples.seconds[kept], values[kept], samples.rate), int(outside.sum())


class ChannelCheck:
    """Finds suspicious channels of a modality, window by window."""

    def __init__(self, modality: Modality) -> None:
        self.modality, self.windows = modality, 0
        self.samples = self.implausible = 0
        self.empty = np.zeros(modality.channels, dtype=int)
        self.low, self.high = np.full(modality.channels, np.inf), np.full(modality.channels, -np.inf)
        self.equal = dict.fromkeys(combinations(range(modality.channels), 2), True)

    def count(self, samples: int, implausible: int, empty: Codes | int) -> None:
        """Count samples that have a value, implausible values, and, by channel, samples without a value."""
        self.samples, self.implausible = self.samples + samples, self.implausible + implausible
        self.empty = self.empty + empty

    def add(self, windows: Floats, usable: Bools) -> None:
        """Add windows of a piece.

        Parameters
        ----------
        windows : ndarray of float32, shape (n_windows, length * n_channels)
            Windows, row by row.
        usable : ndarray of bool, shape (n_windows,)
            Windows in which the modality is not missing.
        """
        if not usable.any():
            return
        samples = windows[usable].reshape(-1, self.modality.channels)
        known = np.where(np.isnan(samples), np.inf, samples), np.where(np.isnan(samples), -np.inf, samples)
        self.low, self.high = np.minimum(self.low, known[0].min(axis=0)), np.maximum(self.high, known[1].max(axis=0))
        for a, b in [pair for pair, equal in self.equal.items() if equal]:
            self.equal[a, b] = np.array_equal(samples[:, a], samples[:, b], equal_nan=True)
        self.windows += int(usable.sum())

    def notes(self) -> Iterator[BadInput]:
        """Yield what is suspicious in all windows together."""
        modality, names = self.modality, self.modality.channel_names
        if self.implausible and modality.limits:
            low, high = modality.limits
            values = self.implausible + self.samples * modality.channels
            found = f"{self.implausible} of {values} values are outside {low:g} to {high:g} {modality.unit}"
            yield BadInput("implausible values", f"{modality.name}: {found}; they are missing")
        if self.empty.any():
            found = ", ".join(f"{names[channel]!r} {self.empty[channel]}" for channel in np.flatnonzero(self.empty))
            yield BadInput("empty cells", f"{modality.name}: of {self.samples} samples, without a value: {found}")
        if self.windows < FEWEST_WINDOWS:
            return
        constant = self.low == self.high
        for channel in np.flatnonzero(constant):
            value = f"{names[channel]!r} is {self.low[channel]:g} in all {self.windows} windows"
            yield BadInput("constant channel", f"{modality.name}: {value}")
        for (a, b), equal in self.equal.items():
            if equal and not constant[a]:
                both = f"{names[a]!r} and {names[b]!r} are equal in all {self.windows} windows"
                yield BadInput("equal channels", f"{modality.name}: {both}")
