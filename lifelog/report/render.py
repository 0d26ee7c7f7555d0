"""render_report: the whole run as one HTML file that needs no network."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from lifelog import __version__
from lifelog.config import Config
from lifelog.evaluate.calibration import MEASURES as CALIBRATION
from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.verdict import OUTCOMES
from lifelog.files import write_text
from lifelog.importance.measures import MEASURES, OF_NETWORKS
from lifelog.importance.reliability import STABLE
from lifelog.report.card import AUTHOR, write_card
from lifelog.report.catalogue import figures_of
from lifelog.report.chapter import Chapter, Figure
from lifelog.report.glossary import GLOSSARY
from lifelog.report.overview import key_numbers, next_steps, sensors_that_matter
from lifelog.report.page import render_page

CLOSE_MINUTES = 10  # labels that are nearer in time are similar
LIBRARIES = ("snakemake", "torch", "pandas", "numpy", "scikit-learn", "pyarrow", "seaborn", "scipy")
TABS = {
    "overview": "Verdict",
    "cohort": "Cohort",
    "users": "Participants",
    "importance": "Importance",
    "groups": "Groups",
    "comparison": "Comparison",
    "card": "Model card",
    "run": "Run",
    "glossary": "Glossary",
}


def render_report(
    config: Config,
    cohort: pd.DataFrame,
    problems: pd.DataFrame,
    figures: dict[str, Figure],
    chapters: list[Chapter],
    path: str | Path,
    card_path: str | Path,
) -> None:
    """Write the page, and the model card.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    cohort, problems : pandas.DataFrame
        Tables of `cohort_yield` and `problem_counts`.
    figures : dict of str to Figure
        Figures that belong to no chapter.
    chapters : list of Chapter
        One per target and split; the first one is the headline.
    path : str or Path
        HTML file to write.
    card_path : str or Path
        Markdown file to write.
    """
    versions = {"lifelog": __version__, "Python": platform.python_version()}
    versions |= {library: version(library) for library in LIBRARIES}
    card = write_card(config, cohort, chapters[0], versions) if chapters else None
    page = render_page(
        "page.html",
        tabs=TABS,
        config=config,
        config_yaml=yaml.safe_dump(config.model_dump(), allow_unicode=True, sort_keys=False, default_flow_style=None),
        cohort=cohort,
        problems=problems,
        figures=figures,
        numbers=key_numbers(cohort, problems, config.windows.seconds),
        steps=next_steps(chapters[0], cohort) if chapters else [],
        people=sensors_that_matter(chapters[0]) if chapters and chapters[0].details else [],
        glossary=GLOSSARY,
        figures_of=figures_of,
        chapters=chapters,
        users=_users(cohort, figures["yield"].table, chapters, len(config.mil.seeds) > 1),
        known=set(cohort.user),
        primary=config.primary,
        metric=METRICS[config.compare.metric].label,
        metrics=METRICS,
        measures=MEASURES,
        of_networks=OF_NETWORKS,
        outcomes=OUTCOMES,
        calibration_measures=CALIBRATION,
        close_minutes=CLOSE_MINUTES,
        stable=STABLE,
        versions=versions,
        card=card,
        author=AUTHOR,
    )
    write_text(page, path)
    write_text(card.markdown if card else "", card_path)


def _users(
    cohort: pd.DataFrame, usable: pd.DataFrame, chapters: list[Chapter], several_seeds: bool
) -> list[dict[str, Any]]:
    """Return one entry per user: recordings, and the results of each chapter."""
    shares = {user: own.set_index("modality").usable_share for user, own in usable.groupby("user")}
    return [
        {
            **row,
            "usable": dict(shares[row["user"]]),
            "about": {c.key: c.about(row["user"], several_seeds) for c in chapters if c.details},
        }
        for row in cohort.to_dict("records")
    ]
