"""embed_importance: windows in two dimensions by t-SNE, from their importance and from their raw features."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.manifold import TSNE

from lifelog.importance.vectors import describing, raw_vectors, window_vectors
from lifelog.settings.groups import Tsne
from lifelog.tables import TEXT, TIME
from lifelog.windows.read import Features

SCHEMA = pa.schema(dict(space=TEXT, user=TEXT, start=TIME, x=pa.float32(), y=pa.float32()))


def embed_importance(importance: pd.DataFrame, features: Sequence[Features], settings: Tsne) -> pd.DataFrame:
    """Embed windows by importance and by raw features.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    features : sequence of Features
        Features of the same participants.
    settings : Tsne
        Importance measure, number of windows, perplexity and seed.

    Returns
    -------
    pandas.DataFrame
        space, user, start, x, y: the same windows in both spaces, at most `settings.windows`.
    """
    table = window_vectors(describing(importance), settings.importance, [])
    if settings.windows is not None and len(table) > settings.windows:
        drawn = np.random.default_rng(settings.seed).choice(len(table), settings.windows, replace=False)
        table = table.iloc[np.sort(drawn)]
    spaces = [_embed(table, "importance", settings), _embed(raw_vectors(features, table), "raw", settings)]
    return pd.concat(spaces, ignore_index=True)


def _embed(vectors: pd.DataFrame, space: str, settings: Tsne) -> pd.DataFrame:
    """Return the coordinates of windows in one space."""
    keys = vectors.index.to_frame(index=False)
    if (vectors.nunique() <= 1).all():  # identical vectors are one point, which t-SNE cannot embed
        return keys.assign(space=space, x=0.0, y=0.0)
    perplexity = min(settings.perplexity, max(1.0, (len(vectors) - 1) / 3))
    model = TSNE(perplexity=perplexity, init="pca", random_state=settings.seed)
    points = model.fit_transform(vectors.to_numpy(dtype=np.float32))
    return keys.assign(space=space, x=points[:, 0], y=points[:, 1])
