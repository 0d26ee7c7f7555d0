"""The technical terms of the report, to which their first use on each page links."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from lifelog.settings.predict import PredictorSettings

SKIPPED = re.compile("a|script|style|summary|button|pre|code|h2|h3|h4|dt|select|td|th|strong")  # tags
TAG = re.compile(r"(<[^>]*>)")


class Term(NamedTuple):
    """A term: its names, the first one as heading, and its meaning."""

    names: tuple[str, ...]
    meaning: str

    @property
    def key(self) -> str:
        """Anchor on the page."""
        return "term-" + re.sub(r"\W+", "-", self.names[0].lower())


def glossary(texts: dict[str, str], predictors: Iterable[PredictorSettings]) -> list[Term]:
    """Return the terms of a report.

    Parameters
    ----------
    texts : dict of str to str
        Meanings by names, which are separated by commas.
    predictors : iterable of PredictorSettings
        Predictors of the run, which bring their meanings.

    Returns
    -------
    list of Term
        The terms, then the predictors.
    """
    terms = [Term(tuple(names.split(", ")), meaning) for names, meaning in texts.items()]
    return terms + [Term((predictor.name,), predictor.meaning) for predictor in predictors]


def link_terms(html: str, terms: list[Term]) -> str:
    """Link the first use of each term in the text of a page to the glossary.

    Parameters
    ----------
    html : str
        A page.
    terms : list of Term
        The glossary.

    Returns
    -------
    str
        The same page; text in links, headings, table cells and scripts stays as it is.
    """
    by_name = {name.lower(): term for term in terms for name in term.names}
    names = re.compile(rf"\b({'|'.join(sorted(map(re.escape, by_name), key=len, reverse=True))})\b", re.IGNORECASE)
    used: set[str] = set()

    def link(match: re.Match[str]) -> str:
        key = by_name[match[0].lower()].key
        if key in used:
            return match[0]
        used.add(key)
        return f'<a class="term" href="#{key}">{match[0]}</a>'

    skipping: list[str] = []
    parts = TAG.split(str(html))
    for i, part in enumerate(parts):
        if i % 2 == 0:
            parts[i] = part if skipping else names.sub(link, part)
        elif part.startswith("</"):
            if skipping and part[2:-1].strip() == skipping[-1]:
                skipping.pop()
        elif SKIPPED.fullmatch(name := part[1:].split(None, 1)[0].rstrip(">/")):
            skipping.append(name)
    return "".join(parts)
