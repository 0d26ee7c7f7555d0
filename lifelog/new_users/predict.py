"""Predictions of a new user by models of the group, of all users of the run, and of the new user alone."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from lifelog.evaluate.metrics import METRICS, scores
from lifelog.importance.vectors import describing
from lifelog.new_users.place import DRAWS, Placement, place_user
from lifelog.predict.interface import one_thread
from lifelog.predict.probabilities import class_probabilities
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import predict_users, predictions_schema
from lifelog.settings.groups import Clustering
from lifelog.settings.predict import PredictorSettings
from lifelog.tables import plain


class Placed(NamedTuple):
    """The group and the predictions of a new user.

    Attributes
    ----------
    about : dict
        For JSON: user, excluded, sentence, and for a user who is not excluded the placement and the scores.
    predictions : pandas.DataFrame
        In the schema `new_user_schema`.
    schema : pyarrow.Schema
        Of the predictions.
    """

    about: dict[str, Any]
    predictions: pd.DataFrame
    schema: pa.Schema


def predict_placed(
    importance: pd.DataFrame,
    run_importance: pd.DataFrame,
    groups: pd.DataFrame,
    people: Sequence[Person],
    settings: Clustering,
    predictors: list[PredictorSettings],
    standardise: str,
    metric: str,
    folder: str | None = None,
) -> Placed:
    """Place a new user in the groups of a run, and predict the test windows of every fold.

    Parameters
    ----------
    importance, run_importance : pandas.DataFrame
        Tables of `read_importance`, of the new user and of the users of the run.
    groups : pandas.DataFrame
        Importance groups that describe the users of the run.
    people : sequence of Person
        Features and folds of the users of the run, and last of the new user.
    settings : Clustering
        Vectors and unit, as in the run, and the seed of the resamples.
    predictors : list of PredictorSettings
        Predictors with importance groups in the run.
    standardise : str
        `user` or `none`.
    metric : str
        Metric of the sentence.
    folder : str, optional
        Folder of temporary files, for predictors that see windows.

    Returns
    -------
    Placed
        The group by all windows. In a fold, predictors are fitted on the members of the group by the windows that it
        does not test (scheme `importance`), on all users of the run (`global`), and on the new user (`personal`).
    """
    *_, new = people
    user, of_run = str(new.folds.user), describing(run_importance)
    used = [person for person in people if person.folds.user in {*groups.user, user}]
    schema = new_user_schema(new.folds.classes)
    tables = [schema.empty_table().to_pandas()]
    for fold in new.folds.tested if predictors else ():
        # Without the test windows of the fold, whose labels must not choose the group.
        of_fold = importance[importance.fold == fold]
        placed = place_user(of_fold, of_run, groups, settings, draws=0)
        samples = make_samples(used, fold, standardise, folder)
        users = {"importance": placed.members, "global": list(groups.user), "personal": [user]}
        for predictor, (scheme, fitted) in product(predictors, users.items()):
            with one_thread(predictor):
                table = predict_users(predictor, samples, fitted, [user])
            about = {"predictor": predictor.name, "scheme": scheme, "group": placed.group}
            tables.append(table.assign(fold=fold, **about))
    predictions = pd.concat(tables, ignore_index=True)
    placement = place_user(describing(importance), of_run, groups, settings)
    return Placed(describe_placement(user, placement, score_new_user(predictions, metric), metric), predictions, schema)


def score_new_user(predictions: pd.DataFrame, metric: str) -> list[dict[str, Any]]:
    """Return the scores of a new user by predictor and scheme, over the test windows of all folds."""
    scored = []
    for (predictor, scheme), rows in predictions.groupby(["predictor", "scheme"], sort=False):
        ordinal = METRICS[metric].of == "order"
        values = scores(rows.truth.to_numpy(), class_probabilities(rows, "raw_"), rows.fold.to_numpy(), ordinal)
        row = {"predictor": predictor, "scheme": scheme, "windows": len(rows)}
        scored.append(row | {name: plain(value) for name, value in values.items()})
    return scored


def new_user_schema(classes: list[str]) -> pa.Schema:
    """Return the schema of the predictions of a new user."""
    first = [("predictor", pa.string()), ("scheme", pa.string())]
    fields = [item for item in predictions_schema(classes) if not item.name.startswith("p_")]
    return pa.schema([*first, *(item for item in fields if item.name != "grouping")])


def describe_placement(user: str, placement: Placement, rows: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Return the placement and the scores of a new user for JSON, with a sentence."""
    sentence = (
        f"User {user} belongs to {placement.group} ({len(placement.members)} members) in "
        f"{placement.stability * DRAWS:.0f} of {DRAWS} resamples."
    )
    if placement.outlier:
        sentence += (
            " But every member is nearer to the group's centre: the user may belong to no group (about one in "
            f"{len(placement.members) + 1} true members would be that far away)."
        )
    for row in rows:
        if row["scheme"] == "importance":
            score = {r["scheme"]: _shown(r.get(metric)) for r in rows if r["predictor"] == row["predictor"]}
            sentence += (
                f" {row['predictor']}: {METRICS[metric].label} {score['importance']} with the model of the group, "
                f"{score['global']} with the global model, {score['personal']} with a personal model."
            )
    return {"user": user, "excluded": None, "sentence": sentence, **asdict(placement), "scores": rows}


def _shown(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
