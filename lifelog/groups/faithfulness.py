"""score_importance: how far a user's importance may be believed.

Three questions, a user: do two training seeds say the same, do attention and ablation say the same, and does taking
away what is called important hurt the network more than taking away anything (AOPCR: area over the perturbation curve
less that of random orders, in the manner of MILLET, Early et al., ICLR 2024)?
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from lifelog.config import Groups
from lifelog.groups.vectors import METHODS, user_vectors, window_vectors

TOP = 3  # modalities that are compared as the most important ones
STABLE = 0.5  # rank correlation between seeds below which a user's importance is called unstable


def score_importance(importance: pd.DataFrame, deletion: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """One row a user.

    agreement, agreement_windows  Spearman correlation of attention with ablation: of the means, and mean over windows
    overlap                       share of the three greatest (of few modalities: all but one) that both have
    seeds_{method}                mean Spearman correlation between training seeds (NaN with one seed)
    spread_{method}               standard deviation over seeds, mean over modalities
    aopcr_{method}                on test windows, nats: above 0, the order finds what the network uses
    stable                        whether seeds agree on the importance that forms the groups
    """
    # What a user lacks throughout has no rank: in agreement on nothing there would be none.
    given = {"parts": settings.parts, "absent": np.nan}
    vectors = {method: user_vectors(importance, method, **given) for method in METHODS}
    windows = {method: window_vectors(importance, method, **given) for method in METHODS}
    table = pd.DataFrame(index=vectors["attention"].index)
    table["agreement"] = rank_correlation(vectors["attention"], vectors["ablation"])
    by_window = rank_correlation(windows["attention"], windows["ablation"])
    table["agreement_windows"] = by_window.groupby("user").mean()
    top = min(TOP, vectors["attention"].shape[1] - 1)
    table["overlap"] = [
        len(set.intersection(*(set(vectors[method].loc[user].nlargest(top).index) for method in METHODS))) / top
        for user in table.index
    ]
    seeds = sorted(set(importance.seed))
    for method in METHODS:
        by_seed = [user_vectors(importance, method, seeds=[seed], **given) for seed in seeds]
        pairs = [rank_correlation(a, b) for a, b in combinations(by_seed, 2)]
        table[f"seeds_{method}"] = pd.concat(pairs, axis=1).mean(axis=1) if pairs else np.nan
        table[f"spread_{method}"] = np.nanmean(np.stack([own.to_numpy() for own in by_seed]).std(axis=0), axis=1)
    for method in METHODS:
        table[f"aopcr_{method}"] = aopcr(deletion, method)
    table["stable"] = ~(table[f"seeds_{settings.importance}"] < STABLE)
    return table.reset_index()


def aopcr(deletion: pd.DataFrame, method: str, part: str = "test") -> pd.Series:
    """By user: mean fall over the numbers of modalities removed, less the same of random orders; mean over seeds."""
    rows = deletion[deletion.part == part]
    area = rows.groupby(["user", "order"]).fall.mean().unstack()
    return area[method] - area["random"] if len(area) else pd.Series(dtype=float)


def rank_correlation(a: pd.DataFrame, b: pd.DataFrame) -> pd.Series:
    """Spearman correlation of each row of `a` with the same row of `b`; NaN where one has no order."""
    return a.rank(axis=1).corrwith(b.reindex(a.index).rank(axis=1), axis=1)
