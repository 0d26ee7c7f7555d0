"""write_plan: what was planned, and when, so that a reader can see whether it was changed after results were known.

A version of the plan holds the primary test and digests of the configuration and of the recordings. Another version is
added when one of these changes; it records whether a verdict existed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lifelog.records import digests

PRESENTATION = ("results", "report")  # sections that change no result


class Version(NamedTuple):
    """A version of the plan.

    Attributes
    ----------
    time : str
        When it was written, in UTC (ISO 8601).
    primary : dict of str to str or None
        Target, split, predictor and metric of the primary test.
    configuration, recordings : str
        Digests.
    after_verdict : bool
        Whether a verdict existed already.
    """

    time: str
    primary: dict[str, str | None]
    configuration: str
    recordings: str
    after_verdict: bool


def update_plan(versions: Sequence[Version], now: Version) -> list[Version]:
    """Add a version to the plan if it differs from the last one.

    Parameters
    ----------
    versions : sequence of Version
        The plan so far, in time order.
    now : Version
        The plan of this run.

    Returns
    -------
    list of Version
        With the new version last, or as before.
    """
    same = bool(versions) and versions[-1][1:4] == now[1:4]
    return [*versions] if same else [*versions, now]


def digest_settings(config: Mapping[str, Any]) -> str:
    """Return a digest of a configuration, without what changes no result."""
    kept = {name: section for name, section in config.items() if name not in PRESENTATION}
    return digests({"configuration": kept})["configuration"]


def read_versions(plan: Mapping[str, Any]) -> list[Version]:
    """Return the versions of a plan that was read from its file."""
    return [Version(**version) for version in plan["versions"]]
