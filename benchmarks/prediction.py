"""Cases of predictors; torch is imported only by those that need it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pandas as pd

from benchmarks.cohort import cohort_tables, stored_tables
from lifelog.predict.samples import make_samples, read_people
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import predictor_settings

PREDICTORS = {
    "boosting": predictor_settings("boosting", max_iter=20),
    "lifelognet": predictor_settings("lifelognet", epochs=1),
    "windownet": predictor_settings("windownet", epochs=1, batch_size=64),
}


def prepare(folder: str, users: int, windows: int) -> dict[str, float]:
    """Write the tables of a cohort into a folder, for the case `predictor`."""
    cohort_tables(Path(folder), users, windows)
    return {}


def predictor(name: Literal["boosting", "lifelognet", "windownet"], folder: str) -> dict[str, float]:
    """Train one predictor of all users, for one epoch or 20 trees, on the tables in a folder."""
    tables, settings = stored_tables(folder), PREDICTORS[name]
    users = [Path(path).stem for path in tables.splits]
    start = time.perf_counter()
    people = read_people(tables.features, tables.splits, tables.windows if settings.inputs == "windows" else ())
    samples = make_samples(people, 1, folder=folder)
    groups = pd.DataFrame({"fold": 1, "grouping": 1, "user": users, "group": "everyone"})
    for _ in train_predictors([Model(settings, "global", groups)], lambda fold: samples):
        pass
    return {"s": time.perf_counter() - start, "windows": len(samples)}
