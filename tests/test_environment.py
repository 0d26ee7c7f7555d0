"""The lock file, pyproject.toml and the conda environment have the same versions, and imports are declared."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(*extras: str) -> list[Requirement]:
    """Return the dependencies in pyproject.toml, and those of extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found, names = list(map(Requirement, project["dependencies"])), list(extras)
    while names:
        for requirement in map(Requirement, project["optional-dependencies"][names.pop()]):
            if requirement.name == "lifelog":
                names += requirement.extras
            else:
                found.append(requirement)
    return found


def test_the_lock_satisfies_pyproject() -> None:
    pins = {normalised(name): version for name, version in locked().items()}
    for requirement in required("dev"):
        assert pins[normalised(requirement.name)] in requirement.specifier, requirement


def test_the_workflow_requires_the_snakemake_of_pyproject() -> None:
    (snakemake,) = (requirement for requirement in required("workflow") if requirement.name == "snakemake")
    version = re.search(r'min_version\("(.+)"\)', (ROOT / "Snakefile").read_text())
    assert version and f">={version[1]}" in str(snakemake.specifier)


def test_results_are_read_without_extras() -> None:
    extras = ["torch", "jinja2", "networkx", "seaborn", "matplotlib", "tabulate", "rich", "snakemake"]
    readers = ["load_config", "load_run", "read_windows", "read_folds", "read_importance", "read_groups"]
    readers += ["read_predictions", "score_users", "score_groups"]
    code = (
        f"import sys; sys.modules |= dict.fromkeys({extras}); import lifelog; [getattr(lifelog, n) for n in {readers}]"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_conda_environment_has_the_locked_versions() -> None:
    environment = yaml.safe_load((ROOT / "envs/lifelog.yaml").read_text())
    pins = {normalised(name): version for name, version in locked().items()}
    conda_names = {"pytorch": "torch"}
    versions = {}
    for entry in environment["dependencies"]:
        name, _, version = entry.partition(" =")
        versions[normalised(conda_names.get(name, name))] = version.strip("= ")
    assert versions.pop("python") == "3.11"
    assert versions == {name: pins[name] for name in {normalised(requirement.name) for requirement in required("all")}}


def test_every_imported_package_is_declared() -> None:
    optional = re.findall(r"^([\w-]+)==", (ROOT / "envs/rocket.txt").read_text(), re.M)
    declared = {normalised(name) for name in [*(requirement.name for requirement in required("all")), *optional]}
    modules = {"sklearn": "scikit-learn", "yaml": "pyyaml", "matplotlib": "seaborn", "markupsafe": "jinja2"}
    for path in (ROOT / "lifelog").rglob("*.py"):
        for name in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.M):
            if name not in sys.stdlib_module_names and name != "lifelog":
                assert normalised(modules.get(name, name)) in declared, f"{path}: {name}"


def test_both_readmes_have_the_same_commands_and_sections() -> None:
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))
    for pattern in (r"```sh\n(.*?)```", r"`([a-z_]+\.[a-z_]+:[^`]*)`"):
        assert re.findall(pattern, english, re.S) == re.findall(pattern, korean, re.S)
    assert [h.count("#") for h in re.findall(r"^#+ ", english, re.M)] == [
        h.count("#") for h in re.findall(r"^#+ ", korean, re.M)
    ]
    for key in re.findall(r"`((?:windows|mil|groups)\.[a-z_]+): ", english):
        section, name = key.split(".")
        assert name in yaml.safe_load((ROOT / "config.yaml").read_text())[section], key
