"""render_report: a run as one HTML file that needs no network, its answers, its model card and its literature."""

import platform
from importlib.metadata import version
from typing import NamedTuple

import yaml

from lifelog import __version__
from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.report.card import write_card
from lifelog.report.catalogue import figures_of
from lifelog.report.chapter import Chapter, Run
from lifelog.report.glossary import glossary
from lifelog.report.html import render_page
from lifelog.report.page import read_texts
from lifelog.report.views.cohort import CohortView
from lifelog.report.views.comparison import ComparisonView
from lifelog.report.views.groups import GroupsView
from lifelog.report.views.importance import ImportanceView
from lifelog.report.views.overview import OverviewView
from lifelog.report.views.users import UsersView

LIBRARIES = ("snakemake", "torch", "pandas", "numpy", "scikit-learn", "pyarrow", "seaborn", "scipy")


class Report(NamedTuple):
    """The page (HTML), the five answers and the model card (Markdown), and the literature (BibTeX)."""

    page: str
    answers: str
    card: str
    bibliography: str


def render_report(config: Config, run: Run, chapters: list[Chapter]) -> Report:
    """Render the page, the answers, the model card and the literature.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    run : Run
        Tables and figures of the whole run.
    chapters : list of Chapter
        One per target and split; the first one is the headline.

    Returns
    -------
    Report
        HTML, Markdown and BibTeX.
    """
    versions = {"lifelog": __version__, "Python": platform.python_version()}
    versions |= {library: version(library) for library in LIBRARIES}
    card, users = write_card(config, run.cohort, chapters[0], versions), set(run.cohort.user)
    overview = OverviewView(config, run, chapters)
    described = [(chapter, chapter.details) for chapter in chapters if chapter.details]
    page = render_page(
        "page.html",
        glossary(read_texts("glossary.yaml"), config.predictors),
        config=config,
        run=run,
        chapters=chapters,
        figures_of=figures_of,
        metric=METRICS[config.compare.metric].label,
        undescribed=[chapter for chapter in chapters if not chapter.details],
        overview=overview,
        cohort=CohortView(run, chapters),
        importance=[ImportanceView(config, *pair) for pair in described],
        groups=[GroupsView(config, *pair) for pair in described],
        comparison=[ComparisonView(config, chapter, users, chapter is chapters[0]) for chapter in chapters],
        users=UsersView(config, run, chapters),
        card=card,
        versions=[{"software": name, "version": number} for name, number in versions.items()],
        config_yaml=yaml.safe_dump(config.model_dump(), allow_unicode=True, sort_keys=False, default_flow_style=None),
    )
    return Report(
        page, "\n\n".join(answer.plain for answer in overview.answers) + "\n", card.markdown, card.bibliography
    )
