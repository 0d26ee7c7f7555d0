"""The figures of the report: on which page each is shown, and its caption.

This module imports no plotting library, since the rules read it: the rule that draws a page outputs the figures that
are listed here for it. A figure is added with an entry in `page/figures.yaml`, a function in the `FIGURES` of its
page's module in `lifelog/report/figures/`, and a sentence in `lifelog/report/words.py`.
"""

from typing import Literal, NamedTuple

from lifelog.importance.measures import MEASURES
from lifelog.registry import Registry
from lifelog.report.page import read_texts

Page = Literal["overview", "cohort", "run", "importance", "groups", "comparison", "user"]


class Entry(NamedTuple):
    """A figure: its page, and its caption with the placeholders {metric} and {planted}."""

    page: Page
    caption: str


CATALOGUE: Registry[Entry] = Registry(
    "figure",
    {name: Entry("importance", measure.caption + "{planted}") for name, measure in MEASURES.items()}
    | {name: Entry(**texts) for name, texts in read_texts("figures.yaml").items()},
)


def figures_of(page: Page) -> list[str]:
    """Return the names of a page's figures."""
    return [name for name, entry in CATALOGUE.items() if entry.page == page]
