"""Label values: text as the participant wrote it, compared with the values and ranges of the configuration.

A value of the configuration and a label compare as numbers if both are numbers, otherwise as text: 1 equals "1" and
"1.0", but "yes" equals only "yes". A range such as "0..33" holds numbers, both ends included.
"""

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
RANGE = re.compile(r"\s*([+-]?[\d.]*\d)\s*\.\.\s*([+-]?[\d.]*\d)\s*")


def _refuse_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        meant = "yes" if value else "no"
        word = "TRUE" if value else "FALSE"
        raise ValueError(f'an unquoted {meant} is a boolean in YAML; write "{meant}", or "{word}", as in the labels')
    return value


Level = Annotated[int | float | str, BeforeValidator(_refuse_boolean)]  # a label value, or a range of numbers


def as_number(value: object) -> float | None:
    """Return a value as a finite number, or None."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    text = str(value).strip()
    return float(text) if NUMBER.fullmatch(text) and math.isfinite(float(text)) else None


def as_range(level: object) -> tuple[float, float] | None:
    """Return the ends of a range such as "0..33", or None."""
    match = RANGE.fullmatch(level) if isinstance(level, str) else None
    if not match:
        return None
    low, high = (as_number(end) for end in match.groups())
    return None if low is None or high is None else (low, high)


def matches(value: str | None, levels: Iterable[int | float | str]) -> bool:
    """Return whether a label is one of the values, or within one of the ranges.

    Parameters
    ----------
    value : str or None
        A label as written; None for a missing one, which matches nothing.
    levels : iterable of int, float or str
        Values of the configuration.

    Returns
    -------
    bool
        Whether any of them matches.
    """
    if value is None:
        return False
    number = as_number(value)
    for level in levels:
        ends, wanted = as_range(level), as_number(level)
        if ends and number is not None and ends[0] <= number <= ends[1]:
            return True
        if wanted == number if wanted is not None and number is not None else str(level) == value:
            return True
    return False


def overlap(first: int | float | str, second: int | float | str) -> bool:
    """Return whether a label could match two values or ranges."""
    a, b = as_range(first), as_range(second)
    if a and b:
        return a[0] <= b[1] and b[0] <= a[1]
    if a or b:
        return matches(str(second if a else first), [first if a else second])
    return matches(str(first), [second])
