"""Importance of sensor modalities per participant, groups by importance, and an honest comparison of predictors.

The functions of the stages can be imported from here, for example in a notebook; the scripts of the workflow call the
same functions. Each is loaded with its module on first use, so that reading a table does not import torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_EXPORTS = {
    "config": ("Config", "load_config"),
    "settings.splits": ("BlockedSplit", "ParticipantsSplit", "RandomSplit", "SessionsSplit", "Target"),
    "settings.importance": ("Shapley",),
    "settings.groups": ("Clustering", "Groups", "Scoring"),
    "settings.mil": ("Mil",),
    "settings.predict": ("predictor_settings",),
    "validation.cohorts": ("make_cohort",),
    "windows.extract": ("extract_windows",),
    "windows.read": ("Features", "iter_windows", "read_features", "read_labels", "read_windows"),
    "windows.features": ("extract_features",),
    "splits.folds": ("Folds", "read_folds"),
    "splits.assign": ("assign_splits",),
    "mil.bags": ("feature_instances", "make_bags"),
    "mil.checkpoint": ("read_checkpoint",),
    "mil.train": ("train_mil",),
    "importance.table": ("read_importance",),
    "importance.estimate": ("estimate_shapley",),
    "importance.networks": ("explain_networks",),
    "importance.vectors": ("describing", "user_vectors"),
    "importance.compare": ("compare_shapley",),
    "groups.read": ("described_groups", "included_users", "read_groups", "ungrouped"),
    "groups.clustering": ("score_groups",),
    "groups.assignment": ("SchemeInputs", "group_users"),
    "predict.samples": ("Person", "make_samples"),
    "predict.train": ("Model", "train_predictors"),
    "evaluate.compare": ("compare_predictors", "read_predictions", "score_users", "split_groupings"),
    "bundle.bundle": ("Bundle",),
    "bundle.files": ("load_bundle",),
    "export": ("load_run",),
}
_MODULE = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'lifelog' has no attribute {name!r}")
    return getattr(import_module("." + _MODULE[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
