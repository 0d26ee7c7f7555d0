"""Whether users can be placed in a finished run: its settings are those of this run, and its users are others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lifelog.files import read_json
from lifelog.settings.groups import Clustering
from lifelog.settings.importance import Shapley
from lifelog.settings.mil import Mil
from lifelog.settings.splits import AnySplit, Target
from lifelog.settings.windows import Modality
from lifelog.windows.layout import BadInput


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
    run_settings = read_json(description) | {"groups": formed} | {key: formed.get(key) for key in ("shapley", "split")}
    for key, before, now in _differences(run_settings, settings):
        detail = f"{key} was {before!r} in that run and is {now!r} here"
        raise BadInput("new_users.run", f"{detail}; use its --configfile here too")


def _differences(run: dict[str, Any], here: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the keys of `here` with different values, and both values."""
    for key, now in here.items():
        before = run.get(key)
        if isinstance(now, dict) and isinstance(before, dict):
            yield from _differences(before, now, f"{path}{key}.")
        elif before != now:
            yield f"{path}{key}", before, now


def required_settings(
    shapley: Shapley,
    mil: Mil,
    standardise: str,
    modalities: list[Modality],
    target: Target,
    groups: Clustering,
    split: AnySplit,
) -> dict[str, Any]:
    """Return the settings that new users must share with a run, for `check_run`."""
    of_measure = {"shapley": shapley.model_dump()} if groups.importance == "shapley" else {}
    if not of_measure:
        of_measure = {"mil": mil.model_dump(exclude={"seeds", "device"})}
    return of_measure | {
        "standardise": standardise,
        "modalities": [modality.model_dump() for modality in modalities],
        "target": target.model_dump(),
        "split": split.model_dump(exclude={"seed"}),
        "groups": groups.model_dump(include={"importance", "subsets", "unit"}),
    }
