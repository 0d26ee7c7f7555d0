"""Stored windows as bags, of which training takes some at a time to its device."""

import torch
from torch import Tensor

from lifelog.mil.bags import Bags
from lifelog.predict.store import StoredWindows


class StoredBags:
    """Stored windows as bags.

    Parameters
    ----------
    windows : StoredWindows
        The windows.
    classes : Tensor of int64, shape (n_windows,)
        Class numbers.
    device : torch.device
        Device of the network.
    """

    def __init__(self, windows: StoredWindows, classes: Tensor, device: torch.device) -> None:
        self.windows, self.device = windows, device
        self.present, self.classes = torch.from_numpy(windows.present).to(device), classes.to(device)
        self.width = sum(modality.size for modality in windows.modalities)

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: Tensor) -> Bags:
        """Return some bags on the device."""
        values = self.windows.take(rows.cpu().numpy()).read()
        tensors = {name: torch.from_numpy(x).to(self.device) for name, x in values.items()}
        return Bags(tensors, self.present[rows], self.classes[rows])
