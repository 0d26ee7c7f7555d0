"""The page about the cohort: labelled time, problems in the raw data, and the windows of each subset."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lifelog.report.chapter import Chapter, Run
from lifelog.report.views.parts import mark, show

CLOSE_MINUTES = 10  # labels that are nearer in time are similar
MOST_PROBLEMS = 40  # in a table


@dataclass(frozen=True)
class CohortView:
    """The page about the cohort."""

    run: Run
    chapters: list[Chapter]

    @property
    def minutes(self) -> str:
        """Labelled time in windows and in none."""
        cohort = self.run.cohort
        lost = f"{cohort.lost_minutes.sum():.0f} minutes are lost"
        return f"{cohort.minutes.sum():.0f} minutes are in {cohort.windows.sum()} windows, {lost}."

    @property
    def problems(self) -> pd.DataFrame:
        """The most frequent problems."""
        return self.run.problems.head(MOST_PROBLEMS)

    @property
    def more_problems(self) -> str:
        """How many problems are not shown."""
        more = len(self.run.problems) - MOST_PROBLEMS
        return f"The quality tables list {more} more kinds of problems." if more > 0 else ""

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
        excluded = "; ".join(f"participant {user} ({reason})" for user, reason in self.chapter.reasons.items())
        return mark("strong", "Excluded:") + f" {excluded}." if excluded else ""

    @property
    def nearest(self) -> str:
        """Minutes between test and training windows."""
        nearest = self.chapter.subsets.nearest
        close = nearest.median() < CLOSE_MINUTES
        leak = " Labels change slowly: check for leaks before you interpret scores." if close else ""
        median = f"median over participants: {show(nearest.median(), '.0f')}"
        return f"Minimum time between test and training windows: {show(nearest.min(), '.0f')} minutes ({median}).{leak}"

    @property
    def lacking(self) -> str:
        """Classes that subsets lack."""
        notes = "; ".join(f"participant {note['user']}: {note['reason']}" for note in self.chapter.notes)
        return f"Missing classes: {notes}." if notes else ""
