"""Importance of every modality in windows that the networks of a user were not trained on.

attention  weight of the modality in the score of the bag; sums to 1 over the modalities that are present
ablation   decrease of the log-likelihood of the true class when the modality is masked (positive: it helps)

Deletion curves test whether an order of importance is faithful (MILLET: Early et al., ICLR 2024): modalities are
removed, the most important first; the faster the predicted class loses likelihood, the more faithful the order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelog.evaluate.metrics import scores
from lifelog.measures import OF_NETWORKS
from lifelog.mil.bags import Bags, read_bags, standardise_bags
from lifelog.mil.loss import chunks
from lifelog.mil.network import BagOutput, MilNetwork
from lifelog.mil.train import exclusion_of, load_members
from lifelog.registry import Registry
from lifelog.settings.windows import Modality
from lifelog.splits.assign import DESCRIBED, read_folds
from lifelog.tables import IMPORTANCE, TEXT, plain, read_json, write_table

# Of test windows. order: an importance measure, or random; removed: number of removed modalities; windows: number of
# windows with more modalities than that; decrease: of the predicted class's log-likelihood, mean over the windows.
CURVE = dict(user=TEXT, seed=pa.int32(), order=TEXT)
DELETION = pa.schema(CURVE | dict(removed=pa.int32(), windows=pa.int32(), decrease=pa.float64()))
KEYS = ["user", "start", "fold", "subset", "block"]
RANDOM_ORDERS = 10  # per window, averaged


class Encoded(NamedTuple):
    """Encoded bags: features z (B, M, features), present (B, M), output with all modalities, true classes (B,)."""

    z: Tensor
    present: Tensor
    output: BagOutput
    classes: Tensor


def _attention(network: MilNetwork, bags: Encoded) -> Tensor:
    return bags.output.attention


def _ablation(network: MilNetwork, bags: Encoded) -> Tensor:
    known, drops = _likelihood(bags.output, bags.classes), []
    for m in range(bags.z.shape[1]):
        without = bags.present.clone()
        without[:, m] = False
        drops.append(known - _likelihood(network.classify(bags.z, without), bags.classes))
    return torch.stack(drops, dim=1)


# Each returns the importance (B, M) of the modalities of some bags.
IMPLEMENTATIONS: Registry[Callable[[MilNetwork, Encoded], Tensor]] = Registry(
    "importance measure", {"attention": _attention, "ablation": _ablation}
)


class Explanation(NamedTuple):
    """Explanation of a network's predictions for N windows with M modalities and C classes.

    Attributes
    ----------
    importance : dict of str to ndarray of float, shape (N, M)
        By measure; NaN where the modality is missing.
    deletion : dict of str to ndarray of float, shape (N, M - 1)
        By order; decrease of the log-likelihood after 1, 2, ... removed modalities, NaN if none is left.
    probabilities : ndarray of float, shape (N, C)
        Predictions.
    """

    importance: dict[str, NDArray[np.float32]]
    deletion: dict[str, NDArray[np.float32]]
    probabilities: NDArray[np.float64]


@torch.no_grad()
def explain(network: MilNetwork, bags: Bags, seed: int) -> Explanation:
    """Compute every importance measure, and deletion curves in the order of each measure and in random orders.

    Parameters
    ----------
    network : MilNetwork
        A network in evaluation mode.
    bags : Bags
        Standardised windows.
    seed : int
        Seed of the random orders.

    Returns
    -------
    Explanation
        In the order of the bags.
    """
    generator = torch.Generator().manual_seed(seed)
    importance: dict[str, list[Tensor]] = {measure: [] for measure in OF_NETWORKS}
    deletion: dict[str, list[Tensor]] = {order: [] for order in (*OF_NETWORKS, "random")}
    probabilities = []
    for bag in chunks(bags):
        z = network.encode(bag.values)
        encoded = Encoded(z, bag.present, network.classify(z, bag.present), bag.classes)
        # Deletion curves are about the predicted class, so every order refers to it.
        of_predicted = encoded._replace(classes=encoded.output.log_probabilities.argmax(dim=1))
        for measure in OF_NETWORKS:
            values = IMPLEMENTATIONS[measure](network, encoded)
            importance[measure].append(values.masked_fill(~bag.present, torch.nan))
            order = IMPLEMENTATIONS[measure](network, of_predicted)
            deletion[measure].append(_deletion(network, encoded, order[None])[0])
        drawn = torch.rand((RANDOM_ORDERS, *bag.present.shape), generator=generator)
        deletion["random"].append(_deletion(network, encoded, drawn).mean(dim=0))
        probabilities.append(encoded.output.log_probabilities.double().exp())
    return Explanation(
        {name: torch.cat(values).numpy() for name, values in importance.items()},
        {name: torch.cat(values).numpy() for name, values in deletion.items()},
        torch.cat(probabilities).numpy(),
    )


def _deletion(network: MilNetwork, bags: Encoded, values: Tensor) -> Tensor:
    """Return the decreases (R, B, M - 1) after removing 1, 2, ... modalities in the order of values (R, B, M)."""
    orders, count, modalities = values.shape
    rank = values.masked_fill(~bags.present, -torch.inf).argsort(dim=2, descending=True, stable=True).argsort(dim=2)
    left = torch.stack(
        [bags.present & (rank >= removed) for removed in range(1, modalities)], dim=2
    )  # (R, B, M - 1, M)
    predicted = bags.output.log_probabilities.argmax(dim=1)
    repeated = bags.z[None, :, None].expand(*left.shape, -1).flatten(0, 2)
    outputs = network.classify(repeated, left.flatten(0, 2)).log_probabilities.unflatten(0, (orders, count, -1))
    own = outputs.gather(3, predicted[:, None, None].expand(orders, -1, modalities - 1, 1))[..., 0]
    drops: Tensor = _likelihood(bags.output, predicted)[:, None] - own
    return drops.masked_fill(~left.any(dim=3), torch.nan)


def _likelihood(output: BagOutput, classes: Tensor) -> Tensor:
    return output.log_probabilities.gather(1, classes[:, None])[:, 0]


def extract_importance(
    data_path: str | Path,
    splits_path: str | Path,
    checkpoints: list[str],
    importance_path: str | Path,
    deletion_path: str | Path,
) -> None:
    """Write the importance of windows under every seed, and deletion curves.

    The network of a fold explains the validation and test windows, which it was not trained on. In a split with several
    folds, importance in the test windows of all folds describes the user (fold 0); importance in the validation windows
    forms the groups of the fold. An excluded user has no rows. The notes of both tables hold the scores of each seed
    on the test windows.

    Parameters
    ----------
    data_path : str or Path
        The file that the networks were trained on.
    splits_path : str or Path
        A file of `assign_splits`.
    checkpoints : list of str
        Files of `train_mil`, one per seed.
    importance_path, deletion_path : str or Path
        Parquet files to write.
    """
    notes: dict[str, Any] = {"excluded": exclusion_of(checkpoints[0]), "test_scores": {}}
    frames, curves = [], []
    if notes["excluded"] is None:
        about = read_json(Path(checkpoints[0]).with_suffix(".json"))  # the same for all, except for the seed
        modalities = [Modality(**entry) for entry in about["modalities"]]
        mil, folds = about["mil"], read_folds(splits_path)
        bags, used, _ = read_bags(
            data_path, folds[DESCRIBED], modalities, mil["labels"], about["classes"], mil["encoder"]
        )
    for checkpoint in checkpoints if notes["excluded"] is None else ():
        seed = read_json(Path(checkpoint).with_suffix(".json"))["seed"]
        tested = []
        for member in load_members(checkpoint):
            rows = folds[member.fold].loc[used.index].reset_index(drop=True)
            seen = rows.subset.isin(("validation", "test")).to_numpy()
            explained = bags.take(torch.from_numpy(np.flatnonzero(seen)))
            explanation = explain(member.network, standardise_bags(explained, member.scalings), seed)
            rows, test = rows[seen].reset_index(drop=True), (rows.subset[seen] == "test").to_numpy()
            described = used[KEYS].reset_index(drop=True)[seen].reset_index(drop=True)
            rows.loc[test, KEYS] = described[test]
            frames += _importance_rows(explanation, rows[KEYS], modalities, seed)
            tested.append(Tested(explanation, test, explained.classes.numpy(), member.fold))
        curves.append(_curves(tested, used.user.iloc[0]).assign(seed=seed))
        notes["test_scores"][str(seed)] = _test_scores(tested)
    for schema, tables, path in ((IMPORTANCE, frames, importance_path), (DELETION, curves, deletion_path)):
        write_table(pd.concat(tables) if tables else schema.empty_table().to_pandas(), path, schema, notes)


def _importance_rows(
    explanation: Explanation, keys: pd.DataFrame, modalities: list[Modality], seed: int
) -> list[pd.DataFrame]:
    """Return the rows of each measure."""
    frames = []
    for measure, values in explanation.importance.items():
        wide = pd.concat([keys, pd.DataFrame(values, columns=[modality.name for modality in modalities])], axis=1)
        frame = wide.melt(KEYS, var_name="modality", value_name="value")
        frames.append(frame.assign(seed=seed, measure=measure))
    return frames


class Tested(NamedTuple):
    """Explanations of some windows of a fold, which of them are test windows, and their classes."""

    explanation: Explanation
    test: NDArray[np.bool_]
    classes: NDArray[np.int64]
    fold: int


def _test_scores(tested: list[Tested]) -> dict[str, float | None]:
    """Return the scores on the test windows of all folds."""
    truth = np.concatenate([part.classes[part.test] for part in tested])
    probabilities = np.concatenate([part.explanation.probabilities[part.test] for part in tested])
    folds = np.concatenate([np.full(part.test.sum(), part.fold) for part in tested])
    return {name: plain(value) for name, value in scores(truth, probabilities, folds).items()}


def _curves(tested: list[Tested], user: str) -> pd.DataFrame:
    """Return the mean deletion curves of the test windows of all folds."""
    frames = []
    for order in tested[0].explanation.deletion:
        drops = np.concatenate([part.explanation.deletion[order][part.test] for part in tested])
        known = ~np.isnan(drops)
        count = known.sum(axis=0)
        mean = np.where(known, drops, 0).sum(axis=0, dtype=float) / np.where(count, count, np.nan)
        removed = np.arange(1, drops.shape[1] + 1)
        frames.append(pd.DataFrame({"removed": removed, "windows": count, "decrease": mean, "order": order}))
    return pd.concat(frames).assign(user=user)
