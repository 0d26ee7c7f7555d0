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
from lifelog.report.chapter import Chapter
from lifelog.report.methods import clean, controls, label_sentences, primary_sentence, split_sentence, usable_sentences
from lifelog.report.page import read_texts
from lifelog.report.references import Reference, read_references
from lifelog.report.views.answers import lost_share
from lifelog.report.views.parts import Texts, mark
from lifelog.report.words import measure_name

AUTHOR = "To be written by the author."
phrase = Texts("card")


@dataclass(frozen=True)
class Card:
    """The text about a run; a part has a title, and entries of (key, question, answer or None)."""

    methods: str
    references: list[Reference]
    parts: dict[str, list[tuple[str, str, str | None]]]

    @property
    def tables(self) -> dict[str, list[dict[str, str]]]:
        """Rows of the parts, by title."""
        return {
            title: [{"item": key, "what": what, "text": text or mark("em", AUTHOR)} for key, what, text in entries]
            for title, entries in self.parts.items()
        }

    @property
    def bibliography(self) -> str:
        """The references as BibTeX."""
        return "\n".join(reference.bibtex for reference in self.references)

    @property
    def markdown(self) -> str:
        """The card as Markdown."""
        lines = ["# Methods", "", self.methods, "", "References:", "", *(f"- {x.text}" for x in self.references)]
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
    cited = [key for predictor in config.predictors if predictor.uses_sensors for key in predictor.citations]
    references = read_references([*texts["references"], *cited])
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
        "labels": label_sentences(config),
        "usable": " ".join(usable_sentences(config)),
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
