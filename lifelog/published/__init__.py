"""compare_published: the figures that the study printed, beside a run's own.

per_user.csv and cluster_scores.csv hold what the notebooks of the study's public repositories show as output
(ZangZaeSeok/Modal-Importance-based-Improved-ifelog-prediction-performance and jwr0218/MIL_ETRI): of the users 101 to
120 of the ETRI lifelog data of 2019 the test minutes, the attention summed over them, the minutes in each cluster and
their entropy; of each number of clusters the entropy summed over users and, of one algorithm, the silhouette.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from lifelog.groups.faithfulness import rank_correlation
from lifelog.tables import plain

FOLDER = Path(__file__).parent
# Printed for the personal model of user 101 on its test minutes.
PRINTED_SCORES = {"user": "101", "published_f1": 0.8515, "accuracy": 0.8672}
PRINTED_K = 5


def printed_users() -> pd.DataFrame:
    """By user: test_minutes, group (1 to 5, the cluster of most of its minutes), and mean attention a modality."""
    table = pd.read_csv(FOLDER / "per_user.csv", dtype={"user": str}).set_index("user")
    sums = table.filter(regex="^sum_").rename(columns=lambda name: name.removeprefix("sum_"))
    clusters = table[[f"agg{PRINTED_K}_c{i}" for i in range(PRINTED_K)]].to_numpy()
    keys = pd.DataFrame({"test_minutes": table.n_test, "group": clusters.argmax(axis=1) + 1}, index=table.index)
    return keys.join(sums.div(table.n_test, axis=0))


def printed_clusters() -> pd.DataFrame:
    """algorithm, k, silhouette (of one algorithm), entropy."""
    table = pd.read_csv(FOLDER / "cluster_scores.csv")
    kinds = {"agglomerative": ("silhouette_agg", "entropy_agg_total"), "kmeans": (None, "entropy_km_total")}
    frames = []
    for algorithm, (silhouette, entropy) in kinds.items():
        known = table[silhouette] if silhouette else np.nan
        columns = {"algorithm": algorithm, "k": table.k, "silhouette": known, "entropy": table[entropy]}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def compare_published(
    importance: pd.DataFrame, groups: pd.DataFrame, clusters: pd.DataFrame, test_scores: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Own and printed figures side by side, for JSON; None where one of them has none.

    importance: of all users; groups: by importance; clusters: of `score_groups`; test_scores: by seed, of user 101's
    MIL models.
    """
    printed = printed_users()
    modalities = [name for name in printed.columns if name not in ("test_minutes", "group")]
    test = importance[(importance.part == "test") & (importance.method == "attention")]
    own = test.groupby(["user", "modality"]).value.mean().unstack().reindex(columns=modalities)
    minutes, group = test.groupby("user").start.nunique(), groups.set_index("user").group
    alike = rank_correlation(own.loc[own.index.isin(printed.index)], printed[modalities])
    rows = []
    for user in sorted({*printed.index, *own.index}):
        pair = [table.loc[user, modalities] if user in table.index else None for table in (own, printed)]
        rows.append(
            {
                "user": user,
                "test_minutes": [plain(minutes.get(user)), plain(printed.test_minutes.get(user))],
                "group": [group.get(user), plain(printed.group.get(user))],
                "rank_correlation": plain(alike.get(user)),
                "importance": {
                    name: [None if values is None else plain(values[name]) for values in pair] for name in modalities
                },
            }
        )
    both = [user for user in group.index if user in printed.index]
    joined = clusters.merge(printed_clusters(), on=["algorithm", "k"], how="outer", suffixes=("", "_printed"))
    columns = ["silhouette", "silhouette_printed", "entropy", "entropy_printed"]
    return {
        "users": rows,
        "clusters": [
            {"algorithm": row.algorithm, "k": int(row.k)} | {name: plain(getattr(row, name)) for name in columns}
            for row in joined.itertuples()
        ],
        "adjusted_rand_index": adjusted_rand_score(printed.group[both], group[both]) if len(both) > 1 else None,
        "users_in_both": len(both),
        "scores": {"printed": PRINTED_SCORES, "own": test_scores},
    }
