"""Learning curves: a left-out user must not influence models, groups or settings, except by the labelled windows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import lifelog.evaluate.learning_curve as curves
from lifelog.evaluate.learning_curve import learning_curve, summarise_curve
from lifelog.predict.samples import Samples
from lifelog.settings.compare import Compare, LearningCurve
from lifelog.settings.groups import Scoring
from lifelog.settings.predict import Lda
from lifelog.settings.windows import Modality

MODALITIES = [Modality(name=name, kind="scalar", columns=["x"]) for name in ("a", "b")]
WINDOWS = 60
CURVE = LearningCurve(windows=[0, 10, 20, 40])


def cohort(kinds: str, seed: int = 0) -> tuple[Samples, dict[str, np.ndarray], pd.DataFrame]:
    """Users whose class is carried by one of two modalities, or by the other one with an opposite sign."""
    rng = np.random.default_rng(seed)
    users = np.repeat([f"u{i:02d}" for i in range(len(kinds))], WINDOWS).astype(object)
    truth = rng.integers(0, 2, len(users))
    summary = rng.normal(size=(len(users), 4))
    values = []
    for i, kind in enumerate(kinds):
        own = slice(i * WINDOWS, (i + 1) * WINDOWS)
        column = {"a": 0, "b": 2, "o": 0}[kind]
        summary[own, column] += (-3.0 if kind == "o" else 3.0) * truth[own]
        for w in range(WINDOWS):
            for name in "ab":
                value = 0.4 * ((kind == "b") == (name == "b")) + 0.02 * rng.normal()
                values.append(
                    (f"u{i:02d}", pd.Timestamp(60 * w, unit="s", tz="UTC"), "train", w // 5, 0, "value", name, value)
                )
    columns = ["user", "start", "subset", "block", "seed", "measure", "modality", "value"]
    minutes = np.tile(np.arange(WINDOWS), len(kinds))
    texts = np.full(len(users), "train", dtype=object)
    starts = minutes.astype("datetime64[m]").astype("datetime64[s]")
    names = ["a.x", "a.y", "b.x", "b.y"]
    keys = users, texts, texts, starts, minutes, minutes
    samples = Samples(
        *keys, truth, truth * np.nan, summary.astype(np.float32), {}, None, names, MODALITIES, ["lo", "hi"]
    )
    blocks = {user: np.arange(WINDOWS) // 5 for user in dict.fromkeys(users)}
    return samples, blocks, pd.DataFrame(values, columns=columns).assign(fold=0)


def curve_of(samples: Samples, blocks: dict, importance: pd.DataFrame) -> pd.DataFrame:
    return learning_curve(samples, blocks, importance, CURVE, Lda(), Scoring(k_max=4), Value())


def test_groups_are_found_with_few_windows_and_beat_one_model() -> None:
    curve = curve_of(*cohort("aaaaabbbbb"))
    assert set(curve.own) == {0, 10, 20, 40} and (curve.windows == 19).all()  # a gap of two minutes
    means = curve.groupby(["strategy", "own"]).auroc.mean()
    assert means["groups", 20] > 0.95 and means["global", 0] > 0.7
    assert {strategy for strategy, own in means.index if own == 0} == {
        "global",
        "pooled",
    }  # the others need labelled windows
    assert means["personal", 40] > means["personal", 10]


def test_personal_models_overtake_one_model_only_if_users_differ() -> None:
    for kinds, reached in (("aoaoaoaoao", True), ("aaaaaaaaaa", False)):
        summary = summarise_curve(curve_of(*cohort(kinds)), Compare())
        crossing = summary["crossing"][0]
        assert (crossing is not None and crossing <= 20) == reached
        assert ("Personal models reach" in summary["sentence"]) == (crossing is not None)
        assert summary["points"][0] | {"strategy": "global", "own": 0, "users": 10} == summary["points"][0]


def test_users_are_left_out_together_in_a_large_cohort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, and no model or group of the others holds any of them."""
    rests = []
    init = curves._Others.__init__

    def spy(self: Any, others: dict, groups: list, *rest: Any) -> None:
        assert {name for _, members in groups for name in members} == set(others)
        rests.append(set(others))
        init(self, others, groups, *rest)

    monkeypatch.setattr(curves, "PARTS", 3)
    monkeypatch.setattr(curves._Others, "__init__", spy)
    curve = curve_of(*cohort("aaaaabbbbb"))
    everyone = {f"u{i:02d}" for i in range(10)}
    left_out = [everyone - rest for rest in rests]
    assert sorted(map(len, left_out)) == [3, 3, 4] and set.union(*left_out) == everyone
    assert set(curve.user) == everyone


@pytest.mark.parametrize("part", ["labels", "value"])
def test_nothing_of_a_left_out_user_but_the_labelled_windows_is_used(part: str) -> None:
    """Other labels after the tested ones were cut off, or another importance, change no prediction of this user."""
    samples, blocks, importance = cohort("aaabbb")
    before = curve_of(samples, blocks, importance)
    own = samples.users == "u00"
    if part == "labels":
        # Between the labelled windows of 20 and those of 40: only the last point may change.
        rows = np.flatnonzero(own)[20:40]
        samples.truth[rows] = 1 - samples.truth[rows]
    else:
        importance.loc[importance.user == "u00", "value"] = -importance.value
    after = curve_of(samples, blocks, importance)
    early = [table[(table.user == "u00") & (table.own <= 20)].reset_index(drop=True) for table in (before, after)]
    pd.testing.assert_frame_equal(*early)
    if part == "labels":
        assert not before[before.user == "u00"].equals(after[after.user == "u00"])
        assert not before[before.user != "u00"].equals(after[after.user != "u00"])


def test_too_few_users_or_windows_have_no_curve() -> None:
    samples, blocks, importance = cohort("ab")
    summary = summarise_curve(curve_of(samples, blocks, importance), Compare())
    assert summary["points"] == [] and "Too few" in summary["sentence"]


def test_all_points_are_of_the_same_users() -> None:
    """Users with more windows gain more: the curve must not show that as an effect of windows."""
    rows = []
    for i in range(14):
        for own in (5, 10, 20, 40, 80, 160)[: 4 if i < 7 else 6]:
            rows += [
                (f"u{i}", strategy, own, gain)
                for strategy, gain in (("global", 0.5), ("personal", 0.4 if i < 7 else 0.58))
            ]
    summary = summarise_curve(pd.DataFrame(rows, columns=["user", "strategy", "own", "macro_f1"]), Compare())
    assert {point["users"] for point in summary["points"]} == {7} and summary["crossing"] == [5, 5, 5]


def test_windows_that_overlap_the_labelled_ones_are_not_tested() -> None:
    samples, blocks, importance = cohort("aabb")
    samples.minutes[:] = 5 * np.tile(np.arange(WINDOWS), 4)
    curve = learning_curve(samples, blocks, importance, CURVE, Lda(), Scoring(k_max=4), Value(), gap=11)
    assert (curve.windows == 18).all()  # the windows 5 and 10 minutes after the last labelled one are not
