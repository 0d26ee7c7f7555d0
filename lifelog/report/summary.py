"""The lines that a successful run prints."""

from collections.abc import Iterator
from pathlib import Path

from lifelog.files import read_json
from lifelog.tables import read_csv


def summarise_run(results: str | Path, since: float) -> Iterator[str]:
    """Yield the answers of the first page, the path of the report, and those of scored recordings.

    Only files that are newer than `since` (seconds since 1970) are reported.
    """
    page = Path(results) / "report.html"
    if page.is_file() and page.stat().st_mtime >= since:
        yield from filter(None, (page.parent / "answers.md").read_text(encoding="utf-8").splitlines())
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
