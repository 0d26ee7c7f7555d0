"""Tables for SPSS, R and spreadsheets: one row per participant, and one per window, with a label for each column."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lifelog.evaluate.compare import DECISIONS, Decide
from lifelog.evaluate.decision import STRATEGIES
from lifelog.evaluate.metrics import METRICS
from lifelog.files import read_json, write_atomically
from lifelog.groups.read import described_groups, read_groups
from lifelog.predict.probabilities import class_probabilities
from lifelog.tables import read_csv, read_tables, write_csv

KEYS = {"target": "what is predicted", "split": "how windows are assigned to subsets", "user": "participant"}


class Wide(NamedTuple):
    """A table with the labels of its columns, by name."""

    table: pd.DataFrame
    labels: dict[str, str]


def participants(chapter: Path, decide: Decide) -> Wide:
    """Return group, values of modalities and scores of strategies, one row per participant.

    Parameters
    ----------
    chapter : Path
        Folder of the results of a target and split.
    decide : str
        Not used: scores are those of the run.

    Returns
    -------
    Wide
        `matters` is 1, 0, or missing where that cannot be tested. Scores are those of the metric of the verdict.
    """
    scores, metric = read_csv(chapter / "scores.csv"), read_json(chapter / "verdict.json")["metric"]
    used = scores[scores.scheme.isin(STRATEGIES)]
    table = used.pivot(index="user", columns=["predictor", "scheme"], values=metric)
    labels = {f"{p}_{s}": f"{METRICS[metric].label} of {p}, {s}" for p, s in table.columns}
    table.columns = pd.Index(list(labels))
    if (chapter / "shapley.csv").is_file():
        values, of_values = _values(read_csv(chapter / "shapley.csv"))
        groups = described_groups(read_groups(chapter / "groups/importance.csv")).set_index("user")
        table = groups[["group", "certainty"]].join([values, table], how="outer")
        named = {"group": "group by importance", "certainty": "share of resampled blocks of time with the same group"}
        labels = named | of_values | labels
    return _keyed(table.rename_axis("user").reset_index(), chapter, labels)


def _values(values: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the values of modalities in columns, with labels."""
    texts = {
        "shapley": "Shapley value of {} (AUROC)",
        "low": "lower limit of the value of {}",
        "high": "upper limit of the value of {}",
        "p_corrected": "p that {} does not matter, corrected",
        "matters": "{} matters (1), is not found to (0), or cannot be tested (missing)",
    }
    rows = values.assign(matters=values.matters.astype("boolean").astype("Float64").astype(float))
    wide, labels = pd.DataFrame(index=pd.Index(values.user.unique(), name="user")), dict[str, str]()
    for modality, own in rows.groupby("modality", sort=False):
        for column, text in texts.items():
            wide[f"{modality}_{column}"] = own.set_index("user")[column]
            labels[f"{modality}_{column}"] = text.format(modality)
    return wide, labels


def windows(chapter: Path, decide: Decide) -> Wide:
    """Return the true class, the predicted one and its probabilities, one row per tested window.

    Parameters
    ----------
    chapter : Path
        Folder of the results of a target and split.
    decide : str
        How the class follows from probabilities (`compare.decide`).

    Returns
    -------
    Wide
        Of the recommended model, or of one model of all participants; without rows if no predictor sees sensors.
    """
    decision = read_json(chapter / "verdict.json")["decision"] or {}
    predictor, scheme = decision.get("predictor"), decision.get("recommended") or "global"
    path = chapter / "predictions" / str(predictor) / f"{scheme}.parquet"
    labels = {
        "session": "recording session",
        "start": "start of the window, UTC",
        "predictor": "predictor",
        "scheme": "which users share a model",
        "truth": "true class",
        "predicted": "predicted class, from which scores are computed",
    }
    if not path.is_file():
        return _keyed(pd.DataFrame(columns=["user", *labels]), chapter, labels)
    found = read_tables([path])
    probabilities = found.filter(regex="^p_")
    classes = probabilities.columns.str.removeprefix("p_")
    table = found[["user", "session", "start"]].assign(
        predictor=predictor,
        scheme=scheme,
        truth=classes[found.truth.astype(int)],
        predicted=classes[class_probabilities(found, DECISIONS[decide]).argmax(axis=1)],
        start=found.start.dt.strftime("%Y-%m-%d %H:%M:%S"),
    )
    labels |= {f"p_{name}": f"calibrated probability of {name}" for name in classes}
    return _keyed(table.join(probabilities), chapter, labels)


def _keyed(table: pd.DataFrame, chapter: Path, labels: dict[str, str]) -> Wide:
    keyed = table.assign(target=chapter.parent.name, split=chapter.name)
    return Wide(keyed[[*KEYS, *labels]], KEYS | labels)


def joined(parts: Iterable[Wide]) -> Wide:
    """Return the tables of several targets and splits as one; columns that one lacks are missing in its rows."""
    parts = list(parts)
    labels = {name: text for part in parts for name, text in part.labels.items()}
    filled = [part.table for part in parts if len(part.table)] or [parts[0].table]
    return Wide(pd.concat(filled, ignore_index=True).reindex(columns=list(labels)), labels)


def write_wide(wide: Wide, csv: str | Path, sav: str | Path) -> None:
    """Write a table as CSV, and as SPSS file whose variables have labels.

    Names of SPSS variables hold letters, digits and underscores, and differ in more than case.
    """
    import pyreadstat

    write_csv(wide.table, csv)
    names = spss_names(list(wide.table))
    texts = wide.table.select_dtypes(exclude="number").columns
    table = wide.table.astype(dict.fromkeys(texts, object)).where(wide.table.notna(), None)
    with write_atomically(sav) as part:
        pyreadstat.write_sav(table.set_axis(names, axis=1), str(part), column_labels=list(wide.labels.values()))


def spss_names(columns: list[str]) -> list[str]:
    """Return names that SPSS accepts: at most 64 bytes, from a letter on, and unique without regard to case."""
    names = list[str]()
    for column in columns:
        plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in column)
        plain = (plain if plain[:1].isalpha() else f"v{plain}")[:60].rstrip("_")
        taken, name, number = {used.lower() for used in names}, plain, 2
        while name.lower() in taken:
            name, number = f"{plain}_{number}", number + 1
        names.append(name)
    return names


WIDE: dict[str, Callable[[Path, Decide], Wide]] = {"participants": participants, "windows": windows}
