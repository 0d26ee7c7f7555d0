"""Every configuration of docs/own-data.md runs to the report, on a made-up cohort in its form."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from lifelog.config import load_config
from lifelog.tables import read_tables
from lifelog.windows.check import check_recordings
from lifelog.windows.extract import extract_windows
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels
from tests.cohorts import COHORTS
from tests.workflow import ROOT, Workflow

PAGE = (ROOT / "docs/own-data.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```yaml\n# example: (\w+)\n(.*?)```", PAGE, re.S))
WINDOWS = {
    "e4": 96,
    "embraceplus": 96,
    "aware": 120,
    "fitbit": 120,
    "laboratory": 128,
    "lifesnaps": 160,
    "rapids": 160,
    "kemocon": 120,
    "etri2024": 120,
}
READ_ONLY = {"embraceplus", "fitbit", "rapids"}  # differ from others in how files are read, and run to the first page


def test_every_form_has_an_example_of_at_most_25_lines() -> None:
    assert set(EXAMPLES) == set(COHORTS)
    assert max(len(text.splitlines()) for text in EXAMPLES.values()) <= 25


def check(labels: pd.DataFrame, quality: pd.DataFrame, name: str) -> None:
    lost = quality[quality.kind == "label"]
    assert (len(labels), list(lost.reason)) == (WINDOWS[name], []), lost.detail.tolist()
    modalities = quality[(quality.kind == "modality") & quality.reason.notna()]
    # Empty cells of LifeSnaps: sleep is missing on every seventh day.
    expected = 4 * 6 if name == "lifesnaps" else 0
    assert len(modalities) == expected, modalities[["modality", "reason", "detail"]].drop_duplicates().to_string()


def merged(defaults: dict, own: dict) -> dict:
    """Settings of a file over those of another one, key by key."""
    common = [key for key in own if isinstance(own[key], dict) and isinstance(defaults.get(key), dict)]
    both = {key: merged(defaults[key], own[key]) for key in common}
    return defaults | own | both


@pytest.mark.parametrize("name", COHORTS)
def test_the_configuration_reads_every_window(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    COHORTS[name](Path(name))
    defaults = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config = load_config(merged(defaults, yaml.safe_load(EXAMPLES[name])))  # as in the Snakefile
    users = find_users(config.cohort, config.simulation)
    assert check_recordings(config, users) == []
    labels, quality = [], []
    for user, folder in users.items():
        paths = Path(f"{user}.w.parquet"), Path(f"{user}.q.parquet")
        extract_windows(user, folder, config.cohort.of(user), config.windows, config.modalities, *paths)
        labels.append(read_labels(paths[0]))
        quality.append(read_tables([paths[1]]))
    check(pd.concat(labels), pd.concat(quality), name)


@pytest.mark.cohorts
@pytest.mark.parametrize("name", COHORTS)
def test_the_configuration_runs_to_the_report(name: str, tmp_path: Path) -> None:
    made = Workflow(tmp_path)
    (made.folder / name).mkdir()
    COHORTS[name](made.folder / name)
    (made.folder / "own.yaml").write_text(EXAMPLES[name])
    predictors = [{"name": "boosting", "max_iter": 5}, {"name": "majority", "schemes": ["global"]}]
    short = {"mil": {"epochs": 2, "seeds": [0]}, "schemes": ["global", "importance"], "predictors": predictors}
    (made.folder / "short.yaml").write_text(yaml.safe_dump(short))
    page = "preview" if name in READ_ONLY else "report"
    made("--configfile", "own.yaml", "short.yaml", "--", *(["preview"] if name in READ_ONLY else []))
    results = made.folder / yaml.safe_load(EXAMPLES[name])["results"]
    assert (results / f"{page}.html").exists()
    labels = pd.concat([read_labels(path) for path in sorted((results / "windows").glob("*.parquet"))])
    check(labels, read_tables(sorted((results / "quality").glob("*.parquet"))), name)
