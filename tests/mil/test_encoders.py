"""The fast encoder against the plain one, and the published sizes."""

import pytest
import torch

from lifelog.config import Config, Mil
from lifelog.mil.encoders import FEATURES, SIGHT, SequenceEncoder
from lifelog.mil.network import MilNetwork, parameters


@pytest.mark.parametrize(("channels", "length"), [(1, 3840), (3, 1786), (1, 1000), (1, 240), (2, 7)])
@pytest.mark.parametrize("bags", [1, 9])
def test_fast_encoder_equals_the_plain_one(channels: int, length: int, bags: int) -> None:
    torch.manual_seed(length + bags)
    encoder = SequenceEncoder(channels).double()
    x = torch.randn(bags, length, channels, dtype=torch.double)
    x[0, :SIGHT] *= 30  # maxima at the left edge, where the padding counts
    upstream = torch.randn(bags, FEATURES, dtype=torch.double)
    results = []
    for forward in (encoder.plain, encoder):
        encoder.zero_grad()
        y = forward(x)
        (y * upstream).sum().backward()
        results.append((y.detach(), [p.grad.clone() for p in encoder.parameters()]))
    with torch.no_grad():
        torch.testing.assert_close(encoder(x), results[0][0])
    torch.testing.assert_close(results[1][0], results[0][0])
    for fast, plain in zip(results[1][1], results[0][1], strict=True):
        assert (fast - plain).norm() <= 1e-9 * plain.norm()


def test_a_single_step_is_the_same_without_its_padding() -> None:
    torch.manual_seed(0)
    encoder = SequenceEncoder(2).double()
    x = torch.randn(5, 1, 2, dtype=torch.double)
    block = encoder.blocks[0]
    x = x.transpose(1, 2)
    h = torch.nn.functional.leaky_relu(block.first(torch.nn.functional.pad(x, (block.padding, 0))), 0.01)
    h = torch.nn.functional.leaky_relu(block.second(torch.nn.functional.pad(h, (block.padding, 0))), 0.01)
    torch.testing.assert_close(block(x), h + block.residual(x))


def test_an_output_sees_the_past_and_nothing_else() -> None:
    torch.manual_seed(0)
    blocks = SequenceEncoder(1).double().blocks
    x = torch.randn(1, 1, 100, dtype=torch.double, requires_grad=True)
    blocks(x)[0, :, 60].sum().backward()
    seen = x.grad[0, 0].nonzero().flatten()
    assert seen.min() >= 60 - SIGHT + 1 and seen.max() == 60


def test_published_number_of_parameters() -> None:
    """22,358 at four classes and nine modalities, GPS and heart rate as one number each."""
    modalities = [m.model_copy(update={"columns": ["x"]}) if m.kind == "scalar" else m for m in Config().modalities]
    network = MilNetwork(modalities, 4, Mil(attention="published"))
    assert parameters(network) == 22_358
