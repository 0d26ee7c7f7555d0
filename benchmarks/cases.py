"""The cases by name. A module is imported only when one of its cases runs, so that memory is that of the case alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module

from pydantic import validate_call

from benchmarks.timing import peak_memory
from lifelog.registry import Registry

Case = Callable[..., dict[str, float]]
CASES: Registry[str] = Registry(
    "case",
    {
        **dict.fromkeys(("reading", "features", "extraction", "transfer"), "benchmarks.extraction"),
        **dict.fromkeys(("baseline", "step", "optimiser", "epochs", "learning"), "benchmarks.training"),
        **dict.fromkeys(("mil", "prepare", "predictor"), "benchmarks.training"),
    },
)


class BadSetting(ValueError):
    """A word of the command line that is not KEY=VALUE."""


def find_case(name: str) -> Case:
    """Return the function of a case; raise UnknownName if there is none."""
    case: Case = getattr(import_module(CASES[name]), name)
    return case


def run_case(name: str, words: list[str]) -> dict[str, float]:
    """Run a case in this process with settings KEY=VALUE, and return its figures and the peak memory in MiB.

    Raises UnknownName, BadSetting, or pydantic.ValidationError for a setting that the case does not accept.
    """
    case = find_case(name)
    for word in words:
        if "=" not in word:
            raise BadSetting(f"{word!r} is not KEY=VALUE")
    figures: dict[str, float] = validate_call(case)(**dict(word.split("=", 1) for word in words))
    return figures | {"peak MiB": peak_memory()}


def describe_cases() -> str:
    """Return the settings and a description of every case."""
    lines = []
    for name in CASES:
        case = find_case(name)
        settings = [str(parameter).replace("'", "") for parameter in inspect.signature(case).parameters.values()]
        lines.append(f"{name}({', '.join(settings)})\n    {(inspect.getdoc(case) or '').splitlines()[0]}")
    return "\n".join(lines)
