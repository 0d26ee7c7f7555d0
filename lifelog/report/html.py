"""Rendering of the templates."""

from functools import partial
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lifelog.report.glossary import Term, link_terms
from lifelog.report.views.parts import Column


def render_page(template: str, glossary: list[Term] | None = None, **values: Any) -> str:
    """Render a template of the folder `page`; all text from data is escaped. Uses of terms link to the glossary."""
    environment = Environment(
        loader=PackageLoader("lifelog", "report/page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Of a whole block, which is escaped already.
    environment.filters["with_terms"] = partial(link_terms, terms=glossary or [])
    environment.filters["columns"] = lambda columns: [x if isinstance(x, Column) else Column(*x) for x in columns]
    environment.filters["records"] = lambda rows: rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows
    return environment.get_template(template).render(glossary=glossary, **values)
