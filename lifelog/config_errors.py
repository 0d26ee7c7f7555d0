"""Messages for invalid configurations: key, value, allowed values, and the most similar known key."""

import re
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from lifelog.registry import did_you_mean

# Steps that pydantic adds to a location for the branch of a union; they are not keys of the file.
_BRANCHES = re.compile(r"^(literal|list|constrained-int|int|str|function-)($|\[|-)")


def explain(problem: Any, model: type[BaseModel]) -> str:
    """Return one line about one pydantic error of a configuration."""
    location, kind, context = list(problem["loc"]), problem["type"], problem.get("ctx", {})
    where = _dotted(location, model)
    if kind == "extra_forbidden":
        section = _section(location[:-1], model)
        key, known = str(location[-1]), list(section.model_fields)
        if key in (renamed := getattr(section, "renamed", {})):
            return f"{where}: renamed to {renamed[key]!r}"
        if key in (removed := getattr(section, "removed", {})):
            return f"{where}: the key was removed; {removed[key]}"
        return f"{where}: unknown key; {did_you_mean(key, known, 'known keys: ' + ', '.join(known))}"
    if kind == "missing":
        return f"{where}: required key is missing"
    if kind == "union_tag_invalid":
        key = context["discriminator"].strip("'")
        return f"{where}.{key}: got {context['tag']!r}; allowed: {context['expected_tags']}"
    if kind == "union_tag_not_found":
        return f"{where}: the key {context['discriminator']} is required"
    if kind == "literal_error":
        renamed = getattr(_section(location[:-1], model), "renamed_values", {}).get(str(location[-1]), {})
        if problem["input"] in renamed:
            return f"{where}: {problem['input']!r} was renamed to {renamed[problem['input']]!r}"
        return f"{where}: got {problem['input']!r}; allowed: {context['expected']}"
    message = problem["msg"].removeprefix("Value error, ")
    if not location:
        return str(message)
    return f"{where}: got {problem['input']!r}; {message[0].lower()}{message[1:]}"


def tag(kind: type[BaseModel]) -> str:
    """Return the key that distinguishes the kinds of a list's entries."""
    return "method" if "method" in kind.model_fields else "name"


def _tagged(model: type[BaseModel]) -> dict[Any, type[BaseModel]]:
    """Return the kinds of list entries by tag: predictors by name, splits by method."""
    lists = [field.annotation for field in model.model_fields.values() if get_origin(field.annotation) is list]
    unions = [get_args(entry)[0] for (entry,) in map(get_args, lists) if get_origin(entry) is Annotated]
    return {kind.model_fields[tag(kind)].default: kind for union in unions for kind in get_args(union)}


def _dotted(location: list[Any], model: type[BaseModel]) -> str:
    """Return a location as a dotted key, without the branches of unions."""
    steps = [
        str(step)
        for i, step in enumerate(location)
        if i == 0 or not (_BRANCHES.match(str(step)) or (isinstance(location[i - 1], int) and step in _tagged(model)))
    ]
    return re.sub(r"\.(\d+)", r"[\1]", ".".join(steps))


def _section(location: list[Any], model: type[BaseModel]) -> type[BaseModel]:
    """Return the model of the section at a location."""
    here: Any = model
    for before, step in zip([None, *location], location, strict=False):
        if isinstance(step, int):
            continue
        if isinstance(before, int) and step in _tagged(model):
            here = _tagged(model)[step]
            continue
        annotation = here.model_fields[step].annotation
        inner = get_args(annotation)
        here = inner[0] if inner and isinstance(inner[0], type) else annotation
    return here
