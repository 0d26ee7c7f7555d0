"""score_user: windows of a participant, with or without labels → class probabilities, and why no class is named.

Participants of the run that made the bundle have its strategy for them, if `score.participants` is `same`; others are
new. Where windows have labels of the target, their classes are added, which is the test of the bundle (`transfer`).
"""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.bundle.bundle import Bundle
from lifelog.settings.splits import Target
from lifelog.splits.classes import class_names, label_windows
from lifelog.tables import TEXT, TIME
from lifelog.windows.read import Features


class Scored(NamedTuple):
    """The scored windows of a participant.

    Attributes
    ----------
    table : pandas.DataFrame
        user, session, start; per class its probability (`p_`) and that before calibration (`raw_`); set, class and
        reason as of `Bundle.predict`; truth, the class by the labels; and expected for ratings. Windows that could not
        be extracted have a reason only.
    about : dict
        For JSON: user; model (of the participant, or of new ones); group by importance; of_run (whether these are
        recordings that made the bundle); windows and predicted (numbers of all windows, and of those with
        probabilities); classes (number of windows for which each class is named); reasons (numbers of the other
        windows by cause); doubts.
    """

    table: pd.DataFrame
    about: dict[str, Any]


def score_windows(
    bundle: Bundle, user: str, features: Features, labels: pd.DataFrame, quality: pd.DataFrame, same: bool
) -> Scored:
    """Predict the windows of a participant.

    Parameters
    ----------
    bundle : Bundle
        The fitted models.
    user : str
        Name of the participant.
    features : Features
        Of all windows, with maxima.
    labels : pandas.DataFrame
        The same windows, as `read_labels` returns them.
    quality : pandas.DataFrame
        Quality table, with the windows that could not be extracted.
    same : bool
        Whether a participant of the run with this name is the same person.

    Returns
    -------
    Scored
        In time order.
    """
    known = user if same and user in bundle.users else None
    lost = quality.loc[quality.kind == "label", ["user", "session", "start", "reason", "detail"]]
    lost = lost.assign(reason=lost.reason + ": " + lost.detail.fillna("")).drop(columns="detail")
    notes = quality[quality.kind == "note"]
    doubts = list(dict.fromkeys(notes.reason + ": " + notes.detail.fillna("")))
    table, group = labels[["user", "session", "start"]].reset_index(drop=True), None
    if len(labels):
        predicted = bundle.predict(features, known).drop(columns="start")
        table = pd.concat([table, predicted], axis=1).assign(truth=true_classes(labels, bundle.about.target))
        doubts = ([] if known else bundle.doubts(features)) + doubts
        group = bundle.group_of(features, known)
    table = pd.concat([table, lost], ignore_index=True).sort_values("start", kind="stable", ignore_index=True)
    table = table.reindex(columns=score_schema(bundle).names)
    about = {
        "user": user,
        "model": "of the participant" if known else "for new participants",
        "group": group,
        "of_run": len(labels) > 0 and bundle.has_seen(features),
        "windows": len(table),
        "predicted": len(labels),
        "classes": {name: int((table["class"] == name).sum()) for name in bundle.about.classes},
        "reasons": Counter(reason.partition(":")[0] for reason in table.reason.dropna()),
        "doubts": doubts,
    }
    return Scored(table, about)


def true_classes(labels: pd.DataFrame, target: Target) -> pd.Series:
    """Return the classes of windows by their labels; None without one.

    Those of a relative target are relative to the answers before each.
    """
    truth = pd.Series(None, index=range(len(labels)), dtype=object)
    if target.column in labels:
        used, found = label_windows(labels, target)
        truth[np.flatnonzero(used)] = class_names(found.codes_from_before(), target)
    return truth


def score_schema(bundle: Bundle) -> pa.Schema:
    """Return the schema of scored windows."""
    numbers = [f"{prefix}{name}" for prefix in ("p_", "raw_") for name in bundle.about.classes]
    numbers += ["expected"] if bundle.about.target.kind == "rating" else []
    texts = dict.fromkeys(("set", "class", "reason", "truth"), TEXT)
    return pa.schema(dict(user=TEXT, session=TEXT, start=TIME) | dict.fromkeys(numbers, pa.float64()) | texts)
