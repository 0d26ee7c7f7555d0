"""The first page: what was found, for whom, how sure it is, and what to do next."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.report.chapter import Chapter, Run
from lifelog.report.views.parts import NOTHING, mark, show

FEWEST_BLOCKS = 10  # of a user, below which importance is rarely measured
FEW_WINDOWS = 60  # of a user, below which importance is often not measured (docs/validation.md)
MUCH_LOST = 0.1  # share of labelled time
STRATEGIES = {
    "global": "one model of all participants",
    "personal": "one model per participant",
    "pooled": "one model per participant, in which other participants' windows have a small weight",
    "tuned": "the model of all participants, trained further on each",
    "importance": "one model per group of similar importance",
    "blend": "the mean of the model of all participants and the personal one",
}


@dataclass(frozen=True)
class OverviewView:
    """The first page, whose headline is that of the first chapter."""

    config: Config
    run: Run
    chapters: list[Chapter]

    @property
    def first(self) -> Chapter:
        """The chapter of the primary test."""
        return self.chapters[0]

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """Numbers that describe the cohort, with descriptions."""
        cohort, problems = self.run.cohort, self.run.problems
        least = int(cohort.windows.min())
        lost = problems[problems.kind == "label"]
        why = f", mostly: {lost.reason.iloc[0]}" if len(lost) else ""
        windows = f"windows of {self.config.windows.seconds} s, at least {least:,} per participant"
        return [
            (f"{len(cohort)}", "participants"),
            (f"{cohort.windows.sum():,}", windows),
            (f"{lost_share(cohort):.1%}", f"of the labelled time lost{why}"),
        ]

    @property
    def simulated(self) -> str:
        """Whether the recordings are simulated."""
        simulated = self.config.cohort.layout == "simulated"
        return "The recordings are simulated, and the planted truth is known." if simulated else ""

    @property
    def steps(self) -> list[str]:
        """What to do next, the most important step first."""
        chapter, cohort = self.first, self.run.cohort
        steps, decision = [], chapter.decision
        if chapter.verdict["leak"]["outcome"] == "leak":
            steps.append(
                "Choose another split before you use any score: time alone predicts the label, and the sensors are not "
                "clearly better."
            )
        if decision.get("recommended"):
            scheme = decision["recommended"]
            steps.append(f"Predict {chapter.target} by {decision['predictor']} with {STRATEGIES[scheme]} ({scheme}).")
        elif decision.get("strategies"):
            steps.append(f"{decision['sentence']} Record more participants or sessions, or try other sensors.")
        if chapter.details is not None:
            unmeasured = chapter.details.unstable
            if unmeasured:
                of_all = f"{len(unmeasured)} of {len(chapter.details.importance)} participants"
                few = too_few_blocks(chapter.subsets.set_index("user").blocks.reindex(unmeasured))
                few_windows = (cohort.set_index("user").windows.reindex(unmeasured) < FEW_WINDOWS).sum()
                more = f" {few}" if few else ""
                if few_windows and not few:
                    more = f" {few_windows} of them have fewer than {FEW_WINDOWS} windows: record more."
                steps.append(f"Do not interpret the importance of {of_all}: it is not measured.{more}")
            if decision.get("recommended"):
                steps.append(f"For new participants: {chapter.details.curve}")
        if lost_share(cohort) > MUCH_LOST:
            steps.append(f"Find out why {lost_share(cohort):.0%} of the labelled time was lost (page Cohort).")
        return steps

    @property
    def people(self) -> list[dict[str, Any]]:
        """One row per participant: the modalities that matter, and how reliable that is.

        `sensors` have Shapley values whose interval is above 0, the largest first; `halves` is the rank correlation
        between halves of the user's blocks of time; `best` is the strategy with the highest score of the predictor that
        the decision is about.
        """
        chapter = self.first
        if chapter.details is None:
            return []
        values = chapter.details.values
        matter = values[values.low > 0].sort_values("shapley", ascending=False, kind="stable")
        halves = chapter.details.importance.set_index("user").halves_shapley
        groups = chapter.details.groups.set_index("user").group
        predictor = chapter.decision.get("predictor")
        strategies = [(p, s) for p, s in chapter.by_user.columns if p == predictor and s in STRATEGIES]
        best = chapter.by_user[strategies].dropna().idxmax(axis=1) if strategies else {}
        rows = []
        for user in dict.fromkeys(values.user):
            own = matter[matter.user == user]
            row = {"user": user, "sensors": _sensors(own), "group": groups.get(user, NOTHING)}
            row |= {"halves": show(halves.get(user), ".2f") if len(own) else NOTHING}
            rows.append(row | {"best": best[user][1] if user in best else NOTHING})
        return rows

    @property
    def best(self) -> str:
        """What the best strategy of a participant is best by."""
        metric, decided = METRICS[self.config.compare.metric].label, self.first.decision.get("predictor")
        return f"highest {metric} of {decided}" if decided else f"highest {metric}"

    @property
    def results(self) -> list[dict[str, Any]]:
        """One row per chapter."""
        return [
            {
                "chapter": Markup('<a href="#{}">{}</a>{}').format(c.key, c.title, c.exploratory),
                "conclusion": c.verdict["headline"],
                "recommended": c.decision.get("recommended"),
                "leak": mark("span", c.verdict["leak"]["words"], c.verdict["leak"]["outcome"]),
            }
            for c in self.chapters
        ]

    @property
    def closing(self) -> str:
        """What scores and intervals are, and the limits of the results."""
        compare, predictor = self.config.compare, self.config.primary.predictor
        primary = f" The primary test is that of {predictor} ({self.first.title})." if predictor else ""
        return (
            f"Scores are {METRICS[compare.metric].label} on test windows, mean over participants; intervals "
            f"({compare.confidence:.0%}) are those of Student's t distribution over participants.{primary} "
            f"{self.first.verdict['limits']}"
        )


def lost_share(cohort: pd.DataFrame) -> float:
    """Return the share of labelled time that is in no window."""
    return float(cohort.lost_minutes.sum() / max(1e-9, (cohort.minutes + cohort.lost_minutes).sum()))


def _sensors(values: pd.DataFrame) -> str:
    """Return modalities with their values and intervals."""
    rows = values.itertuples()
    shown = [mark("strong", x.modality) + f" {x.shapley:+.2f} [{x.low:+.2f}, {x.high:+.2f}]" for x in rows]
    return Markup(", ").join(shown) or "not measured"


def too_few_blocks(blocks: pd.Series) -> str | None:
    """Return a sentence about participants whose labels are too few to measure importance, or None.

    Parameters
    ----------
    blocks : pandas.Series
        Number of independent blocks of time by participant.

    Returns
    -------
    str or None
        What they lack, and what helps.
    """
    few = blocks[blocks < FEWEST_BLOCKS]
    if few.empty:
        return None
    return (
        f"{len(few)} of {len(blocks)} have labels for fewer than {FEWEST_BLOCKS} independent stretches of time (median "
        f"{few.median():.0f}): ask more often, or record more sessions; more windows of the same answer do not help."
    )
