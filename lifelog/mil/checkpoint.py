"""The checkpoint of a participant's networks: their weights, scalings and history, and its two files."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lifelog.files import read_json, write_atomically, write_json
from lifelog.mil.network import MilNetwork
from lifelog.settings.mil import Mil
from lifelog.settings.windows import Modality
from lifelog.standardise import Scaling


class Member(NamedTuple):
    """A network of a checkpoint.

    Attributes
    ----------
    fold : int
        The fold of the split whose training windows it was trained on.
    network : MilNetwork
        In evaluation mode.
    scalings : dict of str to Scaling
        By modality, of its training windows.
    """

    fold: int
    network: MilNetwork
    scalings: dict[str, Scaling]


class Checkpoint(NamedTuple):
    """The networks of one training seed, one per tested fold.

    Attributes
    ----------
    about : dict
        For JSON: excluded (the reason, or None), seed, classes, settings, and by fold: epoch and history.
    tensors : dict of str to Tensor
        Weights and scalings; empty for an excluded participant.
    """

    about: dict[str, Any]
    tensors: dict[str, Tensor]

    def members(self) -> list[Member]:
        """Return the networks of all folds; none for an excluded participant."""
        about = self.about
        if about["excluded"] is not None:
            return []
        settings = Mil.from_params(about["mil"] | {"seeds": [about["seed"]]})
        modalities = [Modality(**entry) for entry in about["modalities"]]
        members = []
        for fold in map(int, about["folds"]):
            network = MilNetwork(modalities, len(about["classes"]), settings, about["channels"])
            network.load_state_dict(self._of(fold, "network."))
            parts = self._of(fold, "scaling.")
            scalings = {m: Scaling(parts[f"{m}.mean"].numpy(), parts[f"{m}.std"].numpy()) for m in about["channels"]}
            members.append(Member(fold, network.eval(), scalings))
        return members

    def _of(self, fold: int, kind: str) -> dict[str, Tensor]:
        """Return the tensors of a fold of one kind, by name without prefix."""
        prefix = f"fold-{fold}.{kind}"
        return {name.removeprefix(prefix): x for name, x in self.tensors.items() if name.startswith(prefix)}


def fold_tensors(fold: int, state: dict[str, Tensor], scalings: dict[str, Scaling]) -> dict[str, Tensor]:
    """Return the tensors of the network of a fold, by name in the checkpoint.

    Parameters
    ----------
    fold : int
        Number of the fold.
    state : dict of str to Tensor
        Weights of the network.
    scalings : dict of str to Scaling
        By modality, of its training windows.

    Returns
    -------
    dict of str to Tensor
        On the CPU.
    """
    tensors = {f"fold-{fold}.network.{name}": value for name, value in state.items()}
    for name, scaling in scalings.items():
        for part, values in (("mean", scaling.mean), ("std", scaling.std)):
            tensors[f"fold-{fold}.scaling.{name}.{part}"] = torch.from_numpy(values).float()
    return tensors


def write_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint (safetensors), with a JSON file beside it."""
    with write_atomically(path) as file:
        save_file({name: value.contiguous() for name, value in sorted(checkpoint.tensors.items())}, file)
    write_json(checkpoint.about, Path(path).with_suffix(".json"))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path : str or Path
        A safetensors file of `write_checkpoint`, with its JSON file beside it.

    Returns
    -------
    Checkpoint
        As `train_mil` returned it.
    """
    return Checkpoint(read_json(Path(path).with_suffix(".json")), load_file(path))
