from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from lifelog.config import Config
from lifelog.mil.bags import Bags, fit_scalings, read_bags, standardise_bags
from lifelog.mil.loss import validation_score
from lifelog.mil.train import exclusion_of, load_members, load_mil, train_mil
from lifelog.settings.mil import Mil
from lifelog.splits.assign import folds_tested, read_folds
from lifelog.windows.read import is_summary
from tests.mil.test_fit import toy

QUICK = Mil(epochs=3, patience=3, batch_size=8)


def test_scaling_is_fitted_on_present_values_and_sets_missing_ones_to_zero() -> None:
    bags = toy(10, 0)
    bags.present[0, 0] = False
    bags.values["signal"][0] = torch.nan
    scaled = standardise_bags(bags, fit_scalings(bags, "user"))
    assert (scaled.values["signal"][0] == 0).all()
    known = scaled.values["signal"][1:]
    torch.testing.assert_close(known.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(known.std(correction=0), torch.tensor(1.0), atol=1e-5, rtol=0)
    constant = Bags({"signal": torch.full((4, 60, 1), 5.0)}, torch.ones(4, 1, dtype=torch.bool), torch.zeros(4))
    assert (standardise_bags(constant, fit_scalings(constant, "user")).values["signal"] == 0).all()


def train(
    config: Config, tables: Path, out: Path, user: str = "101", splits: Path | None = None, **mil: object
) -> Path:
    checkpoint = out / f"{user}.safetensors"
    settings = QUICK.model_copy(update={"seeds": [0]} | mil)
    train_mil(
        data_of(settings, tables, user),
        splits or tables / "splits" / f"{user}.parquet",
        config.modalities,
        config.target("tension"),
        "user",
        settings,
        [checkpoint],
    )
    return checkpoint


def data_of(settings: Mil, tables: Path, user: str) -> Path:
    return tables / ("features" if settings.encoder == "features" else "windows") / f"{user}.parquet"


@pytest.mark.parametrize("encoder", ["features", "convolution"])
def test_the_same_seed_gives_the_same_bytes_and_the_checkpoint_loads(
    config: Config, tables: Path, tmp_path: Path, encoder: str
) -> None:
    torch.set_num_threads(1)
    first, second = (train(config, tables, tmp_path / name, encoder=encoder) for name in "ab")
    for suffix in (".safetensors", ".json"):
        assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()
    folds = read_folds(tables / "splits/101.parquet")
    assert [member.fold for member in load_members(first)] == folds_tested(folds) == [1, 2, 3]
    raw, used, classes = read_bags(
        data_of(QUICK.model_copy(update={"encoder": encoder}), tables, "101"), folds[0], config.modalities,
        "bins", ["low", "middle", "high"], encoder,
    )  # fmt: skip
    assert classes == ["low", "middle", "high"]
    for fold in (1, 2, 3):
        network, scalings, about = load_mil(first, fold)
        rows = torch.tensor((folds[fold].subset[used.index] == "validation").tolist())
        score = validation_score(network, standardise_bags(raw.take(rows), scalings), QUICK)
        best = about["folds"][str(fold)]["history"][about["folds"][str(fold)]["epoch"] - 1]
        assert score == pytest.approx(best["validation_score"])


def test_the_network_of_a_fold_does_not_depend_on_its_test_windows(
    config: Config, tables: Path, tmp_path: Path
) -> None:
    """Other features in the windows that one fold tests and another one is trained on."""
    torch.set_num_threads(1)
    splits = tables / "splits/101.parquet"
    folds = read_folds(splits)
    pairs = ((a, b) for a in (1, 2, 3) for b in (1, 2, 3))
    tested, trained = next(p for p in pairs if (folds[p[1]].subset[folds[p[0]].subset == "test"] == "train").all())
    other = (folds[tested].subset == "test").to_numpy()
    features = pq.read_table(tables / "features/101.parquet")
    for i, name in enumerate(features.column_names):
        if is_summary(name):
            values = features[name].to_numpy()
            changed = np.where(other, values * np.linspace(1, 3, len(values)) + 1, values)
            features = features.set_column(i, name, pa.array(changed))
    (tmp_path / "features").mkdir()
    pq.write_table(features, tmp_path / "features/101.parquet")
    members = load_members(train(config, tables, tmp_path / "a", splits=splits))
    others = load_members(train(config, tmp_path, tmp_path / "b", splits=splits))
    same = {
        a.fold: all(torch.equal(x, y) for x, y in zip(a.network.parameters(), b.network.parameters(), strict=True))
        for a, b in zip(members, others, strict=True)
    }
    assert same[tested] and not same[trained]


def test_a_seed_gives_the_same_network_alone_and_beside_another(config: Config, tables: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    paths = tables / "features/101.parquet", tables / "splits/101.parquet"
    both = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    settings = QUICK.model_copy(update={"seeds": [0, 1]})
    train_mil(*paths, config.modalities, config.target("tension"), "user", settings, both)
    alone = train(config, tables, tmp_path / "alone", seeds=[1])
    for fold in (1, 2, 3):
        (first, _, _), (second, _, about), (expected, _, own) = (load_mil(path, fold) for path in (*both, alone))
        assert about["folds"][str(fold)]["epoch"] == own["folds"][str(fold)]["epoch"]
        for name, x in expected.state_dict().items():  # the sums of several networks have another order
            torch.testing.assert_close(second.state_dict()[name], x, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(first.encoders.weight, expected.encoders.weight)


def test_classes_of_levels_are_the_levels_of_the_user(config: Config, tables: Path, tmp_path: Path) -> None:
    _, _, about = load_mil(train(config, tables, tmp_path, labels="levels"))
    assert about["classes"] == sorted(about["classes"]) and set(about["classes"]) <= set("1234567")


def test_the_checkpoint_of_an_excluded_user_has_the_reason(config: Config, tables: Path, tmp_path: Path) -> None:
    from lifelog.settings.splits import Target
    from lifelog.splits.assign import assign_splits

    one = Target(name="t", column="emotionTension", bins={"any": [1, 2, 3, 4, 5, 6, 7], "none": [9]})
    assign_splits(tables / "windows/101.parquet", one, config.split("blocked"), tmp_path / "s.parquet")
    checkpoint = train(config, tables, tmp_path, splits=tmp_path / "s.parquet")
    assert load_mil(checkpoint) is None
    assert "one class only" in checkpoint.with_suffix(".json").read_text()


def test_a_failed_training_excludes_the_user(config: Config, tables: Path, tmp_path: Path) -> None:
    checkpoint = train(config, tables, tmp_path, learning_rate=1e30)
    assert load_mil(checkpoint) is None
    assert exclusion_of(checkpoint).startswith("training failed: epoch ")
