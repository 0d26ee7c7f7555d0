"""Bundles of the tiny cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from lifelog.bundle.bundle import Bundle
from lifelog.bundle.card import PACKAGES, software_versions
from lifelog.bundle.content import About
from lifelog.bundle.make import Evidence, Grouping, Participant, make_bundle, some_windows, summarise_sensors
from lifelog.config import Config
from lifelog.predict.samples import Person
from lifelog.settings.groups import Scoring
from lifelog.settings.predict import PredictorSettings, predictor_settings
from lifelog.settings.splits import AnySplit
from lifelog.windows.read import read_labels

Make = Callable[..., Bundle]


def importance_of(people: dict[str, Person]) -> pd.DataFrame:
    """Importance by which two participants each are alike."""
    parts = []
    for number, (user, person) in enumerate(people.items()):
        starts = person.features.rows.start
        for modality, value in (("e4Eda", 0.4 * (number < 2)), ("e4Temp", 0.4 * (number >= 2))):
            parts.append(pd.DataFrame({"modality": modality, "importance": value, "start": starts}).assign(user=user))
    table = pd.concat(parts, ignore_index=True)
    keys = dict(fold=float("nan"), subset="train", seed=0, measure="shapley")
    return table.assign(block=table.groupby(["user", "modality"]).cumcount() // 2, **keys)


@pytest.fixture(scope="session")
def make(people: dict[str, Person], tables: Path, config: Config) -> Make:
    """A function that makes the bundle of a predictor and a scheme."""

    def made(
        settings: PredictorSettings,
        scheme: str = "global",
        split: AnySplit | None = None,
        groups: pd.DataFrame | None = None,
        grouped: bool = False,
        of: dict[str, Person] | None = None,
    ) -> Bundle:
        everyone = of or people
        features = next(iter(everyone.values())).features
        about = About(
            software=software_versions(PACKAGES),
            code="",
            fingerprint="",
            windows=config.windows,
            modalities=config.modalities,
            target=config.target("tension"),
            split=split or config.split("blocked"),
            compare=config.compare,
            features=features.names,
            bins=next(iter(features.maxima.values())).shape[1],
            participants=len(everyone),
            recorded=len(everyone),
            windows_seen=some_windows(person.features for person in everyone.values()),
        )
        groups_of_report = pd.DataFrame(
            {"user": [*everyone], "group": ["group 1", "group 2", "group 1", "group 2"][: len(everyone)]}
        )
        grouping = Grouping(groups_of_report, importance_of(everyone), Scoring(), 0.5) if grouped else None
        evidence = Evidence(summarise_sensors(None, {}), [], "", config.cohort, grouping)
        labels = {user: read_labels(tables / "windows" / f"{user}.parquet") for user in everyone}
        participants = [Participant(person, labels[user]) for user, person in everyone.items()]
        return make_bundle(settings, scheme, about, participants, groups, evidence)

    return made


@pytest.fixture(scope="session")
def lda(make: Make) -> Bundle:
    """A bundle of one model of all participants."""
    return make(predictor_settings("lda"))
