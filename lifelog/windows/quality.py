"""The quality table: samples per window and modality, and the reason for every label that became no window.

Conservation: every label of the raw data is a row of the windows table or a row of kind `label` here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lifelog.windows.layout import BadInput

SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("session", pa.string()),
        ("start", pa.timestamp("s", tz="UTC")),
        ("kind", pa.string()),  # modality: in a labelled window; label: became no window; note: anything else
        ("modality", pa.string()),
        ("found", pa.int32()),  # samples
        ("expected", pa.int32()),
        ("reason", pa.string()),  # null where the modality was used
        ("detail", pa.string()),  # file, line, cause
    ]
)


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
