"""value_sets: the value of every set of modalities for a participant, in every fold.

The value is the AUROC minus 0.5 of held-out windows within the training and validation windows of a fold, as of
`estimate_shapley`, whose Shapley values are made of the same numbers. No test window of the fold is used.
"""

import numpy as np
import pandas as pd

from lifelog.importance.estimate import SUBSETS, prepare_values
from lifelog.importance.pairs import areas
from lifelog.importance.shapley import MAX_EXACT, shapley_game
from lifelog.settings.importance import Shapley
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features

COLUMNS = ["user", "fold", "set", "value"]


def value_sets(features: Features, folds: Folds, settings: Shapley) -> pd.DataFrame:
    """Compute the value of every set of modalities.

    Parameters
    ----------
    features : Features
        Of `extract_features`.
    folds : Folds
        Of `assign_splits`.
    settings : Shapley
        Inner folds and shrinkage.

    Returns
    -------
    pandas.DataFrame
        user, fold (null: all windows), set (bit i stands for modality i), value. No rows for an excluded participant,
        and in folds whose windows cannot be compared.

    Raises
    ------
    ValueError
        If there are more than 12 modalities.
    """
    count, tables = len(features.modalities), list[pd.DataFrame]()
    if count > MAX_EXACT:
        raise ValueError(f"{count} modalities have too many sets; {MAX_EXACT} are possible at most")
    sets = shapley_game(count).sets
    for fold, split in folds.items() if folds.excluded is None else ():
        used = split.subset.isin(SUBSETS).to_numpy()
        rows = split[used].reset_index(drop=True)
        prepared = prepare_values(features.by_modality(used), rows, folds.classes, settings)
        if isinstance(prepared, str):
            continue
        found = areas(prepared.models, prepared.codes, sets, np.eye(len(sets))).values
        tables.append(pd.DataFrame({"set": np.arange(len(sets)), "value": found}).assign(user=folds.user, fold=fold))
    return pd.concat(tables or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)[COLUMNS].dropna(subset=["value"])
