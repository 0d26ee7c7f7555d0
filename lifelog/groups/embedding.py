"""embed_importance: windows in two dimensions by t-SNE, by their importance and by their raw features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.manifold import TSNE

from lifelog.config import Groups
from lifelog.groups.vectors import raw_vectors, window_vectors

SCHEMA = pa.schema(
    [
        ("space", pa.string()),  # importance or raw
        ("user", pa.string()),
        ("start", pa.timestamp("s", tz="UTC")),
        ("x", pa.float32()),
        ("y", pa.float32()),
    ]
)


def embed_importance(importance: pd.DataFrame, features: list[str], settings: Groups) -> pd.DataFrame:
    """space, user, start, x, y: the same windows in both spaces."""
    vectors = window_vectors(importance, settings.importance, settings.parts)
    spaces = [_embed(vectors, "importance", settings), _embed(raw_vectors(features, vectors), "raw", settings)]
    return pd.concat(spaces, ignore_index=True)


def _embed(vectors: pd.DataFrame, space: str, settings: Groups) -> pd.DataFrame:
    keys = vectors.index.to_frame(index=False)
    if (vectors.nunique() <= 1).all():  # all alike, as with a single modality: one point, which t-SNE cannot draw
        return keys.assign(space=space, x=0.0, y=0.0)
    perplexity = min(settings.perplexity, max(1.0, (len(vectors) - 1) / 3))
    model = TSNE(perplexity=perplexity, init="pca", random_state=settings.embedding_seed)
    points = model.fit_transform(vectors.to_numpy(dtype=np.float32))
    return keys.assign(space=space, x=points[:, 0], y=points[:, 1])
