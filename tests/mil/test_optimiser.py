import torch
from torch import nn

from lifelog.mil.optimiser import ClippedAdamW
from lifelog.mil.stack import Stack


def test_steps_equal_those_of_torch() -> None:
    torch.manual_seed(0)
    networks = [nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double() for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    stack = Stack(networks[0], [networks[0].state_dict()])
    clipped = ClippedAdamW(stack.values, stack.gradient, 0.01, 0.1, max_grad_norm=0.5)
    reference = torch.optim.AdamW(networks[1].parameters(), 0.01, weight_decay=0.1)
    for step in range(20):
        x = (10.0 if step % 2 else 0.1) * torch.randn(8, 4, dtype=torch.double)  # with and without clipping
        stack.gradient.zero_()
        networks[0](x).square().sum().backward()
        clipped.step(1)
        reference.zero_grad()
        networks[1](x).square().sum().backward()
        nn.utils.clip_grad_norm_(networks[1].parameters(), 0.5)
        reference.step()
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
