"""Docstrings: numpydoc sections where arrays go in or out, one line elsewhere."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
from numpydoc.docscrape import FunctionDoc
from numpydoc.validate import validate

import lifelog
from lifelog.config_yaml import descriptions
from lifelog.settings.base import Section

# Parameters documented, described and in order; return values and yields described; a summary that ends with a period.
CHECKED = {"GL08", "SS01", "SS03", "PR01", "PR02", "PR03", "PR04", "PR07", "RT01", "RT03", "YD01"}
ARRAYS = re.compile(r"NDArray|Tensor|Floats|Integers|Codes|Labels|Texts|Minutes|Values")


def public_functions() -> Iterator[tuple[str, object]]:
    """Public functions of the package, with their dotted names."""
    for info in pkgutil.walk_packages(lifelog.__path__, "lifelog."):
        module = importlib.import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == info.name and not name.startswith("_"):
                yield f"{info.name}.{name}", function


FUNCTIONS = dict(public_functions())
WITH_ARRAYS = [
    name
    for name, function in FUNCTIONS.items()
    if any(ARRAYS.search(str(annotation)) for annotation in function.__annotations__.values())
]
EXPORTED = {name: getattr(lifelog, name) for name in lifelog.__all__ if not name.startswith("_")}
EXPORTED_FUNCTIONS = [f"{x.__module__}.{name}" for name, x in EXPORTED.items() if inspect.isfunction(x)]
CLASSES = {name: x for name, x in EXPORTED.items() if inspect.isclass(x)}


@pytest.mark.parametrize("name", sorted({*WITH_ARRAYS, *EXPORTED_FUNCTIONS}))
def test_functions_with_arrays_and_exported_functions_are_documented(name: str) -> None:
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in CHECKED]
    assert not errors, f"{name}: {errors}"


@pytest.mark.parametrize("name", CLASSES)
def test_the_fields_of_exported_classes_are_documented(name: str) -> None:
    kind = CLASSES[name]
    if issubclass(kind, Section):  # in docs/config.md
        assert set(descriptions(kind)) == set(kind.model_fields)
        return
    fields = kind._fields if issubclass(kind, tuple) else [field.name for field in dataclasses.fields(kind)]
    documented = FunctionDoc(kind)
    assert [field.name for field in documented["Attributes"] or documented["Parameters"]] == list(fields)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_public_function_has_a_summary(name: str) -> None:
    summary = (inspect.getdoc(FUNCTIONS[name]) or "").partition("\n\n")[0].replace("\n", " ")
    assert summary.endswith((".", ":")) and summary[0].isupper(), f"{name}: {summary!r}"


def test_every_module_has_a_docstring() -> None:
    for info in pkgutil.walk_packages(lifelog.__path__, "lifelog."):
        assert importlib.import_module(info.name).__doc__, info.name


def test_named_tuples_document_attributes() -> None:
    """The documentation site takes the parameters of a class from __init__, which a named tuple does not define."""
    for info in pkgutil.walk_packages(lifelog.__path__, "lifelog."):
        module = importlib.import_module(info.name)
        for name, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, tuple) and member.__module__ == info.name:
                assert "Parameters\n" not in (member.__doc__ or ""), f"{info.name}.{name}"
