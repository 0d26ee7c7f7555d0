from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from lifelog.groups.assignment import SchemeInputs, group_users, random_groupings
from lifelog.groups.clustering import cluster, entropy, score_groups
from lifelog.groups.read import described_groups, included_users, partition, read_groups, read_scores, ungrouped
from lifelog.groups.recovery import score_recovery
from lifelog.groups.tsne import embed_importance
from lifelog.importance import mixture
from lifelog.importance.mixture import evidence, fit_mixture
from lifelog.importance.reliability import score_importance
from lifelog.importance.table import IMPORTANCE, read_importance
from lifelog.importance.vectors import mean_errors, profiles, user_vectors, window_vectors
from lifelog.report.figures.groups import GroupTables, plot_cluster_scores
from lifelog.settings.groups import Groups, Tsne
from lifelog.settings.windows import Modality
from lifelog.splits.folds import Folds
from lifelog.tables import write_csv, write_table
from lifelog.windows.read import Features

MODALITIES = ["a", "b", "c"]
ALL = Groups(importance="attention", subsets=["train"], k_max=4)


def importance(seed: int = 0, windows: int = 20) -> pd.DataFrame:
    """Nine users of three types, each with one dominant modality; two training seeds; values sum to 1."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(9):
        concentration = np.full(3, 1.0)
        concentration[i % 3] = 12.0
        for w in range(windows):
            for s in range(2):
                for modality, value in zip(MODALITIES, rng.dirichlet(concentration), strict=True):
                    start = pd.Timestamp(60 * w, unit="s", tz="UTC")
                    rows.append((f"u{i}", start, "train" if w else "test", w // 4, s, "attention", modality, value))
    columns = ["user", "start", "subset", "block", "seed", "measure", "modality", "importance"]
    frame = pd.DataFrame(rows, columns=columns).assign(fold=np.nan)
    return pd.concat([frame, frame.assign(measure="ablation", importance=-frame.importance)], ignore_index=True)


@pytest.mark.parametrize(
    ("algorithm", "unit"),
    [("mixture", "users"), *((a, u) for a in ("kmeans", "agglomerative") for u in ("users", "windows"))],
)
@pytest.mark.parametrize("k", ["auto", 3])
def test_planted_groups_are_recovered(algorithm: str, unit: str, k: str | int) -> None:
    settings = ALL.model_copy(update={"algorithm": algorithm, "unit": unit, "k": k})
    table = importance()
    scores = score_groups(table, settings)
    assert scores.chosen.sum() == 1 and scores.k[scores.chosen].item() == 3
    groups = group_users("importance", table, settings, SchemeInputs(scores=scores))
    assert groups.fold.isna().all()
    truth = {"effect": 1.0, "users": {f"u{i}": {"group": i % 3, "modalities": [MODALITIES[i % 3]]} for i in range(9)}}
    recovery = score_recovery(table, groups, truth)
    assert recovery["adjusted_rand_index"] == 1
    assert recovery["planted_on_top"] == {"attention": 1.0, "ablation": 0.0}
    assert groups.certainty.between(0.8, 1).all()


def test_groups_use_only_the_configured_subsets() -> None:
    table = folded(importance())
    changed = table.copy()
    changed.loc[(changed.fold == 1) & (changed.subset == "test"), "importance"] = 5.0
    pd.testing.assert_frame_equal(group_users("importance", table, ALL), group_users("importance", changed, ALL))
    tables = (own[own.fold == 1] for own in (table, changed))
    pd.testing.assert_frame_equal(*(user_vectors(own, "attention", ["train"]) for own in tables))


# --- mixture ---------------------------------------------------------------------------------------------------------


def draws(sizes: tuple[int, ...], error: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users of several kinds, each with an own dominant dimension of four, with a known error."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.eye(4)[kinds] + error * rng.normal(size=(len(kinds), 4))
    return vectors, np.full(vectors.shape, error**2), kinds


@pytest.mark.parametrize("sizes", [(9,), (5, 4), (4, 4, 4), (6, 3, 1)])
@pytest.mark.parametrize("error", [0.05, 0.2])
def test_the_mixture_finds_the_number_of_groups_one_included(sizes: tuple[int, ...], error: float) -> None:
    vectors, errors, kinds = draws(sizes, error, 1)
    fits = {k: fit_mixture(vectors, errors, k, 0, 10) for k in range(1, 6)}
    best = min(fits, key=lambda k: fits[k].bic)
    assert best == len(sizes)
    assert adjusted_rand_score(kinds, fits[best].memberships.argmax(axis=1)) == 1
    np.testing.assert_allclose(fits[best].memberships.sum(axis=1), 1)


def test_more_than_one_group_needs_strong_evidence() -> None:
    for of_one, best in ((109.0, 1), (111.0, 2)):
        assert pd.Series(evidence({1: of_one, 2: 100.0, 3: 101.0})).idxmax() == best


def test_users_who_differ_in_strength_only_are_one_group() -> None:
    rng = np.random.default_rng(0)
    kinds, strengths = np.repeat([0, 1], 8), np.tile(np.linspace(0.5, 1.5, 8), 2)
    vectors = strengths[:, None] * np.array([[0.3, 0.2, 0, 0], [0, 0, 0.2, 0.3]])[kinds]
    vectors += 0.03 * rng.normal(size=vectors.shape)
    fits = {k: fit_mixture(vectors, np.full(vectors.shape, 0.03**2), k, 0, 10) for k in range(1, 6)}
    best = min(fits, key=lambda k: fits[k].bic)
    assert best == 2 and adjusted_rand_score(kinds, fits[2].memberships.argmax(axis=1)) == 1
    assert np.corrcoef(fits[2].shrunken.sum(axis=1), strengths)[0, 1] > 0.95  # strengths are not shrunk away


def test_users_of_a_kind_may_respond_with_one_modality_more_than_with_another() -> None:
    rng = np.random.default_rng(0)
    mean = np.r_[0.3, 0.3, np.zeros(5)]
    vectors = mean * rng.normal(1, 0.3, size=(16, 7)) + 0.02 * rng.normal(size=(16, 7))
    fits = {k: fit_mixture(vectors, np.full(vectors.shape, 0.02**2), k, 0, 10) for k in (1, 2, 3)}
    assert min(fits, key=lambda k: fits[k].bic) == 1
    np.testing.assert_allclose(fits[1].shrunken[:, :2], vectors[:, :2], atol=0.03)  # the differences are kept


def test_the_likelihood_of_the_mixture_is_the_largest_although_variances_are_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Variances approach zero slowly: without extrapolations, 0.07 nats were missing after 200 iterations."""
    vectors, errors, _ = draws((6, 6), 0.05, 1)
    found = fit_mixture(vectors, errors, 3, 0, 10).log_likelihood
    monkeypatch.setattr(mixture, "ROUNDS", 5000)
    monkeypatch.setattr(mixture, "TOLERANCE", 0.0)
    assert found == pytest.approx(fit_mixture(vectors, errors, 3, 0, 10).log_likelihood, abs=0.01)


def test_the_mixture_draws_users_with_large_errors_towards_their_group() -> None:
    vectors, errors, _ = draws((20,), 0.2, 0)
    fit = fit_mixture(vectors, errors, 1, 0, 1)
    raw, shrunken = ((own - np.eye(4)[0]) ** 2 for own in (vectors, fit.shrunken))
    assert shrunken.mean() < raw.mean() / 5  # true differences are 0
    assert (fit.variances < errors).all()
    sure = errors.copy()
    sure[0] = 1e-8
    np.testing.assert_allclose(fit_mixture(vectors, sure, 1, 0, 1).shrunken[0], vectors[0], atol=1e-3)


def test_the_likelihood_of_the_mixture_of_one_group_is_that_of_a_normal_distribution() -> None:
    vectors, errors, _ = draws((30,), 0.3, 3)
    fit = fit_mixture(vectors, errors * 1e-9, 1, 0, 1)  # without errors: means and variance of the sample
    expected = norm.logpdf(vectors, vectors.mean(axis=0), np.sqrt(vectors.var(axis=0).mean())).sum()
    assert expected - 0.01 < fit.log_likelihood < expected + 1  # strengths may explain a little more


def test_errors_are_those_of_means_of_dependent_windows() -> None:
    """Windows of a block are equal: the error is that of the mean of blocks, times a factor, and at least the least."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([["u", "v"], range(40)], names=["user", "start"])
    blocks = np.tile(np.arange(40) // 8, 2)
    windows = pd.DataFrame({"a": rng.normal(size=10).repeat(8)}, index=index)
    table = windows.reset_index().assign(
        block=blocks, modality="a", measure="shapley", error_factor=1, least_variance=0
    )
    of_blocks = windows.a.groupby(["user", blocks]).mean().groupby("user").agg(lambda x: x.var(ddof=1) / len(x))
    np.testing.assert_allclose(mean_errors(table, "shapley", windows).a, of_blocks)
    np.testing.assert_allclose(mean_errors(table.assign(error_factor=3), "shapley", windows).a, 3 * of_blocks)
    assert (mean_errors(table.assign(least_variance=9), "shapley", windows).a == 9).all()
    assert mean_errors(table.assign(block=0), "shapley", windows).isna().all(axis=None)


def test_errors_cover_the_difference_between_seeds() -> None:
    table = importance()
    more = table.copy()
    more.loc[more.seed == 1, "importance"] += 0.5
    assert (profiles(more, ALL).errors > profiles(table, ALL).errors).all(axis=None)


def test_groups_by_attention_are_a_control() -> None:
    table = importance()
    shapley = table[(table.measure == "attention") & (table.seed == 0)].assign(measure="shapley")
    noise = 0.1 * np.random.default_rng(0).normal(size=len(shapley))
    table = pd.concat([table, shapley.assign(importance=noise)])
    groups = group_users("attention", table, Groups(subsets=["train"], k_max=4))
    assert groups.group.nunique() == 3 and groups.certainty.min() > 0.9


def test_global_and_personal_groups() -> None:
    table = importance()
    assert set(group_users("global", table, ALL).group) == {"everyone"}
    personal = group_users("personal", table, ALL)
    assert (personal.group == personal.user).all()


def test_clusters_are_numbered_by_size() -> None:
    vectors = np.array([[0.0], [9], [9], [9], [0.1], [30]])
    assert cluster(vectors, "kmeans", [3], 0)[3].tolist() == [1, 0, 0, 0, 1, 2]


def test_missing_modalities_are_filled_with_the_mean_of_the_user_or_zero() -> None:
    table = importance(windows=3)
    table.loc[(table.user == "u0") & (table.modality == "a"), "importance"] = np.nan
    first = table.start == table.start.min()
    table.loc[(table.user == "u1") & (table.modality == "b") & first, "importance"] = np.nan
    vectors = window_vectors(table, "attention", ["train", "test"])
    assert (vectors.loc["u0", "a"] == 0).all()
    assert vectors.loc["u1", "b"].iloc[0] == pytest.approx(vectors.loc["u1", "b"].iloc[1:].mean())


def test_entropy_is_zero_for_one_modality_and_log_two_for_equal_halves() -> None:
    assert entropy(pd.DataFrame([[1.0, 0.0]])) == 0
    assert entropy(pd.DataFrame([[0.5, 0.5], [0.0, 1.0]])) == pytest.approx(np.log(2))


def test_agglomerative_equals_ward_of_scikit_learn() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 3))
    clusterings = cluster(vectors, "agglomerative", [2, 3, 7], 0)
    for k, labels in clusterings.items():
        assert adjusted_rand_score(AgglomerativeClustering(k).fit_predict(vectors), labels) == 1


def test_random_groups_have_the_same_sizes_and_different_members() -> None:
    table = folded(importance())
    groups = group_users("importance", table, ALL)
    settings = ALL.model_copy(update={"random": 5})
    random = group_users("random", table, settings, SchemeInputs(groups=groups))
    assert set(random.fold) == {1} and random.grouping.unique().tolist() == [1, 2, 3, 4, 5]
    tested = groups[groups.fold == 1]
    drawn = [own.set_index("user").group[tested.user] for _, own in random.groupby("grouping")]
    for grouping in drawn:
        assert grouping.value_counts().to_dict() == tested.group.value_counts().to_dict()
    assert len({partition(grouping) for grouping in [tested.group, *drawn]}) == 6
    again = group_users("random", table, settings.model_copy(update={"random": 2}), SchemeInputs(groups=groups))
    pd.testing.assert_frame_equal(again, random[random.grouping < 3], check_like=True)


def test_random_groupings_are_distinct_until_there_are_no_others() -> None:
    """Of four users, one can be alone in four ways, one of which is the importance groups."""
    labels = np.array([["a", "a", "b", "a"]], dtype=object)
    partitions = [partition(own[0]) for own in (labels, *random_groupings(labels, 4, 0))]
    assert len(set(partitions)) == len(partitions) == 4
    for sizes, count in (("aabb", 2), ("aabbcc", 14), ("abc", 0)):
        own = np.array([list(sizes)], dtype=object)
        found = {partition(drawn[0]) for drawn in random_groupings(own, 19, 1)} - {partition(own[0])}
        assert len(found) == count


def test_random_groupings_permute_users_in_the_same_way_in_all_folds() -> None:
    labels = np.array([list("aabbcc"), list("aabbcc"), list("aaabbb")], dtype=object)
    for drawn in random_groupings(labels, 30, 0):
        assert partition(drawn[0]) == partition(drawn[1]) and sorted(drawn[2]) == list("aaabbb")


def folded(table: pd.DataFrame, swapped: tuple[str, ...] = ()) -> pd.DataFrame:
    """The same importance of all windows and in fold 1, there with other modalities of some users."""
    other = table.assign(fold=1)
    swap = other.user.isin(swapped)
    other.loc[swap, "modality"] = other.modality[swap].map({"a": "b", "b": "a", "c": "c"})
    return pd.concat([table, other], ignore_index=True)


def test_groups_are_formed_anew_in_every_fold(tmp_path: Path) -> None:
    table = folded(importance(), ("u0", "u1"))
    groups = group_users("importance", table, ALL, SchemeInputs(scores=score_groups(table, ALL)))
    first = described_groups(groups).set_index("user").group
    second = groups[groups.fold == 1].set_index("user").group
    assert first["u0"] == first["u3"] != first["u4"] and second["u0"] == second["u4"] != second["u3"]
    random = group_users("random", table, ALL.model_copy(update={"random": 3}), SchemeInputs(groups=groups))
    assert set(random.fold) == {1}  # all windows together are not tested
    write_csv(groups, tmp_path / "groups.csv")
    pd.testing.assert_frame_equal(read_groups(tmp_path / "groups.csv"), groups, check_dtype=False)


def test_a_user_who_is_not_tested_in_a_fold_is_grouped_by_all_windows() -> None:
    table = folded(importance(), ("u0", "u1"))
    table = table[~((table.fold == 1) & (table.user == "u8"))]
    last = group_users("importance", table, ALL).set_index(["fold", "user"]).group[1]
    assert len(last) == 9 and last["u8"] == last["u2"] == last["u5"]  # with those of its kind
    personal = group_users("personal", table).set_index(["fold", "user"]).group[1]
    assert (personal == personal.index).all()


def test_a_user_without_networks_is_in_a_group_by_attention_too() -> None:
    table = importance()
    groups = group_users("importance", table, ALL)
    by_attention = group_users("attention", table[table.user != "u8"], ALL, SchemeInputs(groups=groups))
    assert by_attention.user.tolist() == groups.user.tolist() and by_attention.group.nunique() == 3


def test_groups_by_class_shares_join_users_with_similar_labels() -> None:
    table, folds = importance(), []
    for i in range(9):
        count = 20
        frame = pd.DataFrame(
            {"user": [f"u{i}"] * count, "session": "s", "start": pd.to_datetime(range(count), unit="s", utc=True)}
        )
        frame = frame.assign(
            level="1", label=["x" if w < 2 + 7 * (i // 3) else "y" for w in range(count)], answer=0, block=0
        )
        folds.append(Folds(frame.assign(subset="train", reason=None), {}, ["x", "y"]))
    groups = group_users("importance", table, ALL)
    shares = group_users("class-shares", table, ALL, SchemeInputs(groups=groups, folds=folds))
    assert adjusted_rand_score([i // 3 for i in range(9)], shares.group) == 1
    everyone = ungrouped(included_users(folds), "global")
    assert everyone.user.tolist() == [f"u{i}" for i in range(9)]


def features_of(table: pd.DataFrame, summary: np.ndarray) -> Features:
    """Features of the windows of an importance table, in one modality."""
    rows = table[["user", "start"]].drop_duplicates().reset_index(drop=True)
    names = [f"s.x.{i}" for i in range(summary.shape[1])]
    return Features(rows, names, summary[: len(rows)], {}, [Modality(name="s", kind="scalar", columns=["x"])])


def test_raw_groups_are_computed_from_features_and_equal_in_number() -> None:
    table = importance()
    groups = group_users("importance", table, ALL)
    rng = np.random.default_rng(0)
    own = [table[table.user == f"u{i}"] for i in range(9)]
    # Raw features group consecutive users, importance every third user.
    features = [features_of(rows, i // 3 + 0.01 * rng.normal(size=(20, 1))) for i, rows in enumerate(own)]
    raw = group_users("raw", table, ALL, SchemeInputs(groups=groups, features=features))
    assert raw.group.nunique() == groups.group.nunique() == 3
    assert raw.groupby("group").user.apply(list).tolist() == [
        ["u0", "u1", "u2"],
        ["u3", "u4", "u5"],
        ["u6", "u7", "u8"],
    ]


def test_stability_is_high_for_planted_groups_and_low_without_groups() -> None:
    planted = score_groups(importance(), ALL)
    table = importance()
    rng = np.random.default_rng(0)
    nothing = score_groups(table.assign(importance=rng.random(len(table))), ALL)
    assert planted.stability[planted.k == 3].min() == 1
    assert nothing.stability[nothing.k > 1].max() < 0.7


def test_unstable_importance_is_distinguished_from_stable() -> None:
    table = importance()
    deletion = pd.DataFrame(
        [(f"u{i}", 0, o, k, 5, decrease * k) for i in range(9) for k in (1, 2)
         for o, decrease in (("attention", 0.3), ("ablation", 0.5), ("random", 0.2))],
        columns=["user", "seed", "order", "removed", "windows", "decrease"],
    )  # fmt: skip
    permuted = table.copy()
    own = (permuted.user == "u4") & (permuted.seed == 1)
    permuted.loc[own, "modality"] = permuted.modality[own].map({"a": "b", "b": "c", "c": "a"})
    scores = score_importance(permuted, deletion, ALL).set_index("user")
    assert not scores.stable["u4"] and scores.seeds_attention["u4"] < 0.5
    assert scores.stable[[f"u{i}" for i in (0, 3, 6)]].all()
    assert (scores.agreement[["u0", "u1"]] == -1).all()  # the ablation of the fixture is the negative attention
    np.testing.assert_allclose(scores.aopcr_attention, 0.15)
    np.testing.assert_allclose(scores.aopcr_ablation, 0.45)
    lacking = table[~((table.user == "u0") & table.modality.isin(["b", "c"]))]
    assert np.isnan(score_importance(lacking, deletion, ALL).set_index("user").seeds_attention["u0"])
    one_seed = score_importance(table[table.seed == 0], deletion, ALL)
    assert one_seed.stable.all() and one_seed.seeds_attention.isna().all()


def test_too_many_groups_raise_an_error_with_the_allowed_range() -> None:
    with pytest.raises(ValueError, match=r"groups.k: 7 groups of 9 usable users; allowed: 1 to 4"):
        score_groups(importance(), ALL.model_copy(update={"k": 7}))


def test_no_usable_user_raises_an_error_with_the_reason_of_each(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{user}.parquet") for user in ("a", "b")]
    for path, reason in zip(paths, ("too few windows", "one class only"), strict=True):
        write_table(IMPORTANCE.empty_table(), path, IMPORTANCE, {"excluded": reason})
    with pytest.raises(ValueError, match="no user has importance: user a: too few windows; user b: one class only"):
        read_importance(paths)


def test_two_users_form_one_group(tmp_path: Path) -> None:
    table = importance()
    table = table[table.user.isin(["u0", "u1"])]
    write_csv(score_groups(table, ALL), tmp_path / "scores.csv")
    scores = read_scores(tmp_path / "scores.csv")
    plot_cluster_scores(GroupTables(scores, "", scores, scores, scores))
    groups = group_users("importance", table, ALL, SchemeInputs(scores=scores))
    assert scores.k.tolist() == [1] and set(groups.group) == {"group 1"}


def test_identical_windows_are_embedded_as_one_point() -> None:
    identical = importance().assign(importance=1.0)
    points = embed_importance(identical, [features_of(identical, np.full((180, 1), 2.0))], Tsne())
    assert (points[["x", "y"]] == 0).all(axis=None) and set(points.space) == {"importance", "raw"}


def test_a_sample_of_many_windows_is_embedded() -> None:
    table = importance()
    features = features_of(table, np.random.default_rng(0).normal(size=(180, 2)))
    points = embed_importance(table, [features], Tsne(windows=12, perplexity=2))
    spaces = [own[["user", "start"]].reset_index(drop=True) for _, own in points.groupby("space")]
    pd.testing.assert_frame_equal(*spaces)
    assert len(spaces[0]) == 12 < len(features.rows)
    assert set(map(tuple, spaces[0].to_numpy())) <= set(map(tuple, features.rows.to_numpy()))
