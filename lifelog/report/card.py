"""Text for a publication: a methods paragraph, a model card, and the REFORMS checklist, filled from the run.

What a run cannot know is None, and is marked for the author. The texts are in `page/card.yaml`,
and those that depend on the run in `page/texts.yaml`.

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
from lifelog.report.views.answers import lost_share
from lifelog.report.views.parts import Texts, count, mark
from lifelog.report.words import measure_name
from lifelog.settings.splits import AnySplit
from lifelog.splits.subsets import LEAST_EMBARGO

AUTHOR = "To be written by the author."
phrase = Texts("card")


@dataclass(frozen=True)
class Card:
    """The text about a run; a part has a title, and entries of (key, question, answer or None)."""

    methods: str
    references: list[str]
    parts: dict[str, list[tuple[str, str, str | None]]]

    @property
    def tables(self) -> dict[str, list[dict[str, str]]]:
        """Rows of the parts, by title."""
        return {
            title: [{"item": key, "what": what, "text": text or mark("em", AUTHOR)} for key, what, text in entries]
            for title, entries in self.parts.items()
        }

    @property
    def markdown(self) -> str:
        """The card as Markdown."""
        lines = ["# Methods", "", self.methods, "", "References:", "", *(f"- {text}" for text in self.references)]
        for title, entries in self.parts.items():
            lines += ["", f"# {title}", ""]
            lines += [f"- **{key} {question}** {answer or f'*{AUTHOR}*'}" for key, question, answer in entries]
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
    parts = {
        title: [(key, question, answer and answer.format(**facts)) for key, question, answer in entries]
        for title, entries in texts["parts"].items()
    }
    citations = {predictor.citation for predictor in config.predictors if predictor.uses_sensors}
    references = sorted(filter(None, citations)) + texts["references"]
    return Card(texts["methods"].format(**facts), references, parts)


def _facts(config: Config, cohort: pd.DataFrame, chapter: Chapter) -> dict[str, Any]:
    """Return what the run fills into the texts."""
    target, subsets = config.target(chapter.target), config.groups.subsets
    table = chapter.figures["confusion"].table
    models = table[["predictor", "scheme"]]
    counts = table[(models == models.iloc[0]).all(axis=1)].groupby("true").windows.sum().rename(str)
    excluded = "; ".join(f"{user}: {reason}" for user, reason in chapter.reasons.items())
    return {
        "config": config,
        "target": target,
        "verdict": chapter.verdict,
        "participants": len(cohort),
        "windows": cohort.windows.sum(),
        "modalities": ", ".join(modality.name for modality in config.modalities),
        "simulated": phrase("simulated") if config.cohort.is_simulated else "",
        "excluded": phrase("excluded", users=excluded) if excluded else phrase("none_excluded"),
        "lost": lost_share(cohort),
        "classes": ", ".join(f"{c} {counts.get(c, 0)} ({'/'.join(map(str, v))})" for c, v in target.bins.items()),
        "scale": phrase("relative" if target.relative else "absolute"),
        "scaling": phrase("standardised" if config.windows.standardise == "user" else "not_standardised"),
        "how": split_sentence(config.split(chapter.split), int(chapter.subsets.folds.max())),
        "grouped_by": measure_name(config.groups.importance),
        "subsets": " and ".join(subsets),
        "predictors": ", ".join(x.name for x in config.predictors if x.uses_sensors) or "none",
        "baselines": ", ".join(x.name for x in config.predictors if not x.uses_sensors) or "none",
        "schemes": ", ".join(config.schemes),
        "controls": controls(config),
        "test_windows": "" if "test" in subsets else phrase("test_windows"),
        "clean": clean(subsets),
        "primary": primary_sentence(config, chapter.title),
        "recommended": chapter.decision.get("sentence", ""),
        "use": " ".join(chapter.decision.get("use", [])),
    }


def split_sentence(split: AnySplit, folds: int) -> str:
    """Return how windows were assigned to subsets, in a number of folds."""
    if split.method == "random":
        return phrase("random_split")
    if split.method == "participants":
        return phrase("participants_split", folds=split.folds)
    tested = "folds" if split.rotates else "one_test_subset"
    tested = "hold_out" if split.hold_out else tested
    if split.method == "sessions":
        tested = "last_sessions" if split.column is None else "named_sessions"
    gap = count(LEAST_EMBARGO if split.embargo_minutes is None else split.embargo_minutes, "minute")
    return phrase(
        "split",
        kept=phrase("tasks" if split.tasks else "sessions"),
        gap=gap,
        tested=phrase(tested, folds=folds, split=split),
    )


def controls(config: Config) -> str:
    """Return the controls of importance groups."""
    schemes = [scheme for scheme in ("random", "raw", "class-shares") if scheme in config.schemes]
    return ", ".join(phrase(scheme, groupings=config.groups.random) for scheme in schemes) or "none"


def primary_sentence(config: Config, title: str) -> str:
    """Return which test was named before the run."""
    predictor, metric = config.primary.predictor, METRICS[config.compare.metric].label
    return phrase("primary" if predictor else "no_primary", predictor=predictor, metric=metric, title=title)


def clean(subsets: list[Any]) -> str:
    """Return whether test windows were used for training or groups."""
    return phrase("unclean" if "test" in subsets else "clean")
