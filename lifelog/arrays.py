"""Types of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]  # numbers of classes, blocks, folds or users
Texts = NDArray[np.object_]
Bools = NDArray[np.bool_]
