"""The layers of the package: a module imports its own layer, or those that CONTRIBUTING.md lists before it."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow import ROOT

PACKAGE = ROOT / "lifelog"
FORBIDDEN = {"snakemake", "pickle", "joblib"}


def listed() -> list[str]:
    """The layers of CONTRIBUTING.md, the lowest one first."""
    (block,) = re.findall(
        r"^```layers\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S
    )
    return [line.split()[0].rstrip("/") for line in block.splitlines()]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, also of those in functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def faults(package: Path, order: list[str]) -> list[str]:
    """Entries that are not listed or do not exist, and imports of later layers."""
    paths = [path for path in package.iterdir() if path.suffix == ".py" or (path.is_dir() and path.name[0] != "_")]
    entries = {path.stem for path in paths} - {"__init__"}
    found = [f"{name} is not listed" for name in sorted(entries - set(order))]
    found += [f"{name} does not exist" for name in order if name not in entries]
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package)
        own = module.parts[0].removesuffix(".py")
        for line, name in imported(path) if own in order else ():
            first, layer, *_ = [*name.split("."), ""]
            if first == "lifelog" and layer in order and order.index(layer) > order.index(own):
                found.append(f"{module}:{line} imports {name}")
    return found


def test_every_layer_is_listed_and_imports_only_those_before_it() -> None:
    order = listed()
    assert len(set(order)) == len(order)
    assert faults(PACKAGE, order) == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    package = tmp_path / "lifelog"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    return package


def test_a_folder_that_is_not_listed_is_found(copied: Path) -> None:
    (copied / "made_up").mkdir()
    assert faults(copied, listed()) == ["made_up is not listed"]
    shutil.rmtree(copied / "made_up")
    assert faults(copied, [*listed(), "lost"]) == ["lost does not exist"]


@pytest.mark.parametrize(
    "statement",
    [
        "from lifelog.report import render",
        "import lifelog.report.render",
        "from lifelog import report",
        "def late():\n    from lifelog.report.render import render_page",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lifelog.report.render import render_page",
    ],
)
def test_an_import_of_a_later_layer_is_found(copied: Path, statement: str) -> None:
    (copied / "windows/late.py").write_text(statement + "\n")
    (fault,) = faults(copied, listed())
    assert re.fullmatch(r"windows/late\.py:\d imports lifelog\.report\S*", fault)


def test_no_module_imports_snakemake_or_loads_pickles() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert not FORBIDDEN & {name.split(".")[0] for _, name in imported(path)}, path
