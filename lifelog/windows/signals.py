"""Domain features: what is usually computed from a kind of signal, over all windows at once.

A feature that cannot be computed in a window, such as heart-rate variability without a clear pulse, is NaN.
"""

from collections.abc import Callable, Sequence

import numpy as np

from lifelog.arrays import Codes, Floats

Columns = dict[str, Floats]

PULSE_BAND = (0.5, 3.0)  # Hz; a wider one agrees less with the intervals that the device itself reports
SHORTEST, LONGEST = 0.3, 2.0  # seconds between pulses: 200 to 30 per minute
DEVIATION = 0.2  # from the median interval of the window, above which a pulse was missed or is not one
FEWEST = 10  # intervals from which heart-rate variability is computed
CLEAR = 0.5  # share of the window that intervals cover, from which heart-rate variability is computed
RESPONSE = 0.01  # µS that skin conductance rises, from which a rise is a response
STEEP = 0.01  # µS per second


def pulse(values: Floats, rate: float) -> Columns:
    """Compute heart rate and its variability from a pulse wave (photoplethysmogram).

    Pulses are found by two moving averages of the squared pulse wave; their times are interpolated between samples.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length)
        Blood volume pulse in any unit.
    rate : float
        Sampling rate in Hz.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows,)
        hr (1/min), sdnn (ms), rmssd (ms), pnn50 (share of successive differences above 50 ms), amplitude (mean height
        of pulses, in the unit) and quality, the share of the window that plausible intervals between pulses cover.

    References
    ----------
    Elgendi, Norton, Brearley, Abbott, Schuurmans (2013). Systolic peak detection in acceleration photoplethysmograms
    measured from emergency responders in tropical conditions. PLoS ONE 8(10).
    Task Force of the European Society of Cardiology (1996). Heart rate variability. Circulation 93, 1043-1065.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d
    from scipy.signal import butter, sosfiltfilt  # takes half a second to import, and few cohorts have a pulse wave

    seconds = values.shape[1] / rate
    band = (PULSE_BAND[0], min(PULSE_BAND[1], 0.45 * rate))
    wave = sosfiltfilt(butter(3, band, "bandpass", fs=rate, output="sos"), values, axis=1)
    squared = np.clip(wave, 0, None) ** 2
    of_peak, of_beat = (uniform_filter1d(squared, max(1, round(width * rate)), axis=1) for width in (0.111, 0.667))
    inside = of_peak > of_beat + 0.02 * squared.mean(axis=1, keepdims=True)
    highest = wave == maximum_filter1d(wave, 2 * round(SHORTEST * rate / 2 + 0.5) + 1, axis=1)
    peaks = inside & highest
    peaks[:, [0, -1]] = False
    rows, columns = np.nonzero(peaks)
    before, height, after = wave[rows, columns - 1], wave[rows, columns], wave[rows, columns + 1]
    curvature = before - 2 * height + after
    shift = np.where(curvature < 0, 0.5 * (before - after) / np.minimum(curvature, -1e-12), 0)
    times = _by_window((columns + shift) / rate, rows, len(wave))
    intervals = np.diff(times, axis=1)
    intervals[(intervals < SHORTEST) | (intervals > LONGEST)] = np.nan
    middle = _median(intervals)[:, None]
    intervals[np.abs(intervals - middle) > DEVIATION * middle] = np.nan
    successive = np.diff(intervals, axis=1)  # NaN unless both intervals are plausible
    count, covered = (~np.isnan(intervals)).sum(axis=1), np.nansum(intervals, axis=1) / seconds
    clear = (count >= FEWEST) & (covered >= CLEAR)
    squares = _mean(successive**2)
    long = np.where(np.isnan(successive), np.nan, np.abs(successive) > 0.05)
    return {
        "hr": 60 / _mean(intervals),
        "sdnn": np.where(clear, 1000 * np.sqrt(_mean((intervals - _mean(intervals)[:, None]) ** 2)), np.nan),
        "rmssd": np.where(clear, 1000 * np.sqrt(squares), np.nan),
        "pnn50": np.where(clear, _mean(long), np.nan),
        "amplitude": _mean(_by_window(height, rows, len(wave))),
        "quality": np.minimum(covered, 1),
    }


def skin_conductance(values: Floats, rate: float) -> Columns:
    """Compute level, slope and responses of skin conductance.

    A response is a rise of at least 0.01 µS that is steeper than 0.01 µS per second throughout; slower changes belong
    to the level.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length)
        Skin conductance in µS.
    rate : float
        Sampling rate in Hz.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows,)
        scl (mean level in µS), slope (µS per second), scr_rate (responses per minute) and scr_amplitude (their mean
        rise in µS, 0 without a response).

    References
    ----------
    Boucsein et al. (2012). Publication recommendations for electrodermal measurements. Psychophysiology 49, 1017-1034.
    """
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(values, max(1, round(rate)), axis=1)
    rising = np.zeros((len(values), values.shape[1] + 1), dtype=bool)
    rising[:, 1:-1] = np.diff(smooth, axis=1) > STEEP / rate
    # Rows of `starts` and `ends` are in the same order, since every rise ends.
    row, start = np.nonzero(rising[:, 1:] & ~rising[:, :-1])
    end = np.nonzero(rising[:, :-1] & ~rising[:, 1:])[1]
    rise = smooth[row, end] - smooth[row, start]
    row, rise = row[rise >= RESPONSE], rise[rise >= RESPONSE]
    count = np.bincount(row, minlength=len(values))
    size = np.bincount(row, weights=rise, minlength=len(values)) / np.maximum(count, 1)
    minutes = values.shape[1] / rate / 60
    return {
        "scl": values.mean(axis=1),
        "slope": slope(values, rate),
        "scr_rate": count / minutes,
        "scr_amplitude": size,
    }


def slow(values: Floats, rate: float) -> Columns:
    """Compute the level and the slope of a slow signal such as heart rate or temperature.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length)
        One channel, in any unit.
    rate : float
        Sampling rate in Hz.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows,)
        mean, in the unit, and slope, in the unit per second.
    """
    return {"mean": values.mean(axis=1), "slope": slope(values, rate)}


def slope(values: Floats, rate: float) -> Floats:
    """Compute least-squares slopes over time.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length, ...)
        Windows.
    rate : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of float, shape (n_windows, ...)
        In the unit per second.
    """
    length = values.shape[1]
    t = (np.arange(length) - (length - 1) / 2) / rate
    slopes: Floats = np.tensordot(values, t, axes=(1, 0)) / (t**2).sum()
    return slopes


def acceleration(values: Floats, axes: Sequence[str]) -> Columns:
    """Compute activity and posture from acceleration.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length, n_axes)
        Acceleration in any unit, gravity included.
    axes : sequence of str
        Names of the axes.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows,)
        Of the magnitude: mad (mean absolute deviation), std and change (mean absolute difference of neighbouring
        samples), in the unit. By axis: posture, the direction of the mean vector, from -1 to 1.

    References
    ----------
    Vähä-Ypyä, Vasankari, Husu, Suni, Sievänen (2015). A universal, accurate intensity-based classification of
    different physical activities using raw data of accelerometer. Clinical Physiology and Functional Imaging 35, 64-70.
    """
    size = np.linalg.norm(values, axis=2)
    centred = size - size.mean(axis=1, keepdims=True)
    vector = values.mean(axis=1)
    direction = vector / np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-12)
    return {
        "magnitude.mad": np.abs(centred).mean(axis=1),
        "magnitude.std": centred.std(axis=1),
        "magnitude.change": np.abs(np.diff(size, axis=1)).mean(axis=1),
        **{f"{axis}.posture": direction[:, a] for a, axis in enumerate(axes)},
    }


OF_CHANNELS: dict[str, Callable[[Floats, float], Columns]] = {
    "pulse": pulse,
    "skin_conductance": skin_conductance,
    "heart_rate": slow,
    "temperature": slow,
}


def domain_features(signal: str, values: Floats, rate: float, channels: Sequence[str]) -> Columns:
    """Compute the features of a signal.

    Parameters
    ----------
    signal : str
        pulse, skin_conductance, acceleration, heart_rate or temperature.
    values : ndarray of float, shape (n_windows, length, n_channels)
        Windows of a modality, in its unit.
    rate : float
        Sampling rate in Hz.
    channels : sequence of str
        Names of the channels.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows,)
        By `{channel}.{feature}`.
    """
    if signal == "acceleration":
        return acceleration(values, channels)
    features = {}
    for c, channel in enumerate(channels):
        for name, column in OF_CHANNELS[signal](values[..., c], rate).items():
            features[f"{channel}.{name}"] = column
    return features


def _by_window(values: Floats, rows: Codes, count: int) -> Floats:
    """Return values, in the order of their windows, as a table (n_windows, longest), with NaN after the last one."""
    sizes = np.bincount(rows, minlength=count)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    table = np.full((count, max(2, sizes.max(initial=0))), np.nan)
    table[rows, place] = values
    return table


def _mean(table: Floats) -> Floats:
    """Return the means of rows without NaN, NaN for rows without any value."""
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, table, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _median(table: Floats) -> Floats:
    """Return the medians of rows without NaN, NaN for rows without any value."""
    ordered = np.sort(table, axis=1)  # NaN last
    count = (~np.isnan(table)).sum(axis=1)
    middle = ordered[np.arange(len(table)), np.maximum(count - 1, 0) // 2]
    upper = ordered[np.arange(len(table)), np.maximum(count // 2, 0).clip(max=table.shape[1] - 1)]
    return np.where(count > 0, (middle + upper) / 2, np.nan)
