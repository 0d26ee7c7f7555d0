"""Time zones of a participant in the order of time, as text: "Europe/Berlin, from 2024-03-02 Asia/Tokyo"."""

from __future__ import annotations

import datetime
import functools
import re

DAY = 86400  # seconds
CHANGE = re.compile(r"from (\d{4}-\d\d-\d\d) (\S+)")


@functools.lru_cache
def zones_of(text: str) -> list[tuple[str, datetime.date]]:
    """Return time zones in order.

    Parameters
    ----------
    text : str
        A time zone, and any number of changes such as `from 2024-03-02 Asia/Tokyo`, divided by commas.

    Returns
    -------
    list of tuple of str and datetime.date
        Zones, and the first local day of each.

    Raises
    ------
    ValueError
        If a change has another form, or dates are not in order.
    """
    first, *changes = [part.strip() for part in text.split(",")]
    zones = [(first, datetime.date.min)]
    for change in changes:
        match = CHANGE.fullmatch(change)
        if not match:
            raise ValueError(f'{change!r}: write a change as in "Europe/Berlin, from 2024-03-02 Asia/Tokyo"')
        zones.append((match[2], datetime.date.fromisoformat(match[1])))
    dates = [date for _, date in zones]
    if dates != sorted(set(dates)):
        raise ValueError("the dates of changes must be in order")
    return zones
