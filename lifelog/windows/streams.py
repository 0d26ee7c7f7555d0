"""Recordings that are longer than a window: regular and irregular streams, and sessions that read windows from them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import numpy as np
import pandas as pd

from lifelog.arrays import Floats
from lifelog.settings.windows import Modality
from lifelog.settings.zones import DAY
from lifelog.windows.layout import BadInput, Label, RawSamples, Session
from lifelog.windows.times import show, zone_at

TOLERANCE = 1e-6  # samples; float rounding of times must not move a sample into the neighbouring window


class Stream(Protocol):
    """A modality over some time."""

    def between(self, start: float, stop: float) -> RawSamples:
        """Return the samples from `start` to `stop` (unix seconds), relative to `start`."""


@dataclass(frozen=True)
class Regular:
    """Samples at a constant rate: start in unix seconds, rate in Hz, values of shape (n_samples, n_channels)."""

    start: float
    rate: float
    values: Floats

    def between(self, start: float, stop: float) -> RawSamples:
        """Return the samples from `start` to `stop` (unix seconds), relative to `start`; NaN rows are left out."""
        first, last = (
            min(max(0, int(np.ceil((time - self.start) * self.rate - TOLERANCE))), len(self.values))
            for time in (start, stop)
        )
        values = self.values[first:last]
        seconds = np.maximum((self.start - start) + np.arange(first, last) / self.rate, 0)
        good = np.isfinite(values).all(axis=1)
        if not good.all():
            seconds, values = seconds[good], values[good]
        return RawSamples(seconds, values, self.rate)


@dataclass(frozen=True)
class Irregular:
    """Samples with times: unix seconds of shape (n_samples,) in order, values of shape (n_samples, n_channels)."""

    seconds: Floats
    values: Floats

    def between(self, start: float, stop: float) -> RawSamples:
        """Return the samples from `start` to `stop` (unix seconds), relative to `start`."""
        first, last = np.searchsorted(self.seconds, [start, stop])
        return RawSamples(self.seconds[first:last] - start, self.values[first:last])


@dataclass(frozen=True)
class Daily:
    """Values of local days: their starts and ends in unix seconds, in order, values of shape (n_days, n_channels)."""

    starts: Floats
    ends: Floats
    values: Floats

    def between(self, start: float, stop: float) -> RawSamples:
        """Return the values of the day in which a window starts."""
        values = self.values[(self.starts <= start) & (start < self.ends)]
        return RawSamples(np.zeros(len(values)), values)


@dataclass(frozen=True)
class Broken:
    """An unusable file: windows that overlap its time in unix seconds are missing, with its fault."""

    start: float
    stop: float
    fault: BadInput

    def between(self, start: float, stop: float) -> RawSamples:
        """Raise the fault if the file could hold samples of this time."""
        if self.start < stop and start < self.stop:
            raise self.fault
        return RawSamples(np.empty(0), np.empty((0, 1)))


@dataclass(frozen=True)
class Unreadable:
    """A file or rows that are not used and may be of any time: a note, and the cause of windows without samples."""

    fault: BadInput
    is_cause: bool = True

    def between(self, start: float, stop: float) -> RawSamples:
        """Return no samples."""
        return RawSamples(np.empty(0), np.empty((0, 1)))


@dataclass
class StreamSession(Session):
    """A session whose windows are read from streams.

    `load` returns the streams of a modality in time order, and raises BadInput if it cannot be used. It is called on
    first use; its result is kept in `loaded`, which several sessions may share.
    """

    load: Callable[[Modality], Sequence[Stream]] = field(kw_only=True)
    loaded: dict[str, Sequence[Stream] | BadInput] = field(default_factory=dict, kw_only=True)

    def read(self, modality: Modality, start: int, stop: int) -> RawSamples:
        """Return the samples of a window; raise BadInput if there are none or the recording is unusable."""
        if modality.name not in self.loaded:
            try:
                self.loaded[modality.name] = streams = self.load(modality)
                faults = [stream.fault for stream in streams if isinstance(stream, Unreadable)]
                self.notes = [*self.notes, *faults]
            except BadInput as problem:
                self.loaded[modality.name] = problem
        found = self.loaded[modality.name]
        if isinstance(found, BadInput):
            raise found
        parts = [part for part in (stream.between(start, stop) for stream in found) if len(part.seconds)]
        if not parts:
            absent = BadInput("not recorded", f"{modality.name}: no sample from {show(start)} to {show(stop)} UTC")
            causes = [stream.fault for stream in found if isinstance(stream, Unreadable) and stream.is_cause]
            raise next(iter(causes), absent)
        if len(parts) == 1:
            return parts[0]
        rate = parts[0].rate if len({part.rate for part in parts}) == 1 else None
        return RawSamples(np.concatenate([p.seconds for p in parts]), np.concatenate([p.values for p in parts]), rate)


def by_day(labels: list[Label], width: int, zone: str) -> Iterator[tuple[str, list[Label]]]:
    """Yield the labels of each local day, for recordings without sessions; those of each week for windows of a day."""
    form = "%G-W%V" if width >= DAY else "%Y-%m-%d"
    for name, of_day in groupby(
        labels, lambda label: f"{pd.Timestamp(label.start, unit='s', tz=zone_at(label.start, zone)):{form}}"
    ):
        yield name, list(of_day)
