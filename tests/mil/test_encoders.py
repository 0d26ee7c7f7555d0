"""The fast encoder compared with the plain one, and the published number of parameters."""

from pathlib import Path

import pytest
import torch
import yaml

from lifelog.config import Config
from lifelog.mil.encoders import FEATURES, Encoders, SequenceEncoder, encode_together
from lifelog.mil.maxima import RECEPTIVE_FIELD
from lifelog.mil.network import LifeLogNetwork, MilNetwork
from lifelog.settings.mil import Mil


def published() -> Config:
    return Config(**yaml.safe_load((Path(__file__).parents[2] / "presets/published.yaml").read_text()))


@pytest.mark.parametrize(("channels", "length"), [(1, 3840), (3, 1786), (1, 1000), (1, 240), (2, 7), (3, 1)])
@pytest.mark.parametrize("bags", [1, 9])
def test_fast_encoder_equals_the_plain_one(channels: int, length: int, bags: int) -> None:
    torch.manual_seed(length + bags)
    encoder = SequenceEncoder(channels).double()
    x = torch.randn(bags, length, channels, dtype=torch.double)
    x[0, :RECEPTIVE_FIELD] *= 30  # maxima at the left edge, where the padding matters
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


def test_encoding_all_modalities_together_equals_encoding_each(config: Config) -> None:
    """Values and gradients, for sequences of any length, single steps and scalars."""
    torch.manual_seed(0)
    network = Encoders(config.modalities).double().eval()
    lengths = {m.name: min(m.length, 300) for m in config.modalities} | {"e4Temp": 1}
    bags = {m.name: torch.randn(5, lengths[m.name], m.channels, dtype=torch.double) for m in config.modalities}
    upstream = torch.randn(5, len(bags), FEATURES, dtype=torch.double)

    def plain(values: dict[str, torch.Tensor]) -> torch.Tensor:
        each = [getattr(encoder, "plain", encoder)(values[name]) for name, encoder in network.items()]
        return torch.stack(each, dim=1)

    results = []
    for forward in (plain, network):
        network.zero_grad()
        z = forward(bags)
        (z * upstream).sum().backward()
        results.append((z.detach(), {name: p.grad.clone() for name, p in network.named_parameters()}))
    torch.testing.assert_close(results[1][0], results[0][0])
    torch.testing.assert_close(results[1][1], results[0][1])
    with torch.no_grad():
        torch.testing.assert_close(network(bags), results[0][0])


@pytest.mark.parametrize("channels", [[8], [8, 8], [1, 8, 12]])
@pytest.mark.parametrize("length", [1, 100])
def test_eight_channels_have_an_identity_residual(channels: list[int], length: int) -> None:
    """The first residual is the input itself, also together with sequences of other numbers of channels."""
    torch.manual_seed(0)
    encoders = [SequenceEncoder(n).double() for n in channels]
    xs = [torch.randn(4, length, n, dtype=torch.double) for n in channels]
    gradients = []
    for encoded in (encode_together(encoders, xs), [e.plain(x) for e, x in zip(encoders, xs, strict=True)]):
        for encoder in encoders:
            encoder.zero_grad()
        (torch.stack(encoded) * torch.linspace(-1, 1, FEATURES, dtype=torch.double)).sum().backward()
        gradients.append([p.grad.clone() for encoder in encoders for p in encoder.parameters()])
    torch.testing.assert_close(*gradients)
    torch.testing.assert_close(encoded, encode_together(encoders, xs))


def test_an_output_depends_only_on_current_and_past_steps() -> None:
    torch.manual_seed(0)
    blocks = SequenceEncoder(1).double().blocks
    x = torch.randn(1, 1, 100, dtype=torch.double, requires_grad=True)
    blocks(x)[0, :, 60].sum().backward()
    steps = x.grad[0, 0].nonzero().flatten()
    assert steps.min() >= 60 - RECEPTIVE_FIELD + 1 and steps.max() == 60


def test_published_number_of_parameters() -> None:
    """22,358 for four classes and nine modalities, with GPS and heart rate as one number each."""
    network = MilNetwork(published().modalities, 4, Mil(attention="published", encoder="convolution"))
    assert sum(p.numel() for p in network.parameters()) == 22_358


def test_published_lifelognet() -> None:
    """Nine convolutional encoders, of 3, 1 or (GPS) 2 channels, and two layers.

    The network that the study published was trained by other code: it has 9 x 1,056 + 330 parameters more, of layers
    per modality and of an attention, and the same encoders.
    """
    config = published()
    predictor = config.predictor("lifelognet").build()
    network = LifeLogNetwork([predictor.seen(modality) for modality in config.modalities], 7)
    assert sum(p.numel() for p in network.parameters()) == 71_273 - 9 * 1_056 - 330
    channels = {name: encoder.blocks[0].residual.in_channels for name, encoder in network.encoders.items()}
    assert channels == {**dict.fromkeys(channels, 1), "e4Acc": 3, "mAcc": 3, "mGyr": 3, "mMag": 3, "mGps": 2}


def test_the_published_network_sees_the_mean_of_the_columns_of_gps() -> None:
    encoder = Encoders(published().modalities)["mGps"].eval()
    x = torch.tensor([[[36.0, 127.0, 20.0]]])
    assert torch.equal(encoder(x), encoder(x.flip(2))) and encoder.layers[0].in_features == 1
