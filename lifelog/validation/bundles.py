"""validate_bundles: a bundle of one simulated cohort, on the recordings of another one with other devices."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Floats
from lifelog.bundle.bundle import Bundle
from lifelog.bundle.content import About
from lifelog.bundle.make import Evidence, Grouping, Participant, make_bundle, summarise_sensors
from lifelog.config import Config
from lifelog.evaluate.metrics import scores
from lifelog.groups.assignment import group_users
from lifelog.groups.read import described_groups
from lifelog.importance.estimate import estimate_shapley
from lifelog.predict.samples import Person
from lifelog.settings.predict import predictor_settings
from lifelog.settings.splits import BlockedSplit, Target
from lifelog.settings.windows import Modality
from lifelog.splits.assign import assign_splits
from lifelog.validation.cohorts import Simulated, simulated
from lifelog.validation.groups import FEWEST_DRAWS
from lifelog.validation.scenarios import Scenario
from lifelog.windows.features import extract_features
from lifelog.windows.read import Features

TARGET = Target(name="label", column="label", bins={"low": [0], "middle": [1], "high": [2]})
SPLIT = BlockedSplit(name="blocked")
OTHER = 500  # added to the seed of a cohort for that of the other one
SHIFTS = ("none", "gain", "offset", "rate")


def validate_bundles(scenario: Scenario, seeds: range, config: Config) -> list[dict[str, Any]]:
    """Score other simulated cohorts with bundles, as recorded and with other devices.

    Parameters
    ----------
    scenario : Scenario
        The kind of both cohorts.
    seeds : range
        Seeds of the cohorts that the bundles are made of.
    config : Config
        Settings of Shapley values, groups and comparison.

    Returns
    -------
    list of dict
        For JSON, by cohort and shift (none; gain: values three times as large; offset: two standard deviations more;
        rate: half the sampling rate, but for the pulse): scheme of the models of new participants; as means over
        participants own (AUROC in the bundle's own test), auroc, coverage of sets, and single (share of windows with
        one class).
    """
    return [row for seed in seeds for row in _cohort(scenario, seed, config)]


def _cohort(scenario: Scenario, seed: int, config: Config) -> list[dict[str, Any]]:
    bundle, others = make_simulated_bundle(simulated(scenario, seed), config), simulated(scenario, seed + OTHER)
    rows = []
    for shift in SHIFTS:
        found = pd.DataFrame([_score(bundle, _shifted(person, shift), person) for person in others]).mean()
        own = float(bundle.new.scores.auroc.mean())
        rows.append({"shift": shift, "scheme": bundle.new.scheme, "own": own} | found.astype(float).to_dict())
    return rows


def make_simulated_bundle(people: list[Simulated], config: Config) -> Bundle:
    """Return the bundle of a simulated cohort: `lda` for everyone, and for new participants."""
    shapley = config.shapley.model_copy(update={"draws": FEWEST_DRAWS})
    features = [_features(person.sensors, person.modalities, person) for person in people]
    participants = [
        Participant(Person(of_user, assign_splits(person.labels, TARGET, SPLIT)), person.labels)
        for person, of_user in zip(people, features, strict=True)
    ]
    persons = [participant.person for participant in participants]
    importance = pd.concat([estimate_shapley(x.features, x.folds, shapley).table for x in persons])
    groups = described_groups(group_users("importance", importance, config.groups))
    about = About(
        software={"lifelog": ""},
        code="",
        fingerprint="",
        windows=config.windows,
        modalities=people[0].modalities,
        target=TARGET,
        split=SPLIT,
        compare=config.compare,
        features=features[0].names,
        bins=next(iter(features[0].maxima.values())).shape[1],
        participants=len(people),
        recorded=len(people),
        windows_seen=[],
    )
    grouping = Grouping(groups, importance, config.groups, config.shapley.shrinkage)
    evidence = Evidence(summarise_sensors(None, {}), [], "", config.cohort, grouping)
    return make_bundle(predictor_settings("lda"), "global", about, participants, None, evidence)


def _features(sensors: dict[str, Floats], modalities: list[Modality], person: Simulated) -> Features:
    return extract_features([sensors], person.labels, modalities)


def _shifted(person: Simulated, shift: str) -> Features:
    """Return the features of a participant who is recorded by another device."""
    sensors, modalities = dict(person.sensors), list(person.modalities)
    for number, modality in enumerate(modalities):
        values = sensors[modality.name]
        if shift == "gain":
            values = 3 * values
        elif shift == "offset":
            values = values + 2 * np.nanstd(values, axis=(0, 1), keepdims=True)
        elif shift == "rate" and modality.kind == "sequence":
            half = {"rate": (modality.rate or 0) / 2, "length": modality.length // 2}
            slower = modality.model_copy(update=half)
            if slower.known_signal == modality.known_signal:  # a slow pulse has other features
                values, modalities[number] = values[:, : 2 * slower.length : 2], slower
        sensors[modality.name] = values.astype(np.float32)
    found = _features(sensors, modalities, person)
    return replace(found, modalities=person.modalities)


def _score(bundle: Bundle, features: Features, person: Simulated) -> dict[str, float]:
    predicted = bundle.predict(features)
    raw = predicted[[f"raw_{name}" for name in TARGET.classes]].to_numpy()
    names = np.array(TARGET.classes)[person.classes]
    covered = [name in found.split(" | ") for name, found in zip(names, predicted["set"], strict=True)]
    return {
        "auroc": scores(person.classes, raw)["auroc"],
        "coverage": float(np.mean(covered)),
        "single": float(predicted["class"].notna().mean()),
    }


def summarise_bundles(results: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """Tabulate the results of `validate_bundles`, one row per line and shift.

    Parameters
    ----------
    results : dict of str to list
        By line.

    Returns
    -------
    pandas.DataFrame
        cohorts, grouped (those whose new participants have models of groups), and means of own, auroc, coverage and
        single.
    """
    table = pd.concat([pd.DataFrame(rows).assign(line=line) for line, rows in results.items()], ignore_index=True)
    groups = table.assign(grouped=table.scheme == "importance").groupby(["line", "shift"], sort=False)
    means = groups[["own", "auroc", "coverage", "single"]].mean()
    return means.assign(cohorts=groups.size(), grouped=groups.grouped.sum()).reset_index()
