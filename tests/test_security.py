"""Recordings and configurations are untrusted: their content is never executed or loaded as code."""

import ast
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
    "NumPy pickles": r"allow_pickle",
    "evaluation of text": r"(?<![.\w])(eval|exec|compile)\(",
    "unsafe YAML": r"yaml\.(load|unsafe_load|full_load)\(",
    "shell commands": r"shell=True|os\.system|os\.popen|^\s*shell:",
    "unescaped HTML": r"\|\s*safe\b|autoescape false",
}


@pytest.mark.parametrize("construct", FORBIDDEN)
def test_the_code_does_not_execute_data(construct: str) -> None:
    for path in SOURCES:
        assert not re.search(FORBIDDEN[construct], path.read_text(encoding="utf-8"), re.M), path


def is_constant(node: ast.expr) -> bool:
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return all(isinstance(part, ast.Constant) for part in parts)


def test_only_constant_text_is_marked_as_html() -> None:
    """`Markup("<b>{}</b>").format(x)` escapes x; `Markup(x)` does not. Texts of the package are constant too."""
    for path in (path for path in SOURCES if path.suffix == ".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Markup":
                of_package = ast.unparse(node) == "Markup(self.texts[name])"  # of texts.yaml, in `Texts`
                assert of_package or all(map(is_constant, node.args)), f"{path}:{node.lineno}"


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "a b", "<b>", "$(id)", "x;id", "{user}"])
@pytest.mark.parametrize("where", ["modalities", "targets", "splits"])
def test_unsafe_names_that_become_paths_are_rejected(where: str, name: str) -> None:
    entries = {
        "modalities": {"name": name, "columns": ["x"], "kind": "scalar"},
        "targets": {"name": name, "column": "c", "bins": {"a": [1], "b": [2]}},
        "splits": {"name": name, "method": "random"},
    }
    selection = {"targets_run": [name]} if where == "targets" else {}
    with pytest.raises(ConfigError, match=where):
        load_config({where: [entries[where]], **selection})


def test_a_configuration_executes_nothing(tmp_path: Path) -> None:
    made = Workflow(tmp_path / "w", SMALL + "report: {title: !!python/object/apply:os.system ['touch pwned']}\n")
    output = made("--dry-run", ok=False)
    assert "not valid JSON or YAML" in output and not list(made.folder.rglob("pwned"))
    (made.folder / "tiny.yaml").write_text(SMALL)
    made("--dry-run", "--config", "report={title: '$(touch pwned) `touch pwned`; touch pwned'}")
    assert not list(made.folder.rglob("pwned"))


@pytest.mark.parametrize("folder", ["results; touch pwned", "../elsewhere", "a/../../b", "$(id)", " a", "a\tb", ""])
def test_unsafe_results_folders_are_rejected(folder: str) -> None:
    with pytest.raises(ConfigError, match="results"):
        load_config({"results": folder})


@pytest.mark.parametrize("folder", ["results", "my results/run 1", "Ergebnisse Müller", "결과"])
def test_results_folders_may_have_blanks_and_letters_of_every_language(folder: str) -> None:
    assert load_config({"results": folder}).results == folder
