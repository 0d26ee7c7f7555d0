"""The quality table: samples per window and modality, and the reason for every label that became no window.

Conservation: every label of the raw data is a row of the windows table or a row of kind `label` here.
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lifelog.settings.windows import Modality
from lifelog.tables import TEXT, TIME
from lifelog.windows.layout import BadInput, Label

# kind: modality (in a labelled window), label (became no window) or note (anything else); seconds: labelled time;
# found, expected, interpolated: samples; reason: null if the modality was used; detail: file, line, cause.
KEYS = dict(user=TEXT, session=TEXT, start=TIME, kind=TEXT, modality=TEXT)
COUNTS = dict(seconds=pa.int32(), found=pa.int32(), expected=pa.int32(), interpolated=pa.int32())
SCHEMA = pa.schema(KEYS | COUNTS | dict(reason=TEXT, detail=TEXT))


@dataclass
class QualityLog:
    """Collects the rows of one user; `expected` holds the expected samples per window by modality."""

    user: str
    expected: dict[str, int]
    rows: list[dict[str, Any]] = field(default_factory=list)
    _noted: set[tuple[int | None, str, str]] = field(default_factory=set)

    def modality(
        self, session: str, start: int, name: str, samples: int, interpolated: int, fault: BadInput | None
    ) -> None:
        """Add a modality of a labelled window."""
        counts = {"found": samples, "expected": self.expected[name], "interpolated": interpolated}
        self._add("modality", session, start, fault, modality=name, **counts)

    def label(self, session: str, label: Label, fault: BadInput) -> None:
        """Add a label that became no window."""
        self._add("label", session, label.start if label.start >= 0 else None, fault, seconds=label.seconds)

    def note(self, session: str, fault: BadInput, start: int | None = None) -> None:
        """Add a note, which may be about a window; a repeated one, as of a file that several processes read, once."""
        if (key := (start, fault.reason, fault.detail)) not in self._noted:
            self._noted.add(key)
            self._add("note", session, start, fault)

    def _add(self, kind: str, session: str, start: int | None, fault: BadInput | None, **more: object) -> None:
        reason, detail = (fault.reason, fault.detail) if fault else (None, None)
        row = {"user": self.user, "session": session, "start": start, "kind": kind, "reason": reason, "detail": detail}
        self.rows.append(row | more)

    def table(self) -> pa.Table:
        """Return all rows."""
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)


def expected_samples(modality: Modality, seconds: int) -> int:
    """Return the number of samples that a window of a modality should have; 1 if samples are irregular."""
    if modality.kind == "sequence":
        return modality.length
    return max(1, round(modality.rate * seconds)) if modality.rate else 1


def no_modality(faults: dict[str, BadInput]) -> BadInput:
    """Return the fault of a window without any usable modality; it names the commonest cause and its modalities."""
    causes: dict[str, list[str]] = {}
    for name, fault in faults.items():
        causes.setdefault(fault.reason, []).append(name)
    reason, names = max(causes.items(), key=lambda cause: len(cause[1]))
    return BadInput("no usable modality", f"{reason}: {', '.join(names)}; {faults[names[0]].detail}")
