"""Which modules a script depends on: every script and module, against an independent reading of their byte code."""

from __future__ import annotations

import re
import shutil
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from lifelog.provenance import reached_files, script_digest
from tests.workflow import ROOT, Workflow

SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))
PREDICTORS = {f"lifelog.predict.{path.stem}" for path in (ROOT / "lifelog/predict").glob("[!_]*.py")}


def imported(script: Path) -> set[str]:
    """Modules of the package that a script may import, by the byte code; predictors are imported by name."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(script))
    if "lifelog.predict.interface" in finder.modules:
        for name in sorted(PREDICTORS):
            finder.import_hook(name)
    return {name for name in finder.modules if name.split(".")[0] == "lifelog"}


def path_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


REACHED = {script.stem: {path_of(name) for name in imported(script)} for script in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_reaches_the_modules_that_it_imports(script: Path) -> None:
    modules = {path for path in reached_files(script) if path.suffix == ".py"}
    assert modules == REACHED[script.stem]


def test_templates_belong_to_the_page_and_tables_to_the_published_figures() -> None:
    data = {
        script.stem: {path.name for path in reached_files(script) if path.suffix not in (".py", ".typed")}
        for script in SCRIPTS
    }
    assert {name for name, files in data.items() if "page.css" in files} == {"render_report", "inspect_recordings"}
    assert {name for name, files in data.items() if "per_user.csv" in files} == {"compare_published"}


def test_every_module_belongs_to_a_job_or_to_the_configuration() -> None:
    modules = {path for path in (ROOT / "lifelog").rglob("*.py")}
    unused = {str(path.relative_to(ROOT / "lifelog")) for path in modules - set.union(*REACHED.values())}
    # Used by the Snakefile and by `make config`, not by jobs.
    assert unused == {"config_yaml.py", "provenance.py", "report/summary.py", "windows/check.py"}


def rules_by_script() -> dict[str, str]:
    """Rule by script, from the rules themselves."""
    rules = {}
    for file in (ROOT / "rules").glob("*.smk"):
        for rule, body in re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", file.read_text(), re.M | re.S):
            if script := re.search(r'"\.\./workflow_scripts/(\w+)\.py"', body):
                assert f'code=code("{script[1]}")' in body or "package_digest()" in body, rule
                rules[script[1]] = rule
    return rules


def test_every_script_has_a_rule_of_its_name() -> None:
    assert {script: rule for script, rule in rules_by_script().items() if script != rule} == {}
    assert set(rules_by_script()) == {script.stem for script in SCRIPTS}


def test_an_edited_module_changes_the_digests_of_the_scripts_that_reach_it(tmp_path: Path) -> None:
    package = tmp_path / "lifelog"
    shutil.copytree(ROOT / "lifelog", package, ignore=shutil.ignore_patterns("__pycache__"))
    before = {script.stem: script_digest(script, package) for script in SCRIPTS}
    for module in sorted(set.union(*REACHED.values())):
        edited = package / module.relative_to(ROOT / "lifelog")
        content = edited.read_bytes()
        edited.write_bytes(content + b"# edited\n")
        changed = {script.stem for script in SCRIPTS if script_digest(script, package) != before[script.stem]}
        edited.write_bytes(content)
        assert changed == {script for script, modules in REACHED.items() if module in modules}, module


@pytest.mark.parametrize("module", ["groups/clustering.py", "predict/boosting.py", "report/page/page.css"])
def test_an_edited_module_reruns_the_rules_that_reach_it(workflow: Workflow, module: str) -> None:
    """Their jobs have changed params; other jobs are rerun only because their input files are updated."""
    expected = {script.stem for script in SCRIPTS if ROOT / "lifelog" / module in reached_files(script)}
    edited = workflow.folder / "lifelog" / module
    expected |= {"train_fast", "train_fast_groups"} if "train_predictors" in expected else set()  # the same script
    before = edited.read_bytes()
    edited.write_bytes(before + b"\n")
    try:
        output = workflow("--dry-run")
    finally:
        edited.write_bytes(before)
    params = re.search(r"params have changed since last execution:\n\s+(.*)", output)[1].split(", ")
    assert set(params) <= expected
    jobs = output.partition("Job stats:")[2].partition("total")[0]
    assert expected & set(workflow.rules("--forceall")) <= set(re.findall(r"^(\w+) +\d+$", jobs, re.M))


def test_relative_and_lazy_imports_are_refused(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("from lifelog import train_mil\n")
    with pytest.raises(ValueError, match="import 'train_mil' from its module"):
        reached_files(script)
    script.write_text("from . import tables\n")
    with pytest.raises(ValueError, match="relative imports are not followed"):
        reached_files(script)
