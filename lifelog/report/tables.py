"""Tables that figures and page are drawn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from lifelog.tables import read_json, read_notes


def yield_shares(quality: pd.DataFrame, modalities: list[str], users: list[str]) -> pd.DataFrame:
    """Share of labelled minutes in which each modality could be used, users by modalities; 0 without any minute."""
    rows = quality[quality.kind == "modality"]
    used = rows.reason.isna().groupby([rows.user, rows.modality]).mean().unstack()
    return used.reindex(index=users, columns=modalities).fillna(0.0).rename_axis(index="user", columns="modality")


def cohort_yield(quality: pd.DataFrame, starts: dict[str, pd.Series], timezone: str) -> pd.DataFrame:
    """Conservation, a row a user: labelled minutes = windows + minutes with a reason, and the main reasons.

    starts: of each user's windows; the days of the first and the last are given in the time zone.
    """
    rows = []
    for user, start in starts.items():
        count = len(start)
        days = [f"{day:%Y-%m-%d}" for day in start.dt.tz_convert(timezone).agg(["min", "max"])] if count else ["", ""]
        lost = quality[(quality.user == user) & (quality.kind == "label")]
        reasons = ", ".join(f"{reason} {number}" for reason, number in lost.reason.value_counts().items())
        rows.append(
            {"user": user, "first_day": days[0], "last_day": days[1], "labelled": count + len(lost)}
            | {"windows": count, "lost": len(lost), "reasons": reasons}
        )
    return pd.DataFrame(rows)


def fault_counts(quality: pd.DataFrame) -> pd.DataFrame:
    """What was met and how often, with the first place where it was met."""
    faults = quality[quality.reason.notna()]
    table = faults.groupby(["kind", "modality", "reason"], dropna=False).agg(
        times=("reason", "size"), users=("user", "nunique"), first=("detail", "first")
    )
    return table.reset_index().fillna({"modality": ""}).sort_values("times", ascending=False, kind="stable")


def training_histories(descriptions: list[str]) -> pd.DataFrame:
    """user, seed, epoch, losses, validation macro-F1 and whether the epoch was kept, from checkpoints' JSON files."""
    frames = []
    for path in descriptions:
        about = read_json(path)
        if about["excluded"] is None:
            frame = pd.DataFrame(about["history"])
            user = Path(path).parent.name
            frames.append(frame.assign(user=user, seed=about["seed"], best=frame.epoch == about["epoch"]))
    columns = ["user", "seed", "epoch", "train_loss", "validation_loss", "validation_score", "best"]
    return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)


def split_overview(splits: list[str], importance: list[str]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Windows a user and part, and notes: who is excluded and why, and which part lacks a class."""
    rows, notes = [], []
    for path, explained in zip(splits, importance, strict=True):
        frame, about = pq.read_table(path).to_pandas(), read_notes(path)
        user = Path(path).stem
        counts = frame.part.value_counts()
        unused = frame.reason.value_counts()
        rows.append(
            {"user": user}
            | {part: int(counts.get(part, 0)) for part in ("train", "validation", "test")}
            | {"unused": int(unused.sum()), "why": ", ".join(f"{k} {v}" for k, v in unused.items())}
            | {"nearest": about["nearest_minutes"]}
        )
        if excluded := read_notes(explained)["excluded"]:
            notes.append({"user": user, "says": excluded, "excluded": True})
            continue
        for part, lacking in about["lacking"].items():
            if lacking:
                notes.append({"user": user, "says": f"no {' or '.join(lacking)} in {part}", "excluded": False})
    return pd.DataFrame(rows), notes


def joined_random(comparison: pd.DataFrame) -> pd.DataFrame:
    """The comparison with the random groupings of a predictor as one row: means, and least and greatest mean."""
    drawn = comparison.scheme.str.startswith("random")
    by = comparison[drawn].groupby(["predictor", "metric"], sort=False)
    random = by[["users", "mean", "pooled", "difference"]].mean().astype({"users": int})
    spread = by["mean"].agg(low="min", high="max")
    # One alone has no spread.
    random = random.join(spread.where(by.size() > 1)).reset_index().assign(scheme="random")
    table = pd.concat([comparison[~drawn], random], ignore_index=True)
    order = {name: place for place, name in enumerate(dict.fromkeys(comparison.predictor))}
    metrics = {name: place for place, name in enumerate(dict.fromkeys(comparison.metric))}
    places = table.assign(place=table.predictor.map(order), of=table.metric.map(metrics))
    return table.loc[places.sort_values(["of", "place"], kind="stable").index]
