"""The modules of this package that a script depends on, found from the source, and their digest.

Snakemake reruns a job when its script changes, but does not see changes of imported modules. The rules therefore pass
the digest of these modules as a param.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent
BY_NAME = re.compile(r"""import_module\(\s*f["']([\w.]+)\.\{""")  # any module of a folder
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")  # of statements


def script_digest(script: Path, package: Path = PACKAGE) -> str:
    """Compute the digest of all files of the package that a script depends on.

    Parameters
    ----------
    script : Path
        A Python file.
    package : Path, optional
        Folder of the package.

    Returns
    -------
    str
        Changes whenever one of the files of `reached_files` changes.
    """
    return _digest(reached_files(script, package), package)


def package_digest(package: Path = PACKAGE) -> str:
    """Compute the digest of the whole package, for jobs that run the whole workflow."""
    return _digest({path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}, package)


def _digest(paths: set[Path], package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(package)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def reached_files(script: Path, package: Path = PACKAGE) -> set[Path]:
    """Find the files of the package that a script depends on.

    Followed are all import statements, including those in functions, the packages around an imported module, and calls
    of `import_module` with an f-string such as ``f"lifelog.predict.{name}"``, which may import any module of that
    package. The files beside the `__init__.py` of an imported package that are not modules (templates, tables) count as
    well.

    Parameters
    ----------
    script : Path
        A Python file.
    package : Path, optional
        Folder of the package.

    Returns
    -------
    set of Path
        Modules and data files, without the script.
    """
    reached: set[Path] = set()
    queue = list(_imports(script, package))
    while queue:
        path = queue.pop()
        if path not in reached:
            reached.add(path)
            queue += _imports(path, package)
    folders = [path.parent for path in reached if path.name == "__init__.py"]
    return reached | {path for folder in folders for path in _data_files(folder)}


@functools.cache
def _imports(path: Path, package: Path) -> frozenset[Path]:
    """Return the modules of the package that a file imports itself."""
    source = path.read_text(encoding="utf-8")
    names = {f"{folder}.*" for folder in BY_NAME.findall(source)}
    statements: list[ast.AST] = [ast.parse(source, str(path))]
    while statements:
        statement = statements.pop()
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
        if step == "*":
            yield from folder.glob("*.py")
        elif (folder / step / "__init__.py").is_file():
            folder = folder / step
            yield folder / "__init__.py"
        elif (folder / f"{step}.py").is_file():
            yield folder / f"{step}.py"
            return
        elif folder == package and not step.startswith("__"):
            raise ValueError(f"{importer}: import {step!r} from its module, not from {package.name}")


def _data_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a package that are not modules, without those of its subpackages."""
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path
