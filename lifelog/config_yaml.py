"""Generates config.yaml and its JSON schema from the models of the configuration (`make config`)."""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lifelog.config import Config
from lifelog.config_errors import tag
from lifelog.settings.base import Section

HEADER = """\
# yaml-language-server: $schema=config.schema.json
# The default run: every key with its default. Generated from lifelog/settings/ (make config).
# Change keys with a preset (--configfile presets/etri2019.yaml) or on the command line
# (--config cohort='{layout: etri, root: /data/dataset_2019}'). Both are merged key by key; lists are replaced as a
# whole.
"""


def render(config: Config | None = None) -> str:
    """Return the text of config.yaml."""
    config = config or Config()
    blocks = [HEADER]
    for key, description in descriptions(Config).items():
        value = getattr(config, key)
        comment = f"# {description}\n"
        if isinstance(value, Section):
            texts = descriptions(type(value)).items()
            lines = [f"  {name}: {_flow(_written(value, name))}  # {text}" for name, text in texts]
            blocks.append(f"{comment}{key}:\n" + "\n".join(lines) + "\n")
        elif isinstance(value, list) and isinstance(value[0], Section):
            shown = dict.fromkeys(type(entry) for entry in value)
            keys = "".join(_explained(kind, titled=len(shown) > 1) for kind in shown)
            entries = "".join(f"  - {_flow(entry)}\n" for entry in value)
            blocks.append(f"{comment}{keys}{key}:\n{entries}")
        else:
            blocks.append(f"{key}: {_flow(value)}  {comment}")
    return "\n".join(blocks)


def _written(section: Section, name: str) -> Any:
    """Return the value of a key as it is written: null for a default that other keys determine."""
    is_derived = type(section).model_fields[name].default is None and name not in section.model_fields_set
    return None if is_derived else getattr(section, name)


def schema() -> str:
    """Return the JSON schema of the configuration, with which editors complete and explain keys; no key is required."""
    document = Config.model_json_schema()
    entries = {"Config": document, **document["$defs"]}
    for kind in _subclasses(Section):
        full = f"{kind.__module__}.{kind.__name__}".replace(".", "__")  # of a name that several models have
        if entry := entries.get(full, entries.get(kind.__name__)):
            for key, text in descriptions(kind).items():
                entry["properties"][key]["description"] = text
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _subclasses(kind: type[Section]) -> Iterator[type[Section]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each key of a model.

    pydantic can read them too, but in every job, since it does so when a model is defined.
    """
    described: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind is not Section and issubclass(kind, Section):
            definition: Any = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
            for statements in pairwise(definition.body):
                match statements:
                    case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                        described[key] = " ".join(text.split())
    return {name: described[name] for name in model.model_fields}


def _explained(kind: type[BaseModel], titled: bool) -> str:
    """Return one comment line per key of a list's entries, with its default; kinds have a title."""
    lines, first = [], tag(kind)
    # The tag first, even if other keys are inherited.
    for name, text in sorted(descriptions(kind).items(), key=lambda item: item[0] != first):
        field = kind.model_fields[name]
        if titled and name == first:
            lines.append(f"#   {field.default}: {text}\n")
        else:
            default = "" if field.is_required() else f" (default: {_flow(field.default)})"
            lines.append(f"#   {'  ' if titled else ''}{name}: {text}{default}\n")
    return "".join(lines)


def _flow(value: Any) -> str:
    """Return a value in YAML flow style; keys of sections with their default are left out."""
    if isinstance(value, BaseModel):
        value = {
            name: getattr(value, name)
            for name, field in sorted(type(value).model_fields.items(), key=lambda item: item[0] != "name")
            if name in ("name", "method") or field.is_required() or getattr(value, name) != field.default
        }
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str) and value.replace("_", "").replace("/", "").isalnum() and value not in ("y", "n"):
        return value
    return json.dumps(value, ensure_ascii=False)  # null, numbers, and text that YAML could misread


if __name__ == "__main__":
    Path("config.yaml").write_text(render(), encoding="utf-8")
    Path("config.schema.json").write_text(schema(), encoding="utf-8")
