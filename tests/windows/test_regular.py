import numpy as np
import pytest

from lifelog.settings.windows import Modality, Windows
from lifelog.windows.layout import BadInput, RawSamples
from lifelog.windows.regular import to_window


def samples(count: int, columns: int) -> RawSamples:
    values = np.arange(count * columns, dtype=float).reshape(count, columns)
    return RawSamples(np.arange(count) * (60 / count), values)


@pytest.mark.parametrize("kind", ["scalar", "mean"])
def test_a_scalar_is_the_mean_of_each_column(kind: str) -> None:
    gps = Modality(name="gps", kind=kind, columns=["lat", "lon", "accuracy"])
    assert to_window(samples(2, 3), gps, Windows()).values.tolist() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize(("count", "used"), [(59, False), (60, True), (61, False)])
def test_an_exact_modality_requires_its_exact_number_of_samples(count: int, used: bool) -> None:
    modality = Modality(name="m", columns=["x"], rate=1, length=60, exact=True)
    if used:
        assert len(to_window(samples(count, 1), modality, Windows()).values) == 60
    else:
        with pytest.raises(BadInput, match=f"{count}, not 60"):
            to_window(samples(count, 1), modality, Windows())
    assert len(to_window(samples(count, 1), modality.model_copy(update={"exact": False}), Windows()).values) == 60


RATE4 = Modality(name="eda", columns=["eda"], rate=4, length=240)


def stream(seconds: np.ndarray) -> RawSamples:
    return RawSamples(seconds, np.sin(seconds / 7)[:, None])


def test_samples_at_the_configured_rate_are_kept_as_they_are() -> None:
    for offset in (0, 0.1, 0.24):
        samples = stream(np.arange(240) / 4 + offset)
        window = to_window(samples, RATE4, Windows())
        np.testing.assert_array_equal(window.values, samples.values[:, 0].astype(np.float32))
        assert window.interpolated == 0


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (np.arange(480) / 8, "another sampling rate"),  # a faster device
        (np.arange(240) / 8, "too few samples"),  # the right number in half of the time
        (np.r_[np.arange(120) / 4, np.arange(120) / 4 + 0.01], "too few samples"),  # two streams in half of the time
        (np.sort(np.r_[np.arange(240) / 4, np.arange(240) / 4 + 0.1]), "another sampling rate"),  # two streams
        (np.arange(120) / 2, "too few samples"),  # a slower device
        (np.arange(180) / 3, "too few samples"),
        (np.arange(240) / 4 + 10, "too few samples"),  # starts late
    ],
)
def test_a_window_holds_its_whole_span_or_is_missing(seconds: np.ndarray, reason: str) -> None:
    inside = np.sort(seconds[seconds < 60])
    with pytest.raises(BadInput) as caught:
        to_window(stream(inside), RATE4, Windows())
    assert caught.value.reason == reason


def test_the_rates_of_file_and_configuration_are_named() -> None:
    with pytest.raises(BadInput, match="8 Hz in the file, 4 Hz configured"):
        to_window(stream(np.arange(480) / 8), RATE4, Windows())


def test_rows_written_twice_count_once() -> None:
    once = stream(np.arange(240) / 4)
    twice = RawSamples(np.repeat(once.seconds, 2), np.repeat(once.values, 2, axis=0))
    np.testing.assert_array_equal(to_window(twice, RATE4, Windows()).values, to_window(once, RATE4, Windows()).values)


def test_repeated_rows_count_once_among_several_values_of_a_time() -> None:
    once = stream(np.arange(240) / 4)
    seconds = np.insert(once.seconds, 101, [25, 25])
    values = np.insert(once.values, 101, [[7], once.values[100]], axis=0)  # the row of this time, 7, the row again
    window = to_window(RawSamples(seconds, values), RATE4, Windows())
    assert window.values[100] == np.float32((once.values[100, 0] + 7) / 2)


def test_two_devices_with_the_same_times_are_not_mixed() -> None:
    samples = stream(np.repeat(np.arange(240) / 4, 2))
    samples.values[1::2] += 1
    with pytest.raises(BadInput, match="several values per time"):
        to_window(samples, RATE4, Windows())


def test_jitter_drift_and_small_gaps_are_interpolated_in_time_and_counted() -> None:
    rng = np.random.default_rng(0)
    jitter = stream(np.sort(np.arange(240) / 4 + rng.uniform(0, 0.2, 240)))
    assert to_window(jitter, RATE4, Windows()).interpolated == 0
    drift = stream(np.arange(234) / 3.9)
    gap = stream(np.delete(np.arange(240) / 4, range(100, 108)))
    for samples, filled in ((drift, 0), (gap, 8)):
        window = to_window(samples, RATE4, Windows())
        np.testing.assert_allclose(window.values, np.sin(np.arange(240) / 4 / 7), atol=0.01)
        assert window.interpolated == filled
    faster = stream(np.arange(248) / (248 / 60))
    np.testing.assert_allclose(to_window(faster, RATE4, Windows()).values, np.sin(np.arange(240) / 4 / 7), atol=0.01)


@pytest.mark.parametrize("first", [0.6, 0.6 - 1e-9, 0.6 + 1e-9])
def test_a_gap_at_the_start_does_not_shift_the_other_samples(first: float) -> None:
    """0.6 % 0.2 is nearly 0.2 in floating point."""
    rate5 = Modality(name="acc", columns=["x"], rate=5, length=300)
    seconds = np.r_[first, np.arange(4, 300) / 5]
    window = to_window(RawSamples(seconds, seconds[:, None] * 10), rate5, Windows())
    np.testing.assert_allclose(window.values[3:], np.arange(3, 300) * 2, atol=1e-4)


def test_samples_in_any_order_give_the_same_window() -> None:
    samples = stream(np.arange(240) / 4)
    order = np.random.default_rng(0).permutation(240)
    shuffled = RawSamples(samples.seconds[order], samples.values[order])
    np.testing.assert_array_equal(
        to_window(shuffled, RATE4, Windows()).values, to_window(samples, RATE4, Windows()).values
    )


def test_a_constant_channel_is_a_flat_signal_unless_allowed() -> None:
    values = np.random.default_rng(0).normal(size=(240, 3))
    values[:, 1] = 0
    modality = Modality(name="acc", columns=["x", "up", "z"], rate=4, length=240)
    with pytest.raises(BadInput, match="flat signal: 'up' is 0 in the whole window"):
        to_window(RawSamples(np.arange(240) / 4, values), modality, Windows())
    kept = modality.model_copy(update={"flat": "keep"})
    assert len(to_window(RawSamples(np.arange(240) / 4, values), kept, Windows()).values) == 720


@pytest.mark.parametrize(
    ("unit", "scale", "level", "worn"),
    [
        ("µS", 1, 0.005, False),
        ("µS", 1, 0.03, True),
        ("µS", 0.001, 60, True),  # the level counts in the unit
        ("°C", 1, 23, False),
        ("°C", 1, 27, True),
        ("", 1, 0.005, True),
    ],
)
def test_a_sensor_without_skin_contact_is_missing(unit: str, scale: float, level: float, worn: bool) -> None:
    modality = RATE4.model_copy(update={"unit": unit, "scale": scale})
    values = level * (1 + 0.01 * np.random.default_rng(0).normal(size=(240, 1)))
    recorded = RawSamples(np.arange(240) / 4, values)
    if worn:
        to_window(recorded, modality, Windows())
    else:
        with pytest.raises(BadInput, match=f"no skin contact: mean .* {unit}, below"):
            to_window(recorded, modality, Windows())
        to_window(recorded, modality.model_copy(update={"contact": None}), Windows())


def test_a_scalar_of_a_regular_recording_covers_its_window() -> None:
    modality = Modality(name="hr", kind="scalar", columns=["hr"])
    half = RawSamples(np.arange(30.0), np.arange(30.0)[:, None], rate=1)
    with pytest.raises(BadInput, match="30 of 60"):
        to_window(half, modality, Windows())
    irregular = RawSamples(half.seconds, half.values)
    assert to_window(irregular, modality, Windows()).values == [14.5]
