"""From samples as recorded to a window: the whole span of time at the configured rate, or a reason why not."""

from typing import NamedTuple

import numpy as np

from lifelog.arrays import Floats
from lifelog.settings.windows import Extraction, Modality
from lifelog.windows.layout import BadInput, RawSamples

JITTER = 1.5  # sampling periods that a sample may be from its place in the window without interpolation
GAP = 2.0  # sampling periods between samples; samples are missing in longer gaps
ROUNDING = 1e-6
PHASE = 1e-3  # sampling periods by which the first sample may be too early: 0.6 % 0.2 is 0.2 in floating point
FIRST_ROWS = 32  # that are compared before all rows


class Window(NamedTuple):
    """Values of a modality in a window, row by row, and the number of values that were filled by interpolation."""

    values: Floats
    interpolated: int


def to_window(samples: RawSamples, modality: Modality, extraction: Extraction) -> Window:
    """Convert the samples of a window to a row of the windows table.

    Samples are judged by their times, not by their number: with gaps, another rate or several values per time, a
    window of `length` samples could hold another span of time.

    Parameters
    ----------
    samples : RawSamples
        Samples inside the window.
    modality : Modality
        Samples of a scalar become the mean of each column. A sequence has `length` samples at equal
        distances; samples that are not at these times are interpolated linearly.
    extraction : Extraction
        Window length in seconds and minimum coverage.

    Returns
    -------
    values : ndarray of float32, shape (length * n_channels,)
        Values in the modality's unit, row by row.
    interpolated : int
        Number of samples without a recorded sample near them.

    Raises
    ------
    BadInput
        If samples do not cover the window, have another rate than configured or several values per time, are constant
        in a channel or below the level of skin contact, or, for an exact modality, have another number than `length`.
    """
    count, width = len(samples.seconds), extraction.seconds
    rate = modality.length / width if modality.kind == "sequence" else modality.rate or samples.rate
    if modality.exact and count != modality.length:
        raise BadInput("not the exact number of samples", f"{count}, not {modality.length}")
    if not count:
        raise BadInput("too few samples", "no sample in the window")
    seconds, values = samples.seconds, samples.values
    if rate:
        seconds, values = _in_order(samples, extraction.coverage)
        _check_coverage(seconds, rate, modality, extraction)
        if modality.flat == "missing" and count > 1 and (channel := _flat_channel(values)) is not None:
            name = modality.columns[channel] if channel < len(modality.columns) else str(channel)
            raise BadInput("flat signal", f"{name!r} is {values[0, channel]:g} in the whole window")
    _check_contact(values, modality)
    if modality.kind != "sequence":
        scale = 1.0 if modality.kind == "events" else modality.scale
        return Window((_means(values) * scale).astype(np.float32), 0)
    values, interpolated = _on_grid(seconds, values, modality.length, width / modality.length)
    return Window((values * modality.scale).astype(np.float32).ravel(), interpolated)


def _means(values: Floats) -> Floats:
    """Return the mean of the known values of each channel, NaN without any."""
    known = ~np.isnan(values)
    sums, counts = np.where(known, values, 0).sum(axis=0, dtype=float), known.sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _flat_channel(values: Floats) -> int | None:
    """Return the first channel that is constant, or None."""
    if (values[:FIRST_ROWS] != values[0]).any(axis=0).all():  # nearly always, and much cheaper than all rows
        return None
    flat = (values == values[0]).all(axis=0)
    return int(flat.argmax()) if flat.any() else None


def _check_contact(values: Floats, modality: Modality) -> None:
    """Raise BadInput if the mean of a channel shows that the sensor does not touch the skin."""
    if modality.least_contact is None:
        return
    lowest = np.nanmin(_means(values) * modality.scale)
    if lowest < modality.least_contact:
        detail = f"mean {lowest:.3g} {modality.unit}, below {modality.least_contact:g}"
        raise BadInput("no skin contact", detail.replace("  ", " "))


def _in_order(samples: RawSamples, coverage: float) -> tuple[Floats, Floats]:
    """Return samples in time order; repeated rows count once, and several values of one time are averaged.

    Two devices in one file have many times with different values: then BadInput is raised.
    """
    seconds, values = samples.seconds, samples.values
    step = np.diff(seconds)
    if (step > 0).all():
        return seconds, values
    order = np.lexsort((*values.T, seconds))  # by values too, so that equal rows are neighbours
    seconds, values = seconds[order], values[order]
    new = np.r_[True, (np.diff(seconds) > 0) | (np.diff(values, axis=0) != 0).any(axis=1)]
    seconds, values = seconds[new], values[new]
    first = np.flatnonzero(np.r_[True, np.diff(seconds) > 0])
    several = len(seconds) - len(first)
    if several > (1 - coverage) * len(seconds) + 1:
        raise BadInput("several values per time", f"{several} of {len(seconds)} samples have the time of another one")
    counts = np.diff(np.r_[first, len(seconds)])
    return seconds[first], np.add.reduceat(values, first, axis=0) / counts[:, None]


def _check_coverage(seconds: Floats, rate: float, modality: Modality, extraction: Extraction) -> None:
    """Raise BadInput unless samples cover the window at the rate."""
    expected, width, count = rate * extraction.seconds, extraction.seconds, len(seconds)
    if count * extraction.coverage > expected + 1:
        found = 1 / np.median(np.diff(seconds))
        wanted = modality.rate or rate
        raise BadInput("another sampling rate", f"{found:.4g} Hz in the file, {wanted:g} Hz configured")
    gaps = np.diff(seconds) * rate
    missing = (gaps[gaps > GAP + ROUNDING] - 1).sum()
    missing += np.floor(seconds[0] * rate + ROUNDING)
    missing += max(0, np.ceil((width - seconds[-1]) * rate - ROUNDING) - 1)
    covered = min(expected - missing, count)
    if covered < extraction.coverage * expected - ROUNDING:
        cause = f"{count} of {expected:.0f}"
        if count >= extraction.coverage * expected:
            cause = f"{count} of {expected:.0f}, but {missing / rate:.1f} of {width} s are without samples"
        raise BadInput("too few samples", cause)


def _on_grid(seconds: Floats, values: Floats, length: int, period: float) -> tuple[Floats, int]:
    """Return `length` samples at equal distances, and how many of them have no recorded sample near."""
    grid = np.arange(length) * period
    if len(seconds) >= length and np.abs(seconds[:length] - grid).max() <= JITTER * period:
        return values[:length], 0
    phase = seconds[0] / period
    grid += (phase - np.floor(phase + PHASE)) * period  # samples of a regular recording with gaps keep their values
    after = np.searchsorted(seconds, grid).clip(1, len(seconds) - 1)
    near = np.minimum(np.abs(grid - seconds[after - 1]), np.abs(seconds[after] - grid))
    on_grid = np.stack([np.interp(grid, seconds, column) for column in values.T], axis=1)
    return on_grid, int((near > 0.75 * period).sum())
