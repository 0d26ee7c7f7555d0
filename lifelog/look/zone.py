"""The time zone of a study, by the offsets of its answers or the place of answers in recordings."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lifelog.look.roles import Found
from lifelog.look.sniff import HOURS
from lifelog.settings.tables import UNITS
from lifelog.settings.windows import Recordings
from lifelog.windows.check import is_inside
from lifelog.windows.intervals import read_intervals
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import LAYOUTS

ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Asia/Dubai", "Asia/Karachi"),
    *("Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Seoul", "Australia/Sydney"),
    *("Australia/Brisbane", "Pacific/Auckland", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Phoenix", "America/Los_Angeles", "America/Halifax", "America/Sao_Paulo", "America/Bogota"),
)
INSIDE = 0.8  # share of answers within recordings, from which a time zone fits


def write_zone(cohort: dict[str, Any], tables: list[Found], zone: str | None) -> dict[str, str]:
    """Write the time zone, if it is given, or if offsets or recordings show it.

    Parameters
    ----------
    cohort : dict
        The section of the configuration: gets `timezone`, and the unit of labels whose day and month may be exchanged.
    tables : list of Found
        The tables that are used, the answers first.
    zone : str or None
        The time zone, if it is known.

    Returns
    -------
    dict of str to str
        What is to be checked, by key.
    """
    checks: dict[str, str] = {}
    chosen = tables[0]
    swapped = chosen.table.ambiguous.get(chosen.time)
    of_files = {found.table.zone for found in tables if found.table.zone}
    if zone is None and len(of_files) == 1:
        cohort["timezone"] = of_files.pop()
        return {"timezone": f"time zone: a Parquet file has times of {cohort['timezone']}"}
    candidates = [zone] if zone else zones_by_offset(tables)
    inside = {
        (name, unit): _inside(cohort, name, unit) for name in candidates for unit in (chosen.unit, swapped) if unit
    }
    shown = {key: share for key, share in inside.items() if share is not None}
    best = max(shown, key=lambda key: shown[key], default=None)
    if best and swapped and max((shown[k] for k in shown if k[1] != best[1]), default=0) < 0.5 <= shown[best]:
        cohort["labels"][0]["unit"] = best[1]
    elif swapped:
        checks["unit"] = f"day and month of {chosen.time!r}: {chosen.unit}, or {swapped}"
    equal = [name for (name, unit), share in shown.items() if best and unit == best[1] and share == shown[best]]
    if zone:
        cohort["timezone"] = zone
        if best and not chosen.table.has_offsets(chosen.time):
            checks["timezone"] = f"time zone: {shown[best]:.0%} of answers are {_place(cohort)} in {zone}"
    elif len(candidates) < len(ZONES):
        cohort["timezone"] = candidates[0] if candidates else None
        others = ", ".join(candidates[1:4])
        checks["timezone"] = (
            f"time zone: {candidates[0]} has the offsets in the files" if candidates else "time zone: offsets differ"
        )
        checks["timezone"] += f", as have {others}" if others else ""
    elif best and shown[best] >= INSIDE and len(equal) <= 3 and not chosen.table.has_offsets(chosen.time):
        cohort["timezone"] = equal[0]
        utc = f"; as UTC: {shown['UTC', best[1]]:.0%}" if ("UTC", best[1]) in shown and equal[0] != "UTC" else ""
        also = f", and for {', '.join(equal[1:])}" if len(equal) > 1 else ""
        checks["timezone"] = f"time zone: {shown[best]:.0%} of answers are {_place(cohort)} in {equal[0]}{also}{utc}"
    else:
        checks["timezone"] = "time zone: no file shows it; write that of the participants, such as Europe/Berlin"
    return checks


def _place(cohort: dict[str, Any]) -> str:
    return "between the first and the last sample" if cohort["layout"] == "tables" else "inside recordings"


def _inside(cohort: dict[str, Any], zone: str, unit: str) -> float | None:
    """Return the share of answers inside recordings in a time zone; None if it cannot be found."""
    labels = [cohort["labels"][0] | {"unit": unit}]
    raw = {key: value for key, value in cohort.items() if key != "root"} | {"timezone": zone, "labels": labels}
    try:
        recordings = Recordings.model_validate(raw)
        root, recorded = Path(cohort["root"]).resolve(), getattr(LAYOUTS[recordings.layout], "recorded", None)
        intervals = read_intervals(root, recordings, strict=False)
        spans = {user: recorded(user, root / user, recordings) for user in intervals.users} if recorded else {}
    except (BadInput, OSError, ValueError):
        return None
    rows = [(row, span) for user, span in spans.items() if span for row in intervals.users[user]]
    return float(np.mean([is_inside(row, span) for row, span in rows])) if rows else None


def zones_by_offset(tables: list[Found]) -> list[str]:
    """Return the time zones that agree with all offsets of some tables; all of `ZONES` if there is none."""
    zones = list(ZONES)
    for found in tables:
        texts = found.table.texts(found.time).head(500)
        if found.unit in UNITS or texts.empty:
            continue
        if found.in_utc and found.table.offset_column:
            utc = pd.Series(pd.to_datetime(found.table.seconds(found.time)[texts.index], unit="s", utc=True))
            hours = found.table.frame[str(found.table.offset_column)][texts.index].str.extract(HOURS)
        else:
            hours = texts.str.extract(r"\d\d:\d\d.*?([+-]\d\d):?(\d\d)$").dropna()
            utc = pd.Series(pd.to_datetime(texts[hours.index], format="ISO8601", utc=True))
        offsets = pd.to_timedelta(hours[0] + ":" + hours[1] + ":00").to_numpy()
        if not offsets.astype(bool).any():  # files often keep times in UTC, wherever they are from
            continue
        local = utc.dt.tz_localize(None).to_numpy() + offsets
        zones = [zone for zone in zones if (utc.dt.tz_convert(zone).dt.tz_localize(None).to_numpy() == local).all()]
    return zones
