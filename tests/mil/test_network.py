import pytest
import torch

from lifelog.config import Config
from lifelog.mil.network import MilNetwork, masked_softmax
from lifelog.settings.mil import Mil
from lifelog.settings.windows import Modality

FIVE = [
    Modality(name="a", columns=["x", "y"], rate=1, length=60),
    Modality(name="b", columns=["x"], rate=32, length=1920),
    Modality(name="c", columns=["x", "y", "z", "w"], rate=2, length=120),
    Modality(name="d", kind="scalar", columns=["x", "y"]),
    Modality(name="e", kind="scalar", columns=["x"]),
]


def bags(modalities: list[Modality], count: int = 6) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {m.name: torch.randn(count, m.length, m.channels) for m in modalities}


CONVOLUTION = Mil(encoder="convolution")
both_attentions = pytest.mark.parametrize("attention", ["gated", "published"])


@both_attentions
@pytest.mark.parametrize("modalities", [FIVE, Config().modalities], ids=["five", "nine"])
def test_shapes_masks_and_sums_of_the_output(modalities: list[Modality], attention: str) -> None:
    network = MilNetwork(modalities, 3, CONVOLUTION.model_copy(update={"attention": attention})).eval()
    present = torch.ones(6, len(modalities), dtype=torch.bool)
    present[0, 1:] = False
    present[1, 2] = False
    present[2] = False
    out = network(bags(modalities), present)
    assert out.log_probabilities.shape == (6, 3)
    assert out.instance_scores.shape == (6, len(modalities), 3)
    assert torch.isfinite(out.log_probabilities).all()
    torch.testing.assert_close(out.log_probabilities.exp().sum(dim=1), torch.ones(6))
    assert (out.attention[~present] == 0).all()
    torch.testing.assert_close(out.attention.sum(dim=1), present.any(dim=1).float())
    torch.testing.assert_close(out.log_probabilities[0], out.instance_scores[0, 0])


@both_attentions
def test_missing_modalities_do_not_change_the_output(attention: str) -> None:
    network = MilNetwork(FIVE, 2, CONVOLUTION.model_copy(update={"attention": attention})).eval()
    present = torch.ones(6, 5, dtype=torch.bool)
    present[:, 3] = False
    values = bags(FIVE)
    before = network(values, present).log_probabilities
    after = network(values | {"d": 100 + values["d"]}, present).log_probabilities
    torch.testing.assert_close(before, after)


def test_instances_of_features_are_linear_maps_of_each_modality() -> None:
    channels = {m.name: width for m, width in zip(FIVE, (3, 7, 1, 2, 4), strict=True)}
    torch.manual_seed(0)
    network = MilNetwork(FIVE, 2, Mil(encoder="features"), channels).eval()
    values = {name: torch.randn(6, 1, width) for name, width in channels.items()}
    instances = network.encode(values)
    assert instances.shape == (6, 5, 8)
    twice = network.encode(values | {"b": 2 * values["b"]})
    changed = (twice - instances).abs().amax(dim=(0, 2)) > 0
    assert changed.tolist() == [False, True, False, False, False]
    bias = network.encode({name: torch.zeros_like(x) for name, x in values.items()})
    torch.testing.assert_close(twice[:, 1] - bias[:, 1], 2 * (instances[:, 1] - bias[:, 1]))
    assert network(values, torch.ones(6, 5, dtype=torch.bool)).attention.shape == (6, 5)


@pytest.mark.parametrize(("temperature", "low", "high"), [(3.0, 0.0062, 0.7152), (9.0, 0.0440, 0.2536)])
def test_published_attention_is_within_its_bounds(temperature: float, low: float, high: float) -> None:
    """Logits are in (0, 9 / temperature): the printed weights above .2536 require a temperature of 3."""
    logits = torch.zeros(1, 9)
    logits[0, 0] = 9 / temperature
    present = torch.ones(1, 9, dtype=torch.bool)
    assert masked_softmax(logits, present).max().item() == pytest.approx(high, abs=5e-5)
    assert masked_softmax(9 / temperature - logits, present).min().item() == pytest.approx(low, abs=5e-5)


def test_masked_softmax_has_gradients_without_nan() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    masked_softmax(logits, torch.tensor([[True, True, False], [False] * 3]))[0, 0].backward()
    assert torch.isfinite(logits.grad).all()
