"""The importance measures, and how each is described."""

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
    comparable : bool
        Whether numbers are comparable between users. Others are divided by the user's total before users are grouped.
    of_networks : bool
        Whether it comes from the personal networks, one per training seed.
    """

    label: str
    caption: str
    comparable: bool = True
    of_networks: bool = True


MEASURES: Registry[Measure] = Registry(
    "importance measure",
    {
        "shapley": Measure(
            "Shapley value (AUROC)",
            "Shapley value: what each modality adds to the AUROC of held-out windows; the values of a participant sum "
            "to the AUROC of all modalities minus 0.5. *: the modality matters.",
            of_networks=False,
        ),
        "attention": Measure(
            "attention (share)",
            "Attention: weight of each modality in the personal network, mean over windows and seeds. Rows sum to "
            "about 1.",
        ),
        "ablation": Measure(
            "ablation (nats)",
            "Ablation: decrease of the log-likelihood of the true class when a modality is masked (nats). Negative "
            "values: the network performs better without the modality.",
            comparable=False,
        ),
    },
)
OF_NETWORKS = [name for name, measure in MEASURES.items() if measure.of_networks]
