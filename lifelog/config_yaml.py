"""Generates config.yaml and docs/config.md from the models of the configuration (`make config`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lifelog.config import Config
from lifelog.config_errors import kinds, tag
from lifelog.settings.base import Section

HEADER = """\
# The default run: every key with its default. Generated from lifelog/settings/ (make config).
# Change keys with a preset (--configfile presets/etri2019.yaml) or on the command line
# (--config cohort='{layout: etri, root: /data/dataset_2019}'). Both are merged key by key; lists are replaced as a
# whole.
"""


def render(config: Config | None = None) -> str:
    """Return the text of config.yaml."""
    config = config or Config()
    blocks = [HEADER]
    for key, field in Config.model_fields.items():
        value = getattr(config, key)
        comment = f"# {field.description}\n"
        if isinstance(value, Section):
            lines = [
                f"  {name}: {_flow(getattr(value, name))}  # {inner.description}" for name, inner in _fields(value)
            ]
            blocks.append(f"{comment}{key}:\n" + "\n".join(lines) + "\n")
        elif isinstance(value, list) and isinstance(value[0], Section):
            shown = dict.fromkeys(type(entry) for entry in value)
            keys = "".join(_explained(kind, titled=len(shown) > 1) for kind in shown)
            entries = "".join(f"  - {_flow(entry)}\n" for entry in value)
            blocks.append(f"{comment}{keys}{key}:\n{entries}")
        else:
            blocks.append(f"{key}: {_flow(value)}  {comment}")
    return "\n".join(blocks)


def _explained(kind: type[BaseModel], titled: bool) -> str:
    """Return one comment line per key of a list's entries, with its default; kinds have a title."""
    lines, first = [], tag(kind)
    # The tag first, even if other keys are inherited.
    for name, field in sorted(kind.model_fields.items(), key=lambda item: item[0] != first):
        if titled and name == first:
            lines.append(f"#   {field.default}: {field.description}\n")
        else:
            default = "" if field.is_required() else f" (default: {_flow(field.default)})"
            lines.append(f"#   {'  ' if titled else ''}{name}: {field.description}{default}\n")
    return "".join(lines)


def _fields(section: BaseModel) -> Iterable[tuple[str, FieldInfo]]:
    return type(section).model_fields.items()


def _flow(value: Any) -> str:
    """Return a value in YAML flow style; keys of sections with their default are left out."""
    if isinstance(value, BaseModel):
        given = {
            name: getattr(value, name)
            for name, field in sorted(_fields(value), key=lambda item: item[0] != "name")
            if name in ("name", "method") or field.is_required() or getattr(value, name) != field.default
        }
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in given.items()) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str) and value.replace("_", "").replace("/", "").isalnum() and value not in ("y", "n"):
        return value
    return json.dumps(value, ensure_ascii=False)  # null, numbers, and text that YAML could misread


PAGE = """\
# Configuration

This page and `config.yaml` are generated from `lifelog/settings/`. A preset (`--configfile`) or the command line
(`--config`) is merged into the defaults key by key; lists are replaced as a whole. Unknown keys are refused with the
most similar known key, invalid values with the allowed ones, and former keys with their present name.
"""


def reference() -> str:
    """Return the text of docs/config.md: one table per section, with allowed values and defaults."""
    blocks: list[str] = [PAGE]
    plain: list[tuple[str, FieldInfo]] = []
    for key, field in Config.model_fields.items():
        default = getattr(Config(), key)
        if isinstance(default, Section):
            blocks.append(f"## `{key}`\n\n{_sentence(field.description)}\n\n{_table(type(default))}")
        elif isinstance(default, list) and isinstance(default[0], Section):
            blocks.append(f"## `{key}`\n\nA list. {_sentence(field.description)}\n")
            several = kinds(field.annotation)
            for kind in several:
                about = kind.model_fields[tag(kind)]
                title = (
                    f"### `{tag(kind)}: {about.default}`\n\n{_sentence(about.description)}\n\n"
                    if len(several) > 1
                    else ""
                )
                blocks.append(title + _table(kind))
        else:
            plain.append((key, field))
    blocks.append("## Single keys\n\n" + _rows(plain))
    return "\n".join(blocks)


def _table(model: type[BaseModel]) -> str:
    return _rows(list(model.model_fields.items()))


def _rows(fields: list[tuple[str, FieldInfo]]) -> str:
    lines = ["| key | description | allowed | default |", "|---|---|---|---|"]
    for name, field in fields:
        default = "required" if field.is_required() else f"`{_flow(field.get_default(call_default_factory=True))}`"
        cells = [f"`{name}`", field.description or "", _allowed(field), default]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}


def _allowed(field: FieldInfo) -> str:
    """Return type and bounds of a key."""
    bounds = {"Ge": "at least", "Gt": "more than", "Le": "at most", "Lt": "less than"}
    limits = [
        f"{bounds[type(bound).__name__]} {getattr(bound, type(bound).__name__.lower())}"
        for bound in field.metadata
        if type(bound).__name__ in bounds
    ]
    return ", ".join([_type(field.annotation), *limits])


def _type(annotation: Any) -> str:
    inner = get_args(annotation)
    if annotation in TYPES:
        return TYPES[annotation]
    if getattr(annotation, "__origin__", None) is list:
        return f"list of {_type(inner[0])}"
    if getattr(annotation, "__origin__", None) is dict:
        return f"{_type(inner[0])} → {_type(inner[1])}"
    if inner and all(isinstance(value, str) for value in inner):
        return ", ".join(f"`{value}`" for value in inner)
    if inner:
        return " or ".join(dict.fromkeys(_type(value) for value in inner if isinstance(value, type) or get_args(value)))
    return "text"


def _sentence(text: str | None) -> str:
    text = text or ""
    return text[:1].upper() + text[1:] + "."


if __name__ == "__main__":
    print(reference() if "reference" in sys.argv else render(), end="")
