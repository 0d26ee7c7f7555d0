"""Cases of predictors; torch is imported only by those that need it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pandas as pd

from benchmarks.cohort import cohort_tables, stored_tables
from lifelog.predict.samples import read_samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import AnyPredictor, Boosting, LifeLogNet, WindowNet

PREDICTORS: dict[str, AnyPredictor] = {
    "boosting": Boosting(max_iter=20),
    "lifelognet": LifeLogNet(epochs=1),
    "windownet": WindowNet(epochs=1, batch_size=64),
}


def prepare(folder: str, users: int, windows: int) -> dict[str, float]:
    """Write the tables of a cohort into a folder, for the case `predictor`."""
    cohort_tables(Path(folder), users, windows)
    return {}


def predictor(name: Literal["boosting", "lifelognet", "windownet"], folder: str) -> dict[str, float]:
    """Train one predictor of all users, for one epoch or 20 trees, on the tables in a folder."""
    tables = stored_tables(folder)
    users = [Path(path).stem for path in tables.splits]
    start = time.perf_counter()
    windows = tables.windows if PREDICTORS[name].sees == "windows" else None
    samples = read_samples(tables.features, tables.splits, users, "user", 0, windows, folder)
    groups = pd.DataFrame({"fold": 0, "grouping": 1, "user": users, "group": "everyone"})
    model = Model(PREDICTORS[name], "global", groups, Path(folder) / f"{name}.parquet")
    train_predictors([model], lambda fold: samples)
    return {"s": time.perf_counter() - start, "windows": len(samples)}
