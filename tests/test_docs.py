"""The documentation: links and files exist, columns are those of a run, and the examples run."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

import lifelog
from lifelog.groups.read import described_groups, read_groups
from tests.workflow import Workflow

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as the site and code hosts generate them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue  # tests make no requests
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:docs|presets|rules|lifelog|profiles|benchmarks|workflow_scripts)/[\w./-]+)`", text):
        assert (ROOT / name).exists() or name == "lifelog/windows/diary.py", f"{page.name}: {name}"


def test_every_page_is_on_the_site() -> None:
    nav = re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    assert sorted(nav) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


def test_documented_columns_are_those_of_a_run(workflow: Workflow) -> None:
    results = workflow.folder / "results"
    names = {"{user}": "101", "{target}": "tension", "{split}": "blocked", "{scheme}": "importance"}
    names |= {"{predictor}": "boosting", "{name}": "attention"}
    rows = re.findall(
        r"^\| `([^`]*\.(?:parquet|csv))` \| [^|]* \| (.*) \|$", (ROOT / "docs/files.md").read_text(), re.M
    )
    assert len(rows) > 12
    for file, description in rows:
        for wildcard, value in names.items():
            file = file.replace(wildcard, value)
        path, documented = results / file, re.findall(r"`([^`]*)`", description)
        columns = pq.read_schema(path).names if path.suffix == ".parquet" else list(pd.read_csv(path).columns)
        if "list of float32" in description or file.startswith("features"):  # and label columns, modalities, statistics
            assert columns[: len([name for name in documented if "{" not in name])] == [
                n for n in documented if "{" not in n
            ]
        elif path.parent.name != "figures":
            of_classes = [name for name in columns if re.fullmatch(r"(?:p|raw)_(?!holm|corrected|absence).*", name)]
            assert [name for name in columns if name not in of_classes] == [n for n in documented if "{" not in n]


def test_the_code_of_the_notebook_page_runs(workflow: Workflow) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs/library.md").read_text(), re.S))
    done = subprocess.run([sys.executable, "-c", code], cwd=workflow.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "(" in done.stdout and "boosting" in done.stdout and "group 1" in done.stdout
    imports = [
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom) and node.module == "lifelog"
    ]
    assert {alias.name for node in imports for alias in node.names} <= set(lifelog.__all__)


def test_everything_that_is_exported_is_in_the_api_reference() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    exported = {f"{getattr(lifelog, name).__module__}.{name}" for name in lifelog.__all__[1:]}
    assert set(re.findall(r"^::: (\S+)$", page, re.M)) == exported
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lifelog.nothing  # noqa: B018


def test_reading_a_table_does_not_import_torch() -> None:
    code = "import sys; from lifelog import read_windows; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_layout_of_an_installed_package_runs(tmp_path: Path) -> None:
    """The package of docs/own-data.md is installed, and runs up to the groups; without it, its name is unknown."""
    made = Workflow(tmp_path / "run")
    shutil.copytree(ROOT / "docs/examples", made.folder / "docs/examples")
    package = made.folder / "docs/examples/diary"
    subprocess.run([sys.executable, str(package / "record.py"), "cohort"], cwd=made.folder, check=True)
    arguments = ("--configfile", "docs/examples/diary/diary.yaml")
    assert "cohort.layout: unknown layout 'diary'; known: " in made(*arguments, "--dry-run", ok=False)
    install = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(tmp_path / "site")]
    subprocess.run([sys.executable, "-m", *install, str(package)], check=True)
    groups = "results-diary/stress/blocked/groups/importance.csv"
    made(*arguments, "--", groups, python_path=tmp_path / "site")
    group = described_groups(read_groups(made.folder / groups)).set_index("user").group
    assert group.anna == group.ben != group.chris == group.dana
    params = json.loads(pq.read_schema(made.folder / "results-diary/windows/anna.parquet").metadata[b"lifelog"])
    assert params["labels"] == ["stress", "task"]
    count = len((package / "lifelog_diary.py").read_text().splitlines())
    assert f"{count} lines" in (ROOT / "docs/own-data.md").read_text()


def test_citation_and_versions_agree() -> None:
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (
        about["version"] == lifelog.__version__ and f"## {lifelog.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    )
    assert {"cff-version", "message", "title", "authors"} <= set(about)
    assert all({"type", "title", "authors"} <= set(entry) for entry in about["references"])
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"] == ["version"]


def test_the_pins_of_the_site_agree_with_the_lock() -> None:
    read = lambda path: dict(line.split("==") for line in path.read_text().splitlines() if "==" in line)  # noqa: E731
    lock, site = read(ROOT / "requirements.lock"), read(ROOT / "docs/requirements.txt")
    both = set(lock) & set(site)
    assert {name: lock[name] for name in both} == {name: site[name] for name in both}
