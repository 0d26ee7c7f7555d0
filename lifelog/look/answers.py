"""The answer of a study: its scale and classes, and the time that it describes."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lifelog.look.roles import Found, missing_codes
from lifelog.settings.zones import DAY

NICE = (60, 120, 300, 600, 900, 1800, 3600)  # seconds before an answer
LONGEST = 1800
MOST_TEXTS = 7  # answers that are each a class
FEW = 5  # answers per class and participant


@dataclass(frozen=True)
class Classes:
    """The classes of an answer: bins of the configuration, a sentence with counts, and values of missing answers."""

    bins: dict[str, list[Any]]
    sentence: str
    relative: bool = False
    missing: list[int | float | str] = field(default_factory=list)


def classes_of(found: Found, column: str) -> Classes | None:
    """Return two classes of numbers, or one class per text; None if answers do not differ."""
    numbers, users = found.table.numbers(column, words=True), found.users
    if numbers is None:
        counts = Counter(found.table.texts(column))
        few = len(counts) <= MOST_TEXTS
        common = [text for text, count in counts.most_common(MOST_TEXTS) if few or count >= 0.1 * counts.total()]
        if len(common) < 2:
            return None
        listed = ", ".join(f"{text!r} {counts[text]}" for text in sorted(common))
        names = [_name(text) for text in common]
        unique = [name if names.count(name) == 1 else f"{name}_{i + 1}" for i, name in enumerate(names)]
        bins = {name: [text] for name, text in zip(unique, common, strict=True)}
        return Classes(bins, f"{column} has the answers {listed}; classes may join several")
    missing = missing_codes(numbers)
    values = np.where(np.isin(numbers, missing), np.nan, numbers)
    levels = np.unique(values[np.isfinite(values)])
    if len(levels) < 2:
        return None
    known = np.isfinite(values)
    shares = [min((values[known] <= cut).sum(), (values[known] > cut).sum()) for cut in levels[:-1]]
    cut = int(np.argmax(shares))
    # Other participants may use the values in between.
    above = levels[cut] + 1 if (levels % 1 == 0).all() else levels[cut + 1]
    first, last = _scale(column, float(levels[0]), float(levels[-1]))
    low, high = [_text(first), _text(levels[cut])], [_text(above), _text(last)]
    bins = {"low": [_range(*low)], "high": [_range(*high)]}
    counts = pd.crosstab(users[known].to_numpy(), values[known] > levels[cut]).reindex(
        columns=[False, True], fill_value=0
    )
    total = counts.sum()
    enough = int((counts >= FEW).all(axis=1).sum())
    sentence = (
        f"{column} {_span(*low)} and {_span(*high)} give {total[False]} and {total[True]} answers, and at least "
        f"{FEW} of each for {enough} of {len(counts)} participants"
    )
    return Classes(bins, sentence, missing=[*map(int, missing), *found.table.words(column)])


def _scale(column: str, first: float, last: float) -> tuple[float, float]:
    """Return the ends of a scale that its name shows, such as stress_0_100, if all answers are within them."""
    ends = re.search(r"(?<!\d)(\d{1,3}) ?(?:-|_|\.\.|to|bis) ?(\d{1,3})(?!\d)", column)
    named = (float(ends[1]), float(ends[2])) if ends else (first, last)
    return named if named[0] <= first < last <= named[1] else (first, last)


def _name(text: str) -> str:
    """Return a class name of a text."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in text)[:24].strip("_") or "answer"
    return name if name[0].isalpha() else f"answer_{name}"


def _text(number: float) -> str:
    return f"{number:g}"


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _range(first: str, last: str) -> Any:
    number = float(first)
    return (int(number) if number.is_integer() else number) if first == last else f"{first}..{last}"


def described_time(found: Found, daily: bool, some_daily: bool) -> tuple[dict[str, Any], str | None]:
    """Return the keys of a label table for the time that an answer describes, and what is to be checked.

    Parameters
    ----------
    found : Found
        The table of answers.
    daily : bool
        Whether all sensors have one value per day.
    some_daily : bool
        Whether some have, so that answers of once a day are about days.
    """
    if found.end:
        return {"time": found.time, "end": found.end}, f"an answer describes the time from {found.time} to {found.end}"
    if daily or found.table.is_dates(found.time) or (some_daily and abs(found.gap - DAY) < DAY / 8):
        return {"time": found.time, "lasts": "day"}, "an answer describes the day of its date (lag: -1: the day before)"
    users = found.users
    frame = (
        pd.DataFrame({"user": users, "time": found.table.seconds(found.time)}).dropna().sort_values(["user", "time"])
    )
    gaps = frame.groupby("user").time.diff().dropna()
    near = float(gaps[gaps > 0].quantile(0.02)) if (gaps > 0).any() else float(LONGEST)
    before = max((length for length in NICE if length <= min(near, LONGEST)), default=NICE[0])
    apart = f"{near / 60:.0f} minutes" if near < DAY else f"{near / DAY:.0f} days"
    check = f"an answer describes the {before // 60} minutes before it (answers are at least about {apart} apart)"
    return {"time": found.time, "before": before}, check
