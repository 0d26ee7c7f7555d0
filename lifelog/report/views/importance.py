"""The page about the importance of modalities."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
from markupsafe import Markup

from lifelog.config import Config
from lifelog.importance.compare import MIN_BLOCKS
from lifelog.importance.measures import MEASURES, OF_NETWORKS
from lifelog.importance.reliability import STABLE
from lifelog.report.chapter import Chapter, SplitDetails
from lifelog.report.views.parts import NOTHING, Column, Row, mark, show, user_link
from lifelog.report.words import measure_name


@dataclass(frozen=True)
class ImportanceView:
    """The page about importance, for a chapter with its details."""

    config: Config
    chapter: Chapter
    details: SplitDetails
    of_networks: ClassVar = OF_NETWORKS

    @property
    def measured(self) -> str:
        """Whether importance is measured, and whether participants differ."""
        details = self.details
        above, tested = int((details.values.low > 0).sum()), details.heterogeneity.p_holm.notna().any()
        if not above:
            what = ": no modality of any participant has a Shapley value whose interval is above 0."
            return mark("strong", "Importance is not measured") + what
        of_all = f"{above} of {details.values.shapley.notna().sum()} Shapley values have an interval above 0."
        if not tested:
            few = f"they have fewer than {MIN_BLOCKS} blocks of time each"
            return f"{of_all} Whether participants differ is not tested: {few}."
        where = f"Participants differ in {', '.join(details.differing)}"
        none = "Participants do not differ measurably in any modality"
        return f"{of_all} {where if details.differing else none} (Cochran's test, Holm)."

    @property
    def planted(self) -> str:
        """How often planted modalities are the most important ones, of a simulated cohort."""
        if self.details.recovery is None:
            return ""
        tops = {measure: f"{self.details.recovery['planted_on_top'][measure]:.0%}" for measure in MEASURES}
        effect = self.details.recovery["effect"]
        return f"Planted modalities among a participant's most important ones (effect {effect}): {_by_measure(tops)}."

    @property
    def apart(self) -> list[str]:
        """Modalities that matter more or less for one participant than for the others."""
        return [_apart(row) for row in self.details.apart.to_dict("records")]

    @property
    def reliable(self) -> str:
        """For whom the importance that forms the groups is measured, or stable between training seeds."""
        config, details = self.config, self.details
        users = ", ".join(details.unstable)
        if config.groups.importance == "shapley":
            what = f" for these participants: {users} (no Shapley value with an interval above 0)."
            return mark("strong", "Not measured") + what if users else ""
        if len(config.mil.seeds) < 2:
            return "Stability is unknown, since there is one training seed (" + mark("code", "mil.seeds") + ")."
        if users:
            why = f"(rank correlation between training seeds below {STABLE})."
            return mark("strong", "Not stable") + f", and not interpretable for these participants: {users} {why}"
        return f"Training seeds agree for every participant (rank correlation of at least {STABLE})."

    @property
    def halves(self) -> str:
        """Rank correlations of halves, by measure."""
        scores = self.details.importance
        means = {m: (scores[f"halves_{m}"].mean(), scores[f"others_{m}"].mean()) for m in MEASURES}
        return _by_measure({m: f"{show(own, '.2f')} and {show(others, '.2f')}" for m, (own, others) in means.items()})

    @property
    def agreement(self) -> str:
        """Agreement of attention and ablation, and AOPCR."""
        scores = self.details.importance
        aopcr = _by_measure({m: f"{show(scores[f'aopcr_{m}'].mean(), '+.3f')} nats" for m in OF_NETWORKS})
        agree = f"Rank correlation of attention and ablation: {show(scores.agreement.mean(), '.2f')}"
        return f"{agree} (mean over participants). AOPCR on test windows: {aopcr}."

    @property
    def interval(self) -> str:
        """Heading of intervals."""
        return f"{self.config.shapley.level:.0%} interval"

    @property
    def columns(self) -> list[Column]:
        """Columns of the scores of participants."""
        columns = [Column("user", form="user"), Column("attention and ablation, rank correlation", "agreement", ".2f")]
        columns += [Column("the same per window", "agreement_windows", ".2f"), Column("shared top 3", "overlap", ".2f")]
        columns += [Column(f"{measure_name(m)} between seeds", f"seeds_{m}", ".2f") for m in OF_NETWORKS]
        columns += [Column(f"AOPCR {measure_name(m)}", f"aopcr_{m}", "+.3f") for m in OF_NETWORKS]
        columns += [Column(f"{measure_name(m)}, halves", f"halves_{m}", ".2f") for m in MEASURES]
        return [*columns, Column(stability_title(self.config), "stability")]

    @property
    def scores(self) -> list[Row]:
        """Scores of participants."""
        rows = self.details.importance.to_dict("records")
        return [row | {"stability": stability(self.config, row)} for row in rows]


def _by_measure(texts: dict[str, str]) -> str:
    return ", ".join(f"{shown} ({measure_name(measure)})" for measure, shown in texts.items())


def _apart(row: Row) -> str:
    more = "more" if row["difference"] > 0 else "less"
    low, high = row["difference_low"], row["difference_high"]
    numbers = f"{row['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
    return Markup("{} matters {} for {}: {}").format(row["modality"], more, user_link(row["user"]), numbers)


def stability(config: Config, scores: Row) -> str:
    """Return whether a participant's importance is measured, or stable; a dash where seeds are not compared."""
    seeds = f"seeds_{config.groups.importance}"
    compared = len(config.mil.seeds) > 1 and pd.notna(scores[seeds]) if seeds in scores else True
    return ("yes" if scores["stable"] else "no") if compared else NOTHING


def stability_title(config: Config) -> str:
    """Return the heading of columns of `stability`."""
    return "measured" if config.groups.importance == "shapley" else "stable"
