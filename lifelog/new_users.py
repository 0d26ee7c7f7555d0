"""place_user: a new user beside a finished run: its group, the stability of that assignment, and predictions.

The run is only read. The windows, split, networks and importance of the new user come from the same stages as those of
the run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from lifelog.arrays import Floats
from lifelog.evaluate.metrics import scores
from lifelog.groups.assignment import read_groups
from lifelog.groups.clustering import resamples
from lifelog.importance.vectors import grouping_vectors, read_importance
from lifelog.predict.interface import one_thread
from lifelog.predict.probabilities import class_probabilities
from lifelog.predict.samples import Samples, SamplesReader
from lifelog.predict.train import predict_users, predictions_schema
from lifelog.settings.groups import Clustering
from lifelog.settings.mil import Mil
from lifelog.settings.predict import AnyPredictor
from lifelog.settings.splits import AnySplit, Target
from lifelog.settings.windows import Modality
from lifelog.splits.assign import folds_tested, read_folds
from lifelog.tables import plain, read_json, read_notes, write_json, write_table
from lifelog.windows.layout import BadInput

logger = logging.getLogger(__name__)

DRAWS = 200  # resamples of the new user's blocks and seeds


@dataclass(frozen=True)
class Placement:
    """The group of a new user in a run.

    Attributes
    ----------
    group : str
        Name of the group.
    stability : float
        Share of resamples of the user's blocks of time and training seeds with the same group.
    silhouette : float or None
        -1 to 1, of the user among the users of the run; positive if the own group is the nearest. None for one group.
    outlier : bool or None
        Whether the user is farther from the centre than every member is from that of the others, as about one in n + 1
        true members of a group of n would be. None for a group of one member.
    distances : dict of str to float
        To the centre of each group.
    members : list of str
        Members of the group.
    """

    group: str
    stability: float
    silhouette: float | None
    outlier: bool | None
    distances: dict[str, float]
    members: list[str]


def place_user(
    importance: pd.DataFrame,
    run_importance: pd.DataFrame,
    groups: pd.DataFrame,
    settings: Clustering,
    draws: int = DRAWS,
) -> Placement:
    """Assign a new user to the group with the nearest centre (of most windows, if windows were clustered).

    Parameters
    ----------
    importance : pandas.DataFrame
        Importance of the new user, as `read_importance` returns it.
    run_importance : pandas.DataFrame
        Importance of the users of the run.
    groups : pandas.DataFrame
        Importance groups of the run: user, group.
    settings : Clustering
        Vectors and unit, as in the run, and the seed of the resamples.
    draws : int
        Number of resamples of the new user's blocks and seeds; 0 for an unknown stability.

    Returns
    -------
    Placement
        The group and its stability.
    """
    users = grouping_vectors(run_importance, settings).groupby("user").mean().loc[list(groups.user)]
    centres = users.groupby(groups.group.to_numpy()).mean()
    windows = grouping_vectors(importance, settings).reindex(columns=users.columns, fill_value=0.0)
    number = _nearest(windows.to_numpy(), centres.to_numpy(), settings.unit)
    same = 0
    for drawn in resamples(importance, settings, settings.seed, draws):
        vectors = drawn.windows.reindex(columns=users.columns, fill_value=0.0).to_numpy()
        same += _nearest(vectors, centres.to_numpy(), settings.unit) == number
    own = windows.to_numpy().mean(axis=0)
    group = str(centres.index[number])
    members = list(groups.user[groups.group == group])
    silhouette = None
    if len(centres) > 1:
        silhouette = float(silhouette_samples(np.vstack([users, own]), [*groups.group, group])[-1])
    correction = len(members) / max(1, len(members) - 1)  # a member attracts the centre, the new user does not
    radii = correction * cdist(users.loc[members].to_numpy(), centres.to_numpy())[:, number]
    distances = cdist(own[None], centres.to_numpy())[0]
    return Placement(
        group,
        stability=same / draws if draws else float("nan"),
        silhouette=silhouette,
        outlier=bool(distances[number] > radii.max()) if len(members) > 1 else None,
        distances={str(name): float(d) for name, d in zip(centres.index, distances, strict=True)},
        members=members,
    )


def _nearest(windows: Floats, centres: Floats, unit: str) -> int:
    """Return the number of the nearest centre."""
    if unit == "users":
        return int(cdist(windows.mean(axis=0)[None], centres)[0].argmin())
    return int(np.bincount(cdist(windows, centres).argmin(axis=1)).argmax())


def predict_new_user(
    user: str, members: list[str], everyone: list[str], samples: Samples, predictors: list[AnyPredictor]
) -> pd.DataFrame:
    """Predict the test windows of a new user in a fold, with every predictor under three schemes.

    Parameters
    ----------
    user : str
        The new user.
    members, everyone : list of str
        The members of the user's group (scheme `importance`), and all users of the run (scheme `global`); under the
        scheme `personal` predictors are fitted on the new user.
    samples : Samples
        Windows of all these users; training and validation windows are used as in the run.
    predictors : list of PredictorSettings
        Predictors with importance groups in the run.

    Returns
    -------
    pandas.DataFrame
        In the schema of `new_user_schema`.
    """
    tables = []
    for settings in predictors:
        with one_thread(settings):
            for scheme, fitted in (("importance", members), ("global", everyone), ("personal", [user])):
                table = predict_users(settings, samples, fitted, [user])
                tables.append(table.assign(predictor=settings.name, scheme=scheme))
    return pd.concat(tables, ignore_index=True)


def score_new_user(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the scores of a new user by predictor and scheme, over the test windows of all folds."""
    rows = []
    for (predictor, scheme), own in predictions.groupby(["predictor", "scheme"], sort=False):
        values = scores(own.truth.to_numpy(), class_probabilities(own), own.fold.to_numpy())
        row = {"predictor": predictor, "scheme": scheme, "windows": len(own)}
        rows.append(row | {name: plain(value) for name, value in values.items()})
    return rows


def new_user_schema(classes: list[str]) -> pa.Schema:
    """Return the schema of the predictions of a new user."""
    first, without = [("predictor", pa.string()), ("scheme", pa.string())], ("grouping", "temperature")
    return pa.schema([*first, *(item for item in predictions_schema(classes) if item.name not in without)])


def write_placement(
    user: str,
    groups_path: str,
    tables: Mapping[str, Sequence[str]],
    settings: Clustering,
    standardise: str,
    predictors: list[AnyPredictor],
    placement_path: str | Path,
    predictions_path: str | Path,
) -> None:
    """Place a new user, and write the placement (JSON) and the predictions of the user's test windows (parquet).

    Parameters
    ----------
    user : str
        The new user; an excluded one has only the reason.
    groups_path : str
        Importance groups of the finished run.
    tables : mapping of str to sequence of str
        Files by kind (importance, splits, features, windows): those of the run, and last that of the user.
    settings : Clustering
        Vectors and unit, as in the run, and the seed of the resamples.
    standardise : str
        `user` or `none`.
    predictors : list of PredictorSettings
        Predictors with importance groups in the run.
    placement_path, predictions_path : str or Path
        Files to write.
    """
    *run, own = tables["importance"]
    classes, reason = read_notes(tables["splits"][-1])["classes"], read_notes(own)["excluded"]
    table = new_user_schema(classes).empty_table()
    about = {"user": user, "excluded": reason, "sentence": f"User {user} is excluded: {reason}."}
    if reason is None:
        groups, of_run = read_groups(groups_path), read_importance(run)
        files = tables["features"], tables["splits"], [*groups.user, user], standardise
        windows = tables["windows"] if any(predictor.inputs == "windows" for predictor in predictors) else None
        predicted = [table.to_pandas()]
        reader = SamplesReader(*files, windows, Path(predictions_path).parent)
        for fold in folds_tested(read_folds(tables["splits"][-1])) if predictors else ():
            # Without the test windows of the fold, whose labels must not choose the group.
            placed = place_user(read_importance([own], fold), of_run, groups, settings, draws=0)
            samples = reader.fold(fold)
            frame = predict_new_user(user, placed.members, list(groups.user), samples, predictors)
            predicted.append(frame.assign(fold=fold, group=placed.group))
        table = pd.concat(predicted, ignore_index=True)
        placement = place_user(read_importance([own]), of_run, groups, settings)
        about = describe_placement(user, placement, score_new_user(table))
    logger.info(about["sentence"])
    write_table(table, predictions_path, new_user_schema(classes), {"classes": classes})
    write_json(about, placement_path)


def describe_placement(user: str, placement: Placement, rows: list[dict[str, Any]]) -> dict[str, Any]:
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
            other = {r["scheme"]: r["macro_f1"] for r in rows if r["predictor"] == row["predictor"]}
            sentence += (
                f" {row['predictor']}: macro-F1 {row['macro_f1']:.3f} with the model of the group, "
                f"{other['global']:.3f} with the global model, {other['personal']:.3f} with a personal model."
            )
    return {"user": user, "excluded": None, "sentence": sentence, **asdict(placement), "scores": rows}


def check_run(run: str | Path, users: list[str], target: str, split: str, settings: dict[str, Any]) -> None:
    """Check that users can be placed in a run, before any job.

    Parameters
    ----------
    run : str or Path
        Results folder of the run (`new_users.run`).
    users : list of str
        The new users.
    target, split : str
        Target and split of the groups.
    settings : dict
        The settings of `required_settings`, which must be those of the run.

    Raises
    ------
    BadInput
        If the run is incomplete, was made with other settings, or contains one of the users.
    """
    run = Path(run)
    if not run.is_dir():
        raise BadInput("new_users.run", f"there is no folder {str(run)!r}; set it to the folder of a finished run")
    description = next(iter(sorted((run / target / split / "mil").glob("*/*.json"))), None)
    groups = run / target / split / "groups" / "importance.json"
    if description is None or not groups.is_file():
        others = ", ".join(sorted(f"{p.parts[-4]}/{p.parts[-3]}" for p in run.glob("*/*/groups/importance.json")))
        detail = f"{str(run)!r} has no groups of {target}/{split}, only of {others or 'nothing'}"
        raise BadInput("new_users.run", f"{detail}; finish that run, or use its --configfile here too")
    # By splits, not groups: excluded users have windows in the run too.
    both = sorted(set(users) & {path.stem for path in (run / target / split / "splits").glob("*.parquet")})
    if both:
        raise BadInput("cohort.users", f"{', '.join(both)} are in the run {str(run)!r}; rename the new users")
    formed = read_json(groups)
    run_settings = read_json(description) | {"groups": formed} | {key: formed.get(key) for key in ("value", "split")}
    for key, before, now in _differences(run_settings, settings):
        detail = f"{key} was {before!r} in that run and is {now!r} here"
        raise BadInput("new_users.run", f"{detail}; use its --configfile here too")


def _differences(run: dict[str, Any], own: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the keys of `own` with different values, and both values."""
    for key, now in own.items():
        before = run.get(key)
        if isinstance(now, dict) and isinstance(before, dict):
            yield from _differences(before, now, f"{path}{key}.")
        elif before != now:
            yield f"{path}{key}", before, now


def required_settings(
    value: Value,
    mil: Mil,
    standardise: str,
    modalities: list[Modality],
    target: Target,
    groups: Clustering,
    split: AnySplit,
) -> dict[str, Any]:
    """Return the settings that new users must share with a run, for `check_run`."""
    of_measure = {"value": value.model_dump()} if groups.importance == "value" else {}
    if not of_measure:
        of_measure = {"mil": mil.model_dump(exclude={"seeds", "device"})}
    return of_measure | {
        "standardise": standardise,
        "modalities": [modality.model_dump() for modality in modalities],
        "target": target.model_dump(),
        "split": split.model_dump(exclude={"seed"}),
        "groups": groups.model_dump(include={"importance", "subsets", "unit"}),
    }
