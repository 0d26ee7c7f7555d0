"""The code that a script reaches, found from the source, and its digest.

Snakemake reruns a job when its script changes, but does not see changes of imported modules. The rules therefore pass
the digest of these modules as a param. Comments, docstrings and formatting are not part of it: they change no result.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent
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
        digest.update(f"{path.relative_to(package)} {_read(path, package).digest}\0".encode())
    return digest.hexdigest()[:16]


class Source(NamedTuple):
    """The digest of a file of the package, and the modules of the package that it imports itself."""

    digest: str
    imports: frozenset[Path]


@functools.cache
def _read(path: Path, package: Path) -> Source:
    """Read a file: a module as its syntax tree without docstrings, any other file as its content."""
    if path.suffix != ".py":
        return Source(hashlib.sha256(path.read_bytes()).hexdigest(), frozenset())
    tree = ast.parse(path.read_bytes(), str(path))
    for node in ast.walk(tree):
        for block in BLOCKS:
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                kept = [x for x in statements if not (isinstance(x, ast.Expr) and isinstance(x.value, ast.Constant))]
                setattr(node, block, kept)
    return Source(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), _imports(tree, path, package))


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
    queue = [*_read(script, package).imports]
    queue += [path for name in modules for path in _files(f"{package.name}.{name}", script, package)]
    while queue:
        path = queue.pop()
        if path not in reached:
            reached.add(path)
            queue += _read(path, package).imports
    folders = [path.parent for path in reached if path.name == "__init__.py"]
    beside = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return reached | {path for path in beside if path.suffix not in (".py", ".pyc")}


def _imports(tree: ast.Module, path: Path, package: Path) -> frozenset[Path]:
    """Return the modules of the package that a module imports itself."""
    names: set[str] = set()
    statements: list[ast.AST] = [tree]
    while statements:
        statement = statements.pop()
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            statements += statement.orelse
            continue
        names.update(_imported_names(statement))
        # Expressions, which are most of a module, cannot hold an import statement.
        statements += [inner for block in BLOCKS for inner in getattr(statement, block, ())]
    return frozenset(module for name in names for module in _files(name, path, package))


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
