import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lifelog.config import Config
from lifelog.mil import maxima
from lifelog.mil.bags import Bags
from lifelog.mil.device import DeviceError, claim_device, pick_device
from lifelog.mil.fit import StackTraining, Task, start
from lifelog.mil.loss import predict_stack
from lifelog.mil.network import MilNetwork
from lifelog.settings.windows import Modality

CLAIM = """
import sys
from pathlib import Path
from lifelog.mil.device import claim_device
print(claim_device(("gpu-a", "gpu-b"), Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def start_job(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a process that claims a device and holds it until it is killed or its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def test_parallel_jobs_claim_different_devices(tmp_path: Path) -> None:
    jobs = [start_job(tmp_path / "locks") for _ in range(3)]
    assert [device for _, device in jobs] == ["0", "1", "None"]
    jobs[0][0].kill()
    jobs[0][0].wait()
    again, device = start_job(tmp_path / "locks")
    assert device == "0"
    for process in (jobs[1][0], jobs[2][0], again):
        process.communicate()


def test_a_job_keeps_its_claimed_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        def __init__(self, number: int) -> None:
            self.uuid = "ab"[number]

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", Properties)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert claim_device(("a",), tmp_path / f"lifelog-gpus-{os.getuid()}") == 0  # as another job would
    assert [pick_device(setting) for setting in ("auto", "cuda")] == [torch.device("cuda", 1)] * 2
    assert pick_device("cpu") == torch.device("cpu")


def test_a_requested_gpu_that_is_not_available_raises_an_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("a GPU is available")
    with pytest.raises(DeviceError, match="finds no GPU"):
        pick_device("cuda")
    assert pick_device("auto") == torch.device("cpu")


class Transfers(TorchDispatchMode):
    """Record every operation on tensors of several devices, and every copy from one device to another."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, result)) if isinstance(x, torch.Tensor) and x.dim()]
        if len({x.device for x in tensors}) > 1:
            self.operations.append(f"{func}")
        return result


class Indices(TorchFunctionMode):
    """Refuse indices that are lists, which would be copied to the device unseen by `Transfers`."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
            assert not any(isinstance(x, list) for x in (args[1] if isinstance(args[1], tuple) else [args[1]]))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("networks", [1, 2])
@pytest.mark.parametrize("encoder", ["features", "convolution"])
def test_a_training_step_stays_on_its_device(
    config: Config, monkeypatch: pytest.MonkeyPatch, encoder: str, networks: int
) -> None:
    """Run on the meta device, which needs no GPU: what is drawn on the CPU is copied once per epoch."""
    for sizes in (maxima.SEARCH_STEPS, maxima.PATCH_BAGS):
        monkeypatch.setitem(sizes, "meta", sizes["cuda"])
    device = torch.device("meta")
    settings = config.mil.model_copy(update={"modality_dropout": 0.5, "encoder": encoder, "class_weights": "none"})
    modalities = [*config.modalities, Modality(name="steps", columns=["x"], rate=1 / 60, length=1)]
    values = {m.name: torch.empty(8, m.length if encoder == "convolution" else 1, m.channels) for m in modalities}
    bags = Bags(values, torch.ones(8, len(values), dtype=torch.bool), torch.zeros(8, dtype=torch.long)).to(device)
    tasks = [Task(MilNetwork(modalities, 3, settings).to(device), bags, bags, seed) for seed in range(networks)]
    training = StackTraining(start(tasks, settings), settings)
    rows = torch.zeros(networks, 8, dtype=torch.long, device=device)
    with Transfers() as transfers, Indices():
        training.train_epoch()
        predict_stack(training.stack, bags, rows)
    # Rows of windows, their shares in the loss, and random numbers of modality dropout.
    assert transfers.operations == ["aten._to_copy.default"] * 3
