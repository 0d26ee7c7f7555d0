import torch
from torch import nn

from lifelog.mil.optimiser import ClippedAdamW


def test_steps_equal_those_of_torch() -> None:
    torch.manual_seed(0)
    networks = [nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double() for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    clipped = ClippedAdamW(networks[0], 0.01, 0.1, max_grad_norm=0.5)
    reference = torch.optim.AdamW(networks[1].parameters(), 0.01, weight_decay=0.1)
    for step in range(20):
        x = (10.0 if step % 2 else 0.1) * torch.randn(8, 4, dtype=torch.double)  # with and without clipping
        for network, optimiser in zip(networks, (clipped, reference), strict=True):
            optimiser.zero_grad()
            network(x).square().sum().backward()
            if optimiser is reference:
                nn.utils.clip_grad_norm_(network.parameters(), 0.5)
            optimiser.step()
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
