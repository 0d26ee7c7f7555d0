"""The lines that a successful run prints."""

from collections.abc import Iterator
from pathlib import Path

from lifelog.files import read_json


def summarise_run(results: str | Path, chapter: str, since: float) -> Iterator[str]:
    """Yield the headline of a chapter, the path of the report, and placements of new users.

    Only files that are newer than `since` (seconds since 1970) are reported.
    """
    page = Path(results) / "report.html"
    if page.is_file() and page.stat().st_mtime >= since:
        headline = read_json(page.parent / chapter / "verdict.json")["headline"]
        yield f"{', '.join(Path(chapter).parts)} split: {headline}"
        yield f"Report: {page}"
    for placement in sorted(page.parent.glob("*/*/new_users/*.json")):
        if placement.stat().st_mtime >= since:
            yield f"{placement.parts[-4]}, {placement.parts[-3]} split: {read_json(placement)['sentence']}"
