"""compare_published: the figures printed in the study beside those of a run.

per_user.csv and cluster_scores.csv hold the printed output of the notebooks in the study's public repositories
(ZangZaeSeok/Modal-Importance-based-Improved-ifelog-prediction-performance and jwr0218/MIL_ETRI). Per user of the ETRI
lifelog data of 2019 (101 to 120): the number of test windows, the attention summed over them, the windows in each
cluster and their entropy. Per number of clusters: the entropy summed over users and, for one algorithm, the silhouette.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from lifelog.f1 import macro_f1, published_f1
from lifelog.importance.reliability import rank_correlation
from lifelog.tables import plain

FOLDER = Path(__file__).parent
# Printed for the personal network of user 101 on its test windows.
PRINTED_SCORES = {"user": "101", "published_f1": 0.8515, "accuracy": 0.8672}
PRINTED_K = 5


def printed_users() -> pd.DataFrame:
    """Return by user: test_windows, group (1 to 5, the cluster of most windows), and mean attention per modality."""
    table = pd.read_csv(FOLDER / "per_user.csv", dtype={"user": str}).set_index("user")
    sums = table.filter(regex="^sum_").rename(columns=lambda name: name.removeprefix("sum_"))
    clusters = table[[f"agg{PRINTED_K}_c{i}" for i in range(PRINTED_K)]].to_numpy()
    keys = pd.DataFrame({"test_windows": table.n_test, "group": clusters.argmax(axis=1) + 1}, index=table.index)
    return keys.join(sums.div(table.n_test, axis=0))


def printed_clusters() -> pd.DataFrame:
    """Return algorithm, k, silhouette (of one algorithm), entropy."""
    table = pd.read_csv(FOLDER / "cluster_scores.csv")
    agglomerative = table.rename(columns={"silhouette_agg": "silhouette", "entropy_agg_total": "entropy"})
    kmeans = table.rename(columns={"entropy_km_total": "entropy"}).assign(silhouette=np.nan)
    both = pd.concat({"agglomerative": agglomerative, "kmeans": kmeans}, names=["algorithm"]).reset_index("algorithm")
    return both[["algorithm", "k", "silhouette", "entropy"]].reset_index(drop=True)


def compare_published(
    importance: pd.DataFrame, groups: pd.DataFrame, clusters: pd.DataFrame, test_counts: dict[str, list[list[int]]]
) -> dict[str, Any]:
    """Compare a run with the printed figures.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    groups : pandas.DataFrame
        The importance groups that describe the participants.
    clusters : pandas.DataFrame
        Table of `score_groups`.
    test_counts : dict of str to list
        By seed, the confusion matrix of the network of user 101 on test windows.

    Returns
    -------
    dict
        For JSON: figures of the run and of the study; None where one of them has none.
    """
    printed = printed_users()
    modalities = [name for name in printed.columns if name not in ("test_windows", "group")]
    test = importance[(importance.subset == "test") & (importance.measure == "attention")]
    means = test.groupby(["user", "modality"]).importance.mean().unstack().reindex(columns=modalities)
    windows, group = test.groupby("user").start.nunique(), groups.set_index("user").group
    correlation = rank_correlation(means.loc[means.index.isin(printed.index)], printed[modalities])
    rows = []
    for user in sorted({*printed.index, *means.index}):
        pair = [table.loc[user, modalities] if user in table.index else None for table in (means, printed)]
        rows.append(
            {
                "user": user,
                "test_windows": [plain(windows.get(user)), plain(printed.test_windows.get(user))],
                "group": [group.get(user), plain(printed.group.get(user))],
                "rank_correlation": plain(correlation.get(user)),
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
        "scores": {"printed": PRINTED_SCORES, "run": {seed: _scores(counts) for seed, counts in test_counts.items()}},
    }


def _scores(counts: list[list[int]]) -> dict[str, float]:
    """Return the printed scores of a confusion matrix, and the right F1."""
    matrix = np.array(counts)
    accuracy = float(np.trace(matrix) / matrix.sum())
    return {"published_f1": published_f1(matrix), "accuracy": accuracy, "macro_f1": macro_f1(matrix)}
