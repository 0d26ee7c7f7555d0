"""Importance of sensor modalities per participant, groups by importance, and an honest comparison of predictors.

The functions of the stages can be imported from here, for example in a notebook; the scripts of the workflow call the
same functions. Each is loaded with its module on first use, so that reading a table does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_EXPORTS = {
    "config": ("Config", "load_config"),
    "windows.extract": ("extract_windows",),
    "windows.read": ("read_labels", "read_windows"),
    "windows.features": ("extract_features",),
    "splits.assign": ("assign_splits", "read_split"),
    "mil.train": ("load_mil", "train_mil"),
    "mil.importance": ("extract_importance",),
    "groups.vectors": ("read_importance", "user_vectors"),
    "groups.clustering": ("score_groups",),
    "groups.assignment": ("SchemeInputs", "group_users", "read_groups"),
    "predict.samples": ("read_samples",),
    "predict.train": ("Model", "train_predictors"),
    "evaluate.compare": ("compare_predictors", "read_predictions", "score_users"),
    "export": ("load_run",),
    "new_users": ("place_user",),
}
_MODULE = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'lifelog' has no attribute {name!r}")
    return getattr(import_module("." + _MODULE[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
