"""The fast maxima compared with the plain ones: in chunks, under masks, with ties, and in training."""

import pytest
import torch

from benchmarks.plain_training import PlainNetwork
from lifelog.config import Config
from lifelog.importance.networks import explain
from lifelog.mil import maxima
from lifelog.mil.bags import Bags
from lifelog.mil.encoders import FEATURES, SequenceEncoder, folded
from lifelog.mil.fit import Task, fit
from lifelog.mil.network import MilNetwork


def gradients(encoder: SequenceEncoder, x: torch.Tensor, plain: bool) -> torch.Tensor:
    encoder.zero_grad()
    y = encoder.plain(x) if plain else encoder(x)
    (y * torch.linspace(-1, 1, FEATURES, dtype=x.dtype)).sum().backward()
    return torch.cat([p.grad.flatten() for p in encoder.parameters()])


def test_the_chunk_size_does_not_change_the_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    encoder, x = SequenceEncoder(2).double(), torch.randn(7, 150, 2, dtype=torch.double)
    whole = gradients(encoder, x, plain=False)
    monkeypatch.setattr(maxima, "SEARCH_STEPS", {"cpu": 310})  # two windows per chunk
    monkeypatch.setattr(maxima, "PATCH_BAGS", {"cpu": 3})  # three windows per chunk
    chunked = gradients(encoder, x, plain=False)
    torch.testing.assert_close(chunked, whole, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(whole, gradients(encoder, x, plain=True), rtol=1e-9, atol=1e-12)


def test_search_returns_the_maxima_and_their_steps() -> None:
    torch.manual_seed(0)
    for time in (1, 2, 63, 64, 65, 200, 1001):
        encoder, x = SequenceEncoder(4).double(), torch.randn(3, time, 4, dtype=torch.double)
        outputs = encoder.blocks(x.transpose(1, 2))
        with torch.no_grad():
            values, steps = maxima.search(x, [block.of(0) for block in folded([encoder])])
        torch.testing.assert_close(values, outputs.amax(dim=2))
        assert torch.equal(steps, outputs.argmax(dim=2))


def test_a_constant_window_has_the_plain_gradient() -> None:
    """Almost all steps are equal maxima; the gradient of the parameters is the same whichever step is chosen."""
    torch.manual_seed(1)
    encoder, x = SequenceEncoder(1).double(), torch.full((2, 400, 1), 3.0, dtype=torch.double)
    plain = gradients(encoder, x, plain=True)
    assert (gradients(encoder, x, plain=False) - plain).norm() <= 1e-9 * plain.norm()


def test_single_precision_agrees_to_five_digits() -> None:
    torch.manual_seed(2)
    encoder, x = SequenceEncoder(3), torch.randn(16, 1920, 3)
    plain = gradients(encoder, x, plain=True)
    assert (gradients(encoder, x, plain=False) - plain).norm() <= 1e-5 * plain.norm()


def test_a_gradient_with_respect_to_the_samples_raises_an_error() -> None:
    x = torch.randn(2, 50, 1, requires_grad=True)
    with pytest.raises(NotImplementedError, match="plain"):
        SequenceEncoder(1)(x)


def random_bags(config: Config, count: int) -> Bags:
    torch.manual_seed(3)
    values = {m.name: torch.randn(count, min(m.length, 200), m.channels) for m in config.modalities}
    present = torch.rand(count, len(values)) < 0.7
    present[:, 0] = True
    for m, x in enumerate(values.values()):
        x[~present[:, m]] = 0
    classes = torch.arange(count) % 3
    values["e4Eda"] += classes[:, None, None] * present[:, 2, None, None]
    return Bags(values, present, classes)


def test_training_under_masks_equals_training_of_the_plain_network(config: Config) -> None:
    """Importance and probabilities after several epochs in double precision, so that rounding does not accumulate."""
    bags = random_bags(config, 40)
    bags.values = {name: x.double() for name, x in bags.values.items()}
    train, validation = bags.take(torch.arange(30)), bags.take(torch.arange(30, 40))
    settings = config.mil.model_copy(update={"encoder": "convolution", "epochs": 6, "patience": 6, "batch_size": 8})
    results = []
    for network_class in (PlainNetwork, MilNetwork):
        torch.manual_seed(0)
        network = network_class(config.modalities, 3, settings).double()
        fit([Task(network, train, validation, 0)], settings)
        results.append(explain(network.eval(), bags, seed=0))
    plain, fast = (torch.from_numpy(r.probabilities) for r in results)
    torch.testing.assert_close(fast, plain, rtol=1e-7, atol=1e-9)
    for measure in ("attention", "ablation"):
        plain, fast = (torch.from_numpy(r.importance[measure]) for r in results)
        torch.testing.assert_close(fast, plain, rtol=1e-6, atol=1e-8, equal_nan=True)
