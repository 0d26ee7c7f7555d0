"""The page about the importance of modalities."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
from markupsafe import Markup

from lifelog.config import Config
from lifelog.importance.compare import MIN_BLOCKS
from lifelog.importance.measures import MEASURES, OF_NETWORKS
from lifelog.importance.reliability import STABLE
from lifelog.report.chapter import Chapter, SplitDetails
from lifelog.report.views.parts import NOTHING, Column, Row, Texts, show, user_link
from lifelog.report.words import measure_name

phrase = Texts("importance")


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
        above, differing = len(self.details.mattering), self.details.differing
        if not above:
            return phrase("not_measured")
        differences = phrase("differ" if differing else "equal", modalities=", ".join(differing))
        if not self.details.heterogeneity.p_holm.notna().any():
            differences = phrase("not_tested", blocks=MIN_BLOCKS)
        tested = self.details.values.p_corrected.notna().sum()
        return phrase("measured", above=above, tested=tested, differences=differences)

    @property
    def remarks(self) -> list[str]:
        """What cannot be tested, the value of the time, interchangeable modalities, absence that depends on labels."""
        values, remarks = self.details.values, []
        untested = [phrase("untested_user", **row) for row in self.details.untested.to_dict("records")]
        if untested:
            remarks.append(phrase("untested", users="; ".join(untested)))
        if values.time.notna().any():
            times = values.groupby("user").time.first()
            remarks.append(phrase("time", mean=times.mean(), most=times.max(), user=times.idxmax()))
        alike = [f"{x.modality} and {x.interchangeable} ({x.user})" for x in values.itertuples() if _named(x)]
        if alike:
            remarks.append(phrase("interchangeable", modalities="; ".join(alike)))
        absent = [f"{x.modality} ({x.user})" for x in values[values.p_absence <= self.details.level].itertuples()]
        if absent:
            remarks.append(phrase("absent", modalities=", ".join(absent)))
        return remarks

    @property
    def planted(self) -> str:
        """How often planted modalities are the most important ones, of a simulated cohort."""
        recovery = self.details.recovery
        if recovery is None:
            return ""
        shares = _by_measure({measure: f"{recovery['planted_on_top'][measure]:.0%}" for measure in MEASURES})
        return phrase("planted", effect=recovery["effect"], shares=shares)

    @property
    def apart(self) -> list[str]:
        """Modalities that matter more or less for one participant than for the others."""
        return [_apart(row) for row in self.details.apart.to_dict("records")]

    @property
    def reliable(self) -> str:
        """For whom the importance that forms the groups is measured, or stable between training seeds."""
        users = ", ".join(self.details.unstable)
        if self.config.groups.importance == "shapley":
            return phrase("users_not_measured", users=users) if users else ""
        if len(self.config.mil.seeds) < 2:
            return phrase("one_seed")
        return phrase("not_stable" if users else "stable", users=users, stable=STABLE)

    @property
    def halves(self) -> str:
        """Rank correlations of halves, by measure."""
        scores = self.details.importance
        pairs = {m: [show(scores[f"{of}_{m}"].mean(), ".2f") for of in ("halves", "others")] for m in MEASURES}
        return _by_measure({measure: " and ".join(pair) for measure, pair in pairs.items()})

    @property
    def agreement(self) -> str:
        """Agreement of attention and ablation, and AOPCR."""
        scores = self.details.importance
        aopcr = _by_measure({m: f"{show(scores[f'aopcr_{m}'].mean(), '+.3f')} nats" for m in OF_NETWORKS})
        return phrase("agreement", agreement=show(scores.agreement.mean(), ".2f"), aopcr=aopcr)

    @property
    def columns(self) -> list[Column]:
        """Columns of the scores of participants that depend on the measures."""
        columns = [Column(f"{measure_name(m)} between seeds", f"seeds_{m}", ".2f") for m in OF_NETWORKS]
        columns += [Column(f"AOPCR {measure_name(m)}", f"aopcr_{m}", "+.3f") for m in OF_NETWORKS]
        columns += [Column(f"{measure_name(m)}, halves", f"halves_{m}", ".2f") for m in MEASURES]
        return [*columns, Column(stability_title(self.config), "stability")]

    @property
    def scores(self) -> list[Row]:
        """Scores of participants."""
        rows = self.details.importance.to_dict("records")
        return [row | {"stability": stability(self.config, row)} for row in rows]


def _named(value: Any) -> bool:
    """Return whether a value is the first one of interchangeable modalities."""
    return isinstance(value.interchangeable, str) and value.modality < value.interchangeable


def _by_measure(texts: dict[str, str]) -> str:
    return ", ".join(f"{shown} ({measure_name(measure)})" for measure, shown in texts.items())


def _apart(row: Row) -> str:
    more = "more" if row["difference"] > 0 else "less"
    numbers = "{difference:+.3f} [{difference_low:+.3f}, {difference_high:+.3f}]".format_map(row)
    return Markup("{} matters {} for {}: {}").format(row["modality"], more, user_link(row["user"]), numbers)


def stability(config: Config, scores: Row) -> str:
    """Return whether a participant's importance is measured, or stable; a dash where seeds are not compared."""
    seeds = f"seeds_{config.groups.importance}"
    compared = len(config.mil.seeds) > 1 and pd.notna(scores[seeds]) if seeds in scores else True
    return ("yes" if scores["stable"] else "no") if compared else NOTHING


def stability_title(config: Config) -> str:
    """Return the heading of columns of `stability`."""
    return "measured" if config.groups.importance == "shapley" else "stable"
