"""Features of the field: on signals whose features are known."""

import numpy as np
import pytest

from lifelog.settings.windows import Modality
from lifelog.windows.features import summary_features
from lifelog.windows.signals import acceleration, pulse, skin_conductance, slow

RATE = 64


def beats(intervals: np.ndarray, noise: float = 0.0) -> np.ndarray:
    """A pulse wave of a minute with a pulse after each interval in seconds, (1, 3840)."""
    t = np.arange(60 * RATE) / RATE
    times = 0.5 + np.cumsum(intervals)
    wave = np.exp(-0.5 * ((t[:, None] - times) / 0.12) ** 2).sum(axis=1)
    return (50 * wave + noise * np.random.default_rng(0).normal(size=len(t)))[None]


def test_heart_rate_and_its_variability_are_those_of_the_pulses() -> None:
    rng = np.random.default_rng(1)
    intervals = 0.8 + 0.04 * rng.normal(size=100)
    found = {name: value[0] for name, value in pulse(beats(intervals), RATE).items()}
    inside = intervals[1 : np.searchsorted(0.5 + np.cumsum(intervals), 60)]
    assert found["hr"] == pytest.approx(60 / inside.mean(), rel=0.01)
    assert found["sdnn"] == pytest.approx(1000 * inside.std(), rel=0.1)
    assert found["rmssd"] == pytest.approx(1000 * np.sqrt((np.diff(inside) ** 2).mean()), rel=0.15)
    assert found["pnn50"] == pytest.approx((np.abs(np.diff(inside)) > 0.05).mean(), abs=0.1)
    assert found["quality"] > 0.95


def test_variability_is_missing_without_a_clear_pulse() -> None:
    rng = np.random.default_rng(0)
    noise = pulse(rng.normal(size=(20, 60 * RATE)), RATE)
    regular = pulse(beats(np.full(80, 0.75)), RATE)
    assert noise["quality"].max() < regular["quality"][0]
    assert np.isnan(noise["rmssd"]).mean() > 0.8
    assert regular["rmssd"][0] < 5


def test_pulses_do_not_depend_on_the_other_windows() -> None:
    some = np.concatenate([beats(np.full(100, period), noise=5) for period in (0.6, 0.8, 1.0)])
    together, alone = pulse(some, RATE), [pulse(some[i : i + 1], RATE) for i in range(3)]
    for name, values in together.items():
        np.testing.assert_allclose(values, [own[name][0] for own in alone], err_msg=name)


def test_skin_conductance_responses_are_counted_and_measured() -> None:
    t = np.arange(240) / 4
    onsets, size = np.array([5, 15, 27, 44]), 0.4
    since = np.maximum(t[:, None] - onsets, 0)
    shape = np.exp(-since / 3) - np.exp(-since / 0.8)
    tonic = 2 + 0.005 * t
    found = skin_conductance(np.stack([tonic + size * (shape / shape.max()).sum(axis=1), tonic]), 4)
    assert found["scr_rate"].tolist() == [4, 0]
    assert found["scr_amplitude"][0] == pytest.approx(size, rel=0.3) and found["scr_amplitude"][1] == 0
    assert found["scl"][1] == pytest.approx(tonic.mean())
    assert found["slope"][1] == pytest.approx(0.005)


def test_activity_does_not_depend_on_the_posture() -> None:
    rng = np.random.default_rng(0)
    shake = rng.normal(size=(1, 960, 1))
    down, up = (np.array(direction) for direction in ([0, 0, 1.0], [0, -1.0, 0]))
    first, second = (acceleration((1 + 0.1 * shake) * direction, "xyz") for direction in (down, up))
    for name in ("magnitude.mad", "magnitude.std", "magnitude.change"):
        assert first[name] == pytest.approx(second[name])
    assert [first[f"{axis}.posture"][0] for axis in "xyz"] == pytest.approx([0, 0, 1])
    assert [second[f"{axis}.posture"][0] for axis in "xyz"] == pytest.approx([0, -1, 0])


def test_slow_signals_have_a_level_and_a_slope() -> None:
    found = slow(np.stack([30 + 0.01 * np.arange(240) / 4, np.full(240, 25.0)]), 4)
    np.testing.assert_allclose(found["mean"], [30 + 0.01 * 239 / 8, 25])
    np.testing.assert_allclose(found["slope"], [0.01, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"unit": "nW", "rate": 64, "length": 3840}, {"value.hr", "value.rmssd", "value.quality"}),
        ({"unit": "nW", "rate": 4, "length": 240}, {"value.peak_hz"}),  # too slow for pulses
        ({"unit": "nW", "rate": 64, "length": 3840, "signal": "other"}, {"value.peak_hz"}),
        ({"unit": "", "rate": 64, "length": 3840, "signal": "pulse"}, {"value.hr"}),
        ({"unit": "µS", "rate": 4, "length": 240}, {"value.scr_rate"}),
        ({"unit": "µS", "rate": 4, "length": 240, "features": "both"}, {"value.scr_rate", "value.peak_hz"}),
        ({"unit": "µS", "rate": 4, "length": 240, "features": "generic"}, {"value.peak_hz"}),
        ({"unit": "g", "rate": 4, "length": 240}, {"value.peak_hz"}),  # one axis has no magnitude
        ({"unit": "µS", "kind": "scalar"}, {"value.mean"}),
    ],
)
def test_the_unit_or_the_signal_determines_the_features(about: dict[str, object], expected: set[str]) -> None:
    modality = Modality(name="m", columns=["value"], **about)
    values = np.random.default_rng(0).normal(size=(3, modality.length, 1))
    names = set(summary_features(values, modality, 60))
    assert expected <= names
    assert "value.peak_hz" in expected or "value.peak_hz" not in names
