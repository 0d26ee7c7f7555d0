"""Recordings and configurations are other people's: nothing of them is run, or loaded as code."""

import re
from pathlib import Path

import pytest

from lifelog.config import ConfigError, load_config
from tests.workflow import SMALL, Workflow

ROOT = Path(__file__).parents[1]
SOURCES = [
    ROOT / "Snakefile",
    *(ROOT / "rules").glob("*.smk"),
    *(ROOT / "workflow_scripts").glob("*.py"),
    *(ROOT / "lifelog").rglob("*.py"),
    *(ROOT / "lifelog").rglob("*.html"),
]
FORBIDDEN = {
    "pickle": r"\b(pickle|cPickle|joblib|dill|marshal|shelve)\b",
    "torch.load": r"torch\.load\(",
    "numpy's pickles": r"allow_pickle",
    "evaluating text": r"(?<![.\w])(eval|exec|compile)\(",
    "unsafe YAML": r"yaml\.(load|unsafe_load|full_load)\(",
    "a shell": r"shell=True|os\.system|os\.popen|^\s*shell:",
    "HTML that is not escaped": r"\|\s*safe\b|autoescape false|Markup\(",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_code_comes_from_data(what: str) -> None:
    for path in SOURCES:
        assert not re.search(FORBIDDEN[what], path.read_text(encoding="utf-8"), re.M), path


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "a b", "<b>", "$(id)", "x;id", "{user}"])
@pytest.mark.parametrize("where", ["modalities", "targets", "splits"])
def test_names_that_become_paths_are_plain(where: str, name: str) -> None:
    entries = {
        "modalities": {"name": name, "columns": ["x"], "kind": "scalar"},
        "targets": {"name": name, "column": "c", "bins": {"a": [1], "b": [2]}},
        "splits": {"name": name, "method": "random"},
    }
    more = {"targets_run": [name]} if where == "targets" else {}
    with pytest.raises(ConfigError, match=where):
        load_config({where: [entries[where]], **more})


def test_a_configuration_runs_nothing(tmp_path: Path) -> None:
    made = Workflow(tmp_path / "w", SMALL + "report: {title: !!python/object/apply:os.system ['touch pwned']}\n")
    said = made("--dry-run", ok=False)
    assert "not valid JSON or YAML" in said and not list(made.folder.rglob("pwned"))
    (made.folder / "tiny.yaml").write_text(SMALL)
    made("--dry-run", "--config", "report={title: '$(touch pwned) `touch pwned`; touch pwned'}")
    assert not list(made.folder.rglob("pwned"))


@pytest.mark.parametrize("folder", ["results; touch pwned", "../elsewhere", "a/../../b", "$(id)", "a b", ""])
def test_results_stay_where_they_are_said_to_be(folder: str) -> None:
    with pytest.raises(ConfigError, match="results"):
        load_config({"results": folder})
