"""The device of a job; jobs side by side use different GPUs if there are several."""

import fcntl
import functools
import os
import tempfile
from pathlib import Path

import torch


class DeviceError(RuntimeError):
    """The requested device is not available."""


def pick_device(requested: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`: of several GPUs the first that no other job of this user holds.

    If all GPUs are held, they are shared: with `auto` more jobs than GPUs may run.
    """
    if requested == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            f"device 'cuda' is configured, but torch {torch.__version__} finds no GPU; "
            "use 'auto' or 'cpu', or install a CUDA build of torch"
        )
    # Maxima are searched with convolutions: in TF32, the default on a GPU, they would be found at other steps.
    torch.backends.cudnn.allow_tf32 = False
    if requested == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    # By uuid: jobs may see different devices under the same number.
    names = tuple(str(torch.cuda.get_device_properties(i).uuid) for i in range(torch.cuda.device_count()))
    number = claim_device(names, Path(tempfile.gettempdir()) / f"lifelog-gpus-{os.getuid()}")
    return torch.device("cuda", os.getpid() % len(names) if number is None else number)


def use_threads(threads: int) -> None:
    """Set the number of threads of torch to that of the job."""
    torch.set_num_threads(threads)


@functools.cache  # a process keeps its device
def claim_device(names: tuple[str, ...], folder: Path) -> int | None:
    """Lock the first free device, and return its number; None if all are locked.

    The lock file in `folder` stays open and locked until the process ends.
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
