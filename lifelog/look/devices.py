"""Devices whose files are known: Empatica E4, EmbracePlus and the ETRI folders."""

import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lifelog.windows.embraceplus import AXES
from lifelog.windows.files import members

E4: dict[str, dict[str, Any]] = {
    "ACC": {"name": "acc", "columns": ["x", "y", "z"], "rate": 32, "scale": 0.015625, "unit": "g"},
    "BVP": {"name": "bvp", "columns": ["bvp"], "rate": 64, "unit": "nW"},
    "EDA": {"name": "eda", "columns": ["eda"], "rate": 4, "unit": "µS"},
    "TEMP": {"name": "temp", "columns": ["temp"], "rate": 4, "unit": "°C"},
    "HR": {"name": "hr", "columns": ["hr"], "rate": 1, "unit": "1/min"},
}
EMBRACEPLUS: list[dict[str, Any]] = [
    {"name": "acc", "source": "accelerometer", "columns": ["x", "y", "z"], "rate": 64, "unit": AXES["accelerometer"]},
    {"name": "bvp", "columns": ["bvp"], "rate": 64, "unit": "nW"},
    {"name": "eda", "columns": ["eda"], "rate": 4, "unit": "µS"},
    {"name": "temp", "source": "temperature", "columns": ["temp"], "rate": 1, "flat": "keep", "unit": "°C"},
    {"name": "hr", "source": "heart_rate", "kind": "scalar", "columns": ["hr"], "unit": "1/min"},
]


@dataclass(frozen=True)
class Device:
    """Recordings of a known device: the layout, its folder below the root, participants, modalities, and a line."""

    layout: str
    folder: str
    users: list[str]
    modalities: list[dict[str, Any]]
    line: str
    files: set[str]


def find_device(root: Path, paths: list[str]) -> Device | None:
    """Return the device whose files are in a folder, or None."""
    if avro := [path for path in paths if path.lower().endswith(".avro") and "participant_data/" in path]:
        parts = [path.split("participant_data/")[1].split("/") for path in avro]
        users = sorted({part[1].rpartition("-")[0] for part in parts if len(part) > 1})
        folder = avro[0].split("participant_data/")[0].rstrip("/")
        return Device("embraceplus", folder, users, EMBRACEPLUS, f"Empatica EmbracePlus, {len(avro)} files", set(avro))
    return _find_e4(root, paths)


def _find_e4(root: Path, paths: list[str]) -> Device | None:
    sessions: dict[str, set[str]] = {}
    files = set[str]()
    for path in paths:
        pure = PurePosixPath(path)
        if pure.suffix.lower() == ".zip" and zipfile.is_zipfile(root / path):
            inside = {PurePosixPath(file.member or "").name for file in members(root / path)}
            if {"ACC.csv", "EDA.csv"} <= inside:
                sessions[path] = {PurePosixPath(name).stem for name in inside}
                files.add(path)
        elif pure.name in ("tags.csv", "info.txt", *(f"{signal}.csv" for signal in (*E4, "IBI"))):
            if pure.stem in E4 and not _starts_with_a_number(root / path):
                continue
            sessions.setdefault(str(pure.parent), set()).add(pure.stem)
            files.add(path)
    sessions = {place: found for place, found in sessions.items() if {"ACC", "EDA"} & found}
    if not sessions:
        return None
    folder, users = _users(list(sessions))
    present = Counter(name for found in sessions.values() for name in found)
    sensors = [(name, keys) for name, keys in E4.items() if present[name]]
    rates = ", ".join(f"{name} {keys['rate']} Hz" for name, keys in sensors)
    least = min(present[name] for name, _ in sensors)
    line = f"Empatica E4, {len(sessions)} sessions: {rates}; all of them in {least} of {len(sessions)}"
    return Device("e4", folder, users, [{"source": name} | keys for name, keys in sensors], line, files)


def _starts_with_a_number(path: Path) -> bool:
    """Return whether the first row of a file is a start, as in E4 exports, and not names of columns."""
    with path.open("rb") as file:
        return file.read(1).isdigit()


def _users(places: list[str]) -> tuple[str, list[str]]:
    """Return the common folder of participants, and their names: the first level below it."""
    parts = [PurePosixPath(place).parts for place in places]
    common = 0
    while all(len(names) > common + 1 for names in parts) and len({names[common] for names in parts}) == 1:
        common += 1
    return "/".join(parts[0][:common]), sorted({names[common] for names in parts if len(names) > common})
