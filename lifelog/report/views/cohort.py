"""The page about the cohort: labelled time, problems in the raw data, and the windows of each subset."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lifelog.report.chapter import Chapter, Run
from lifelog.report.page import Texts
from lifelog.report.views.parts import show

CLOSE_MINUTES = 10  # labels that are nearer in time are similar
MOST_PROBLEMS = 40  # in a table
say = Texts("cohort")


@dataclass(frozen=True)
class CohortView:
    """The page about the cohort."""

    run: Run
    chapters: list[Chapter]

    @property
    def minutes(self) -> str:
        """Labelled time in windows and in none."""
        return say("minutes", total=self.run.cohort[["windows", "minutes", "lost_minutes"]].sum())

    @property
    def problems(self) -> pd.DataFrame:
        """The most frequent problems."""
        return self.run.problems.head(MOST_PROBLEMS)

    @property
    def more_problems(self) -> str:
        """How many problems are not shown."""
        more = len(self.run.problems) - MOST_PROBLEMS
        return say("more_problems", number=more) if more > 0 else ""

    @property
    def subsets(self) -> list[SubsetsView]:
        """The windows of each subset, by chapter."""
        return [SubsetsView(chapter) for chapter in self.chapters]


@dataclass(frozen=True)
class SubsetsView:
    """The windows of each subset in a chapter."""

    chapter: Chapter

    @property
    def excluded(self) -> str:
        """Who is excluded, and why."""
        users = "; ".join(f"{user} ({reason})" for user, reason in self.chapter.reasons.items())
        return say("excluded", users=users) if users else ""

    @property
    def nearest(self) -> str:
        """Minutes between test and training windows."""
        least, median = self.chapter.subsets.nearest.agg(["min", "median"])
        name = "nearest_close" if median < CLOSE_MINUTES else "nearest"
        return say(name, least=show(least, ".0f"), median=show(median, ".0f"))

    @property
    def lacking(self) -> str:
        """Classes that subsets lack."""
        notes = "; ".join(f"{user}: {classes}" for user, classes in self.chapter.lacking)
        return say("lacking", notes=notes) if notes else ""
