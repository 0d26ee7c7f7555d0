"""Types of arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]  # numbers of classes, blocks, folds or users
Texts = NDArray[np.object_]
Bools = NDArray[np.bool_]
Arrays = dict[str, NDArray[Any]]  # by name


def check_shapes(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError unless these are the names and the shapes of arrays."""
    found = {name: array.shape for name, array in arrays.items()}
    if found != dict(shapes):
        raise ValueError(f"arrays of the shapes {found}; {dict(shapes)} expected")
