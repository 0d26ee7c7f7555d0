"""export: predictions, importance and groups of a whole run as one tidy table each, with a data dictionary.

`load_run` returns the same tables in a notebook. Tables are read from the folder of results, file by file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.evaluate.compare import kind_of
from lifelog.files import read_json
from lifelog.groups.read import read_groups
from lifelog.predict.probabilities import class_probabilities
from lifelog.tables import TEXT, read_csv

# By table and column: type, and description. Times are starts of windows in UTC.
CHAPTER = {
    "target": (TEXT, "what is predicted, a name of `targets`"),
    "split": (TEXT, "how windows are assigned to subsets, a name of `splits`"),
}
FOLD = {"fold": (pa.int16(), "fold of the split that is tested; null: all windows, which describe the participant")}
# Parquet files have no seconds: written ones would be milliseconds.
WINDOW = {"user": (TEXT, "participant"), "start": (pa.timestamp("ms", tz="UTC"), "start of the window, UTC")}
GROUPING = {
    "scheme": (TEXT, "which users share a model: global, personal, a grouping, or a combination"),
    "grouping": (pa.int16(), "number of the grouping from 1; only `random` has several"),
}
DICTIONARY: dict[str, dict[str, tuple[pa.DataType, str]]] = {
    "predictions": CHAPTER
    | {"predictor": (TEXT, "a name of `predictors`")}
    | GROUPING
    | FOLD
    | WINDOW
    | {
        "session": (TEXT, "recording session of the window"),
        "group": (TEXT, "group of the user, whose model predicts the window"),
        "class": (TEXT, "class whose probability the row holds; one row per window and class"),
        "probability": (pa.float64(), "predicted probability of the class"),
        "scaled": (pa.float64(), "the same after temperature scaling, fitted on validation windows"),
        "truth": (pa.bool_(), "whether the class is the true one"),
        "rating": (pa.float64(), "true rating of the window; null unless the target is of kind `rating`"),
        "expected": (pa.float64(), "expected rating: mean ratings of the classes, weighted by `scaled`"),
    },
    "importance": CHAPTER
    | WINDOW
    | FOLD
    | {
        "subset": (TEXT, "subset of the window in this fold: train, validation or test"),
        "block": (pa.int32(), "block of time; windows of a block are not independent"),
        "seed": (pa.int32(), "training seed of the network; 0 for shapley"),
        "measure": (TEXT, "shapley, attention or ablation"),
        "modality": (TEXT, "a name of `modalities`"),
        "importance": (pa.float64(), "importance: of shapley in AUROC, of attention a share, of ablation in nats"),
    },
    "groups": CHAPTER
    | GROUPING
    | FOLD
    | {
        "user": (TEXT, "participant"),
        "group": (TEXT, "name of the group"),
        "certainty": (pa.float64(), "share of resampled blocks of time with the same group; null if unknown"),
    },
}


@dataclass
class Run:
    """The results of a run.

    Attributes
    ----------
    folder : Path
        Folder of the results.
    """

    folder: Path

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per predicted window and class; see `DICTIONARY`."""
        return _table(self.folder, "predictions")

    @cached_property
    def importance(self) -> pd.DataFrame:
        """One row per window, fold, seed, measure and modality."""
        return _table(self.folder, "importance")

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row per scheme, grouping, fold and user."""
        return _table(self.folder, "groups")

    @property
    def verdicts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The conclusions, by target and split."""
        return {(c.parent.name, c.name): read_json(c / "verdict.json") for c in _chapters(self.folder)}


def load_run(results: str | Path) -> Run:
    """Open the results of a run in a notebook.

    Parameters
    ----------
    results : str or Path
        Folder of the results.

    Returns
    -------
    Run
        Its tables are read when they are used: predictions, importance, groups and verdicts.

    Raises
    ------
    FileNotFoundError
        If the folder holds no finished comparison.
    """
    folder = Path(results)
    if not _chapters(folder):
        raise FileNotFoundError(f"{folder} holds no finished run: {{target}}/{{split}}/verdict.json is missing")
    return Run(folder)


def data_dictionary() -> pd.DataFrame:
    """Return table, column, type and description of every exported column."""
    rows = [
        (table, column, str(kind), description)
        for table, columns in DICTIONARY.items()
        for column, (kind, description) in columns.items()
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "description"])


def export_schema(name: str) -> pa.Schema:
    """Return the schema of an exported table."""
    return pa.schema([(column, kind) for column, (kind, _) in DICTIONARY[name].items()])


def _chapters(folder: Path) -> list[Path]:
    """Return the folders of all targets and splits."""
    return sorted(path.parent for path in folder.glob("*/*/verdict.json"))


def _predictions(chapter: Path) -> Iterator[pd.DataFrame]:
    # Files of models that a changed configuration does not have any more are left out.
    compared = read_csv(chapter / "scores.csv")[["predictor", "scheme"]].drop_duplicates()
    models = sorted({(predictor, kind_of(scheme)) for predictor, scheme in compared.itertuples(index=False)})
    for predictor, scheme in models:
        table = pq.read_table(chapter / "predictions" / predictor / f"{scheme}.parquet").to_pandas()
        classes = [name.removeprefix("p_") for name in table.columns if name.startswith("p_")]
        long = table.loc[table.index.repeat(len(classes))].assign(predictor=predictor, scheme=scheme)
        long["class"] = np.tile(classes, len(table))
        long["probability"] = class_probabilities(table).ravel()
        long["scaled"] = class_probabilities(table, scaled=True).ravel()
        long = long.reindex(columns=[*long.columns.union(["rating", "expected"], sort=False)])
        long["truth"] = np.tile(np.arange(len(classes)), len(table)) == long.truth
        yield long


def _importance(chapter: Path) -> Iterator[pd.DataFrame]:
    # The users of the run; files of an earlier one may be left in the folder.
    for user in dict.fromkeys(read_csv(chapter / "scores.csv").user):
        for kind in ("shapley", "importance"):
            path = chapter / kind / f"{user}.parquet"
            if path.is_file():
                yield pq.read_table(path).to_pandas()


def _groups(chapter: Path) -> Iterator[pd.DataFrame]:
    schemes = {kind_of(scheme) for scheme in read_csv(chapter / "scores.csv").scheme}
    for scheme in sorted(schemes):
        path = chapter / "groups" / f"{scheme}.csv"
        if path.is_file():  # combinations have no groups
            yield read_groups(path).assign(scheme=scheme)


READERS: dict[str, Callable[[Path], Iterator[pd.DataFrame]]] = {
    "predictions": _predictions,
    "importance": _importance,
    "groups": _groups,
}


def export_pieces(chapters: Iterable[Path], name: str) -> Iterator[pa.Table]:
    """Yield the parts of a table, one per file.

    Parameters
    ----------
    chapters : iterable of Path
        Folders of the results of each target and split.
    name : str
        A table of `DICTIONARY`.

    Yields
    ------
    pyarrow.Table
        In the schema `export_schema`.
    """
    schema = export_schema(name)
    for chapter in chapters:
        for piece in READERS[name](chapter):
            piece = piece.assign(target=chapter.parent.name, split=chapter.name)
            yield pa.Table.from_pandas(piece[schema.names], schema, preserve_index=False)


def _table(folder: Path, name: str) -> pd.DataFrame:
    pieces = export_pieces(_chapters(folder), name)
    return pa.concat_tables([export_schema(name).empty_table(), *pieces]).to_pandas()
