"""The schema of the windows table; its metadata describes the modalities."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.settings.windows import Modality
from lifelog.tables import TEXT, TIME

VERSION = 2


def windows_schema(labels: list[str], modalities: list[Modality]) -> pa.Schema:
    """Return the schema: user, session, start, label rows, raw label columns, and one fixed-size list per modality.

    Parameters
    ----------
    labels : list of str
        The raw label columns of the layout, which are text.
    modalities : list of Modality
        Each becomes a column of float32 lists with length x channels values, row by row.

    Returns
    -------
    pyarrow.Schema
        With the modality table and the names of the label columns as JSON in the metadata key `lifelog`.
    """
    rows = pa.map_(TEXT, pa.list_(TEXT))
    keys = dict(user=TEXT, session=TEXT, start=TIME, label_rows=rows) | {name: TEXT for name in labels}
    sensors = {m.name: pa.list_(pa.float32(), m.size) for m in modalities}
    notes = {"version": VERSION, "modalities": [m.model_dump() for m in modalities], "labels": labels}
    return pa.schema([*keys.items(), *sensors.items()], metadata={"lifelog": json.dumps(notes, sort_keys=True)})


def read_modalities(path: str | Path) -> list[Modality]:
    """Return the modality table of a windows file."""
    notes = json.loads(pq.read_schema(path).metadata[b"lifelog"])
    return [Modality(**entry) for entry in notes["modalities"]]
