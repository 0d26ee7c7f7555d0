"""The page: templates, style and script, and their rendering."""

from __future__ import annotations

from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lifelog.report.glossary import link_terms


def render_page(template: str, **values: Any) -> str:
    """Render a template of this folder; all text from data is escaped."""
    environment = Environment(
        loader=PackageLoader("lifelog", "report/page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value, digits=3: "–" if pd.isna(value) else f"{value:.{digits}f}"
    environment.filters["signed"] = lambda value, digits=3: "–" if pd.isna(value) else f"{value:+.{digits}f}"
    environment.filters["with_terms"] = lambda text: link_terms(str(text))  # of a whole block, which is escaped already
    return environment.get_template(template).render(**values)
