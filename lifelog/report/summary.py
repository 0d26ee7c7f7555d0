"""The lines that a successful run prints."""

from collections.abc import Iterator
from pathlib import Path

from lifelog.files import read_json
from lifelog.tables import read_csv


def summarise_run(results: str | Path, chapter: str, since: float) -> Iterator[str]:
    """Yield the headline of a chapter, the path of the report, and those of scored recordings.

    Only files that are newer than `since` (seconds since 1970) are reported.
    """
    page = Path(results) / "report.html"
    if page.is_file() and page.stat().st_mtime >= since:
        headline = read_json(page.parent / chapter / "verdict.json")["headline"]
        yield f"{', '.join(Path(chapter).parts)} split: {headline}"
        yield f"Report: {page}"
    for name in ("summary.csv", "days.svg"):
        if (path := page.parent / "score" / name).is_file() and path.stat().st_mtime >= since:
            yield f"Scored recordings: {path}"
    known = page.parent / "score" / "summary.csv"
    if known.is_file() and known.stat().st_mtime >= since:
        doubtful = read_csv(known).dropna(subset=["doubts"])
        yield from (f"{user}: {doubts}" for user, doubts in zip(doubtful.user, doubtful.doubts, strict=True))
    transfer = page.parent / "score" / "transfer.json"
    if transfer.is_file() and transfer.stat().st_mtime >= since:
        yield read_json(transfer)["sentence"]
