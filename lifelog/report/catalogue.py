"""The figures of the report: on which page each is shown, and its caption.

This module imports no plotting library, since the rules read it: the rule that draws a page outputs the figures that
are listed here for it. A figure is added with an entry here, a function in the `FIGURES` of its page's module in
`lifelog/report/figures/`, and a sentence in `lifelog/report/words.py`.
"""

from typing import Literal, NamedTuple

from lifelog.importance.measures import MEASURES
from lifelog.registry import Registry

Page = Literal["overview", "cohort", "run", "importance", "groups", "comparison", "user"]


class Entry(NamedTuple):
    """A figure: its page, and its caption with the placeholders {metric} and {planted}."""

    page: Page
    caption: str


CATALOGUE: Registry[Entry] = Registry(
    "figure",
    {
        "verdict": Entry(
            "overview",
            "Difference between importance groups and one global model, with intervals over participants; right of 0, "
            "grouping is better. Hollow: no clear difference (p is corrected except for the primary test). Controls "
            "are shown below.",
        ),
        "yield": Entry("cohort", "Share of each participant's labelled windows in which a modality could be used."),
        "dag": Entry("run", "Rules of this run, from the raw recordings at the top to this page at the bottom."),
        **{name: Entry("importance", measure.caption + "{planted}") for name, measure in MEASURES.items()},
        "shapley_intervals": Entry(
            "importance",
            "Shapley value of each modality with its interval over blocks of time. Coloured: the interval is above 0. "
            "Stroke: shrunk towards participants with similar values.",
        ),
        "deletion": Entry(
            "importance",
            "Deletion curves: decrease of the predicted class's log-likelihood when modalities are removed, the most "
            "important first. An order above the random one finds what the networks use.",
        ),
        "group_importance": Entry(
            "groups", "Importance in each group: bars are means over participants, dots are participants."
        ),
        "cluster_scores": Entry(
            "groups", "Scores of each number of clusters; the ring marks the one that forms the groups."
        ),
        "tsne": Entry(
            "groups",
            "t-SNE of windows, by importance and by raw features, coloured by participant and by group; a sample "
            "of them in a large run. Distances between separate clouds have no meaning.",
        ),
        "comparison": Entry(
            "comparison",
            "Left: {metric} of each predictor with one global model, one per group, or one per participant; raw and "
            "random groups are controls. Right: difference to the global model.",
        ),
        "strategies": Entry(
            "comparison",
            "Left: {metric} of the strategies of personalising, with intervals over participants. Right: a new "
            "participant with few labelled windows, by lda; other participants' models and groups are formed without "
            "this one.",
        ),
        "reliability": Entry(
            "comparison",
            "Share of correct predictions by the probability of the predicted class, with one global model, before and "
            "after temperature scaling; on the diagonal, probabilities are calibrated. Intervals over participants.",
        ),
        "confusion": Entry("comparison", "Confusion matrices over the test windows of all participants."),
        "users": Entry(
            "user",
            "Top: labels over time, by subset, or by the fold that tests them. Middle: windows in which each modality "
            "is used, or why it is missing (not worn, no contact, no samples). Bottom: validation score per epoch of "
            "each fold, and importance; bars are means over training seeds, marks are seeds.",
        ),
        "days": Entry(
            "user",
            "Labels by local time, and the features that differ most between classes, one per modality. Marks are "
            "windows, coloured by class; lines join the medians of days.",
        ),
    },
)


def figures_of(page: Page) -> list[str]:
    """Return the names of a page's figures."""
    return [name for name, entry in CATALOGUE.items() if entry.page == page]
