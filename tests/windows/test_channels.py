"""Implausible values, constant channels and copies."""

import numpy as np

from lifelog.settings.windows import Modality
from lifelog.windows.channels import FEWEST_WINDOWS, ChannelCheck, without_implausible
from lifelog.windows.layout import RawSamples

HEART = Modality(name="hr", kind="scalar", columns=["bpm"], unit="1/min")


def test_a_heart_rate_of_zero_is_missing_and_counted() -> None:
    samples = RawSamples(np.arange(4.0), np.array([[0.0], [80.0], [300.0], [70.0]]))
    kept, implausible = without_implausible(samples, HEART)
    assert kept.values[:, 0].tolist() == [80, 70] and kept.seconds.tolist() == [1, 3] and implausible == 2
    everything = HEART.model_copy(update={"plausible": None})
    assert without_implausible(samples, everything) == (samples, 0)
    tenths = HEART.model_copy(update={"scale": 10.0, "plausible": (0.0, 1000.0)})
    assert without_implausible(samples, tenths)[1] == 1  # 3000 1/min
    check = ChannelCheck(HEART)
    check.add(np.full((4, 1), 80, np.float32), np.ones(4, dtype=bool))
    check.count(4, 4, 0)
    assert [note.detail for note in check.notes()] == [
        "hr: 4 of 8 values are outside 20 to 250 1/min; they are missing"
    ]


def test_rows_of_a_regular_recording_are_whole() -> None:
    pair = Modality(name="t", columns=["a", "b"], rate=4, length=240, unit="°C")
    samples = RawSamples(np.arange(3.0), np.array([[30.0, 30.0], [30.0, 95.0], [np.nan, 30.0]]))
    assert without_implausible(samples, pair)[0].values.tolist() == [[30, 30]]
    sparse = Modality(name="t", kind="scalar", columns=["a", "b"], unit="°C")
    assert len(without_implausible(samples, sparse)[0].seconds) == 3


def test_constant_and_equal_channels_are_named_and_others_are_not() -> None:
    acc = Modality(name="acc", columns=["x", "y", "z", "w"], rate=1, length=2)
    rng = np.random.default_rng(0)
    check = ChannelCheck(acc)
    for _ in range(2):
        x = rng.normal(size=(FEWEST_WINDOWS, 2, 1))
        windows = np.concatenate([x, x, rng.normal(size=x.shape), np.ones_like(x)], axis=2)
        usable = np.arange(FEWEST_WINDOWS) > 0
        windows[0] = 7  # of a missing window
        check.add(windows.reshape(FEWEST_WINDOWS, -1), usable)
    details = [note.detail for note in check.notes()]
    assert details == ["acc: 'w' is 1 in all 18 windows", "acc: 'x' and 'y' are equal in all 18 windows"]
    few = ChannelCheck(acc)
    few.add(np.ones((2, 8)), np.ones(2, dtype=bool))
    assert not [*few.notes()]


def test_empty_cells_are_counted_by_channel() -> None:
    check = ChannelCheck(Modality(name="act", kind="scalar", columns=["walk", "run", "still"]))
    check.count(10, 0, np.array([3, 0, 10]))
    check.count(5, 0, np.array([1, 0, 5]))
    assert [note.detail for note in check.notes()] == ["act: of 15 samples, without a value: 'walk' 4, 'still' 15"]
