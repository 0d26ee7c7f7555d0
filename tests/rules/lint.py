"""Lint the Python of the workflow (`make lint`): Snakemake's parser turns rules into Python, and ruff checks its names.

All files are checked as one module, because they share one namespace: an import counts as used if any of them uses it.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import snakemake.api  # before snakemake.workflow, which imports it
from snakemake.parser import parse

# Names that Snakemake defines.
GIVEN = ["checkpoints", "config", "rules", "storage", "update", "workflow", *vars(snakemake.workflow)]


def lint(paths: list[Path]) -> Iterator[str]:
    """Yield unused imports, undefined names, and names that two of the files assign, with file and line."""
    lines: list[str] = []
    places: list[str] = []  # by line
    assigned: dict[str, Path] = {}
    for path in paths:
        compiled, lineno = _compile(path)
        for number, line in enumerate(compiled.split("\n"), start=1):
            lines.append(line)
            places.append(f"{path}:{lineno.get(number, 1)}")
        for name in _assigned(ast.parse(compiled)):
            if assigned.setdefault(name, path) != path:
                yield f"{path}: {name} is also assigned in {assigned[name]}"
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--select=F", "--output-format=json"]
    command += ["--config", f"builtins = {json.dumps(GIVEN)}", "--stdin-filename=workflow.py", "-"]
    run = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True)
    if run.stderr:
        raise RuntimeError(run.stderr)
    for problem in json.loads(run.stdout):
        yield f"{places[problem['location']['row'] - 1]}: {problem['code']} {problem['message']}"


def _compile(path: Path) -> tuple[str, dict[int, int]]:
    """Return the Python of a file of the workflow, and the line of the file by line of the Python."""
    source = SimpleNamespace(get_path_or_uri=lambda secret_free: str(path))
    cache = SimpleNamespace(open=lambda source: path.open(encoding="utf-8"))
    lineno: dict[int, int] = {}
    return parse(source, SimpleNamespace(sourcecache=cache), lineno)[0], lineno


def _assigned(module: ast.Module) -> Iterator[str]:
    """Yield the constants that a file assigns at its top level."""
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


if __name__ == "__main__":
    snakefile = Path("Snakefile")
    included = re.findall(r'^include: "(.+)"$', snakefile.read_text(encoding="utf-8"), re.M)
    found = list(lint([*map(Path, included), snakefile]))  # names are defined before they are used
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
