"""The configuration of a run that scores recordings: windows, modalities and target are those of the bundle."""

from typing import Any

from pydantic import ValidationError

from lifelog.bundle.content import read_content
from lifelog.registry import did_you_mean
from lifelog.settings.score import Score
from lifelog.settings.windows import Modality, Windows
from lifelog.windows.layout import BadInput


def with_bundle(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the settings of its bundle, if it has one.

    Parameters
    ----------
    raw : dict
        The merged configuration, not yet validated.

    Returns
    -------
    dict
        As `load_config` takes it.

    Raises
    ------
    BadInput
        If the bundle cannot be used, or the configuration has other windows or modalities.
    """
    try:
        score, windows = Score.model_validate(raw.get("score") or {}), Windows.model_validate(raw.get("windows") or {})
    except ValidationError:  # `load_config` explains it
        return raw
    if not score.bundle:
        return raw
    about = read_content(score.bundle).about
    if windows not in (Windows(), about.windows):
        raise BadInput("windows", f"they are those of the bundle, {_shown(about.windows)}; leave the section out")
    modalities = about.modalities if score.modalities is None else score.modalities
    _check(modalities, about.modalities)
    order = [modality.name for modality in about.modalities]
    modalities = sorted(modalities, key=lambda modality: order.index(modality.name))
    return raw | {
        "windows": about.windows.model_dump(mode="json"),
        "modalities": [modality.model_dump(mode="json") for modality in modalities],
        "targets": [about.target.model_dump(mode="json")],
        "targets_run": [about.target.name],
    }


def _shown(windows: Windows) -> str:
    return ", ".join(f"{name}: {value}" for name, value in windows.model_dump().items())


def _check(modalities: list[Modality], expected: list[Modality]) -> None:
    """Raise BadInput unless modalities have the names, kinds and channels of the bundle."""
    wanted = {modality.name: modality for modality in expected}
    for modality in modalities:
        if modality.name not in wanted:
            detail = f"{modality.name!r} is not in the bundle; {did_you_mean(modality.name, wanted, str([*wanted]))}"
            raise BadInput("score.modalities", detail)
        other = wanted.pop(modality.name)
        for what in ("kind", "channel_names", "unit", "known_signal", "features"):
            here, there = getattr(modality, what), getattr(other, what)
            if here != there:
                raise BadInput(
                    "score.modalities", f"{what} of {modality.name!r} is {here!r}, and {there!r} in the bundle"
                )
    if wanted:
        missing = ", ".join(wanted)
        raise BadInput("score.modalities", f"without {missing}; name all, those that were not recorded are missing")


def check_participants(score: Score, users: list[str]) -> None:
    """Raise BadInput if users are stated to be participants of the run of the bundle, and none is.

    Parameters
    ----------
    score : Score
        The bundle, and whether users of the same name are the same people.
    users : list of str
        The users whose recordings are scored.
    """
    if not score.bundle or score.participants != "same":
        return
    stored = read_content(score.bundle).known
    known = {user for fold in stored.folds for model in fold.models for user in model.users} if stored else set()
    if not known & set(users):
        of_whom = f"it has those of {', '.join(sorted(known))}" if known else "it has models for new participants only"
        raise BadInput("score.participants", f"the bundle has no models of {', '.join(users)}; {of_whom}")
