from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lifelog.config import Config
from lifelog.mil.bags import Bags, LabelledBags, feature_instances, fit_scalings, make_bags, standardise_bags
from lifelog.mil.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lifelog.mil.loss import validation_score
from lifelog.mil.train import train_mil
from lifelog.predict.samples import Person
from lifelog.settings.mil import Mil
from lifelog.settings.splits import Target
from lifelog.splits.assign import assign_splits
from lifelog.windows.read import read_labels, read_windows
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


def bags_of(config: Config, person: Person, settings: Mil) -> LabelledBags:
    by_features = settings.encoder == "features"
    values = feature_instances(person.features) if by_features else read_windows(person.windows, config.modalities)
    return make_bags(values, person.folds, settings.labels)


def train(config: Config, person: Person, **mil: object) -> list[Checkpoint]:
    settings = QUICK.model_copy(update={"seeds": [0]} | mil)
    bags = bags_of(config, person, settings)
    return train_mil(bags, person.folds, config.modalities, config.target("tension"), settings)


@pytest.mark.parametrize("encoder", ["features", "convolution"])
def test_the_same_seed_gives_the_same_bytes_and_the_checkpoint_loads(
    config: Config, people: dict[str, Person], tmp_path: Path, encoder: str
) -> None:
    torch.set_num_threads(1)
    person = people["101"]
    for name in "ab":
        (checkpoint,) = train(config, person, encoder=encoder)
        write_checkpoint(checkpoint, tmp_path / f"{name}.safetensors")
    for suffix in ("safetensors", "json"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    loaded = read_checkpoint(tmp_path / "a.safetensors")
    assert [member.fold for member in loaded.members()] == person.folds.tested == [1, 2, 3]
    bags, used, classes, _ = bags_of(config, person, QUICK.model_copy(update={"encoder": encoder}))
    assert classes == loaded.about["classes"] == ["low", "middle", "high"]
    for fold, network, scalings in loaded.members():
        rows = torch.tensor((person.folds.fold(fold).subset[used.index] == "validation").tolist())
        score = validation_score(network, standardise_bags(bags.take(rows), scalings), QUICK)
        of_fold = loaded.about["folds"][str(fold)]
        assert score == pytest.approx(of_fold["history"][of_fold["epoch"] - 1]["validation_score"])


def test_the_network_of_a_fold_does_not_depend_on_its_test_windows(config: Config, people: dict[str, Person]) -> None:
    """Other features in the windows that one fold tests and another one is trained on."""
    torch.set_num_threads(1)
    person = people["101"]
    subsets = {fold: rows.subset for fold, rows in person.folds.numbered.items()}
    pairs = ((a, b) for a in subsets for b in subsets)
    tested, trained = next(p for p in pairs if (subsets[p[1]][subsets[p[0]] == "test"] == "train").all())
    values = person.features.summary
    changed = np.where(
        (subsets[tested] == "test").to_numpy()[:, None], values * np.linspace(1, 3, len(values))[:, None] + 1, values
    )
    other = person._replace(features=replace(person.features, summary=changed))
    (first,), (second,) = train(config, person), train(config, other)
    same = {
        a.fold: all(torch.equal(x, y) for x, y in zip(a.network.parameters(), b.network.parameters(), strict=True))
        for a, b in zip(first.members(), second.members(), strict=True)
    }
    assert same[tested] and not same[trained]


def test_a_seed_gives_the_same_network_alone_and_beside_another(config: Config, people: dict[str, Person]) -> None:
    torch.set_num_threads(1)
    first, second = train(config, people["101"], seeds=[0, 1])
    (alone,) = train(config, people["101"], seeds=[1])
    assert [first.about["seed"], second.about["seed"]] == [0, 1]
    for zero, one, expected in zip(first.members(), second.members(), alone.members(), strict=True):
        fold = str(expected.fold)
        assert second.about["folds"][fold]["epoch"] == alone.about["folds"][fold]["epoch"]
        for name, x in expected.network.state_dict().items():  # the sums of several networks have another order
            torch.testing.assert_close(one.network.state_dict()[name], x, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(zero.network.encoders.weight, expected.network.encoders.weight)


def test_classes_of_levels_are_the_levels_of_the_user(config: Config, people: dict[str, Person]) -> None:
    classes = train(config, people["101"], labels="levels")[0].about["classes"]
    assert classes == sorted(classes) and set(classes) <= set("1234567")


def test_the_checkpoint_of_an_excluded_user_has_the_reason(
    config: Config, people: dict[str, Person], tmp_path: Path
) -> None:
    one = Target(name="t", column="emotionTension", bins={"any": [1, 2, 3, 4, 5, 6, 7], "none": [9]})
    folds = assign_splits(read_labels(people["101"].windows), one, config.split("blocked"))
    (checkpoint,) = train(config, people["101"]._replace(folds=folds))
    write_checkpoint(checkpoint, tmp_path / "c.safetensors")
    read = read_checkpoint(tmp_path / "c.safetensors")
    assert read.members() == [] and "one class only" in read.about["excluded"]


def test_a_failed_training_excludes_the_user(config: Config, people: dict[str, Person]) -> None:
    (checkpoint,) = train(config, people["101"], learning_rate=1e30)
    assert checkpoint.members() == [] and checkpoint.about["excluded"].startswith("training failed: epoch ")
