from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lifelog.config import Boosting, LifeLogNet, Majority
from lifelog.predict.samples import read_samples
from lifelog.predict.train import build_predictor, train_predictor

ALL = [LifeLogNet(epochs=8), Boosting(max_iter=20), Majority()]
USERS = ["101", "102", "103", "104"]


def files(tables: Path) -> tuple[list[str], list[str]]:
    return tuple([str(tables / kind / f"{user}.parquet") for user in USERS] for kind in ("features", "splits"))


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_predictors_predict_every_test_window_once_and_alike(tables: Path, tmp_path: Path, settings: object) -> None:
    groups = pd.DataFrame({"user": USERS, "group": ["g1", "g2", "g1", "g2"], "share": 1.0})
    for name in ("a", "b"):
        train_predictor(groups, *files(tables), "user", settings, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    table = pq.read_table(tmp_path / "a").to_pandas()
    np.testing.assert_allclose(table[["p_low", "p_middle", "p_high"]].sum(axis=1), 1, rtol=1e-5)
    wanted = pd.concat(pq.read_table(path).to_pandas() for path in files(tables)[1])
    wanted = wanted[wanted.part == "test"].sort_values(["user", "start"])
    assert table.user.tolist() == wanted.user.tolist() and table.start.tolist() == wanted.start.tolist()
    assert table.truth.map(dict(enumerate(["low", "middle", "high"]))).tolist() == wanted.label.tolist()
    assert dict(zip(table.user, table.group, strict=True)) == dict(zip(groups.user, groups.group, strict=True))


@pytest.mark.parametrize(
    "settings", [LifeLogNet(epochs=40, patience=40), Boosting(min_samples_leaf=2)], ids=["net", "boosting"]
)
def test_predictors_learn_from_training_windows(tables: Path, settings: object) -> None:
    samples = read_samples(*files(tables), USERS, "user")
    train = samples.part("train")
    model = build_predictor(settings)
    model.fit(train, samples.part("validation"))
    assert (model.predict(train).argmax(axis=1) == train.truth).mean() > 0.6


def test_standardisation_sees_training_windows_only(tables: Path) -> None:
    samples = read_samples(*files(tables), ["101"], "user")
    train = samples.part("train")
    np.testing.assert_allclose(np.nanmean(train.summary, axis=0), 0, atol=1e-3)
    assert np.abs(np.nanmean(samples.part("test").summary, axis=0)).max() > 0.1
    raw = read_samples(*files(tables), ["101"], "none")
    assert np.nanmax(np.abs(raw.summary)) > 30


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_a_modality_that_a_user_lacks_throughout_costs_nobody(tables: Path, settings: object) -> None:
    samples = read_samples(*files(tables), ["101"], "user")
    samples.summary[:, :21] = np.nan
    samples.maxima["e4Acc"][:] = np.nan
    model = build_predictor(settings)
    model.fit(samples.part("train"), samples.part("validation"))
    assert np.isfinite(model.predict(samples.part("test"))).all()


def test_boosting_does_without_validation_windows(tables: Path) -> None:
    samples = read_samples(*files(tables), ["101"], "user")
    model = build_predictor(Boosting(max_iter=3))
    model.fit(samples.part("train"), samples.take(np.zeros(len(samples), bool)))
    assert model.predict(samples.part("test")).shape[1] == 3


def test_majority_gives_the_class_shares(tables: Path) -> None:
    samples = read_samples(*files(tables), USERS, "user")
    model = build_predictor(Majority())
    model.fit(samples.part("train"), samples.part("validation"))
    shares = np.bincount(samples.part("train").truth, minlength=3) / len(samples.part("train"))
    np.testing.assert_allclose(model.predict(samples.part("test"))[0], shares)
