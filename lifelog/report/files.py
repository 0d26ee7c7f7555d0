"""The files that the report reads. The rule has exactly these as inputs, and each is read by the function beside it."""

import base64
import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lifelog.config import Config
from lifelog.files import read_json
from lifelog.groups.read import read_groups, read_scores
from lifelog.report.catalogue import Page, figures_of
from lifelog.splits.folds import read_folds
from lifelog.tables import read_csv, read_notes, read_tables
from lifelog.windows.read import read_labels

Files = Mapping[str, Callable[[Path], Any]]  # by path below a folder, in which {user} stands for every participant
RUN: Files = {"windows/{user}.parquet": read_labels, "quality/{user}.parquet": lambda path: read_tables([path])}
CHAPTER: Files = {
    **{"verdict.json": read_json, "comparison.csv": pd.read_csv, "calibration.csv": read_csv, "scores.csv": read_csv},
    "use.csv": read_csv,
    "splits/{user}.parquet": read_folds,
}
IMPORTANCE: Files = {
    **{"importance_scores.csv": read_csv, "shapley.csv": read_csv, "heterogeneity.csv": read_csv},
    **{"groups/importance.csv": read_groups, "groups/scores.csv": read_scores, "learning_curve.json": read_json},
    **{"importance/{user}.parquet": read_notes, "directions/{user}.csv": read_csv},
}


class Drawn(NamedTuple):
    """A figure: its image and its table as the page holds them (base64, the table compressed), and the table."""

    image: str
    data: str
    table: pd.DataFrame


def read_figure(path: Path, packed: bool = False) -> Drawn:
    """Read an SVG file and the table beside it; compress the image if it is `packed`."""
    image, data = path.read_bytes(), path.with_suffix(".csv")
    shown = base64.b64encode(gzip.compress(image, mtime=0) if packed else image).decode()
    return Drawn(shown, base64.b64encode(gzip.compress(data.read_bytes(), mtime=0)).decode(), read_csv(data))


def _read_figures(folder: Path) -> dict[str, Drawn]:
    """Read the figures of participants, packed: those of a thousand would be most of the page."""
    return {path.stem: read_figure(path, packed=True) for path in sorted(folder.glob("*.svg"))}


def _figures(*pages: Page) -> Files:
    return {f"figures/{name}.svg": read_figure for page in pages for name in figures_of(page)}


def of_run() -> Files:
    """Return the files of the whole run."""
    return {"plan.json": read_json, **RUN, **_figures("overview", "cohort", "run")}


def of_chapter(config: Config, split: str) -> Files:
    """Return the files of a target under a split."""
    settings, files = config.split(split), {**CHAPTER, **_figures("comparison")}
    if settings.importance:
        files |= {**IMPORTANCE, **_figures("importance", "groups")}
        files |= {f"figures/{kind}": _read_figures for kind in figures_of("user")}
        files |= {"recovery.json": read_json} if config.cohort.is_simulated else {}
        # The study has one test subset.
        files |= {"published.json": read_json} if config.report.published and not settings.rotates else {}
    return files


def _paths(files: Files, users: list[str]) -> list[str]:
    paths = list(dict.fromkeys(path.format(user=user) for path in files for user in users))
    return paths + [path.replace(".svg", ".csv") for path in paths if path.endswith(".svg")]


def run_files(users: list[str]) -> list[str]:
    """Return the paths below the results folder that the report reads, without those of chapters."""
    return _paths(of_run(), users)


def chapter_files(config: Config, chapter: str, users: list[str]) -> list[str]:
    """Return the paths below the results folder that the report reads of a chapter, given as `target/split`."""
    return [f"{chapter}/{path}" for path in _paths(of_chapter(config, chapter.split("/")[1]), users)]


def read_files(folder: Path, files: Files, users: list[str]) -> dict[str, Any]:
    """Read files: what each holds by its path; by participant, where each participant has one."""
    single = {path: read(folder / path) for path, read in files.items() if "{user}" not in path}
    return single | {
        path: {user: read(folder / path.format(user=user)) for user in users}
        for path, read in files.items()
        if path not in single
    }
