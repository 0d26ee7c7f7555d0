"""The examples in the docstrings of exported functions run, and every public stage has one."""

from __future__ import annotations

import doctest
import inspect

import pytest

import lifelog

STAGES = [
    "make_cohort",
    "extract_features",
    "assign_splits",
    "train_mil",
    "explain_networks",
    "estimate_shapley",
    "compare_shapley",
    "score_groups",
    "group_users",
    "predictor_settings",
    "make_samples",
    "train_predictors",
    "score_users",
    "compare_predictors",
]


def examples() -> dict[str, doctest.DocTest]:
    """The exported names that have examples."""
    finder, found = doctest.DocTestFinder(recurse=False), {}
    for name in lifelog.__all__:
        if "\nExamples\n" in (inspect.getdoc(getattr(lifelog, name)) or ""):
            (found[name],) = finder.find(getattr(lifelog, name), name, globs={})
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_returns_what_it_says(name: str) -> None:
    output: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(EXAMPLES[name], out=output.append)
    assert result.attempted > 0 and result.failed == 0, "".join(output)


@pytest.mark.parametrize("name", STAGES)
def test_every_public_stage_has_an_example(name: str) -> None:
    assert name in EXAMPLES
