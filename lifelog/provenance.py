"""The code that a script reaches, found from the source, and its digest.

Snakemake reruns a job when its script changes, but does not see changes of imported modules. The rules therefore pass
the digest of these modules as a param. Comments, docstrings and formatting are not part of it: they change no result.

To parse the package takes as long as to plan a small run. What was found in a file is therefore kept beside Snakemake's
own records, by the content of the file.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent
SOURCES = Path(".snakemake/lifelog_sources")  # one line per content: its digest, that of its syntax, imported names
READER = Path(__file__).read_bytes() + sys.version.encode()  # another one may find something else
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")  # of statements


def script_digest(script: Path, modules: tuple[str, ...] = (), package: Path = PACKAGE) -> str:
    """Compute the digest of all code of the package that a script depends on.

    Parameters
    ----------
    script : Path
        A Python file.
    modules : tuple of str, optional
        Modules that the script imports by name, such as ``predict.predictors.lda``.
    package : Path, optional
        Folder of the package.

    Returns
    -------
    str
        Changes if the syntax of one of the files of `reached_files` changes, except for docstrings.
    """
    digest = hashlib.sha256()
    for path in sorted(reached_files(script, modules, package)):
        digest.update(f"{path.relative_to(package)} {_read(path).digest}\0".encode())
    return digest.hexdigest()[:16]


class Source(NamedTuple):
    """The digest of a file of the package, and the dotted names that it imports itself."""

    digest: str
    names: frozenset[str] = frozenset()


@functools.cache
def _read(path: Path) -> Source:
    """Read a file: a module as its syntax tree without docstrings, any other file as its content."""
    content = path.read_bytes()
    if path.suffix != ".py":
        return Source(hashlib.sha256(content).hexdigest())
    key = hashlib.sha256(READER + content).hexdigest()
    if key not in (stored := _stored_sources(SOURCES.absolute())):
        stored[key] = _parse(content, path)
        if SOURCES.parent.is_dir():
            with contextlib.suppress(OSError), SOURCES.open("a") as file:
                file.write(f"{key} {stored[key].digest} {','.join(sorted(stored[key].names))}\n")
    return stored[key]


@functools.cache
def _stored_sources(path: Path) -> dict[str, Source]:
    """Return what earlier runs found in files, by their content; damaged lines are not used."""
    try:
        lines = [line.split(" ") for line in path.read_text().split("\n")[:-1]]
    except (OSError, ValueError):
        return {}
    whole = (line for line in lines if len(line) == 3 and len(line[0]) == len(line[1]) == 64)
    return {key: Source(digest, frozenset(filter(None, names.split(",")))) for key, digest, names in whole}


def _parse(content: bytes, path: Path) -> Source:
    tree = ast.parse(content, str(path))
    for node in ast.walk(tree):
        for block in BLOCKS:
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                kept = [x for x in statements if not (isinstance(x, ast.Expr) and isinstance(x.value, ast.Constant))]
                setattr(node, block, kept)
    return Source(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), frozenset(_imports(tree)))


def reached_files(script: Path, modules: tuple[str, ...] = (), package: Path = PACKAGE) -> set[Path]:
    """Find the files of the package that a script depends on.

    Followed are all import statements, including those in functions but not those for type checkers only, and the
    packages around an imported module. The files beside the `__init__.py` of an imported package that are not modules
    (templates, tables) count as well. Imports by name (`import_module`) are not followed.

    Parameters
    ----------
    script : Path
        A Python file.
    modules : tuple of str, optional
        Modules that the script imports by name.
    package : Path, optional
        Folder of the package.

    Returns
    -------
    set of Path
        Modules and data files, without the script.
    """
    reached: set[Path] = set()
    queue = [*_imported(script, package)]
    queue += [path for name in modules for path in _files(f"{package.name}.{name}", script, package)]
    while queue:
        path = queue.pop()
        if path not in reached:
            reached.add(path)
            queue += _imported(path, package)
    folders = [path.parent for path in reached if path.name == "__init__.py"]
    beside = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return reached | {path for path in beside if path.suffix not in (".py", ".pyc")}


@functools.cache
def _imported(path: Path, package: Path) -> frozenset[Path]:
    """Return the modules of the package that a file imports itself."""
    return frozenset(module for name in _read(path).names for module in _files(name, path, package))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports itself, except those for type checkers only."""
    statements: list[ast.AST] = [tree]
    while statements:
        statement = statements.pop()
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            statements += statement.orelse
            continue
        yield from _imported_names(statement)
        # Expressions, which are most of a module, cannot hold an import statement.
        statements += [inner for block in BLOCKS for inner in getattr(statement, block, ())]


def _imported_names(statement: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a statement imports."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        if statement.level:
            raise ValueError(f"line {statement.lineno}: relative imports are not followed; use the full name")
        yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def _files(name: str, importer: Path, package: Path) -> Iterator[Path]:
    """Yield the module of a dotted name, or of the name's parent for an attribute, and the packages around it."""
    first, *steps = name.split(".")
    if first != package.name:
        return
    folder = package
    yield folder / "__init__.py"
    for step in steps:
        if (folder / step / "__init__.py").is_file():
            folder = folder / step
            yield folder / "__init__.py"
        elif (folder / f"{step}.py").is_file():
            yield folder / f"{step}.py"
            return
        elif folder == package and not step.startswith("__"):
            raise ValueError(f"{importer}: import {step!r} from its module, not from {package.name}")
