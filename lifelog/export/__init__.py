"""export: predictions, importance and groups of a whole run as one tidy table each, with a data dictionary.

`load_run` returns the same tables in a notebook. Tables are read from the folder of results, file by file.
"""

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
from lifelog.tables import read_csv

MILLISECONDS = pa.timestamp("ms", tz="UTC")  # Parquet files have no seconds


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
        """One row per predicted window and class; see `data_dictionary`."""
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
    return read_csv(Path(__file__).parent / "dictionary.csv")


def export_schema(name: str) -> pa.Schema:
    """Return the schema of an exported table: predictions, importance or groups."""
    columns = data_dictionary().query("table == @name")
    types = [MILLISECONDS if kind == "timestamp" else pa.type_for_alias(kind) for kind in columns.type]
    return pa.schema(zip(columns.column, types, strict=True))


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
        long["raw"] = class_probabilities(table, "raw_").ravel()
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
        predictions, importance or groups.

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
