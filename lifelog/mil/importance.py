"""extract_importance: what a user's networks say about which modality matters, window by window.

attention  the weight that the bag's score gives to the modality; sums to 1 over the modalities that are there
ablation   by how much the log-likelihood of the true class falls when the modality is masked (positive: it helps)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from lifelog.config import Modality
from lifelog.mil.bags import Bags, read_bags, scale
from lifelog.mil.network import MilNetwork
from lifelog.mil.train import chunks, load_mil
from lifelog.splits import exclusion
from lifelog.tables import write_table

SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("start", pa.timestamp("s", tz="UTC")),
        ("part", pa.string()),
        ("seed", pa.int32()),
        ("method", pa.string()),
        ("modality", pa.string()),
        ("value", pa.float32()),  # null where the modality is missing
    ]
)
METHODS = ("attention", "ablation")


@torch.no_grad()
def importance(network: MilNetwork, bags: Bags) -> dict[str, np.ndarray]:
    """Attention and ablation of each bag and modality, shape (N, M) each, NaN where the modality is missing."""
    parts: dict[str, list[torch.Tensor]] = {method: [] for method in METHODS}
    for bag in chunks(bags):
        z, truth = network.encode(bag.values), bag.classes[:, None]
        whole = network.decide(z, bag.present)
        known = whole.log_probabilities.gather(1, truth)
        falls = []
        for m in range(z.shape[1]):
            without = bag.present.clone()
            without[:, m] = False
            falls.append(known - network.decide(z, without).log_probabilities.gather(1, truth))
        for method, values in (("attention", whole.attention), ("ablation", torch.cat(falls, dim=1))):
            parts[method].append(values.masked_fill(~bag.present, torch.nan))
    return {method: torch.cat(values).numpy() for method, values in parts.items()}


def extract_importance(
    windows_path: str | Path, splits_path: str | Path, checkpoints: list[str], importance_path: str | Path
) -> None:
    """Write the importance of every window of train, validation and test under every seed; no row if excluded."""
    frames = []
    for checkpoint in checkpoints:
        loaded = load_mil(checkpoint)
        if loaded is None:
            continue
        network, scaling, about = loaded
        modalities = [Modality(**entry) for entry in about["modalities"]]
        raw, used, _ = read_bags(windows_path, splits_path, modalities, about["mil"]["labels"], about["classes"])
        for method, values in importance(network, scale(raw, scaling)).items():
            frame = pd.DataFrame(values, columns=[modality.name for modality in modalities])
            frame = pd.concat([used[["user", "start", "part"]], frame], axis=1)
            frame = frame.melt(["user", "start", "part"], var_name="modality", value_name="value")
            frames.append(frame.assign(seed=about["seed"], method=method))
    table = pd.concat(frames) if frames else SCHEMA.empty_table().to_pandas()
    write_table(table, importance_path, SCHEMA, notes={"excluded": exclusion(splits_path)})
