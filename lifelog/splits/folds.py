"""The folds of a participant's windows, and their file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.tables import TEXT, TIME, read_notes, write_table

# level: the raw label value; label: the target's class, null if the value is in no bin; subset: null if the window is
# not used in the fold, for the reason. answer, block: number of the answer, and of the block, whose windows are not
# independent and which holds whole answers; null without a label.
# fold: null describes the participant from all windows; the folds 1, 2, ... are tested; null serves others' folds too.
KEYS = dict(user=TEXT, session=TEXT, start=TIME)
LABELS = dict(level=TEXT, label=TEXT, answer=pa.int32(), block=pa.int32())
SCHEMA = pa.schema(KEYS | LABELS | dict(fold=pa.int16(), subset=TEXT, reason=TEXT))


@dataclass(frozen=True)
class Folds:
    """The windows of a participant: all of them, which describe the participant, and their subsets in every fold.

    Attributes
    ----------
    described : pandas.DataFrame
        One row per window: user, session, start, level, label, answer, block, subset, reason. Every window with a label
        in a bin is in the subset `train`, unless the participant is excluded. Under a split of participants, they are
        those of the folds in which others are tested, of which some validate.
    numbered : dict of int to pandas.DataFrame
        The same rows with their subsets, by fold from 1. A fold without training windows of two classes has no test
        windows.
    classes : list of str
        Classes of the target.
    rating : bool
        Whether label values are ratings.
    relative : bool
        Whether classes are relative to the training windows of each fold.
    excluded : str or None
        Why the participant is excluded.
    lacking : dict of str to list of str
        Classes that each subset lacks: in all folds together, but in any fold for training.
    nearest_minutes : int or None
        Minutes between the nearest test and training windows, which bound how much a split can leak.
    """

    described: pd.DataFrame
    numbered: dict[int, pd.DataFrame]
    classes: list[str]
    rating: bool = False
    relative: bool = False
    excluded: str | None = None
    lacking: dict[str, list[str]] = field(default_factory=dict)
    nearest_minutes: int | None = None

    @property
    def user(self) -> str | None:
        """Name of the participant, None without windows."""
        return str(self.described.user.iloc[0]) if len(self.described) else None

    @property
    def tested(self) -> list[int]:
        """Numbers of the folds with test windows."""
        return [number for number, rows in self.numbered.items() if (rows.subset == "test").any()]

    def items(self) -> Iterator[tuple[int | None, pd.DataFrame]]:
        """Yield all windows under None, and the windows of each fold under its number."""
        yield None, self.described
        yield from self.numbered.items()

    def fold(self, number: int | None) -> pd.DataFrame:
        """Return the windows of a fold; all windows for None, and for a fold that this participant does not have."""
        return self.described if number is None else self.numbered.get(number, self.described)


def read_folds(path: str | Path) -> Folds:
    """Read the folds of a participant.

    Parameters
    ----------
    path : str or Path
        A file of `write_folds`.

    Returns
    -------
    Folds
        As `assign_splits` returned it.
    """
    table = pq.read_table(path).to_pandas()
    described = table[table.fold.isna()].drop(columns="fold").reset_index(drop=True)
    numbered = {int(fold): rows.drop(columns="fold").reset_index(drop=True) for fold, rows in table.groupby("fold")}
    return Folds(described, numbered, **read_notes(path))


def write_folds(folds: Folds, path: str | Path) -> None:
    """Write the folds of a participant: one row per fold and window, in the order of the windows.

    Parameters
    ----------
    folds : Folds
        Of `assign_splits`.
    path : str or Path
        Parquet file to write; what is not in the table is in its notes.
    """
    table = pd.concat([rows.assign(fold=number) for number, rows in folds.items()], ignore_index=True)
    names = ("classes", "rating", "relative", "excluded", "lacking", "nearest_minutes")
    write_table(table.astype({"fold": "Int16"}), path, SCHEMA, {name: getattr(folds, name) for name in names})
