"""The printed figures of the study, and our grouping of them."""

import json

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from lifelog.groups.clustering import assign_users, cluster
from lifelog.importance.vectors import Profiles
from lifelog.published import FOLDER, compare_published, printed_clusters, printed_users

MODALITIES = ["e4Acc", "e4Bvp", "e4Eda", "e4Hr", "e4Temp", "mAcc", "mGps", "mGyr", "mMag"]


def test_printed_figures_are_complete() -> None:
    users = printed_users()
    assert len(users) == 20 and users.test_windows.sum() == 11_745 and users.test_windows["101"] == 369
    # The weights of a window sum to one.
    assert ((users[MODALITIES].sum(axis=1) - 1).abs() < 1e-5).all()
    groups = sorted(sorted(own.index.str.slice(1).astype(int)) for _, own in users.groupby("group"))
    expected = [[1, 4, 5, 8, 10, 18, 20], [2, 3, 9, 15], [6, 11], [7, 13, 14, 16, 19], [12, 17]]
    assert groups == expected
    clusters = printed_clusters().set_index(["algorithm", "k"])
    assert clusters.silhouette["agglomerative", 3] == 0.153 and clusters.silhouette["agglomerative", 5] == 0.14


def test_the_published_groups_are_partly_recovered() -> None:
    """Only the mean per user is printed. With all windows of a user at that mean, our grouping of windows agrees with
    the printed groups by an adjusted Rand index of .36; the two algorithms of the study agree by .50.
    """
    users = printed_users()
    means = users[MODALITIES]
    windows = means.loc[means.index.repeat(users.test_windows // 8)]
    windows.index = pd.MultiIndex.from_arrays([windows.index, range(len(windows))], names=["user", "start"])
    labels = cluster(windows.to_numpy(), "agglomerative", [5], 0)[5]
    groups = assign_users(Profiles(windows, means, means * 0), labels, "windows")
    assert (groups.share == 1).all()
    assert adjusted_rand_score(users.group, groups.group) == pytest.approx(0.36, abs=0.01)
    printed = pd.read_csv(FOLDER / "per_user.csv")
    other = printed[[f"km5_c{i}" for i in range(5)]].to_numpy().argmax(axis=1)
    assert adjusted_rand_score(users.group, other) == pytest.approx(0.50, abs=0.01)


def test_own_and_printed_figures_are_compared() -> None:
    rows = []
    for user in ("101", "102", "x"):
        for minute in range(3):
            start = pd.Timestamp(minute * 60, unit="s", tz="UTC")
            rows += [(user, start, "test", 0, "attention", m, (i + 1) / 45) for i, m in enumerate(MODALITIES)]
    importance = pd.DataFrame(rows, columns=["user", "start", "subset", "seed", "measure", "modality", "importance"])
    groups = pd.DataFrame({"user": ["101", "102", "x"], "group": ["group 1", "group 2", "group 1"]})
    clusters = pd.DataFrame([("agglomerative", 3, 0.2, 1.0)], columns=["algorithm", "k", "silhouette", "entropy"])
    comparison = compare_published(importance, groups, clusters, {"0": [[1, 1], [0, 0]]})
    json.dumps(comparison, allow_nan=False)
    by_user = {row["user"]: row for row in comparison["users"]}
    assert by_user["101"]["test_windows"] == [3, 369] and by_user["x"]["test_windows"] == [3, None]
    assert by_user["101"]["importance"]["e4Eda"] == [pytest.approx(3 / 45), pytest.approx(37.80692796 / 369)]
    assert by_user["120"]["rank_correlation"] is None and -1 <= by_user["101"]["rank_correlation"] <= 1
    assert comparison["users_in_both"] == 2 and comparison["adjusted_rand_index"] == 1
    three = next(row for row in comparison["clusters"] if (row["algorithm"], row["k"]) == ("agglomerative", 3))
    assert (three["silhouette"], three["silhouette_printed"]) == (0.2, 0.153)
