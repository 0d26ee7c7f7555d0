"""Text for a publication: a methods paragraph, a model card, and the REFORMS checklist, filled from the run.

What a run cannot know is None, and is marked for the author. The texts are in `page/card.yaml`.

References
----------
Mitchell et al. (2019). Model cards for model reporting. FAT*.
Kapoor et al. (2024). REFORMS: Consensus-based recommendations for machine-learning-based science. Science Advances 10.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.report.chapter import Chapter
from lifelog.report.page import read_texts
from lifelog.report.views.overview import lost_share
from lifelog.report.views.parts import count, mark
from lifelog.report.words import measure_name
from lifelog.settings.splits import AnySplit

AUTHOR = "To be written by the author."
CONTROLS = {"raw": "groups by raw features", "class-shares": "groups by class shares"}


@dataclass(frozen=True)
class CardPart:
    """A part of the card: its title, and entries of (key, question, answer or None)."""

    title: str
    entries: list[tuple[str, str, str | None]]

    @property
    def rows(self) -> list[dict[str, str]]:
        """Rows of a table."""
        return [{"item": key, "what": what, "text": text or mark("em", AUTHOR)} for key, what, text in self.entries]


@dataclass(frozen=True)
class Card:
    """The text about a run."""

    methods: str
    references: list[str]
    parts: list[CardPart]

    @property
    def markdown(self) -> str:
        """The card as Markdown."""
        lines = ["# Methods", "", self.methods, "", "References:", "", *(f"- {text}" for text in self.references)]
        for part in self.parts:
            lines += ["", f"# {part.title}", ""]
            lines += [f"- **{key} {question}** {answer or f'*{AUTHOR}*'}" for key, question, answer in part.entries]
        return "\n".join(lines) + "\n"


def write_card(config: Config, cohort: pd.DataFrame, chapter: Chapter, versions: dict[str, str]) -> Card:
    """Describe a run for a publication.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    cohort : pandas.DataFrame
        Table of `cohort_yield`.
    chapter : Chapter
        The chapter of the primary test.
    versions : dict of str to str
        Versions by software.

    Returns
    -------
    Card
        Methods, model card and checklist.
    """
    texts = read_texts("card.yaml")
    facts = _facts(config, cohort, chapter) | {"software": ", ".join(" ".join(item) for item in versions.items())}
    facts |= {name: text.format(**facts) for name, text in texts["sentences"].items()}
    parts = [
        CardPart(title, [(key, question, answer and answer.format(**facts)) for key, question, answer in entries])
        for title, entries in texts["parts"].items()
    ]
    citations = {predictor.citation for predictor in config.predictors if predictor.uses_sensors}
    references = sorted(filter(None, citations)) + texts["references"]
    return Card(texts["methods"].format(**facts), references, parts)


def _facts(config: Config, cohort: pd.DataFrame, chapter: Chapter) -> dict[str, Any]:
    """Return the phrases that the run fills into the texts."""
    target, groups = config.target(chapter.target), config.groups
    excluded = "; ".join(f"{user}: {reason}" for user, reason in chapter.reasons.items())
    standard = "the training windows of each participant"
    standardised = config.windows.standardise == "user"
    return {
        **{"config": config, "target": target, "verdict": chapter.verdict},
        **{"participants": len(cohort), "windows": cohort.windows.sum(), "lost": f"{lost_share(cohort):.1%}"},
        "modalities": ", ".join(modality.name for modality in config.modalities),
        "simulated": " The recordings are simulated." if config.cohort.layout == "simulated" else "",
        "excluded": f"Excluded participants: {excluded}." if excluded else "No participant was excluded.",
        "classes": ", ".join(
            f"{name} {chapter.class_counts.get(name, 0)} ({'/'.join(map(str, levels))})"
            for name, levels in target.bins.items()
        ),
        "scaling": f"standardised by {standard}" if standardised else "not standardised",
        "how": split_sentence(config.split(chapter.split), int(chapter.subsets.folds.max())),
        "grouped_by": measure_name(groups.importance),
        "subsets": " and ".join(groups.subsets),
        "predictors": ", ".join(x.name for x in config.predictors if x.uses_sensors) or "none",
        "baselines": ", ".join(x.name for x in config.predictors if not x.uses_sensors) or "none",
        "schemes": ", ".join(config.schemes),
        "controls": controls(config),
        "test_windows": "" if "test" in groups.subsets else " Test windows were used once, for the scores.",
        "clean": clean(groups.subsets),
        "primary": primary_sentence(config, chapter.title),
        "recommended": chapter.decision.get("sentence", ""),
    }


def split_sentence(split: AnySplit, folds: int) -> str:
    """Return how windows were assigned to subsets, in so many folds."""
    if split.method == "random":
        return "Windows were assigned to training, validation and test subsets at random."
    kept = "tasks" if split.tasks else "sessions (or blocks of minutes, where there are few sessions)"
    gap = f"at least {count(split.embargo_minutes, 'minute')} between subsets"
    tested = "There is one test subset."
    if split.hold_out:
        tested = "Held-out tasks were tested, in one fold each."
    elif split.rotates:
        tested = f"In {folds} folds, each window was tested at most once."
    return f"Whole {kept} were kept together, with {gap}. {tested}"


def controls(config: Config) -> str:
    """Return the controls of importance groups."""
    random = [f"{config.groups.random} random groupings of the same sizes"] if "random" in config.schemes else []
    return ", ".join([*random, *(text for scheme, text in CONTROLS.items() if scheme in config.schemes)]) or "none"


def primary_sentence(config: Config, title: str) -> str:
    """Return which test was named before the run."""
    by = f"by {METRICS[config.compare.metric].label} ({title})"
    if not config.primary.predictor:
        return f"No test was named before the run; all results, {by}, are exploratory."
    groups = f"{config.primary.predictor} in importance groups against one model of all participants"
    return f"The primary test, named before the run, is that of {groups}, {by}; all other results are exploratory."


def clean(subsets: list[Any]) -> str:
    """Return whether test windows were used for training or groups."""
    if "test" in subsets:
        return "Not fulfilled: groups were formed from the test windows on which they are judged."
    return "Scaling, importance, groups and settings were formed from training and validation windows of each fold."
