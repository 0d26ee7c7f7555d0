"""write_sheets: a page for each participant that a researcher can hand out, in plain words, for one sheet of paper."""

from typing import NamedTuple

import pandas as pd

from lifelog.config import Config
from lifelog.report.catalogue import figures_of
from lifelog.report.chapter import Chapter, Run
from lifelog.report.figures.users import LABEL, plot_days
from lifelog.report.html import render_page
from lifelog.report.style import data_uri
from lifelog.report.views.answers import by_chance
from lifelog.report.views.parts import Texts, count, span
from lifelog.report.views.users import clear_directions
from lifelog.report.words import describe

DAYS = "days"  # figure
MOST_MEASURES = 4  # one per sensor; with more, the sheet is longer than a page
phrase = Texts("sheet")


class Sheet(NamedTuple):
    """The sheet of a participant: heading, paragraphs, and a figure of the days with its text alternative."""

    title: str
    recorded: list[str]
    sensors: list[str]
    image: str
    alt: str
    caution: str


def write_sheet(config: Config, run: Run, chapter: Chapter, user: str) -> str:
    """Return the sheet of a participant as HTML.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    run : Run
        Tables of the whole run.
    chapter : Chapter
        The chapter of the primary test.
    user : str
        The participant.
    """
    row, target = run.cohort.set_index("user").loc[user].to_dict(), config.target(chapter.target)
    numbers = {"windows": count(row["windows"], "window"), "length": span(config.windows.seconds)}
    recorded = [
        phrase("recorded" if row["first_day"] else "recorded_undated", row=row, **numbers),
        phrase("asked", target=chapter.target, classes=", ".join(target.classes)),
    ]
    found = directions_in_words(chapter, user)
    figures = dict(zip(figures_of("user"), chapter.user_figures[user], strict=False))
    days = shown_days(figures[DAYS].table, found.modality) if DAYS in figures else pd.DataFrame()
    image = data_uri(plot_days(user, days, target.classes)) if len(days) else ""
    alt = describe(DAYS, days) if len(days) else ""
    sensors = sensors_in_words(chapter, user, list(found.text))
    return render_page(
        "sheet.html",
        config=config,
        sheet=Sheet(phrase("title", user=user), recorded, sensors, image, alt, phrase("caution")),
    )


def shown_days(days: pd.DataFrame, modalities: pd.Series) -> pd.DataFrame:
    """Return the answers, and the features of some modalities, of a table of `days_table`."""
    rows = days[(days.panel == LABEL) | days.panel.str.split(".").str[0].isin(modalities)]
    return rows.assign(time=pd.to_datetime(rows.time))


def mattering(chapter: Chapter, user: str) -> list[str]:
    """Return the modalities that matter for a participant, the largest values first; none if chance gives as many."""
    details = chapter.details
    if details is None or by_chance(details):
        return []
    return list(details.mattering.modality[details.mattering.user == user])


def directions_in_words(chapter: Chapter, user: str) -> pd.DataFrame:
    """Return the clearest feature of each modality that matters: modality, and text with its direction."""
    names = mattering(chapter, user)
    if chapter.details is None or not names:
        return pd.DataFrame(columns=["modality", "text"])
    rows = clear_directions(chapter.details, user)
    rows = rows[rows.modality.isin(names)].drop_duplicates("modality").head(MOST_MEASURES)
    return rows.assign(text=[phrase("entry", **row) for row in rows.to_dict("records")])


def sensors_in_words(chapter: Chapter, user: str, directions: list[str]) -> list[str]:
    """Return which sensors follow the answers of a participant, with their directions, or why that is not known."""
    if user in chapter.reasons:
        return [phrase("excluded", reason=chapter.reasons[user])]
    if chapter.details is None:
        return [phrase("not_computed")]
    if user in set(chapter.details.untested.user):
        return [phrase("untested")]
    names = mattering(chapter, user)
    if not names:
        return [phrase("none")]
    return [phrase("found", sensors=", ".join(names)), *(directions or [phrase("not_clear")])]
