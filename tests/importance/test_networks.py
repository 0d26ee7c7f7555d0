from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from lifelog.config import Config
from lifelog.importance.networks import explain, extract_importance
from lifelog.mil.bags import Bags
from lifelog.mil.network import BagOutput
from lifelog.settings.splits import RandomSplit
from lifelog.splits.assign import assign_splits, read_folds, read_split
from lifelog.tables import read_notes
from lifelog.windows.read import read_windows
from tests.mil.test_train import train


def test_importance_of_every_window_modality_and_measure(config: Config, tables: Path, tmp_path: Path) -> None:
    """Fold 0 describes the user by the network of the fold that tests a window; other folds by validation windows."""
    checkpoint = train(config, tables, tmp_path)
    paths = tables / "features/101.parquet", tables / "splits/101.parquet"
    extract_importance(*paths, [str(checkpoint)], tmp_path / "i.parquet", tmp_path / "d.parquet")
    table = pq.read_table(tmp_path / "i.parquet").to_pandas()
    folds = read_folds(paths[1])
    for fold, split in folds.items():
        own, wanted = table[table.fold == fold], "validation" if fold else "train"
        expected = split.start[split.subset == wanted]
        assert set(own.start) == set(expected) and set(own.subset) == {wanted}
        assert len(own) == len(expected) * len(config.modalities) * 2
    attention = table[(table.measure == "attention") & (table.fold == 0)]
    assert ((attention.groupby("start").value.sum() - 1).abs() < 1e-5).all()
    used = folds[0].subset.notna()
    missing = sum(int((values[:, 0, 0] != values[:, 0, 0])[used].sum()) for values in
                  read_windows(tables / "windows/101.parquet", config.modalities).values())  # fmt: skip
    assert attention.value.isna().sum() == missing
    curves = pq.read_table(tmp_path / "d.parquet").to_pandas()
    assert set(curves.order) == {"attention", "ablation", "random"} and set(curves.removed) == set(range(1, 9))
    assert curves.windows.max() == used.sum()
    assert read_notes(tmp_path / "i.parquet")["test_scores"]["0"]["accuracy"] >= 0


def test_in_a_split_with_one_fold_validation_and_test_windows_have_importance(
    config: Config, tables: Path, tmp_path: Path
) -> None:
    assign_splits(
        tables / "windows/101.parquet", config.target("tension"), RandomSplit(name="r"), tmp_path / "s.parquet"
    )
    checkpoint = train(config, tables, tmp_path, splits=tmp_path / "s.parquet")
    paths = tables / "features/101.parquet", tmp_path / "s.parquet"
    extract_importance(*paths, [str(checkpoint)], tmp_path / "i.parquet", tmp_path / "d.parquet")
    table = pq.read_table(tmp_path / "i.parquet").to_pandas()
    split = read_split(paths[1])
    assert set(table.fold) == {0} and set(table.subset) == {"validation", "test"}
    assert set(table.start) == set(split.start[split.subset.isin(["validation", "test"])])


class Additive:
    """A network whose evidence for the second class is the sum of known contributions of the present modalities."""

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
