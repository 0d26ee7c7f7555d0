import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from lifelog.mil.device import DeviceError, claim, pick_device

CLAIM = """
import sys
from pathlib import Path
from lifelog.mil.device import claim
print(claim(("gpu-a", "gpu-b"), Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def job(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A process that takes a device and keeps it until it is killed or told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def test_jobs_side_by_side_take_different_devices(tmp_path: Path) -> None:
    jobs = [job(tmp_path / "locks") for _ in range(3)]
    assert [taken for _, taken in jobs] == ["0", "1", "None"]
    jobs[0][0].kill()
    jobs[0][0].wait()
    again, taken = job(tmp_path / "locks")
    assert taken == "0"
    for process in (jobs[1][0], jobs[2][0], again):
        process.communicate()


def test_a_job_keeps_the_device_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        def __init__(self, number: int) -> None:
            self.uuid = "ab"[number]

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", Properties)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert claim(("a",), tmp_path / f"lifelog-gpus-{os.getuid()}") == 0  # as another job would
    assert [pick_device(wanted) for wanted in ("auto", "cuda")] == [torch.device("cuda", 1)] * 2
    assert pick_device("cpu") == torch.device("cpu")


def test_a_gpu_that_is_asked_for_must_be_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match="sees no GPU"):
        pick_device("cuda")
    assert pick_device("auto") == torch.device("cpu")
