"""The parts of view models: numbers and marks as text, and the columns of tables.

Text from data is escaped when it is inserted; only the marks of this module are HTML.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from lifelog.report.page import read_texts

NOTHING = "–"
SMALLEST_P = 0.001  # that is shown as a number
TEXTS = ("", "wrap", "user")  # forms that are no numbers
Row = dict[Any, Any]


def show(value: Any, spec: str = ".3f") -> str:
    """Return a number in a format, or a dash if it is missing."""
    return NOTHING if pd.isna(value) else format(value, spec)


def limits(low: Any, high: Any, spec: str = ".3f") -> str:
    """Return an interval, or a dash if it is missing."""
    return NOTHING if pd.isna(low) else f"{show(low, spec)} to {show(high, spec)}"


def p_value(p: Any) -> str:
    """Return a p-value, which is never shown as 0."""
    return "< .001" if p is not None and p < SMALLEST_P else show(p)


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(seconds: int) -> str:
    """Return a length of time in the largest unit that divides it; one and a half minutes stay seconds."""
    for noun, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            return count(seconds // size, noun)
    return count(seconds, "second")


def mark(tag: str, text: Any, css: str = "") -> Markup:
    """Return text in a tag, such as `strong`."""
    return Markup('<{0} class="{2}">{1}</{0}>' if css else "<{0}>{1}</{0}>").format(tag, text, css)


def user_link(user: str) -> Markup:
    """Return a link to the page of a participant."""
    return Markup('<a href="#user-{0}">{0}</a>').format(user)


def model_title(model: tuple[str, str]) -> Markup:
    """Return the heading of a column of scores: predictor above scheme."""
    return Markup("{}<br>{}").format(*model)


class Texts:
    """The texts of one page that depend on results: a section of `texts.yaml`."""

    def __init__(self, page: str) -> None:
        self.texts = read_texts("texts.yaml")[page]

    def __call__(self, name: str, /, **fields: Any) -> str:
        """Return a text with its fields, which are escaped if the text has HTML tags."""
        text = Markup(self.texts[name]) if "<" in self.texts[name] else self.texts[name]
        return text.format(**fields)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
        Heading.
    key : object
        Key in the rows; the title by default; two keys, of an interval, in a list.
    form : str
        `wrap` for long text, `user` for links to participants, `n` for text at the right, `p` for p-values, or the
        format of numbers.
    """

    title: str
    key: Any = None
    form: str = ""

    @property
    def css(self) -> str:
        """Class of the cells."""
        return "wrap" if self.form == "wrap" else "" if self.form in TEXTS else "n"

    def cell(self, row: Row) -> Any:
        """Return the text in a row."""
        if isinstance(self.key, list):
            low, high = self.key
            return limits(row[low], row[high], self.form)
        value = row[self.title if self.key is None else self.key]
        if self.form in ("", "wrap", "n"):
            return NOTHING if value is None else value
        if self.form == "user":
            return user_link(value)
        return p_value(value) if self.form == "p" else show(value, self.form)
