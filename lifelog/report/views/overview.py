"""The first page: what was found, for whom, how sure it is, and what to do next."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from lifelog.config import Config
from lifelog.evaluate.decision import STRATEGIES, STRATEGY_NAMES
from lifelog.evaluate.metrics import METRICS
from lifelog.report.chapter import Chapter, Run
from lifelog.report.views.answers import Answer, answers, lost_share, sensors_of
from lifelog.report.views.parts import NOTHING, Texts, mark, span

phrase = Texts("overview")


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
        windows = phrase("windows", length=span(self.config.windows.seconds), least=int(cohort.windows.min()))
        causes = problems.reason[problems.kind == "label"]
        lost = phrase("lost_by", reason=causes.iloc[0]) if len(causes) else phrase("lost")
        evaluated, recorded = len(self.evaluated), len(cohort)
        people = f"{recorded}" if evaluated == recorded else f"{evaluated} of {recorded}"
        numbers = people, f"{cohort.windows.sum():,}", f"{lost_share(cohort):.1%}"
        return list(zip(numbers, (phrase("participants"), windows, lost), strict=True))

    @property
    def evaluated(self) -> set[str]:
        """Participants with a score."""
        return set(self.first.by_user.dropna(how="all").index)

    @property
    def left_out(self) -> list[str]:
        """Which participants have no score, by reason."""
        by_reason, evaluated = dict[str, list[str]](), self.evaluated
        for user in self.run.cohort.user:
            if user not in evaluated:
                by_reason.setdefault(self.first.reasons.get(user, phrase("one_class")), []).append(user)
        return [phrase("left_out", users=", ".join(users), reason=reason) for reason, users in by_reason.items()]

    @property
    def simulated(self) -> str:
        """Whether the recordings are simulated."""
        return phrase("simulated") if self.config.cohort.is_simulated else ""

    @property
    def asked(self) -> str:
        """What is predicted, by which bins."""
        target = self.config.target(self.first.target)
        bins = ", ".join(f"{name} {'/'.join(map(str, levels))}" for name, levels in target.bins.items())
        return phrase("asked_relative" if target.relative else "asked", column=target.column, bins=bins)

    @property
    def answers(self) -> list[Answer]:
        """The answers to five questions, the first of which is the headline."""
        return answers(self.config, self.first, self.run.cohort)

    @property
    def people(self) -> list[dict[str, Any]]:
        """One row per participant: the modalities that matter, and the simplest strategy near the best one.

        The best one is within the margin of the highest score, by the predictor that the decision is about.
        """
        chapter = self.first
        if chapter.details is None:
            return []
        values = chapter.details.values
        groups = chapter.details.groups.set_index("user").group
        predictor = chapter.decision.get("predictor")
        strategies = [(predictor, s) for s in STRATEGIES if (predictor, s) in chapter.by_user.columns]
        scores = chapter.by_user[strategies].dropna()
        near = scores.ge(scores.max(axis=1) - self.config.compare.margin, axis=0)
        best = near.idxmax(axis=1) if strategies else {}  # the first one, which is the simplest
        return [
            {
                "user": user,
                "sensors": sensors_of(chapter.details, user),
                "group": groups.get(user, NOTHING),
                "best": way(best[user][1]) if user in best else NOTHING,
            }
            for user in dict.fromkeys(values.user)
        ]

    @property
    def best(self) -> str:
        """What the best strategy of a participant is best by."""
        metric, predictor = METRICS[self.config.compare.metric].label, self.first.decision.get("predictor")
        return phrase(
            "best_of" if predictor else "best", metric=metric, predictor=predictor, margin=self.config.compare.margin
        )

    @property
    def results(self) -> list[dict[str, Any]]:
        """One row per chapter."""
        return [
            {
                "chapter": Markup('<a href="#{}">{}</a>{}').format(c.key, c.title, c.exploratory),
                "conclusion": c.verdict["headline"],
                "recommended": way(c.decision.get("recommended")),
                "leak": mark("span", c.verdict["leak"]["words"], c.verdict["leak"]["outcome"]),
            }
            for c in self.chapters
        ]

    @property
    def planned(self) -> str:
        """When the run was planned, and whether that was changed after a verdict."""
        first, *_ = self.run.plan
        late = [version.time[:10] for version in self.run.plan if version.after_verdict]
        if first.after_verdict:
            return phrase("planned_late", date=first.time[:10])
        *_, last = (version for version in self.run.plan if not version.after_verdict)
        return phrase("replanned" if late else "planned", date=last.time[:10], dates=", ".join(dict.fromkeys(late)))

    @property
    def closing(self) -> str:
        """What scores and intervals are, and the limits of the results."""
        compare, predictor = self.config.compare, self.config.primary.predictor
        primary = phrase("primary", predictor=predictor, title=self.first.title) if predictor else ""
        primary += f" {self.planned}"
        numbers = {"metric": METRICS[compare.metric].label, "confidence": compare.confidence}
        return phrase("closing", primary=primary, limits=self.first.verdict["limits"], **numbers)


def way(scheme: str | None) -> str:
    """Return the short name of a strategy."""
    return NOTHING if scheme is None else STRATEGY_NAMES[scheme]
