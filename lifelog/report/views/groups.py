"""The page about groups of participants."""

from dataclasses import dataclass

from lifelog.config import Config
from lifelog.report.chapter import Chapter, SplitDetails
from lifelog.report.views.parts import count, show

ONE_GROUP = (
    "The importance of all windows forms one group. Importance of a fold, whose test windows are left out, may form "
    "others: only these groups are used in the comparison."
)


@dataclass(frozen=True)
class GroupsView:
    """The page about groups, for a chapter with its details."""

    config: Config
    chapter: Chapter
    details: SplitDetails

    @property
    def sentences(self) -> list[str]:
        """Agreement with planted groups, and the number of groups."""
        details, sentences = self.details, []
        if details.recovery:
            rand = show(details.recovery["adjusted_rand_index"], ".2f")
            sentences += [f"Adjusted Rand index of the groups and the planted ones: {rand} (1: identical, 0: chance)."]
        sentences += [ONE_GROUP] if details.groups.group.nunique() == 1 else []
        return sentences + chosen_number(details, self.config.groups.k == "auto")


def chosen_number(details: SplitDetails, auto: bool) -> list[str]:
    """Return a sentence about the number of groups and their quality; none without scores."""
    sentences = []
    for row in details.clusters[details.clusters.chosen].itertuples():
        best = "lowest BIC; one group was possible"
        best = best if row.algorithm == "mixture" else "highest silhouette; one group was not possible"
        number = f"{count(details.groups.group.nunique(), 'group')} from {count(row.k, 'cluster')} by {row.algorithm}"
        quality = f"silhouette {show(row.silhouette, '.2f')}, stability {show(row.stability, '.2f')}"
        number += f", the number with the {best}" if auto else ""
        sentences.append(f"{number}: {quality} (adjusted Rand index under resampling of blocks and seeds).")
    return sentences
