"""The quality table: samples per window and modality, and the reason for every label that became no window.

Conservation: every label of the raw data is a row of the windows table or a row of kind `label` here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lifelog.tables import TEXT, TIME
from lifelog.windows.layout import BadInput

# kind: modality (in a labelled window), label (became no window) or note (anything else); found, expected: samples;
# reason: null if the modality was used; detail: file, line, cause.
KEYS = dict(user=TEXT, session=TEXT, start=TIME, kind=TEXT, modality=TEXT)
SCHEMA = pa.schema(KEYS | dict(found=pa.int32(), expected=pa.int32(), reason=TEXT, detail=TEXT))


@dataclass
class QualityLog:
    """Collects the rows of one user; `expected` holds the expected samples per window by modality."""

    user: str
    expected: dict[str, int]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def modality(self, session: str, start: int, name: str, samples: int, fault: BadInput | None) -> None:
        """Add a modality of a labelled window."""
        self._add("modality", session, start, fault, modality=name, found=samples, expected=self.expected[name])

    def label(self, session: str, start: int, fault: BadInput) -> None:
        """Add a label that became no window."""
        self._add("label", session, start if start >= 0 else None, fault)

    def note(self, session: str, fault: BadInput) -> None:
        """Add a note."""
        self._add("note", session, None, fault)

    def _add(self, kind: str, session: str, start: int | None, fault: BadInput | None, **more: object) -> None:
        reason, detail = (fault.reason, fault.detail) if fault else (None, None)
        row = {"user": self.user, "session": session, "start": start, "kind": kind, "reason": reason, "detail": detail}
        self.rows.append(row | more)

    def table(self) -> pa.Table:
        """Return all rows."""
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)
