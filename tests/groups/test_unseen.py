import numpy as np
import pandas as pd
import pytest

from lifelog.groups.unseen import fit_group, group_unseen, place_person
from lifelog.settings.groups import Scoring
from lifelog.settings.splits import ParticipantsSplit, Target
from lifelog.splits.assign import assign_splits
from lifelog.splits.folds import Folds
from lifelog.splits.subsets import unseen_folds
from lifelog.validation.cohorts import SECONDS, simulated
from lifelog.validation.scenarios import Scenario
from lifelog.windows.features import extract_features
from lifelog.windows.read import Features

TARGET = Target(name="label", column="label", bins={"low": [0], "middle": [1], "high": [2]})


def members_of(kind: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Three people with two modalities of two features; the label moves both features of one modality."""
    people = []
    for _ in range(3):
        truth, x = rng.integers(0, 2, 60), rng.normal(size=(60, 4))
        x[:, 2 * kind : 2 * kind + 2] += 3 * truth[:, None]
        people.append(((x - x.mean(axis=0)) / x.std(axis=0), truth))
    return people


def test_windows_without_labels_are_placed_in_the_group_whose_discriminant_separates_them() -> None:
    rng = np.random.default_rng(1)
    kinds = [members_of(0, rng), members_of(1, rng)]
    groups = [fit_group(members[1:], 2, 0.5) for members in kinds]
    assert [place_person(members[0][0], groups) for members in kinds] == [0, 1]


def test_labels_decide_between_groups_that_respond_in_opposite_directions() -> None:
    rng = np.random.default_rng(2)
    members = members_of(0, rng)
    groups = [fit_group(members[1:], 2, 0.5), fit_group([(-x, truth) for x, truth in members[1:]], 2, 0.5)]
    x, truth = members[0]
    assert place_person(x, groups, truth[:5]) == 0 and place_person(-x, groups, truth[:5]) == 1


@pytest.fixture(scope="module")
def cohort() -> tuple[list[Features], list[Folds], pd.DataFrame, dict[str, int]]:
    """Twelve people of four kinds, their folds, and their true importance."""
    split, people = ParticipantsSplit(name="new", folds=4), simulated(Scenario((3, 3, 3, 3)), 3)
    parts = unseen_folds([who.name for who in people], split)
    features, folds, tables = [], [], list[pd.DataFrame]()
    for who in people:
        features.append(extract_features([who.sensors], who.labels, who.modalities, SECONDS))
        folds.append(assign_splits(who.labels, TARGET, split, SECONDS, unseen=parts[who.name]))
        rows = folds[-1].described
        for modality in who.modalities:
            value = 0.2 * (modality.name in who.planted)
            keys = dict(fold=np.nan, subset="train", seed=0, measure="shapley", modality=modality.name)
            noise = 0.01 * np.random.default_rng(len(tables)).normal(size=len(rows))
            tables.append(rows[["user", "start", "block"]].assign(importance=value + noise, **keys))
    return features, folds, pd.concat(tables, ignore_index=True), {who.name: who.kind for who in people}


def test_tested_participants_are_in_the_group_of_their_kind_without_their_labels(cohort: tuple) -> None:
    features, folds, importance, kinds = cohort
    groups = group_unseen(importance, Scoring(), features, folds, 0.5)
    assert len(groups) == 4 * 12 and groups.grouping.eq(1).all()
    for fold, rows in groups.groupby("fold"):
        of_kind = rows.user.map(kinds)
        assert rows.group.nunique() == 4 and len({*zip(of_kind, rows.group, strict=True)}) == 4, fold
    permuted = []  # labels of tested participants change nothing in their fold
    for split in folds:
        first = split.tested == [1]
        labels = split.described.label.to_numpy()[::-1] if first else split.described.label
        permuted.append(Folds(split.described.assign(label=labels), split.numbered, split.classes))
    again = group_unseen(importance, Scoring(), features, permuted, 0.5)
    pd.testing.assert_frame_equal(groups[groups.fold == 1], again[again.fold == 1])


def test_without_importance_of_others_there_is_one_group(cohort: tuple) -> None:
    features, folds, importance, _ = cohort
    users = [split.user for split in folds if split.tested == [1]]
    groups = group_unseen(importance[importance.user.isin(users)], Scoring(), features, folds, 0.5)
    assert groups[groups.fold == 1].group.nunique() == 1 and len(groups) == 4 * 12
