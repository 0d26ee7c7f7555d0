"""Which modules a script depends on: every script and module, against an independent reading of their byte code."""

from __future__ import annotations

import re
import shutil
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from lifelog import provenance
from lifelog.provenance import reached_files, script_digest
from tests.workflow import ROOT, Workflow

PACKAGE = ROOT / "lifelog"
SCRIPTS = {path.stem: path for path in sorted((ROOT / "workflow_scripts").glob("*.py"))}
PREDICTORS = [path.stem for path in sorted((PACKAGE / "predict/predictors").glob("[!_]*.py"))]


def module_of(predictor: str) -> str:
    return f"predict.predictors.{predictor}"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package whose byte code has no imports for type checkers only."""
    package = tmp_path_factory.mktemp("package") / "lifelog"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in package.rglob("*.py"):
        path.write_text(re.sub(r"^( *)if TYPE_CHECKING:", r"\1if False:", path.read_text(), flags=re.M))
    return package


def imported(script: Path, package: Path, *predictors: str) -> set[Path]:
    """Modules that a script may import, by the byte code, and those of predictors, which are imported by name."""
    finder = ModuleFinder(path=[str(package.parent)])
    finder.run_script(str(script))
    for name in predictors:
        finder.import_hook(f"lifelog.{module_of(name)}")
    files = (module.__file__ for name, module in finder.modules.items() if name.split(".")[0] == "lifelog")
    return {PACKAGE / Path(file).relative_to(package) for file in files}


@pytest.fixture(scope="module")
def reached(compiled: Path) -> dict[str, set[Path]]:
    return {name: imported(script, compiled) for name, script in SCRIPTS.items()}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_reaches_the_modules_that_it_imports(script: str, reached: dict[str, set[Path]]) -> None:
    assert {path for path in reached_files(SCRIPTS[script]) if path.suffix == ".py"} == reached[script]


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_training_reaches_the_module_of_its_predictor_and_what_that_imports(predictor: str, compiled: Path) -> None:
    script = SCRIPTS["train_predictors"]
    modules = {path for path in reached_files(script, (module_of(predictor),)) if path.suffix == ".py"}
    assert modules == imported(script, compiled, predictor)
    others = {path.stem for path in modules if path.parent.name == "predictors"} - {predictor, "__init__"}
    assert others <= {"lda", "nearest_minute"}  # base classes


def test_templates_belong_to_the_page_and_tables_to_the_published_figures() -> None:
    data = {
        name: {path.name for path in reached_files(script) if path.suffix not in (".py", ".typed")}
        for name, script in SCRIPTS.items()
    }
    assert {name for name, files in data.items() if "page.css" in files} == {
        "render_report",
        "inspect_recordings",
        "write_sheets",
    }
    assert {name for name, files in data.items() if "per_user.csv" in files} == {"compare_published"}


def test_every_module_belongs_to_a_job_or_to_the_configuration(reached: dict[str, set[Path]], compiled: Path) -> None:
    used = set.union(*reached.values(), imported(SCRIPTS["train_predictors"], compiled, *PREDICTORS))
    unused = {str(path.relative_to(PACKAGE)) for path in set(PACKAGE.rglob("*.py")) - used}
    command = {name for name in unused if name == "__main__.py" or name.startswith("look/")}
    # Used by the Snakefile, by `make config` and by the command `lifelog look`, not by jobs.
    assert unused - command == {
        "bundle/configure.py",
        "config_yaml.py",
        "forkserver.py",
        "provenance.py",
        "report/summary.py",
        "windows/check.py",
    }


def rules_by_script() -> dict[str, str]:
    """Rule by script, from the rules themselves."""
    rules: dict[str, str] = {}
    for file in (ROOT / "rules").glob("*.smk"):
        for rule, body in re.findall(r"^ *rule ?(\w*):\n(.*?)(?=^ *rule\b|\Z)", file.read_text(), re.M | re.S):
            if script := re.search(r'"\.\./workflow_scripts/(\w+)\.py"', body):
                assert re.search(rf' code=(lambda w: )?code\("{script[1]}"[,)]', body), rule
                rules |= {script[1]: rule} if rule else {}  # rules made in a loop have other names
    return rules


def test_every_script_has_a_rule_of_its_name() -> None:
    assert {script: rule for script, rule in rules_by_script().items() if script != rule} == {}
    assert set(rules_by_script()) == set(SCRIPTS)


def digests() -> dict[tuple[str, ...], str]:
    """The digest of every script, and of the training of each predictor."""
    of_scripts = {(name,): script_digest(script) for name, script in SCRIPTS.items()}
    train = SCRIPTS["train_predictors"]
    return of_scripts | {("train_predictors", p): script_digest(train, (module_of(p),)) for p in PREDICTORS}


def test_an_edited_module_changes_the_digests_of_the_scripts_that_reach_it(
    reached: dict[str, set[Path]], compiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaching = {(name,): modules for name, modules in reached.items()}
    train = SCRIPTS["train_predictors"]
    reaching |= {("train_predictors", p): imported(train, compiled, p) for p in PREDICTORS}
    before, read = digests(), provenance._read
    for edited in sorted(set.union(*reaching.values())):
        changed_source = read(edited)._replace(digest="edited")
        source = lambda path, e=edited, s=changed_source: s if path == e else read(path)  # noqa: E731
        monkeypatch.setattr(provenance, "_read", source)
        changed = {key for key, value in digests().items() if value != before[key]}
        assert changed == {key for key, modules in reaching.items() if edited in modules}, edited


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ('"""Other words."""\n\n\ndef f(x):  # a comment\n    """More."""\n    return (x + 1)\n', True),
        ("def f(x):\n    return x + 1\n", True),
        ("def f(x):\n    return x + 2\n", False),
        ("def f(x, y=0):\n    return x + 1\n", False),
        ("def g(x):\n    return x + 1\n", False),
    ],
)
def test_the_digest_of_a_module_is_that_of_its_statements(tmp_path: Path, source: str, same: bool) -> None:
    (tmp_path / "a.py").write_text('"""Words."""\n\ndef f(x):\n    """Return more."""\n    return x + 1\n')
    (tmp_path / "b.py").write_text(source)
    first, second = (provenance._read(tmp_path / name).digest for name in ("a.py", "b.py"))
    assert (first == second) == same


def test_what_was_found_in_files_is_kept_by_their_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose line is damaged is parsed again; the digest of an edited file changes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    file, kept = tmp_path / "a.py", tmp_path / provenance.SOURCES
    file.write_text("import lifelog.config\n")

    def found() -> provenance.Source:
        provenance._read.cache_clear()
        provenance._stored_sources.cache_clear()
        return provenance._read(file)

    first = found()
    assert first.names == {"lifelog.config"} and kept.read_text().count("\n") == 1
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "_parse", None)  # not called
        assert found() == first
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "READER", b"another way of reading")
        assert found() == first and kept.read_text().count("\n") == 2
    whole = kept.read_text().splitlines(keepends=True)[0]
    for damaged in (whole[:-3], whole[: len(whole) // 2], "\n\0 a b\n", whole.replace(" ", "\t")):
        kept.write_text(damaged)
        assert found() == first
    file.write_text("import lifelog.config\nx = 1\n")
    assert found().digest != first.digest


@pytest.mark.parametrize("module", ["groups/clustering.py", "predict/predictors/boosting.py", "report/page/page.css"])
def test_an_edited_module_reruns_the_rules_that_reach_it(workflow: Workflow, module: str) -> None:
    """Their jobs have changed params; other jobs are rerun only because their input files are updated."""
    expected = {name for name, script in SCRIPTS.items() if PACKAGE / module in reached_files(script)}
    # The fast predictors are trained by the same script; boosting is trained alone, and cited in the report.
    expected |= {"train_fast", "train_fast_groups"} if "train_predictors" in expected else set()
    expected |= {"train_predictors", "render_report"} if "predictors" in module else set()
    edited = workflow.folder / "lifelog" / module
    before = edited.read_bytes()
    edited.write_bytes(before + (b"\nEDITED = 1\n" if edited.suffix == ".py" else b"\n"))
    try:
        output = workflow("--dry-run")
    finally:
        edited.write_bytes(before)
    params = re.search(r"params have changed since last execution:\n\s+(.*)", output)[1].split(", ")
    assert set(params) <= expected
    jobs = output.partition("Job stats:")[2].partition("total")[0]
    assert expected & set(workflow.rules("--forceall")) <= set(re.findall(r"^(\w+) +\d+$", jobs, re.M))


def test_edited_comments_and_docstrings_rerun_nothing(workflow: Workflow) -> None:
    edited = workflow.folder / "lifelog/tables.py"
    before = edited.read_text()
    edited.write_text(before.replace('"""', '"""Edited. ', 1) + "# edited\n")
    try:
        assert "Nothing to be done" in workflow("--dry-run")
    finally:
        edited.write_text(before)


def test_relative_and_lazy_imports_are_refused(tmp_path: Path) -> None:
    script, relative = tmp_path / "script.py", tmp_path / "relative.py"
    script.write_text("from lifelog import train_mil\n")
    with pytest.raises(ValueError, match="import 'train_mil' from its module"):
        reached_files(script)
    relative.write_text("from . import tables\n")
    with pytest.raises(ValueError, match="relative imports are not followed"):
        reached_files(relative)
