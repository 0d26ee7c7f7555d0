"""explain_networks: importance of every modality in windows that the networks of a participant were not trained on.

attention  weight of the modality in the score of the bag; sums to 1 over the modalities that are present
ablation   decrease of the log-likelihood of the true class when the modality is masked (positive: it helps)

Deletion curves test whether an order of importance is faithful (MILLET: Early et al., ICLR 2024): modalities are
removed, the most important first; the faster the predicted class loses likelihood, the more faithful the order.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor

from lifelog.arrays import Floats
from lifelog.f1 import confusion
from lifelog.importance.measures import OF_NETWORKS
from lifelog.importance.table import IMPORTANCE
from lifelog.mil.bags import Bags, LabelledBags, standardise_bags
from lifelog.mil.checkpoint import Checkpoint
from lifelog.mil.loss import chunks
from lifelog.mil.network import BagOutput, MilNetwork
from lifelog.registry import Registry
from lifelog.splits.folds import Folds
from lifelog.tables import TEXT

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
    modalities : list of str
        Names of the modalities.
    importance : dict of str to ndarray of float, shape (N, M)
        By measure; NaN where the modality is missing.
    deletion : dict of str to ndarray of float, shape (N, M - 1)
        By order; decrease of the log-likelihood after 1, 2, ... removed modalities, NaN if none is left.
    probabilities : ndarray of float, shape (N, C)
        Predictions.
    """

    modalities: list[str]
    importance: dict[str, Floats]
    deletion: dict[str, Floats]
    probabilities: Floats


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
        network.names,
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


class Explained(NamedTuple):
    """What the networks of a participant show.

    Attributes
    ----------
    importance : pandas.DataFrame
        In the schema `IMPORTANCE`.
    deletion : pandas.DataFrame
        Deletion curves of the test windows of all folds, in the schema `DELETION`.
    notes : dict
        excluded: the reason, or None; test_counts: by seed, the confusion matrix of the test windows.
    """

    importance: pd.DataFrame
    deletion: pd.DataFrame
    notes: dict[str, Any]


def explain_networks(labelled: LabelledBags, folds: Folds, checkpoints: Sequence[Checkpoint]) -> Explained:
    """Compute the importance of modalities in windows, under every seed, and deletion curves.

    The network of a fold explains the validation and test windows, which it was not trained on. Importance in the test
    windows of all folds describes the participant; importance in the validation windows forms the groups of the fold.

    Parameters
    ----------
    labelled : LabelledBags
        The windows that the networks were trained on.
    folds : Folds
        Of `assign_splits`.
    checkpoints : sequence of Checkpoint
        Of `train_mil`.

    Returns
    -------
    Explained
        Without rows for an excluded participant.

    Examples
    --------
    >>> from lifelog import BlockedSplit, Mil, Target, make_cohort, train_mil
    >>> from lifelog import assign_splits, explain_networks, extract_features, feature_instances, make_bags
    >>> (person,) = make_cohort(participants=1, windows=40)
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=2))
    >>> features = extract_features([person.sensors], person.labels, person.modalities)
    >>> bags = make_bags(feature_instances(features), folds)
    >>> checkpoints = train_mil(bags, folds, person.modalities, target, Mil(seeds=[0], epochs=2))
    >>> explained = explain_networks(bags, folds, checkpoints)
    >>> sorted(set(explained.importance.measure)), sorted(set(explained.deletion.order))
    (['ablation', 'attention'], ['ablation', 'attention', 'random'])
    """
    notes: dict[str, Any] = {"excluded": checkpoints[0].about["excluded"], "test_counts": {}}
    if notes["excluded"] is not None:
        return Explained(IMPORTANCE.empty_table().to_pandas(), DELETION.empty_table().to_pandas(), notes)
    frames, curves = [], []
    for checkpoint in checkpoints:
        seed, tested = checkpoint.about["seed"], []
        counts = np.zeros((len(labelled.classes), len(labelled.classes)), dtype=int)
        for member in checkpoint.members():
            split = folds.fold(member.fold)
            rows = split.loc[labelled.rows.index].reset_index(drop=True).assign(fold=member.fold)
            seen = rows.subset.isin(("validation", "test")).to_numpy()
            bags = labelled.of_fold(split).take(torch.from_numpy(np.flatnonzero(seen)))
            explanation = explain(member.network, standardise_bags(bags, member.scalings), seed)
            rows = rows[seen].reset_index(drop=True)
            for measure, values in explanation.importance.items():
                wide = pd.concat([rows[KEYS], pd.DataFrame(values, columns=explanation.modalities)], axis=1)
                table = wide.melt(KEYS, var_name="modality", value_name="importance")
                frames.append(table.assign(seed=seed, measure=measure, error_factor=1.0, least_variance=0.0))
            test, predicted = (rows.subset == "test").to_numpy(), explanation.probabilities.argmax(axis=1)
            counts += confusion(bags.classes.numpy()[test], predicted[test], len(counts))
            tested.append({order: drops[test] for order, drops in explanation.deletion.items()})
        curves.append(_curves(tested).assign(user=labelled.rows.user.iloc[0], seed=seed))
        notes["test_counts"][str(seed)] = counts.tolist()
    return Explained(pd.concat(frames), pd.concat(curves), notes)


def _curves(tested: list[dict[str, Floats]]) -> pd.DataFrame:
    """Return the mean deletion curves, by order, of the test windows of all folds."""
    frames = []
    for order in tested[0]:
        drops = np.concatenate([of_fold[order] for of_fold in tested])
        known = ~np.isnan(drops)
        count = known.sum(axis=0)
        mean = np.where(known, drops, 0).sum(axis=0, dtype=float) / np.where(count, count, np.nan)
        removed = np.arange(1, drops.shape[1] + 1)
        frames.append(pd.DataFrame({"removed": removed, "windows": count, "decrease": mean, "order": order}))
    return pd.concat(frames)
