"""The importance measures: how each is described. `lifelog.mil.importance` implements them."""

from __future__ import annotations

from dataclasses import dataclass

from lifelog.registry import Registry


@dataclass(frozen=True)
class Measure:
    """An importance measure of modalities.

    Attributes
    ----------
    label : str
        Name and unit, for axes.
    caption : str
        Description for the report.
    is_share : bool
        Whether the values of a window sum to 1. Other measures are divided by the user's total before users are
        grouped.
    """

    label: str
    caption: str
    is_share: bool


MEASURES: Registry[Measure] = Registry(
    "importance measure",
    {
        "attention": Measure(
            "attention (share)",
            "Attention: weight of each modality in the personal network, mean over windows and seeds. Rows sum to "
            "about 1.",
            is_share=True,
        ),
        "ablation": Measure(
            "ablation (nats)",
            "Ablation: decrease of the log-likelihood of the true class when a modality is masked (nats). Negative "
            "values: the network performs better without the modality.",
            is_share=False,
        ),
    },
)
