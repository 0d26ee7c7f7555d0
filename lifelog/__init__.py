"""From raw multimodal sensor recordings to personal sensor importance, groups of people and an honest comparison.

What one does in a notebook can be imported from here; the workflow's scripts call the same functions.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# A job of the workflow (rules/common.smk) loads torch or seaborn and ends within seconds: a quarter of its start would
# be a search for garbage among modules. lifelog.logs.job_log lets the search begin with the job's work.
if os.environ.pop("LIFELOG_JOB", None):
    gc.disable()

# Each is loaded with its module when it is first asked for: reading a table need not wait for torch.
_FROM = {
    "lifelog.config": ("Config", "load_config"),
    "lifelog.windows.extract": ("extract_windows",),
    "lifelog.windows.read": ("read_labels", "read_windows"),
    "lifelog.windows.features": ("extract_features",),
    "lifelog.splits": ("assign_splits",),
    "lifelog.mil.train": ("load_mil", "train_mil"),
    "lifelog.mil.importance": ("extract_importance",),
    "lifelog.groups.vectors": ("read_importance", "user_vectors"),
    "lifelog.groups.clustering": ("score_groups",),
    "lifelog.groups.assignment": ("group_users",),
    "lifelog.predict.samples": ("read_samples",),
    "lifelog.predict.train": ("train_predictor",),
    "lifelog.compare": ("compare_predictors", "read_predictions", "score_users"),
    "lifelog.newcomers": ("place_newcomer",),
}
_MODULE = {name: module for module, names in _FROM.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'lifelog' has no attribute {name!r}")
    return getattr(import_module(_MODULE[name]), name)


def __dir__() -> list[str]:
    return __all__
