"""Stored windows equal the recorded ones in any order, and are standardised by the training windows."""

from pathlib import Path

import numpy as np
import torch

from lifelog.config import Config
from lifelog.predict.store import StoredBags, StoredWindows, store_windows
from lifelog.splits.folds import read_folds
from lifelog.windows.read import read_windows

USERS = ["101", "102"]


def stored(config: Config, tables: Path, standardise: str) -> tuple[StoredWindows, list[np.ndarray]]:
    splits = [read_folds(tables / f"splits/{user}.parquet").fold(1) for user in USERS]
    subsets = [split.subset.fillna("").to_numpy(dtype=str) for split in splits]
    paths = [str(tables / f"windows/{user}.parquet") for user in USERS]
    return store_windows(paths, subsets, config.modalities, standardise, tables), subsets


def test_rows_in_any_order_equal_the_recorded_windows(config: Config, tables: Path) -> None:
    windows, subsets = stored(config, tables, "none")
    order = np.random.default_rng(0).permutation(len(windows.rows))
    read = windows.take(order).read()
    for m, modality in enumerate(config.modalities):
        paths = (tables / f"windows/{user}.parquet" for user in USERS)
        raw = [
            read_windows(path, [modality])[modality.name][subset != ""]
            for path, subset in zip(paths, subsets, strict=True)
        ]
        whole = np.concatenate(raw)[order]
        np.testing.assert_array_equal(read[modality.name], np.nan_to_num(whole))
        np.testing.assert_array_equal(windows.present[order, m], ~np.isnan(whole[:, 0, 0]))


def test_training_windows_of_each_user_are_centred(config: Config, tables: Path, monkeypatch) -> None:
    monkeypatch.setattr("lifelog.windows.read.BATCH_ROWS", 5)  # several batches per user
    windows, subsets = stored(config, tables, "user")
    used = np.concatenate([subset[subset != ""] for subset in subsets])
    for user in range(len(USERS)):
        train = windows.take((used == "train") & (windows.users == user))
        for m, (name, x) in enumerate(train.read().items()):
            known = x[train.present[:, m]].astype(np.float64)
            if not len(known):
                continue
            np.testing.assert_allclose(known.mean(axis=(0, 1)), 0, atol=5e-3, err_msg=name)
            np.testing.assert_allclose(known.std(axis=(0, 1)), 1, atol=5e-3, err_msg=name)
    test = windows.take(used == "test").read()
    assert np.abs(test["e4Temp"].mean()) > 0.01


def test_bags_are_read_and_no_file_is_left_on_disk(config: Config, tables: Path) -> None:
    before = set(tables.iterdir())
    windows, _ = stored(config, tables, "user")
    classes = torch.arange(len(windows.rows))
    bags = StoredBags(windows, classes, torch.device("cpu"))
    taken = bags.take(torch.tensor([4, 0]))
    assert taken.classes.tolist() == [4, 0] and taken.width == bags.width
    np.testing.assert_array_equal(taken.values["e4Bvp"].numpy(), windows.take(np.array([4, 0])).read()["e4Bvp"])
    assert set(tables.iterdir()) == before
