"""The page about groups of participants."""

from dataclasses import dataclass

from lifelog.config import Config
from lifelog.report.chapter import Chapter, SplitDetails
from lifelog.report.views.parts import Texts, count, show

phrase = Texts("groups")


@dataclass(frozen=True)
class GroupsView:
    """The page about groups, for a chapter with its details."""

    config: Config
    chapter: Chapter
    details: SplitDetails

    @property
    def sentences(self) -> list[str]:
        """Agreement with planted groups, and the number of groups and their quality; none without scores."""
        details, groups = self.details, self.details.groups.group.nunique()
        sentences = []
        if details.recovery:
            sentences.append(phrase("planted", rand=show(details.recovery["adjusted_rand_index"], ".2f")))
        if groups == 1:
            sentences.append(phrase("one_group"))
        for row in details.clusters[details.clusters.chosen].itertuples():
            by = phrase("by_bic" if row.algorithm == "mixture" else "by_silhouette")
            numbers = {"groups": count(groups, "group"), "clusters": count(row.k, "cluster")}
            numbers |= {name: show(getattr(row, name), ".2f") for name in ("silhouette", "stability")}
            chosen = by if self.config.groups.k == "auto" else ""
            sentences.append(phrase("number", algorithm=row.algorithm, chosen=chosen, **numbers))
        table = details.groups.dropna(subset=["kmeans"])
        if groups > 1 and len(table):
            from sklearn.metrics import adjusted_rand_score  # slow to import

            agreement = adjusted_rand_score(table.group, table.kmeans)
            sentences.append(phrase("kmeans", groups=count(groups, "group"), rand=show(agreement, ".2f")))
        return sentences
