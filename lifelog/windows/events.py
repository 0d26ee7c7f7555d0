"""Events: rows of a table that mean by their time, such as screens that unlock, calls, or changes of activity."""

from dataclasses import dataclass, field

import numpy as np

from lifelog.arrays import Codes, Floats
from lifelog.windows.layout import RawSamples


@dataclass(frozen=True)
class Events:
    """The events of a participant, with the features of a window.

    Attributes
    ----------
    starts, ends : ndarray of float, shape (n_events,)
        Unix seconds, in the order of starts.
    number : ndarray of int, shape (n_events,)
        The category; -1 for events that are recorded and not counted.
    categories : int
        Number of categories.
    lasting : bool
        Whether the share of time is a feature.
    longest_gap : float or None
        Seconds without any event from which the recording counts as interrupted.
    """

    starts: Floats
    ends: Floats
    number: Codes
    categories: int
    lasting: bool
    longest_gap: float | None
    _recorded: tuple[Floats, Floats] = field(init=False, repr=False)
    _by_category: list[tuple[Floats, Floats, Floats, Floats]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        latest = np.maximum.accumulate(self.ends) if len(self.ends) else self.ends
        gaps = self.starts[1:] - latest[:-1] > (np.inf if self.longest_gap is None else self.longest_gap)
        spans = self.starts[np.r_[True, gaps][: len(self.starts)]], latest[np.r_[gaps, True][: len(latest)]]
        object.__setattr__(self, "_recorded", spans)
        of_each = []
        origin = self.starts[0] if len(self.starts) else 0.0  # sums of small numbers are exact
        for category in range(self.categories):
            starts, ends = (times[self.number == category] - origin for times in (self.starts, self.ends))
            latest = np.maximum.accumulate(ends) if len(ends) else ends
            apart = np.r_[True, starts[1:] > latest[:-1]][: len(starts)]  # events that overlap cover their time once
            begins, stops = starts[apart], latest[np.r_[apart[1:], True][: len(latest)]]
            of_each.append((starts, begins, stops, np.r_[0, np.cumsum(stops - begins)]))
        object.__setattr__(self, "_by_category", of_each)

    def between(self, start: float, stop: float) -> RawSamples:
        """Return the features of a window, as one sample.

        Parameters
        ----------
        start, stop : float
            Unix seconds.

        Returns
        -------
        RawSamples
            By category: the number of events that start in the window; the logarithm of 1 + seconds from the last one
            until its end, NaN without any; and the share of the window that events cover. No sample if the recording
            begins later, ends earlier, or is interrupted within the window.
        """
        spans = self._recorded
        span = int(np.searchsorted(spans[0], start, side="right")) - 1
        if span < 0 or stop > spans[1][span]:
            return RawSamples(np.empty(0), np.empty((0, 1)))
        features: list[float] = []
        start, stop = start - self.starts[0], stop - self.starts[0]
        for starts, begins, stops, covered in self._by_category:
            first, last = np.searchsorted(starts, [start, stop])
            features += [last - first, np.log1p(stop - starts[last - 1]) if last else np.nan]
            if self.lasting:
                until = [_covered(time, begins, stops, covered) for time in (start, stop)]
                features.append((until[1] - until[0]) / (stop - start))
        return RawSamples(np.zeros(1), np.array([features], dtype=float))


def _covered(time: float, begins: Floats, stops: Floats, covered: Floats) -> float:
    """Return the seconds before a time that spans cover; `covered` has the sums of their lengths, from 0."""
    before = int(np.searchsorted(begins, time))
    return float(covered[before] - max(0.0, stops[before - 1] - time)) if before else 0.0
