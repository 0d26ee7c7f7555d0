"""validate_sensors: the smallest sets of sensors that are found enough in simulated cohorts with known ones."""

from functools import cache, partial
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.sensors import EACH, EVERYONE, enough, fewest_sensors
from lifelog.groups.read import included_users, ungrouped
from lifelog.importance.sets import value_sets
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import Model
from lifelog.settings.predict import predictor_settings
from lifelog.settings.splits import BlockedSplit
from lifelog.validation.people import Design, simulate_person

PARTICIPANTS = 12
SPLIT = BlockedSplit(name="blocked")


def validate_sensors(design: Design, seeds: range, config: Config) -> list[dict[str, Any]]:
    """Find how few sensors are enough in simulated cohorts.

    Parameters
    ----------
    design : Design
        The kind of recordings; the first modalities have the effects.
    seeds : range
        Seeds of the cohorts.
    config : Config
        Settings of Shapley values and the comparison; scores are by AUROC.

    Returns
    -------
    list of dict
        For JSON, by cohort and scope (everyone, or each participant): set (of everyone; None if no fewer than all),
        sensors (their number), and lost (AUROC with all sensors, minus that with these).
    """
    return [row for seed in seeds for row in _cohort(design, seed, config)]


def _cohort(design: Design, seed: int, config: Config) -> list[dict[str, Any]]:
    simulated = [simulate_person(design, seed, number, SPLIT) for number in range(PARTICIPANTS)]
    people = [Person(features, folds) for features, folds in simulated if folds.excluded is None]
    values = pd.concat([value_sets(person.features, person.folds, config.shapley) for person in people])
    included, lda = included_users([person.folds for person in people]), predictor_settings("lda")
    models = [Model(lda, scheme, ungrouped(included, scheme)) for scheme in ("global", "personal")]
    compare = config.compare.model_copy(update={"metric": "auroc"})
    modalities, read_fold = people[0].features.modalities, cache(partial(make_samples, people))
    found = fewest_sensors(values, models[0], models[1], read_fold, modalities, compare, ordinal=False)
    rows = []
    for scope in (EVERYONE, EACH):
        curve = found.table[found.table.scope == scope]
        number, curve = enough(curve, compare.margin), curve.set_index("sensors")
        chosen = {"set": None, "sensors": len(modalities), "lost": 0.0}
        if number is not None:
            chosen = {"set": curve.set[number], "sensors": number, "lost": -float(curve.difference[number])}
        rows.append({"scope": scope} | chosen)
    return rows


def summarise_sensors(results: dict[str, list[dict[str, Any]]], planted: dict[str, str]) -> pd.DataFrame:
    """Tabulate the results of `validate_sensors`, one row per line and scope.

    Parameters
    ----------
    results : dict of str to list
        By line.
    planted : dict of str to str
        The smallest set that is enough, by line; "" for none.

    Returns
    -------
    pandas.DataFrame
        cohorts, right (those with the planted set, or the right number of sensors for each participant), sensors (mean
        number) and lost (mean AUROC).
    """
    rows = []
    for line, found in results.items():
        for scope, table in pd.DataFrame(found).groupby("scope", sort=False):
            wanted = planted[line]
            right = table.sensors == len(wanted.split())
            if scope == EVERYONE or not wanted:
                right = table.set.fillna("") == wanted
            numbers = {"sensors": table.sensors.mean(), "lost": table.lost.mean()}
            rows.append({"line": line, "scope": scope, "cohorts": len(table), "right": int(right.sum())} | numbers)
    return pd.DataFrame(rows)
