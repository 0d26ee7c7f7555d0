import gc
import weakref
from collections.abc import Sequence
from itertools import chain

import pytest
import torch
from torch.nn import functional as F

from lifelog.importance.networks import explain
from lifelog.mil import fit as fitting
from lifelog.mil.bags import Bags
from lifelog.mil.fit import Fit, Task, TrainingError, fit, stacks
from lifelog.mil.loss import bag_loss, class_weights, validation_score
from lifelog.mil.network import MilNetwork
from lifelog.mil.stack import BagRange, join_sources, take_bags
from lifelog.mil.steps import Step, draw_epoch, hide_modalities
from lifelog.settings.mil import Mil, Training
from lifelog.settings.windows import Modality

TWO = [Modality(name="signal", columns=["x"], rate=1, length=60), Modality(name="noise", kind="scalar", columns=["x"])]
CONVOLUTION = Mil(encoder="convolution", weight_decay=0.01, epochs=25, patience=25)


def toy(count: int, seed: int) -> Bags:
    """Bags whose `signal` depends on the class and whose `noise` does not."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(count) % 2
    values = {
        "signal": torch.randn(count, 60, 1, generator=generator) + 2.0 * classes[:, None, None],
        "noise": torch.randn(count, 1, 1, generator=generator),
    }
    return Bags(values, torch.ones(count, 2, dtype=torch.bool), classes)


def test_training_learns_and_keeps_the_best_epoch() -> None:
    torch.manual_seed(0)
    settings = CONVOLUTION
    network = MilNetwork(TWO, 2, settings)
    train, validation = toy(40, 1), toy(20, 2)
    (fitted,) = fit([Task(network, train, validation, 0)], settings)
    scores = [row["validation_score"] for row in fitted.history]
    assert max(scores) > 0.9
    assert scores[fitted.epoch - 1] == max(scores)
    assert validation_score(network, validation, settings) == pytest.approx(max(scores))
    importance = explain(network.eval(), toy(20, 3), seed=0).importance
    assert importance["attention"].mean(axis=0)[0] > 0.6
    assert importance["ablation"].mean(axis=0)[0] > importance["ablation"].mean(axis=0)[1]


def test_training_stops_after_patience() -> None:
    torch.manual_seed(0)
    settings = CONVOLUTION.model_copy(update={"epochs": 100, "patience": 2})
    (fitted,) = fit([Task(MilNetwork(TWO, 2, settings), toy(16, 1), toy(8, 2), 0)], settings)
    assert len(fitted.history) == fitted.epoch + 2


def epoch_of(counts: Sequence[int], settings: Training, *seeds: int) -> list[Step]:
    """Steps of networks with so many windows."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return list(draw_epoch([*map(range, counts)], generators, 2, settings, torch.device("cpu")))


def windows_of_steps(windows: int, settings: Training) -> list[list[int]]:
    """Numbers of the windows of each step of an epoch."""
    steps = epoch_of([windows], settings, 0)
    for step in steps:
        torch.testing.assert_close(step.shares.sum(dim=1), torch.ones(1))
    return [step.rows[step.shares > 0].tolist() for step in steps]


@pytest.mark.parametrize("updates", [None, 4])
def test_what_a_network_gets_does_not_depend_on_the_others(updates: int | None) -> None:
    settings, counts = Training(batch_size=8, updates_per_epoch=updates), (66, 21, 9, 3)

    together = epoch_of(counts, settings, 0, 1, 2, 3)
    assert {len(step.rows) for step in together} == ({4} if updates else {1, 2, 4})
    for i, count in enumerate(counts):
        alone = epoch_of([count], settings, i)
        assert len(alone) == sum(len(step.rows) > i for step in together)
        for whole, part in zip(together, alone, strict=False):
            size = part.rows.shape[1]
            for name, own in part._asdict().items():
                torch.testing.assert_close(getattr(whole, name)[i, :size], own[0])
            assert not whole.shares[i, size:].any()


@pytest.mark.parametrize("windows", [5, 40, 400])
def test_steps_per_epoch_do_not_depend_on_the_number_of_windows(windows: int) -> None:
    steps = windows_of_steps(windows, Training(batch_size=16, updates_per_epoch=10))
    assert [len(step) for step in steps] == [min(16, windows)] * 10
    counts = torch.bincount(torch.tensor(list(chain(*steps))), minlength=windows)
    assert counts.max() - counts.min() <= 1  # whole passes, and a part of the last one
    passes = windows_of_steps(windows, Training(batch_size=16))
    assert sorted(chain(*passes)) == list(range(windows)) and len(passes) == max(1, windows // 16)
    assert max(map(len, passes)) - min(map(len, passes)) <= 1


def test_a_loss_of_nan_raises_an_error_with_its_epoch() -> None:
    train = toy(16, 1)
    train.values["signal"][3] = torch.inf
    with pytest.raises(TrainingError, match="epoch 1: the loss is nan; lower"):
        fit([Task(MilNetwork(TWO, 2, CONVOLUTION), train, toy(8, 2), 0)], CONVOLUTION)


def test_focal_loss_without_gamma_is_cross_entropy() -> None:
    log_probabilities, classes = F.log_softmax(torch.randn(9, 3), dim=1), torch.arange(9) % 3
    torch.testing.assert_close(
        bag_loss(log_probabilities, classes, None, Mil()), F.nll_loss(log_probabilities, classes)
    )
    focal = bag_loss(log_probabilities, classes, None, Mil(focal_gamma=2))
    assert focal < F.nll_loss(log_probabilities, classes)


def test_class_weights_give_classes_the_same_total() -> None:
    classes = torch.tensor([0] * 8 + [1] * 2)
    weights = class_weights(classes, 3, "balanced")
    assert weights[2] == 0
    torch.testing.assert_close(weights[classes][:8].sum(), weights[classes][8:].sum())
    torch.testing.assert_close(weights[classes].mean(), torch.tensor(1.0))
    assert class_weights(classes, 3, "none") is None


def test_hiding_modalities_never_empties_a_bag() -> None:
    present = torch.ones(500, 3, dtype=torch.bool)
    present[:100, 1:] = False
    visible = hide_modalities(present, torch.rand(present.shape, generator=torch.Generator().manual_seed(0)), 0.7)
    assert visible.any(dim=1).all()
    assert not (visible & ~present).any()
    # All three modalities are drawn to be hidden in a third of the bags; these bags stay complete.
    assert 0.55 < visible[100:].float().mean() < 0.73


SEQUENCES = [Modality(name=name, columns=["x"], rate=1, length=60) for name in ("signal", "noise")]


def of_sizes(*sizes: int, encoder: str = "features") -> list[Task]:
    """Networks with so many training windows, the last ones of the same windows with another seed."""
    tasks: list[Task] = []
    settings = Mil(encoder=encoder)
    for seed, size in enumerate((*sizes, sizes[-1])):
        torch.manual_seed(seed)
        network = MilNetwork(SEQUENCES, 2, settings, {"signal": 1, "noise": 1})
        train = toy(size, size) if seed < len(sizes) else tasks[-1].train
        validation = toy(size // 2 + seed, size + 1)
        train.values["noise"] = train.values["noise"].expand(-1, 60, -1)
        validation.values["noise"] = validation.values["noise"].expand(-1, 60, -1)
        tasks.append(Task(network, double(train), double(validation), seed))
        network.double()
    return tasks


def assert_same(first: list[Fit], second: list[Fit]) -> None:
    for a, b in zip(first, second, strict=True):
        assert a.epoch == b.epoch and len(a.history) == len(b.history)
        for one, other in zip(a.history, b.history, strict=True):
            assert one == pytest.approx(other)
        for name, x in b.state.items():
            torch.testing.assert_close(a.state[name], x)


def double(bags: Bags) -> Bags:
    return Bags({name: x.double() for name, x in bags.values.items()}, bags.present, bags.classes)


@pytest.mark.parametrize("encoder", ["features", "convolution"])
@pytest.mark.parametrize("updates", [None, 4])
def test_networks_that_are_trained_together_are_those_that_are_trained_alone(encoder: str, updates: int | None) -> None:
    """With other windows, steps per epoch, batches and best epochs, in double precision."""
    settings = Mil(encoder=encoder, epochs=12, patience=3, batch_size=8, updates_per_epoch=updates)
    sizes = 21, 66, 40, 9
    tasks = of_sizes(*sizes, encoder=encoder)
    assert len(stacks(tasks, settings)) == 1
    together = fit(tasks, settings)
    alone = [fit([task], settings)[0] for task in of_sizes(*sizes, encoder=encoder)]
    assert len({len(one.history) for one in alone}) > 1  # some stop before others
    assert_same(together, alone)
    for task, own in zip(tasks, alone, strict=True):
        for name, x in own.state.items():
            torch.testing.assert_close(task.network.state_dict()[name], x)


def normalised(sizes: Sequence[int], settings: Mil) -> list[Task]:
    """Networks with batch normalisation and so many training windows."""
    tasks = []
    for seed, size in enumerate(sizes):
        torch.manual_seed(seed)
        network = MilNetwork(TWO, 2, settings).double()
        tasks.append(Task(network, double(toy(size, seed)), double(toy(8 + seed, 9)), seed))
    return tasks


def test_networks_with_batch_normalisation_are_trained_with_those_of_as_many_windows() -> None:
    """Otherwise their statistics would include the windows that fill up a step."""
    settings = CONVOLUTION.model_copy(update={"epochs": 6, "patience": 2})

    together = normalised((16, 19, 16, 16), settings)
    assert stacks(together, settings) == [[0, 2, 3], [1]]
    fits = fit(together, settings)
    alone = [(task, fit([task], settings)[0]) for task in normalised((16, 19, 16, 16), settings)]
    for task, own, (other, expected) in zip(together, fits, alone, strict=True):
        assert own.epoch == expected.epoch
        for name, x in other.network.state_dict().items():
            torch.testing.assert_close(task.network.state_dict()[name], x)


def test_stacks_are_as_large_as_a_step_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fitting.STEP_VALUES, "cpu", 2 * 8 * 120)  # two networks, batches of 8 windows of 120 values
    tasks = of_sizes(16, 16, 16, 16)
    assert stacks(tasks, Mil(batch_size=8)) == [[0, 1], [2, 3], [4]]


def test_the_same_bags_are_joined_once() -> None:
    first, second = toy(4, 0), toy(6, 1)
    ranges = join_sources([first, second, first])
    assert [own.rows for own in ranges] == [range(4), range(4, 10), range(4)]
    assert all(own.source is ranges[0].source and len(own.source) == 10 for own in ranges)
    taken = take_bags(ranges[0].source, torch.tensor([[0, 3], [9, 4], [1, 1]]))
    torch.testing.assert_close(taken.values["signal"][1], second.values["signal"][[5, 0]])
    torch.testing.assert_close(taken.values["noise"][2], first.values["noise"][[1, 1]])


def test_windows_are_freed_when_training_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the garbage collector: the windows of the next fold need the memory."""
    joined = []

    def join(parts: Sequence[Bags]) -> list[BagRange]:
        ranges = join_sources(parts)
        joined.append(weakref.ref(ranges[0].source))
        return ranges

    monkeypatch.setattr(fitting, "join_sources", join)
    tasks = of_sizes(21, 9)
    gc.disable()
    try:
        fit(tasks, Mil(epochs=3, patience=1))
        assert [remaining() for remaining in joined] == [None, None]
    finally:
        gc.enable()
