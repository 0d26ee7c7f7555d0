"""The page about the comparison of predictors and schemes."""

from __future__ import annotations

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
from lifelog.report.views.parts import NOTHING, Column, Row, limits, mark, model_title, show, user_link
from lifelog.report.words import measure_name


@dataclass(frozen=True)
class ComparisonView:
    """The page about the comparison, for a chapter; the strategies of the `first` one are on the first page."""

    config: Config
    chapter: Chapter
    users: set[str]  # who have a page
    first: bool

    @property
    def headline(self) -> str:
        """The conclusion."""
        verdict = self.chapter.verdict
        return ("Exploratory: " if verdict["exploratory"] else "") + str(verdict["headline"])

    @property
    def findings(self) -> list[Row]:
        """One row per predictor with importance groups."""
        return [finding_row(finding, self.chapter) for finding in self.chapter.verdict["findings"]]

    @property
    def remarks(self) -> list[str]:
        """What limits the results, and the decision."""
        return remarks(self.chapter, self.config.groups.importance)

    @property
    def choosing(self) -> str:
        """What choosing the strategy on other participants gives."""
        chosen = self.chapter.decision.get("choosing")
        if not chosen:
            return ""
        scores = f"{show(chosen['score'])}, {show(chosen['difference'], '+.3f')} to one global model"
        return f"Choosing the strategy on the other participants gives {scores}."

    @property
    def strategies(self) -> list[Row]:
        """One row per predictor and strategy."""
        strategies = self.chapter.decision.get("strategies", {})
        shares = {"best": "p_best", "near": "p_near"}
        return [
            {"predictor": predictor} | row | {name: 100 * row[key] for name, key in shares.items()}
            for predictor, rows in strategies.items()
            for row in rows
        ]

    @property
    def figures(self) -> list[Figure]:
        """The figures above the tables."""
        hidden = {"confusion", "strategies"} if self.first else {"confusion"}
        return [self.chapter.figures[name] for name in figures_of("comparison") if name not in hidden]

    @property
    def scores(self) -> list[Row]:
        """Scores of models by the metric of the primary test."""
        return self._scores(self.chapter.comparison.metric == self.config.compare.metric)

    @property
    def others(self) -> list[Row]:
        """Scores of models by other metrics."""
        return self._scores(self.chapter.comparison.metric != self.config.compare.metric)

    def _scores(self, chosen: pd.Series) -> list[Row]:
        rows = self.chapter.comparison[chosen].to_dict("records")
        return [row | difference_texts(row) | {"metric": METRICS[row["metric"]].label} for row in rows]

    @property
    def random(self) -> str:
        """What the rows of random groupings are."""
        random = "random" in set(self.chapter.comparison.scheme)
        return "Random groupings: mean, minimum and maximum." if random else ""

    @property
    def calibration(self) -> pd.DataFrame:
        """Calibration before and after temperature scaling."""
        return self.chapter.calibration.assign(measure=self.chapter.calibration.measure.map(CALIBRATION))

    @property
    def models(self) -> list[Column]:
        """Columns of the scores of participants."""
        return [Column(model_title(model), model, ".3f") for model in self.chapter.by_user.columns]

    @property
    def by_user(self) -> list[Row]:
        """Scores of participants by model."""
        rows = self.chapter.by_user.to_dict("index").items()
        return [{"user": user_link(user) if user in self.users else user} | own for user, own in rows]

    @property
    def published(self) -> PublishedView | None:
        """The run beside the figures printed in the study, if it is compared with them."""
        details = self.chapter.details
        found = details.published if details else None
        return PublishedView(found, self.config.cohort.layout == "simulated") if found else None


def finding_row(finding: Row, chapter: Chapter) -> Row:
    """Return a finding with the texts of its cells."""
    primary = finding["predictor"] == chapter.verdict["primary"] and not chapter.verdict["exploratory"]
    groupings, random = finding["random_groupings"], show(finding["random"])
    if groupings > 1:
        random += f" ({limits(finding['random_min'], finding['random_max'])}; {groupings} groupings)"
    texts = {"name": finding["predictor"] + (" (primary)" if primary else ""), "random": random}
    better = f"{finding['users_better']} of {finding['users']}"
    return {**finding, **texts, "result": OUTCOMES[finding["outcome"]][0], "better": better}


def remarks(chapter: Chapter, grouped_by: str) -> list[str]:
    """Return what limits the results: chance, models without sensors, single classes, leaks; then the decision."""
    verdict, details, decision, found = chapter.verdict, chapter.details, chapter.decision, []
    for finding in verdict["findings"]:
        name, sensorless = finding["predictor"], finding["sensorless"]
        if not finding["better_than_chance"]:
            groups = "neither in importance groups nor as a global model"
            found.append(f"{name}: not clearly better than chance (AUROC), {groups}.")
        if sensorless:
            other = f"{sensorless['model']}, which uses no sensors ({show(sensorless['score'])})"
            found.append(f"{name}: the global model is no better than {other}.")
    if verdict["left_out"]:
        single = f"since their test windows hold a single class: {', '.join(verdict['left_out'])}"
        found.append(f"Left out of every mean, difference and test of {METRICS[verdict['metric']].label}, {single}.")
    found.append(mark("span", verdict["leak"]["sentence"], verdict["leak"]["outcome"]))
    if decision.get("strategies"):
        found.append(decision["sentence"] + (f" {details.curve}" if details and decision["recommended"] else ""))
    if details and details.recovery:
        rand = f"adjusted Rand index of the groups {show(details.recovery['adjusted_rand_index'], '.2f')}"
        on_top = f"in {details.recovery['planted_on_top'][grouped_by]:.0%} of cases ({measure_name(grouped_by)})"
        found.append(f"Planted truth: {rand}, planted modalities among the most important ones {on_top}.")
    return found


def difference_texts(row: Row) -> Row:
    """Return difference and interval of a model to the global one, which random groupings have no interval of."""
    shared, none = row["scheme"] == "global", row["scheme"] in ("global", "random")
    interval = limits(row["difference_low"], row["difference_high"], "+.3f")
    return {
        "difference": NOTHING if shared else show(row["difference"], "+.3f"),
        "interval": NOTHING if none else interval,
    }


@dataclass(frozen=True)
class PublishedView:
    """A run beside the figures printed in the study."""

    found: dict[str, Any]
    is_simulated: bool

    @property
    def both(self) -> str:
        """Participants in both, and the agreement of groups."""
        rand = show(self.found["adjusted_rand_index"], ".2f")
        groups = f"Adjusted Rand index of the groups of this run and the printed ones: {rand}."
        return f"{self.found['users_in_both']} of them are in this run. {groups}"

    @property
    def simulated(self) -> str:
        """Whether the comparison has no meaning."""
        return "These recordings are simulated: the figures are unrelated." if self.is_simulated else ""

    @property
    def scores(self) -> list[str]:
        """Scores of the network that the study prints scores of, by seed."""
        printed, names = self.found["scores"]["printed"], {"published_f1": "F1 as published", "accuracy": "accuracy"}
        sentences = []
        for seed, own in self.found["scores"]["run"].items():
            both = ", ".join(f"{name} {show(own[key])} (printed {printed[key]:.4f})" for key, name in names.items())
            sentences.append(f"Participant {printed['user']}, seed {seed}: {both}, macro-F1 {show(own['macro_f1'])}.")
        return sentences

    @property
    def modalities(self) -> list[Column]:
        """Columns of the importance of participants."""
        return [Column(name, ("importance", name), "n") for name in self.found["users"][0]["importance"]]

    @property
    def users(self) -> list[Row]:
        """One row per participant, with pairs of this run and the study."""
        return [
            row | {"group": pair(row["group"], ""), "windows": pair(row["test_windows"], ".0f")}
            | {("importance", name): pair(both) for name, both in row["importance"].items()}
            for row in self.found["users"]
        ]  # fmt: skip

    @property
    def clusters(self) -> list[Row]:
        """One row per number of clusters, with pairs of this run and the study."""
        names = {"silhouette": ".3f", "entropy": ".2f"}
        return [
            row | {name: pair((row[name], row[f"{name}_printed"]), spec) for name, spec in names.items()}
            for row in self.found["clusters"]
        ]


def pair(values: Iterable[Any], spec: str = ".3f") -> str:
    """Return a number of this run and of the study."""
    return " / ".join(show(value, spec) for value in values)
