"""place_newcomer: someone new beside a finished run. Which group do they belong to, how sure is that, and how well do
the group's predictors tell their label?

The run is only read. The newcomer's windows, split, networks and importance are made by the same stages as its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.compare import probabilities
from lifelog.config import Config, Groups
from lifelog.config import Predictor as Settings
from lifelog.groups.clustering import resamples, squared_distances
from lifelog.groups.vectors import grouping_vectors
from lifelog.metrics import scores
from lifelog.predict.samples import Samples
from lifelog.predict.train import predict_users, predictions_schema
from lifelog.tables import plain, read_json
from lifelog.windows.layout import BadInput

DRAWS = 200  # resamples of the newcomer's windows and seeds


@dataclass(frozen=True)
class Placement:
    """A newcomer's group in a run.

    sure: share of resamples of the newcomer's windows and training seeds that lead to the same group.
    share: share of the newcomer's windows that lie nearest to that group's centre.
    silhouette: -1 to 1, of the newcomer among the run's people; above 0, the own group is the nearest one.
    beyond: whether the newcomer lies farther from the centre than every member from that of the others, as about one in
        n + 1 true members of a group of n would; None where the group has one member.
    """

    group: str
    sure: float
    share: float
    silhouette: float | None
    beyond: bool | None
    distances: dict[str, float]
    members: list[str]


def place_newcomer(
    importance: pd.DataFrame, run_importance: pd.DataFrame, groups: pd.DataFrame, settings: Groups
) -> Placement:
    """The group whose centre the newcomer's importance is nearest to (of most windows, where windows were clustered).

    importance, run_importance: tables of `extract_importance`; groups: user, group of the run.
    """
    people = grouping_vectors(run_importance, settings).groupby("user").mean().loc[list(groups.user)]
    centres = people.groupby(groups.group.to_numpy()).mean()
    windows = grouping_vectors(importance, settings).reindex(columns=people.columns, fill_value=0.0)
    placed = _place(windows.to_numpy(), centres.to_numpy(), settings.unit)
    same = 0
    for drawn, _ in resamples(importance, settings, DRAWS):
        vectors = drawn.reindex(columns=people.columns, fill_value=0.0).to_numpy()
        same += _place(vectors, centres.to_numpy(), settings.unit) == placed
    own = windows.to_numpy().mean(axis=0)
    group = str(centres.index[placed])
    members = list(groups.user[groups.group == group])
    others = len(members) / max(1, len(members) - 1)  # a member draws the centre to itself, the newcomer does not
    spread = others * _distances(people.loc[members].to_numpy(), centres.to_numpy())[:, placed]
    distances = _distances(own[None], centres.to_numpy())[0]
    lie = _distances(windows.to_numpy(), centres.to_numpy()).argmin(axis=1) == placed
    return Placement(
        group,
        sure=same / DRAWS,
        share=float(lie.mean()),
        silhouette=_silhouette(own, people, groups, group),
        beyond=bool(distances[placed] > spread.max()) if len(members) > 1 else None,
        distances={str(name): float(d) for name, d in zip(centres.index, distances, strict=True)},
        members=members,
    )


def _place(windows: NDArray, centres: NDArray, unit: str) -> int:
    if unit == "users":
        return int(_distances(windows.mean(axis=0)[None], centres)[0].argmin())
    return int(np.bincount(_distances(windows, centres).argmin(axis=1)).argmax())


def _distances(vectors: NDArray, centres: NDArray) -> NDArray:
    return np.sqrt(squared_distances(vectors, centres))


def _silhouette(own: NDArray, people: pd.DataFrame, groups: pd.DataFrame, group: str) -> float | None:
    """Rousseeuw (1987), of one who is added to the group; None where there is one group only."""
    far = pd.Series(_distances(own[None], people.to_numpy())[0]).groupby(groups.group.to_numpy()).mean()
    if len(far) < 2:
        return None
    a, b = far[group], far.drop(group).min()
    return float((b - a) / max(a, b)) if max(a, b) > 0 else 0.0


def predict_newcomer(
    user: str, members: list[str], everyone: list[str], samples: Samples, predictors: list[Settings]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Predictions of the newcomer's test windows, and scores, of each predictor under three schemes.

    importance: fitted on the run's members of the group; global: on everyone in the run; personal: on the newcomer.
    The run's people are fitted on as in the run: their training windows, their validation windows for choosing.
    """
    tables, found = [], []
    for settings in predictors:
        for scheme, fitted in (("importance", members), ("global", everyone), ("personal", [user])):
            frame = predict_users(settings, samples, fitted, [user]).assign(predictor=settings.name, scheme=scheme)
            tables.append(frame)
            about = {"predictor": settings.name, "scheme": scheme, "fitted_on": len(fitted), "windows": len(frame)}
            reached = scores(frame.truth.to_numpy(), probabilities(frame))
            found.append(about | {name: plain(value) for name, value in reached.items()})
    empty = newcomer_schema(samples.classes).empty_table().to_pandas()
    return pd.concat(tables, ignore_index=True) if tables else empty, found


def newcomer_schema(classes: list[str]) -> pa.Schema:
    """Of the predictions' table."""
    first = [("predictor", pa.string()), ("scheme", pa.string())]
    return pa.schema([*first, *(item for item in predictions_schema(classes) if item.name != "group")])


def check_run(config: Config, users: list[str], target: str, split: str) -> None:
    """Whether people can be placed in the run that `newcomers.run` names, before anything is done for them.

    Raises BadInput that says what is missing there, or what was set otherwise.
    """
    run = Path(config.newcomers.run)
    if not run.is_dir():
        raise BadInput("newcomers.run", f"there is no folder {str(run)!r}; give the results folder of a finished run")
    description = next(iter(sorted((run / target / split / "mil").glob("*/*.json"))), None)
    groups = run / target / split / "groups" / "importance.json"
    if description is None or not groups.is_file():
        there = ", ".join(sorted(f"{p.parts[-4]}/{p.parts[-3]}" for p in run.glob("*/*/groups/importance.json")))
        raise BadInput(
            "newcomers.run",
            f"{str(run)!r} has no groups of {target}/{split} but of {there or 'nothing'}; finish that run, or give its "
            "configuration (--configfile) here too",
        )
    # Of the split, not of the groups: who was left out has windows there too.
    both = sorted(set(users) & {path.stem for path in (run / target / split / "splits").glob("*.parquet")})
    if both:
        raise BadInput("cohort.users", f"{', '.join(both)} are in the run {str(run)!r}; give newcomers other names")
    whole = config.model_dump()
    own = {"mil": {key: value for key, value in whole["mil"].items() if key not in ("seeds", "device")}}
    own |= {"standardise": config.windows.standardise, "modalities": whole["modalities"]}
    own |= {"target": config.target(target).model_dump()}
    own |= {"groups": {key: whole["groups"][key] for key in ("importance", "parts", "unit")}}
    there = read_json(description) | {"groups": read_json(groups)}
    for key, before, here in _differences(there, own):
        raise BadInput(
            "newcomers.run", f"{key} was {before!r} there, here it is {here!r}; give its --configfile here too"
        )


def _differences(run: dict[str, Any], own: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Keys of `own` whose value differs, with both values."""
    for key, here in own.items():
        before = run.get(key)
        if isinstance(here, dict) and isinstance(before, dict):
            yield from _differences(before, here, f"{path}{key}.")
        elif before != here:
            yield f"{path}{key}", before, here


def tell(user: str, placement: Placement, found: list[dict[str, Any]]) -> dict[str, Any]:
    """What is known of a newcomer, and a sentence of it."""
    sentence = (
        f"User {user} belongs to {placement.group} ({len(placement.members)} people), in "
        f"{placement.sure * DRAWS:.0f} of {DRAWS} resamples; {placement.share:.0%} of the windows lie in it."
    )
    if placement.beyond:
        sentence += (
            " But no member is as far from the group's centre: this person may belong to none of the groups (of true "
            f"members about one in {len(placement.members) + 1} would lie so far out)."
        )
    for row in found:
        if row["scheme"] == "importance":
            rest = {r["scheme"]: r["macro_f1"] for r in found if r["predictor"] == row["predictor"]}
            sentence += (
                f" {row['predictor']}: macro-F1 {row['macro_f1']:.3f} with the group's model, "
                f"{rest['global']:.3f} with everyone's, {rest['personal']:.3f} with an own one."
            )
    return {"user": user, "excluded": None, "sentence": sentence, **asdict(placement), "scores": found}
