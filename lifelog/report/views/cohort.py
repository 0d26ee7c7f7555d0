"""The page about the cohort: labelled time, problems in the raw data, and the windows of each subset."""

from dataclasses import dataclass

import pandas as pd

from lifelog.report.chapter import Chapter, Run
from lifelog.report.views.parts import Texts, show

CLOSE_MINUTES = 10  # labels that are nearer in time are similar
MOST_PROBLEMS = 40  # in a table
phrase = Texts("cohort")


@dataclass(frozen=True)
class CohortView:
    """The page about the cohort."""

    run: Run
    chapters: list[Chapter]

    @property
    def labelled(self) -> str:
        """Labelled time in windows and in none."""
        cohort = self.run.cohort
        return phrase("labelled", unit=cohort.unit.iloc[0], total=cohort[["windows", "labelled", "lost"]].sum())

    @property
    def problems(self) -> pd.DataFrame:
        """The most frequent problems."""
        return self.run.problems.head(MOST_PROBLEMS)

    @property
    def more_problems(self) -> str:
        """How many problems are not shown."""
        more = len(self.run.problems) - MOST_PROBLEMS
        return phrase("more_problems", number=more) if more > 0 else ""

    @property
    def subsets(self) -> list[tuple[Chapter, list[str]]]:
        """The chapters, with sentences about the windows of each subset."""
        return [(chapter, subset_sentences(chapter)) for chapter in self.chapters]


def subset_sentences(chapter: Chapter) -> list[str]:
    """Return who is excluded, the minutes between test and training windows, and the classes that subsets lack."""
    users = "; ".join(f"participant {user} ({reason})" for user, reason in chapter.reasons.items())
    notes = "; ".join(f"participant {user}: {classes}" for user, classes in chapter.lacking)
    least, median = chapter.subsets.nearest.agg(["min", "median"])
    minutes = {"least": show(least, ".0f"), "median": show(median, ".0f")}
    return [
        phrase("excluded", users=users) if users else "",
        phrase("nearest_close" if median < CLOSE_MINUTES else "nearest", **minutes),
        phrase("lacking", notes=notes) if notes else "",
    ]
