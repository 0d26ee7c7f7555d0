"""Window tables: schema, selected rows, and a user without any window."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.config import Config
from lifelog.windows.extract import extract_windows
from lifelog.windows.features import extract_features
from lifelog.windows.read import iter_windows, read_features, read_labels, read_windows, write_features
from lifelog.windows.schema import read_modalities


def test_the_file_holds_its_modalities_and_schema(config: Config, tables: Path) -> None:
    path = tables / "windows/101.parquet"
    assert read_modalities(path) == config.modalities
    schema = pq.read_schema(path)
    for modality in config.modalities:
        assert schema.field(modality.name).type == pa.list_(pa.float32(), modality.length * modality.channels)
    assert schema.field("start").type.tz == "UTC"


def test_selected_rows_equal_those_of_the_whole_table(config: Config, tables: Path) -> None:
    path = tables / "windows/101.parquet"
    whole = read_windows(path, config.modalities)
    assert all(len(values) == len(read_labels(path)) for values in whole.values())
    rows = np.array([3, 1])
    for name, values in read_windows(path, config.modalities, rows).items():
        np.testing.assert_array_equal(values, whole[name][rows])


def test_a_user_without_data_has_empty_tables_of_the_same_schema(config: Config, tables: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("9", tmp_path / "raw", config.cohort, config.windows, config.modalities, *paths)
    assert pq.read_schema(paths[0]).equals(pq.read_schema(tables / "windows/101.parquet"))
    assert [len(batch["e4Acc"]) for batch in iter_windows(paths[0], config.modalities)] == [0]
    features = extract_features(iter_windows(paths[0], config.modalities), read_labels(paths[0]), config.modalities)
    write_features(features, tmp_path / "f.parquet")
    assert pq.read_schema(tmp_path / "f.parquet").equals(pq.read_schema(tables / "features/101.parquet"))


def test_features_are_read_as_they_were_extracted(config: Config, tables: Path, tmp_path: Path) -> None:
    path = tables / "windows/101.parquet"
    rows = read_labels(path)
    features = extract_features(iter_windows(path, config.modalities), rows, config.modalities)
    write_features(features, tmp_path / "f.parquet")
    for maxima in (True, False):
        read = read_features(tmp_path / "f.parquet", maxima)
        assert read.names == features.names and read.modalities == features.modalities == config.modalities
        assert read.rows.user.tolist() == rows.user.tolist() and read.rows.start.tolist() == rows.start.tolist()
        np.testing.assert_array_equal(read.summary, features.summary)
        assert list(read.maxima) == (list(features.maxima) if maxima else [])
    for name, values in read_features(tmp_path / "f.parquet", maxima=True).maxima.items():
        np.testing.assert_array_equal(values, features.maxima[name])
