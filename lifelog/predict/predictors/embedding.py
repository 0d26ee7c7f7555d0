"""A linear discriminant on embeddings of windows by pretrained models, which are files of `torch.export`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lifelog.arrays import Floats
from lifelog.predict.predictors.lda import Lda, LdaPredictor
from lifelog.settings.predict import Inputs, Scheme

if TYPE_CHECKING:
    from torch import Tensor

    from lifelog.predict.samples import Samples

CHUNK = 256  # windows that are embedded at a time


class Embedding(Lda):
    """Linear discriminant on embeddings."""

    inputs: ClassVar[Inputs] = "windows"
    stored: ClassVar[bool] = False  # the pretrained model is not ours to copy
    needs_torch: ClassVar[bool] = True
    fast: ClassVar[bool] = False
    combines: ClassVar[tuple[Scheme, ...]] = ("blend",)
    meaning: ClassVar[str] = "Linear discriminant on the output of pretrained models instead of features."

    name: Literal["embedding"] = "embedding"  # type: ignore[assignment]
    """as lda, on embeddings of windows by pretrained models"""

    models: dict[str, str] = Field(min_length=1)
    """by modality, a file of torch.export.save: a model of windows (windows, channels, samples), standardised
    according to `windows.standardise`, with a dynamic number of windows; it returns one row per window"""

    def check(self, columns: Mapping[str, list[str]]) -> None:
        """Raise ValueError for a model of an unknown modality."""
        for name in self.models:
            if name not in columns:
                raise ValueError(f"predictors: embedding.models: {name!r} is not among the modalities {list(columns)}")


class EmbeddingPredictor(LdaPredictor):
    """As `lda`, on the embeddings of all models, one after the other, instead of summary features."""

    def values(self, samples: Samples) -> Floats:
        """Return the embeddings (n_windows, n_features); NaN where a modality is missing."""
        if samples.windows is None:
            raise ValueError("embedding needs windows: store them with the samples")
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


def _embed(path: str, modality: str, windows: Floats) -> Floats:
    """Return the output of a model for windows (n_windows, length, n_channels), one row per window."""
    import torch

    x, model = torch.from_numpy(windows.transpose(0, 2, 1).copy()), load_model(path)
    try:
        with torch.no_grad():
            embedded: Any = model(x)
    except Exception as problem:  # the code of a model may raise any
        shape = f"{tuple(x.shape)} (windows, channels, samples)"
        raise ValueError(
            f"{_where(path, modality)} does not accept windows of the shape {shape}: {problem}"
        ) from problem
    if not isinstance(embedded, torch.Tensor) or embedded.shape[0] != len(x):
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
    import torch

    try:
        program = torch.export.load(path)
    except Exception as problem:  # of the archive, of the format, or of the model
        raise ValueError(
            f"predictors: embedding.models: {path} is no file of torch.export.save: {problem}"
        ) from problem
    module: Callable[[Tensor], Any] = program.module()
    return module
