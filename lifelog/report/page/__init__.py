"""The page: templates, texts, style and script."""

from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup


def read_texts(name: str) -> Any:
    """Return the texts of a YAML file of this folder."""
    return yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))


class Texts:
    """The texts of one page that depend on results: a section of `texts.yaml`."""

    def __init__(self, page: str) -> None:
        self.texts = read_texts("texts.yaml")[page]

    def __call__(self, name: str, /, **fields: Any) -> str:
        """Return a text with its fields, which are escaped if the text has HTML tags."""
        text = self.texts[name]
        return (Markup(text) if "<" in text else text).format(**fields)
