"""Learning curves: a left-out user must not influence models, groups or settings, except by the labelled windows."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lifelog.evaluate.learning_curve as curves
from lifelog.evaluate.learning_curve import learning_curve, summarise_curve
from lifelog.predict.predictors.lda import Lda
from lifelog.predict.samples import Samples
from lifelog.settings.compare import Compare, LearningCurve
from lifelog.settings.groups import Scoring
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality

MODALITIES = [Modality(name=name, kind="scalar", columns=["x"]) for name in ("a", "b")]
WINDOWS = 60
TARGET = Target.model_validate({"name": "t", "column": "c", "bins": {"lo": [0], "hi": [1]}})
CURVE = LearningCurve(answers=[0, 10, 20, 40])


def cohort(kinds: str, seed: int = 0) -> tuple[Samples, pd.DataFrame]:
    """Users whose class is carried by one of two modalities, or by the other one with an opposite sign."""
    rng = np.random.default_rng(seed)
    names = [f"u{i:02d}" for i in range(len(kinds))]
    minute = np.tile(np.arange(WINDOWS), len(kinds))
    rows = pd.DataFrame({"user": np.repeat(names, WINDOWS), "minute": minute, "elapsed": minute, "block": minute // 5})
    rows = rows.assign(session="s", subset="train", start=pd.to_datetime(60 * minute, unit="s", utc=True))
    rows = rows.assign(truth=rng.integers(0, 2, len(rows)), rating=np.nan, answer=minute)
    summary = rng.normal(size=(len(rows), 4))
    tables = []
    for i, kind in enumerate(kinds):
        own = slice(i * WINDOWS, (i + 1) * WINDOWS)
        column = {"a": 0, "b": 2, "o": 0}[kind]
        effect = (-2.0 if kind == "o" else 2.0) * rows.truth[own].to_numpy()
        summary[own, column : column + 2] += effect[:, None]
        noise = rng.normal(size=(WINDOWS, 2))
        for m, name in enumerate("ab"):
            values = 0.4 * ((kind == "b") == (name == "b")) + 0.02 * noise[:, m]
            tables.append(rows[own][["user", "start", "subset", "block"]].assign(modality=name, importance=values))
    samples = Samples(
        rows, summary.astype(np.float32), {}, None, ["a.x", "a.y", "b.x", "b.y"], MODALITIES, ["lo", "hi"]
    )
    return samples, pd.concat(tables, ignore_index=True).assign(fold=np.nan, seed=0, measure="shapley")


def curve_of(samples: Samples, importance: pd.DataFrame, gap: float = 2) -> pd.DataFrame:
    return learning_curve(samples, importance, CURVE, Lda(), Scoring(k_max=4), TARGET, gap=gap)


def test_relative_classes_of_a_left_out_user_come_from_the_answers_before_the_first_tested_one() -> None:
    samples, importance = cohort("aaabbb")
    relative = Target.model_validate(
        {"name": "t", "column": "c", "bins": {"lo": "0..50", "hi": "50..100"}, "relative": "user"}
    )
    curves = []
    for level in (samples.rows.truth, np.where(samples.rows.minute < WINDOWS // 2, samples.rows.truth, 1)):
        given = replace(samples, rows=samples.rows.assign(level=np.asarray(level, dtype=float) + 3))
        curves.append(learning_curve(given, importance, CURVE, Lda(), Scoring(k_max=4), relative))
    plain = curve_of(samples, importance)
    assert curves[0].auroc.equals(plain.auroc)  # with two answers, the cut lies between them
    assert set(curves[1].answers) == set(plain.answers) and curves[1].auroc.isna().all()  # one answer in later windows


def test_groups_are_found_with_few_windows_and_beat_one_model() -> None:
    curve = curve_of(*cohort("aaaaabbbbb"))
    assert set(curve.answers) == {0, 10, 20, 40} and (curve.windows == 19).all()  # a gap of two minutes
    means = curve.groupby(["strategy", "answers"]).auroc.mean()
    # A group is found by windows without answers, where features move together, and surely with ten.
    assert means["groups", 0] > means["global", 0] > 0.7 and means["groups", 10] > 0.95
    assert {strategy for strategy, answers in means.index if answers == 0} == {"unseen", "global", "pooled", "groups"}
    sentence = summarise_curve(curve, Compare())["sentence"]
    assert re.match(
        r"Without answers, one model of the other participants has a macro-F1 of 0\.\d\d \(.*, "
        r"and the model of the best-fitting group 0\.\d\d\.",
        sentence,
    )
    assert means["personal", 40] > means["personal", 10]


def test_windows_without_answers_are_enough_to_scale_features() -> None:
    """Users whose levels differ: what the first answers seem to bring, their windows bring without them."""
    samples, importance = cohort("aaaaaaaa")
    levels = np.random.default_rng(1).normal(size=(8, 4)) * 20
    samples.summary += np.repeat(levels, WINDOWS, axis=0).astype(np.float32)
    means = curve_of(samples, importance).groupby(["strategy", "answers"]).macro_f1.mean()
    assert means["unseen", 0] < 0.6 and means["global", 0] > 0.85
    assert means["global", 40] - means["global", 0] < 0.05


def test_numbers_are_those_of_answers() -> None:
    samples, importance = cohort("aaaaaabb")
    samples.rows["answer"] //= 2
    samples.rows["truth"] = samples.rows.groupby(["user", "answer"]).truth.transform("first")
    curve = curve_of(samples, importance)
    assert curve.groupby("answers").labelled.first().to_dict() == {0: 0, 10: 20, 20: 40}


def test_personal_models_match_one_model_only_if_users_differ() -> None:
    for kinds, reached in (("aoaoaoaoao", True), ("aaaaaaaaaa", False)):
        summary = summarise_curve(curve_of(*cohort(kinds)), Compare(margin=0.01))
        assert (summary["matches"] is not None and summary["matches"] <= 20) == reached
        assert ("models match one model from" in summary["sentence"]) == (summary["matches"] is not None)
        point = {"strategy": "unseen", "answers": 0, "labelled": 0, "users": 10}
        assert summary["points"][0] | point == summary["points"][0]


def test_without_any_effect_nothing_is_matched() -> None:
    matches = []
    for seed in range(8):
        samples, importance = cohort("aaaaaaaa", seed)
        noise = np.random.default_rng(seed).normal(size=samples.summary.shape).astype(np.float32)
        matches.append(summarise_curve(curve_of(replace(samples, summary=noise), importance), Compare())["matches"])
    assert sum(match is not None for match in matches) <= 1


def test_users_are_left_out_together_in_a_large_cohort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, and no model or group of the others holds any of them."""
    rests = []
    init = curves._Others.__init__

    def spy(self: Any, others: dict, groups: list, *rest: Any) -> None:
        assert {name for members in groups for name in members} == set(others)
        rests.append(set(others))
        init(self, others, groups, *rest)

    monkeypatch.setattr(curves, "PARTS", 3)
    monkeypatch.setattr(curves._Others, "__init__", spy)
    curve = curve_of(*cohort("aaaaabbbbb"))
    everyone = {f"u{i:02d}" for i in range(10)}
    left_out = [everyone - rest for rest in rests]
    assert sorted(map(len, left_out)) == [3, 3, 4] and set.union(*left_out) == everyone
    assert set(curve.user) == everyone


@pytest.mark.parametrize("part", ["labels", "importance"])
def test_nothing_of_a_left_out_user_but_the_labelled_windows_is_used(part: str) -> None:
    """Other labels after the tested ones were cut off, or another importance, change no prediction of this user."""
    samples, importance = cohort("aaabbb")
    before = curve_of(samples, importance)
    own = samples.rows.user == "u00"
    if part == "labels":
        # Between the labelled windows of 20 and those of 40: only the last point may change.
        rows = np.flatnonzero(own)[20:40]
        samples.rows.loc[rows, "truth"] = 1 - samples.rows.truth[rows]
    else:
        importance.loc[importance.user == "u00", "importance"] *= -1
    after = curve_of(replace(samples), importance)  # without the cached labels
    early = [table[(table.user == "u00") & (table.answers <= 20)].reset_index(drop=True) for table in (before, after)]
    pd.testing.assert_frame_equal(*early)
    if part == "labels":
        assert not before[before.user == "u00"].equals(after[after.user == "u00"])
        assert not before[before.user != "u00"].equals(after[after.user != "u00"])


def test_too_few_users_or_windows_have_no_curve() -> None:
    summary = summarise_curve(curve_of(*cohort("ab")), Compare())
    assert summary["points"] == [] and "Too few" in summary["sentence"]


def test_all_points_are_of_the_same_users() -> None:
    """Users with more windows gain more: the curve must not show that as an effect of windows."""
    rows = []
    for i in range(14):
        scores = {"global": 0.5, "personal": (0.4 if i < 7 else 0.58) + 0.001 * i}
        for answers in (5, 10, 20, 40, 80, 160)[: 4 if i < 7 else 6]:
            rows += [(f"u{i}", strategy, answers, answers, score, score) for strategy, score in scores.items()]
    names = ["user", "strategy", "answers", "labelled", "macro_f1", "auroc"]
    summary = summarise_curve(pd.DataFrame(rows, columns=names), Compare())
    assert {point["users"] for point in summary["points"]} == {7} and summary["matches"] == 5


def test_windows_that_overlap_the_labelled_ones_are_not_tested() -> None:
    samples, importance = cohort("aabb")
    samples.rows["minute"] *= 5
    curve = curve_of(samples, importance, gap=11)
    assert (curve.windows == 18).all()  # the windows 5 and 10 minutes after the last labelled one are not
