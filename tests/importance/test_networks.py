import numpy as np
import pytest
import torch

from lifelog.config import Config
from lifelog.importance.networks import Explained, explain, explain_networks
from lifelog.importance.vectors import describing
from lifelog.mil.bags import Bags
from lifelog.mil.network import BagOutput
from lifelog.predict.samples import Person
from lifelog.settings.splits import RandomSplit
from lifelog.splits.assign import assign_splits
from lifelog.windows.read import read_labels, read_windows
from tests.mil.test_train import QUICK, bags_of, train


def explained(config: Config, person: Person) -> Explained:
    return explain_networks(bags_of(config, person, QUICK), person.folds, train(config, person))


def test_importance_of_every_window_modality_and_measure(config: Config, people: dict[str, Person]) -> None:
    """The network of a fold explains the windows that it was not trained on; test windows describe the user."""
    person = people["101"]
    folds, (table, curves, notes) = person.folds, explained(config, person)
    assert set(table.fold) == set(folds.tested) == {1, 2, 3}
    for fold, split in folds.numbered.items():
        own, seen = table[table.fold == fold], split[split.subset.isin(["validation", "test"])]
        assert own.groupby("start").subset.unique().map(list).to_dict() == {
            start: [subset] for start, subset in zip(seen.start, seen.subset, strict=True)
        }
        assert len(own) == len(seen) * len(config.modalities) * 2
    used, described = folds.described.subset.notna(), describing(table)
    assert set(described.start) == set(folds.described.start[used]) and described.fold.isna().all()
    assert len(described) == used.sum() * len(config.modalities) * 2
    attention = described[described.measure == "attention"]
    assert ((attention.groupby("start").importance.sum() - 1).abs() < 1e-5).all()
    windows = read_windows(person.windows, config.modalities).values()
    assert attention.importance.isna().sum() == sum(int(np.isnan(values[used, 0, 0]).sum()) for values in windows)
    assert set(curves.order) == {"attention", "ablation", "random"} and set(curves.removed) == set(range(1, 9))
    assert curves.windows.max() == used.sum()
    counts = folds.described.label[used].value_counts()
    assert np.sum(notes["test_counts"]["0"], axis=1).tolist() == [counts[name] for name in folds.classes]


def test_in_a_split_with_one_fold_validation_and_test_windows_have_importance(
    config: Config, people: dict[str, Person]
) -> None:
    person = people["101"]
    folds = assign_splits(read_labels(person.windows), config.target("tension"), RandomSplit(name="r"))
    table, split = explained(config, person._replace(folds=folds)).importance, folds.fold(1)
    assert set(table.fold) == {1} and set(table.subset) == {"validation", "test"}
    assert set(table.start) == set(split.start[split.subset.isin(["validation", "test"])])
    assert set(describing(table).start) == set(split.start[split.subset == "test"])


class Additive:
    """A network whose evidence for the second class is the sum of known contributions of the present modalities."""

    names = ("x", "y", "z")

    def __init__(self, contributions: list[float], attention: list[float]) -> None:
        self.contributions, self.weights = torch.tensor(contributions), torch.tensor(attention)

    def encode(self, values: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.zeros(len(values["a"]), len(self.contributions), 1)

    def classify(self, z: torch.Tensor, present: torch.Tensor) -> BagOutput:
        evidence = (self.contributions * present).sum(dim=1)
        scores = torch.log_softmax(torch.stack([torch.zeros_like(evidence), evidence], dim=1), dim=1)
        return BagOutput(scores, self.weights * present, scores[:, None])


@pytest.mark.parametrize("truth", [0, 1])
def test_deletion_distinguishes_a_faithful_order_from_a_reversed_one(truth: int) -> None:
    """The predicted class is 1; orders are those of the predicted class, whatever the true one is."""
    classes = torch.full((4,), truth)
    bags = Bags({"a": torch.zeros(4, 1, 1)}, torch.ones(4, 3, dtype=torch.bool), classes)
    bags.present[3, 0] = False
    decreases = {}
    for name, attention in (("faithful", [0.7, 0.2, 0.1]), ("reversed", [0.1, 0.2, 0.7])):
        explained = explain(Additive([3.0, 1.0, 0.5], attention), bags, seed=0)
        decreases[name] = explained.deletion
    faithful, reversed_ = decreases["faithful"], decreases["reversed"]
    np.testing.assert_allclose(faithful["attention"], faithful["ablation"])
    assert (faithful["attention"][:3, 0] > faithful["random"][:3, 0]).all()
    assert (reversed_["attention"][:3, 0] < reversed_["random"][:3, 0]).all()
    # One window lacks a modality: only one can be removed before none is left.
    assert np.isnan(faithful["attention"][3]).tolist() == [False, True]
    # Computed by hand: without the first modality, the evidence for the second class is 1.5 instead of 4.5.
    decrease = np.log1p(np.exp(-1.5)) - np.log1p(np.exp(-4.5))
    assert faithful["attention"][0, 0] == np.float32(decrease) or np.isclose(
        faithful["attention"][0, 0], decrease, rtol=1e-4
    )
