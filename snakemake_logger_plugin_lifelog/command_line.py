"""Faults of a command line that Snakemake answers with a traceback: found before it reads its arguments.

Snakemake imports its logger plugins first.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

CONFIGFILES = ("--configfile", "--configfiles")
CONFIG = ("--config", "-C")
LISTS = (*CONFIGFILES, *CONFIG)  # options that take every argument up to the next option
SUFFIXES = (".yaml", ".yml", ".json")


def command_line_fault(arguments: Sequence[str]) -> str | None:
    """Return what is wrong with a command line of Snakemake, with the remedy, or None.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.

    Returns
    -------
    str or None
        One line: a configuration file that does not exist or is not YAML, or a target that an option takes for its own.
    """
    files = [value for option, value in _values(arguments) if option in CONFIGFILES]
    pairs = [value for option, value in _values(arguments) if option in CONFIG]
    taken = [file for file in files[1:] if not Path(file).is_file() and not file.endswith(SUFFIXES)]
    taken += [pair for pair in pairs if "=" not in pair]
    if taken:
        kept = [argument for argument in arguments if argument not in taken]
        return f"{taken[0]!r} belongs to the option before it: write --, then targets: " + " ".join(
            ["snakemake", *kept, "--", *taken]
        )
    faults = map(_file_fault, dict.fromkeys([*(["config.yaml"] if Path("config.yaml").is_file() else []), *files]))
    return next(filter(None, faults), None)


def _values(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the values of options that take several, with the option."""
    option = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if argument.startswith("-"):
            option = name if name in LISTS and not equals else ""
            if name in LISTS and equals:  # it takes no further argument
                yield name, value
        elif option:
            yield option, argument
        if argument == "--":
            return


def _file_fault(name: str) -> str | None:
    """Return what is wrong with a configuration file."""
    path = Path(name)
    if not path.is_file():
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        near = difflib.get_close_matches(path.name, [file.name for file in beside if file.suffix in SUFFIXES])
        meant = f"did you mean {path.parent / near[0]}?" if near else f"this folder is {Path.cwd()}"
        return f"there is no configuration file {name}: {meant}"
    try:
        text = path.read_text(encoding="utf-8")
        yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except UnicodeDecodeError:
        return f"{name}: not UTF-8 text; save it as UTF-8"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        number = mark.line if mark else 0
        line = (text.splitlines() or [""])[min(number, text.count("\n"))]
        return f"{name}, line {number + 1}: {_yaml_fault(line, str(error.problem))}"
    return None


def _yaml_fault(line: str, problem: str) -> str:
    """Return the cause and remedy of a line that is not YAML."""
    if "\t" in line:
        return "a tab; indent with blanks"
    if "escape" in problem or "hexdecimal" in problem:
        return (
            "a backslash in double quotes; write C:/Users/me, or 'C:\\Users\\me' in single quotes "
            "(in WSL, the folder is /mnt/c/Users/me)"
        )
    return f"not YAML ({problem}): {line.strip()}"
