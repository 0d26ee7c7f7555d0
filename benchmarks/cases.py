"""The cases by name. A module is imported only when one of its cases runs, so that memory is that of the case alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import get_args

from pydantic import ValidationError, validate_call

from benchmarks.timing import peak_memory
from lifelog.registry import Registry

Case = Callable[..., dict[str, float]]
CASES: Registry[str] = Registry(
    "case",
    {
        **dict.fromkeys(("reading", "features", "extraction"), "benchmarks.extraction"),
        **dict.fromkeys(
            ("baseline", "step", "optimiser", "epochs", "together", "learning", "mil"), "benchmarks.training"
        ),
        **dict.fromkeys(("prepare", "predictor"), "benchmarks.prediction"),
        "shapley": "benchmarks.shapley",
        "plan": "benchmarks.plan",
    },
)


class BadSetting(ValueError):
    """A setting that a case does not accept."""


def find_case(name: str) -> Case:
    """Return the function of a case; raise UnknownName if there is none."""
    case: Case = getattr(import_module(CASES[name]), name)
    return case


def run_case(name: str, words: list[str]) -> dict[str, float]:
    """Run a case in this process with settings KEY=VALUE, and return its figures and the peak memory in MiB.

    Raises UnknownName or BadSetting.
    """
    case = find_case(name)
    for word in words:
        if "=" not in word:
            raise BadSetting(f"{word!r} is not KEY=VALUE")
    try:
        figures: dict[str, float] = validate_call(case)(**dict(word.split("=", 1) for word in words))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadSetting(f"{name}: {problems}") from error
    return figures | {"peak MiB": peak_memory()}


def describe_cases() -> str:
    """Return the name, the settings and a description of every case."""
    lines = []
    for name in CASES:
        case = find_case(name)
        parameters = inspect.signature(case, eval_str=True).parameters.values()
        lines.append(" ".join([name, *map(_describe_setting, parameters)]))
        lines.append("    " + (inspect.getdoc(case) or "").splitlines()[0])
    return "\n".join(lines)


def _describe_setting(parameter: inspect.Parameter) -> str:
    """Return KEY=VALUE with the default value, the alternatives, or the type."""
    if parameter.default is not inspect.Parameter.empty:
        return f"{parameter.name}={parameter.default}"
    return f"{parameter.name}={'|'.join(get_args(parameter.annotation)) or parameter.annotation.__name__.upper()}"
