"""The content of `bundle.json`, and the check of the digests; without what prediction needs, which imports much."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lifelog.settings.compare import Compare
from lifelog.settings.splits import Split, Target
from lifelog.settings.windows import Modality, Windows
from lifelog.windows.layout import BadInput

CONTENT, TENSORS, CARD, SUMS = "bundle.json", "models.safetensors", "card.md", "SHA256SUMS"
FILES = (CONTENT, TENSORS, CARD)
LARGEST = 2**32  # bytes of a file


class Stored(BaseModel):
    """A part of the content; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class About(Stored):
    """What a bundle was made from.

    Attributes
    ----------
    software : dict of str to str
        Versions by package.
    code : str
        Digest of the code that computes features.
    fingerprint : str
        Digest of the recordings and labels.
    windows, modalities, target, split, compare
        Settings of the run.
    features : list of str
        Names of the summary features.
    bins : int
        Number of bins of the maxima.
    participants, recorded : int
        Participants whose windows train models, and all of the run.
    windows_seen : list of str
        Digests of the features of some windows of each participant, by which recordings of the run are recognised.
    """

    software: dict[str, str]
    code: str
    fingerprint: str
    windows: Windows
    modalities: list[Modality]
    target: Target
    split: Split
    compare: Compare
    features: list[str]
    bins: int
    participants: int
    recorded: int
    windows_seen: list[str]

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self.target.classes


class StoredModel(Stored):
    """The model of a group: weights of fitted models, which are numbered in the order of the file."""

    group: str
    users: list[str]
    weights: list[float]
    models: list[int]
    assumed: list[float]
    shares: list[float]


class StoredFold(Stored):
    """The models of a fold."""

    fold: int
    slope: float
    shifts: list[float]
    ratings: list[float] | None
    models: list[StoredModel]


class StoredPlacer(Stored):
    """The discriminant that places new participants in a group of a fold."""

    fold: int
    group: str
    spread: float


class StoredGroup(Stored):
    """A group of the report; what places a participant in it, if it has a spread."""

    group: str
    members: list[str]
    spread: float | None


class StoredStrategy(Stored):
    """A strategy; `scaled` has fold and participant of the rows of the scalings."""

    predictor: dict[str, Any]
    scheme: str
    threshold: float
    folds: list[StoredFold]
    placing: list[StoredPlacer]
    scaled: list[tuple[int, str]]
    scores: list[dict[str, str | float | None]]


class Content(Stored):
    """The content of `bundle.json`."""

    format: Literal[1]
    about: About
    known: StoredStrategy | None
    new: StoredStrategy
    groups: list[StoredGroup]
    sensors: list[dict[str, str | float | bool | None]]


def read_content(folder: str | Path) -> Content:
    """Read the settings and the structure of a bundle, after its digests are checked.

    Parameters
    ----------
    folder : str or Path
        Folder of a bundle.

    Returns
    -------
    Content
        Without arrays.

    Raises
    ------
    BadInput
        If a file is missing or changed, or its content is invalid.
    """
    return parse_content(checked_files(Path(folder))[CONTENT], Path(folder))


def unusable(folder: Path, cause: str) -> BadInput:
    """Return the error of a bundle that cannot be used."""
    return BadInput("bundle cannot be used", f"{folder}: {cause}")


def checked_files(folder: Path) -> dict[str, bytes]:
    """Return the content of the files of a bundle, if their digests fit."""
    found = {}
    if not folder.is_dir():
        raise unusable(folder, "there is no such folder")
    for name in (*FILES, SUMS):
        path = folder / name
        try:
            if not path.is_file():
                raise unusable(folder, f"there is no file {name}")
            if path.stat().st_size > LARGEST:
                raise unusable(folder, f"{name} has more than {LARGEST} bytes")
            found[name] = path.read_bytes()
        except OSError as error:
            raise unusable(folder, str(error)) from None
    listed = found.pop(SUMS)
    if digests_of(found).encode() != listed:
        lines = listed.decode(errors="replace").splitlines()
        changed = [name for name in FILES if digests_of({name: found[name]}).rstrip() not in lines]
        what = " and ".join(changed) or SUMS
        raise unusable(folder, f"{what} changed since the bundle was written; copy the folder again")
    return found


def digests_of(files: dict[str, bytes]) -> str:
    """Return the digests of files by name, as `sha256sum` writes them."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())


def parse_content(text: bytes, folder: Path) -> Content:
    """Return the content of `bundle.json`; raise BadInput if it is invalid."""
    try:
        raw = json.loads(text)
        found = raw.get("format") if isinstance(raw, dict) else None
        if found != 1:
            raise unusable(folder, f"{CONTENT} has the format {found!r}; this version of lifelog reads 1")
        return Content.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise unusable(folder, f"{CONTENT}: {place}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadInput):
            raise
        raise unusable(folder, f"{CONTENT}: {error}") from None
