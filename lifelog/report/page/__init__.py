"""The page: templates, texts, style and script."""

from pathlib import Path
from typing import Any

import yaml


def read_texts(name: str) -> Any:
    """Return the texts of a YAML file of this folder."""
    return yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
