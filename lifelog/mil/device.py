"""Which device a job trains on; jobs that run side by side take different GPUs, where there are several."""

from __future__ import annotations

import fcntl
import functools
import os
import tempfile
from pathlib import Path

import torch


class DeviceError(RuntimeError):
    """The device that was asked for is not there."""


def pick_device(wanted: str) -> torch.device:
    """The torch device of `auto | cpu | cuda`: of several GPUs the first that no other job of this user holds.

    Where all are held, as more jobs may run than there are GPUs with `auto`, they are shared.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            f"device 'cuda' was asked for, but torch {torch.__version__} sees no GPU here; "
            "use 'auto' or 'cpu', or install a CUDA build of torch"
        )
    # Maxima are searched with convolutions: in TF32, the default on a GPU, they would be found elsewhere.
    torch.backends.cudnn.allow_tf32 = False
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    # By what the device is called everywhere: jobs may see different ones under the same number.
    names = tuple(str(torch.cuda.get_device_properties(i).uuid) for i in range(torch.cuda.device_count()))
    taken = claim(names, Path(tempfile.gettempdir()) / f"lifelog-gpus-{os.getuid()}")
    return torch.device("cuda", os.getpid() % len(names) if taken is None else taken)


def use_threads(threads: int) -> None:
    """Let torch compute with as many threads as the job was given.

    Scripts ask here, not torch: what loads it before the package does loads it slowly (lifelog/__init__.py).
    """
    torch.set_num_threads(threads)


@functools.cache  # asked again, a process keeps what it has
def claim(names: tuple[str, ...], folder: Path) -> int | None:
    """Number of the first device whose lock file in `folder` is free; None if none is.

    The file stays open and locked until the process ends, however it ends.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    for number, name in enumerate(names):
        file = os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number
        except BlockingIOError:
            os.close(file)
    return None
