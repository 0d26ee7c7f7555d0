"""extract_importance: what a user's networks say about which modality matters, window by window.

attention  the weight that the bag's score gives to the modality; sums to 1 over the modalities that are there
ablation   by how much the log-likelihood of the true class falls when the modality is masked (positive: it helps)

Whether such an order may be believed is asked by deletion (MILLET: Early et al., ICLR 2024): take the modalities away,
the most important first; the faster the predicted class loses its likelihood, the more faithful the order.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelog.config import Modality
from lifelog.metrics import scores
from lifelog.mil.bags import Bags, read_bags, scale
from lifelog.mil.network import BagOutput, MilNetwork
from lifelog.mil.train import chunks, exclusion_of, load_mil
from lifelog.tables import plain, write_table

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
DELETION = pa.schema(
    [
        ("user", pa.string()),
        ("part", pa.string()),
        ("seed", pa.int32()),
        ("order", pa.string()),  # attention, ablation, random
        ("removed", pa.int32()),  # modalities taken away
        ("windows", pa.int32()),  # those that had more than so many
        ("fall", pa.float64()),  # of the predicted class's log-likelihood, mean over the windows
    ]
)
METHODS = ("attention", "ablation")
RANDOM_ORDERS = 10  # a window, averaged


class Explained(NamedTuple):
    """What a network says of N windows with M modalities and C classes."""

    importance: dict[str, NDArray]  # by method (N, M), NaN where the modality is missing
    deletion: dict[str, NDArray]  # by order (N, M - 1): fall after 1, 2, ... are taken away, NaN where none is left
    probabilities: NDArray  # (N, C)


@torch.no_grad()
def explain(network: MilNetwork, bags: Bags, seed: int) -> Explained:
    """Importance by every method, and deletion curves in their order and at random."""
    generator = torch.Generator().manual_seed(seed)
    importance: dict[str, list[Tensor]] = {method: [] for method in METHODS}
    deletion: dict[str, list[Tensor]] = {order: [] for order in (*METHODS, "random")}
    said = []
    for bag in chunks(bags):
        z, present = network.encode(bag.values), bag.present
        whole = network.decide(z, present)
        found = {"attention": whole.attention, "ablation": _ablation(network, z, present, whole, bag.classes)}
        for method, values in found.items():
            importance[method].append(values.masked_fill(~present, torch.nan))
            deletion[method].append(_deletion(network, z, present, whole, values[None])[0])
        drawn = torch.rand((RANDOM_ORDERS, *present.shape), generator=generator)
        deletion["random"].append(_deletion(network, z, present, whole, drawn).mean(dim=0))
        said.append(whole.log_probabilities.double().exp())
    return Explained(
        {name: torch.cat(values).numpy() for name, values in importance.items()},
        {name: torch.cat(values).numpy() for name, values in deletion.items()},
        torch.cat(said).numpy(),
    )


def _ablation(network: MilNetwork, z: Tensor, present: Tensor, whole: BagOutput, classes: Tensor) -> Tensor:
    """By how much the log-likelihood of a class falls without each modality, (B, M)."""
    known, falls = _likelihood(whole, classes), []
    for m in range(z.shape[1]):
        without = present.clone()
        without[:, m] = False
        falls.append(known - _likelihood(network.decide(z, without), classes))
    return torch.stack(falls, dim=1)


def _deletion(network: MilNetwork, z: Tensor, present: Tensor, whole: BagOutput, values: Tensor) -> Tensor:
    """Falls of the predicted class with 1, 2, ..., M - 1 modalities of the greatest values taken away, (R, B, M - 1).

    values: (R, B, M), R orders of the modalities.
    """
    orders, bags, modalities = values.shape
    rank = values.masked_fill(~present, -torch.inf).argsort(dim=2, descending=True, stable=True).argsort(dim=2)
    left = torch.stack([present & (rank >= removed) for removed in range(1, modalities)], dim=2)  # (R, B, M - 1, M)
    predicted = whole.log_probabilities.argmax(dim=1)
    every = z[None, :, None].expand(*left.shape, -1).flatten(0, 2)
    said = network.decide(every, left.flatten(0, 2)).log_probabilities.unflatten(0, (orders, bags, -1))
    own = said.gather(3, predicted[:, None, None].expand(orders, -1, modalities - 1, 1))[..., 0]
    falls = _likelihood(whole, predicted)[:, None] - own
    return falls.masked_fill(~left.any(dim=3), torch.nan)


def _likelihood(output: BagOutput, classes: Tensor) -> Tensor:
    return output.log_probabilities.gather(1, classes[:, None])[:, 0]


def extract_importance(
    windows_path: str | Path,
    splits_path: str | Path,
    checkpoints: list[str],
    importance_path: str | Path,
    deletion_path: str | Path,
) -> None:
    """Write the importance of every window of train, validation and test under every seed, and deletion curves.

    An excluded user has no rows. The notes hold each seed's scores on the test windows.
    """
    frames, curves, notes = [], [], {"excluded": exclusion_of(checkpoints[0]), "test_scores": {}}
    loaded = [found for found in map(load_mil, checkpoints) if found is not None]
    if loaded:
        about = loaded[0][2]  # but for the seed the same in all
        modalities = [Modality(**entry) for entry in about["modalities"]]
        raw, used, _ = read_bags(windows_path, splits_path, modalities, about["mil"]["labels"], about["classes"])
    for network, scaling, about in loaded:
        explained = explain(network, scale(raw, scaling), about["seed"])
        for method, values in explained.importance.items():
            frame = pd.DataFrame(values, columns=[modality.name for modality in modalities])
            frame = pd.concat([used[["user", "start", "part"]], frame], axis=1)
            frame = frame.melt(["user", "start", "part"], var_name="modality", value_name="value")
            frames.append(frame.assign(seed=about["seed"], method=method))
        curves.append(_curves(explained.deletion, used).assign(seed=about["seed"]))
        test = (used.part == "test").to_numpy()
        tested = scores(raw.classes.numpy()[test], explained.probabilities[test])
        notes["test_scores"][str(about["seed"])] = {name: plain(value) for name, value in tested.items()}
    for schema, tables, path in ((SCHEMA, frames, importance_path), (DELETION, curves, deletion_path)):
        write_table(pd.concat(tables) if tables else schema.empty_table().to_pandas(), path, schema, notes)


def _curves(deletion: dict[str, NDArray], used: pd.DataFrame) -> pd.DataFrame:
    """Mean deletion curves of each part."""
    frames = []
    for order, falls in deletion.items():
        frame = pd.concat([used[["user", "part"]], pd.DataFrame(falls, columns=range(1, falls.shape[1] + 1))], axis=1)
        frame = frame.melt(["user", "part"], var_name="removed", value_name="fall")
        means = frame.groupby(["user", "part", "removed"], sort=True).fall.agg(windows="count", fall="mean")
        frames.append(means.reset_index().assign(order=order))
    return pd.concat(frames).astype({"removed": int})
