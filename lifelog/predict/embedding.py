"""A linear discriminant on embeddings of windows by pretrained models, which are files of `torch.export`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifelog.predict import lda
from lifelog.predict.samples import Samples
from lifelog.settings.predict import Embedding

CHUNK = 256  # windows that are embedded at a time


class Predictor(lda.Predictor):
    """As `lda`, on the embeddings of all models, one after the other, instead of summary features."""

    settings: Embedding

    def values(self, samples: Samples) -> NDArray[np.float32]:
        """Return the embeddings (n_windows, n_features); NaN where a modality is missing."""
        if samples.windows is None:
            raise ValueError("embedding needs windows: pass them to read_samples")
        parts = []
        for first in range(0, len(samples), CHUNK):
            stored = samples.windows.take(np.arange(first, min(first + CHUNK, len(samples))))
            windows, names = stored.read(), [modality.name for modality in stored.modalities]
            embedded = []
            for name, path in self.settings.models.items():
                x = _embed(path, name, windows[name])
                x[~stored.present[:, names.index(name)]] = np.nan
                embedded.append(x)
            parts.append(np.concatenate(embedded, axis=1))
        return np.concatenate(parts) if parts else np.empty((0, 1), np.float32)


@torch.no_grad()
def _embed(path: str, modality: str, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the output of a model for windows (n_windows, length, n_channels), one row per window."""
    x, model = torch.from_numpy(windows.transpose(0, 2, 1).copy()), load_model(path)
    try:
        embedded: Any = model(x)
    except Exception as problem:  # whatever the code of a model raises
        shape = f"{tuple(x.shape)} (windows, channels, samples)"
        raise ValueError(
            f"{_where(path, modality)} does not accept windows of the shape {shape}: {problem}"
        ) from problem
    if not isinstance(embedded, Tensor) or embedded.shape[0] != len(x):
        raise ValueError(f"{_where(path, modality)} does not return one row per window")
    return embedded.reshape(len(x), -1).float().numpy()


def _where(path: str, modality: str) -> str:
    return f"predictors: embedding.models: {modality!r}: {path}"


@functools.cache
def load_model(path: str) -> Callable[[Tensor], Any]:
    """Load a pretrained model.

    Parameters
    ----------
    path : str
        A file that `torch.export.save` has written, whose first dimension, the number of windows, is dynamic.

    Returns
    -------
    callable
        Of windows (n_windows, n_channels, length).

    Raises
    ------
    ValueError
        If the file is no such model.
    """
    try:
        program = torch.export.load(path)
    except Exception as problem:  # of the archive, of the format, or of the model
        raise ValueError(
            f"predictors: embedding.models: {path} is no file of torch.export.save: {problem}"
        ) from problem
    module: Callable[[Tensor], Any] = program.module()
    return module
