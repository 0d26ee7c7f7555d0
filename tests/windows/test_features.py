from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifelog.config import Config
from lifelog.settings.windows import Modality
from lifelog.tables import read_notes, write_table
from lifelog.windows.features import bin_maxima, extract_features, summary
from lifelog.windows.read import maxima_name, read_windows
from lifelog.windows.schema import windows_schema


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


def test_features_are_missing_where_the_modality_is_missing(config: Config, tables: Path) -> None:
    for path in (tables / "windows").glob("*.parquet"):
        features = pq.read_table(tables / "features" / path.name).to_pandas()
        for name, values in read_windows(path, config.modalities).items():
            missing = np.isnan(values[:, 0, 0])
            of_modality = features[[c for c in features if c.startswith(f"{name}.") and c != maxima_name(name)]]
            assert (of_modality.isna().to_numpy() == missing[:, None]).all(), name


def test_a_day_of_scalars_is_one_bin(tmp_path: Path) -> None:
    """A window of a day has 17,280 times five seconds, but one sample."""
    modality = Modality(name="sleep", kind="scalar", columns=["duration", "efficiency"])
    schema = windows_schema([], [modality])
    rows = {"user": ["a"], "session": ["s"], "start": [0], "label_rows": [{}], "sleep": [[7.0, 0.9]]}
    table = pa.table({name: pa.array(values, schema.field(name).type) for name, values in rows.items()})
    write_table(table, tmp_path / "w", schema, {"modalities": [modality.model_dump()]})
    extract_features(tmp_path / "w", 86400, tmp_path / "f")
    assert read_notes(tmp_path / "f")["bins"] == 1
    assert pq.read_table(tmp_path / "f").column(maxima_name("sleep")).to_pylist() == [[7.0, pytest.approx(0.9)]]
