import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.predict.samples import Person
from lifelog.settings.windows import Modality
from lifelog.windows.features import bin_maxima, extract_features, summary
from lifelog.windows.read import read_windows


def test_summary_statistics_of_a_sine_wave() -> None:
    t = np.arange(640) / 64
    wave = (3 + 2 * np.sin(2 * np.pi * 1.5 * t))[None, :, None]
    s = {name: value[0, 0] for name, value in summary(wave, 64).items()}
    assert s["mean"] == pytest.approx(3)
    assert s["std"] == pytest.approx(np.sqrt(2))
    assert (s["min"], s["max"]) == (pytest.approx(1, abs=0.01), pytest.approx(5, abs=0.01))
    assert s["peak_hz"] == pytest.approx(1.5)
    assert summary(0.5 * t[None, :, None], 64)["slope"][0, 0] == pytest.approx(0.5)


def test_bin_maxima_cover_every_sample() -> None:
    values = np.random.default_rng(0).normal(size=(2, 1786, 3))
    maxima = bin_maxima(values, 12)
    assert maxima.shape == (2, 12, 3)
    np.testing.assert_array_equal(maxima.max(axis=1), values.max(axis=1))
    assert bin_maxima(np.full((2, 1, 3), 7.0), 12).tolist() == np.full((2, 12, 3), 7.0).tolist()


def test_features_are_missing_where_the_modality_is_missing(config: Config, people: dict[str, Person]) -> None:
    for person in people.values():
        features = person.features.by_modality()
        for name, values in read_windows(person.windows, config.modalities).items():
            missing = np.isnan(values[:, 0, 0])
            assert (np.isnan(features[name]) == missing[:, None]).all(), name
            assert (np.isnan(person.features.maxima[name][:, 0, 0]) == missing).all(), name


def test_a_day_of_scalars_is_one_bin() -> None:
    """A window of a day has 17,280 times five seconds, but one sample."""
    modality = Modality(name="sleep", kind="scalar", columns=["duration", "efficiency"])
    rows = pd.DataFrame({"user": ["a"], "start": pd.to_datetime([0], unit="s", utc=True)})
    features = extract_features([{"sleep": np.array([[[7.0, 0.9]]], np.float32)}], rows, [modality], 86400)
    assert features.maxima["sleep"].tolist() == [[[7.0, pytest.approx(0.9)]]]
