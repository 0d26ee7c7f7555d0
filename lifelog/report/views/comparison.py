"""The page about the comparison of predictors and schemes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.calibration import MEASURES as CALIBRATION
from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.verdict import OUTCOMES
from lifelog.report.catalogue import figures_of
from lifelog.report.chapter import Chapter, Figure
from lifelog.report.views.parts import Column, Row, Texts, limits, mark, model_title, show, user_link
from lifelog.report.words import measure_name

phrase = Texts("comparison")


@dataclass(frozen=True)
class PublishedView:
    """A run beside the figures printed in the study."""

    study: dict[str, Any]  # of compare_published
    is_simulated: bool

    @property
    def both(self) -> str:
        """Participants in both, and the agreement of groups."""
        return phrase("in_both", users=self.study["users_in_both"], rand=show(self.study["adjusted_rand_index"], ".2f"))

    @property
    def simulated(self) -> str:
        """Whether the comparison has no meaning."""
        return phrase("simulated") if self.is_simulated else ""

    @property
    def scores(self) -> list[str]:
        """Scores of the network that the study prints scores of, by seed."""
        printed, names = self.study["scores"]["printed"], {"published_f1": "F1 as published", "accuracy": "accuracy"}
        sentences = []
        for seed, run in self.study["scores"]["run"].items():
            both = ", ".join(f"{name} {show(run[key])} (printed {printed[key]:.4f})" for key, name in names.items())
            numbers = {"scores": both, "macro_f1": show(run["macro_f1"])}
            sentences.append(phrase("scores", user=printed["user"], seed=seed, **numbers))
        return sentences

    @property
    def modalities(self) -> list[Column]:
        """Columns of the importance of participants."""
        return [Column(name, ("importance", name), "n") for name in self.study["users"][0]["importance"]]

    @property
    def users(self) -> list[Row]:
        """One row per participant, with pairs of this run and the study."""
        return [
            row | {"group": pair(row["group"], ""), "windows": pair(row["test_windows"], ".0f")}
            | {("importance", name): pair(both) for name, both in row["importance"].items()}
            for row in self.study["users"]
        ]  # fmt: skip

    @property
    def clusters(self) -> list[Row]:
        """One row per number of clusters, with pairs of this run and the study."""
        names = {"silhouette": ".3f", "entropy": ".2f"}
        return [
            row | {name: pair((row[name], row[f"{name}_printed"]), spec) for name, spec in names.items()}
            for row in self.study["clusters"]
        ]


@dataclass(frozen=True)
class ComparisonView:
    """The page about the comparison, for a chapter; the skill of the `first` one is on the first page."""

    config: Config
    chapter: Chapter
    users: set[str]  # who have a page
    first: bool

    @property
    def headline(self) -> str:
        """The conclusion."""
        headline = self.chapter.verdict["headline"]
        return phrase("exploratory", headline=headline) if self.chapter.verdict["exploratory"] else headline

    @property
    def findings(self) -> list[Row]:
        """One row per predictor with importance groups."""
        return [finding_row(finding, self.chapter) for finding in self.chapter.verdict["findings"]]

    @property
    def remarks(self) -> list[str]:
        """What limits the results: chance, models without sensors, single classes, leaks; then the decision."""
        verdict, details, decision = self.chapter.verdict, self.chapter.details, self.chapter.decision
        grouped_by = self.config.groups.importance
        sentences = []
        for finding in verdict["findings"]:
            predictor, other = finding["predictor"], finding["sensorless"]
            if not finding["better_than_chance"]:
                sentences.append(phrase("chance", predictor=predictor))
            if other:
                score = show(other["score"])
                sentences.append(phrase("sensorless", predictor=predictor, model=other["model"], score=score))
        if verdict["left_out"]:
            metric, users = METRICS[verdict["metric"]].label, ", ".join(verdict["left_out"])
            sentences.append(phrase("left_out", metric=metric, users=users))
        sentences.append(mark("span", verdict["leak"]["sentence"], verdict["leak"]["outcome"]))
        if decision.get("strategies"):
            curve = f" {details.curve}" if details and decision["recommended"] else ""
            sentences.append(decision["sentence"] + curve)
            sentences += decision["use"]
        if details and details.recovery:
            rand, share = details.recovery["adjusted_rand_index"], details.recovery["planted_on_top"][grouped_by]
            sentences.append(phrase("planted", rand=show(rand, ".2f"), share=share, measure=measure_name(grouped_by)))
        return sentences

    @property
    def choosing(self) -> str:
        """What choosing the strategy on other participants gives."""
        chosen = self.chapter.decision.get("choosing")
        if not chosen:
            return ""
        return phrase("choosing", score=show(chosen["score"]), difference=show(chosen["difference"], "+.3f"))

    @property
    def strategies(self) -> list[Row]:
        """One row per predictor and strategy."""
        strategies = self.chapter.decision.get("strategies", {})
        return [
            row | {"predictor": predictor, "best": 100 * row["p_best"], "near": 100 * row["p_near"]}
            for predictor, rows in strategies.items()
            for row in rows
        ]

    @property
    def figures(self) -> list[Figure]:
        """The figures above the tables."""
        hidden = {"confusion", "skill"} if self.first else {"confusion"}
        return [self.chapter.figures[name] for name in figures_of("comparison") if name not in hidden]

    @property
    def scores(self) -> pd.DataFrame:
        """Scores of models by the metric of the primary test."""
        return self._scores(self.chapter.comparison.metric == self.config.compare.metric)

    @property
    def others(self) -> pd.DataFrame:
        """Scores of models by other metrics."""
        return self._scores(self.chapter.comparison.metric != self.config.compare.metric)

    def _scores(self, chosen: pd.Series) -> pd.DataFrame:
        rows = self.chapter.comparison[chosen].copy()
        # A model does not differ from itself.
        rows.loc[rows.scheme == "global", ["difference", "difference_low", "difference_high"]] = float("nan")
        return rows.assign(metric=[METRICS[name].label for name in rows.metric])

    @property
    def random(self) -> str:
        """What the rows of random groupings are."""
        return phrase("random") if "random" in set(self.chapter.comparison.scheme) else ""

    @property
    def calibration(self) -> pd.DataFrame:
        """Probabilities before and after calibration, beside constant class shares."""
        return self.chapter.calibration.assign(measure=self.chapter.calibration.measure.map(CALIBRATION))

    @property
    def use(self) -> pd.DataFrame:
        """What the sets of classes of each model are worth, mean over participants."""
        return self.chapter.use.groupby(["predictor", "scheme"], sort=False).mean(numeric_only=True).reset_index()

    @property
    def models(self) -> list[Column]:
        """Columns of the scores of participants."""
        return [Column(model_title(model), model, ".3f") for model in self.chapter.by_user.columns]

    @property
    def by_user(self) -> list[Row]:
        """Scores of participants by model."""
        rows = self.chapter.by_user.to_dict("index").items()
        return [{"user": user_link(user) if user in self.users else user} | scores for user, scores in rows]

    @property
    def published(self) -> PublishedView | None:
        """The run beside the figures printed in the study, if it is compared with them."""
        details = self.chapter.details
        if details is None or not details.published:
            return None
        return PublishedView(details.published, self.config.cohort.is_simulated)


def finding_row(finding: Row, chapter: Chapter) -> Row:
    """Return a finding with the texts of its cells."""
    primary = finding["predictor"] == chapter.verdict["primary"] and not chapter.verdict["exploratory"]
    groupings, random = finding["random_groupings"], show(finding["random"])
    if groupings > 1:
        random += f" ({limits(finding['random_min'], finding['random_max'])}; {groupings} groupings)"
    texts = {"name": finding["predictor"] + (" (primary)" if primary else ""), "random": random}
    better = f"{finding['users_better']} of {finding['users']}"
    return {**finding, **texts, "result": OUTCOMES[finding["outcome"]][0], "better": better}


def pair(values: Iterable[Any], spec: str = ".3f") -> str:
    """Return a number of this run and of the study."""
    return " / ".join(show(value, spec) for value in values)
