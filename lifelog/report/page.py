"""render_report: everything that a run says, as one HTML file that needs no network."""

from __future__ import annotations

import base64
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lifelog import __version__
from lifelog.config import Config
from lifelog.groups.assignment import read_groups
from lifelog.groups.vectors import read_importance
from lifelog.report.figures import METRIC_NAMES
from lifelog.report.tables import seed_spread, split_overview
from lifelog.tables import read_json, write_text

CLOSE_MINUTES = 10  # labels of minutes nearer than this are much alike
LIBRARIES = ("snakemake", "torch", "pandas", "numpy", "scikit-learn", "pyarrow", "seaborn", "scipy")


@dataclass
class Figure:
    """A figure with the sentence that stands for it where it cannot be seen."""

    path: str
    caption: str
    alt: str

    @property
    def source(self) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode(Path(self.path).read_bytes()).decode()


@dataclass
class Chapter:
    """One target under one split."""

    target: str
    split: str
    verdict: dict[str, Any]
    figures: dict[str, Figure]
    comparison: pd.DataFrame
    by_user: pd.DataFrame
    parts: pd.DataFrame
    notes: list[dict[str, str]]
    groups: pd.DataFrame
    spread: float
    recovery: dict[str, Any] | None = None
    excluded: list[dict[str, str]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.target}-{self.split}"

    @property
    def nearest(self) -> float:
        """Minutes from a user's nearest test window to training, median over users."""
        return self.parts.nearest.median()

    @property
    def close_in_time(self) -> bool:
        return self.nearest < CLOSE_MINUTES


def render_report(
    config: Config,
    cohort: pd.DataFrame,
    faults: pd.DataFrame,
    cohort_figures: dict[str, Figure],
    chapters: list[Chapter],
    path: str | Path,
) -> None:
    """Write the page. All text from data is escaped."""
    environment = Environment(
        loader=PackageLoader("lifelog", "report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value, digits=3: "–" if pd.isna(value) else f"{value:.{digits}f}"
    environment.filters["signed"] = lambda value: "–" if pd.isna(value) else f"{value:+.3f}"
    page = environment.get_template("page.html").render(
        config=config,
        config_yaml=yaml.safe_dump(config.model_dump(), allow_unicode=True, sort_keys=False, default_flow_style=None),
        cohort=cohort,
        faults=faults,
        figures=cohort_figures,
        chapters=chapters,
        metric=METRIC_NAMES[config.compare.metric],
        metrics=METRIC_NAMES,
        versions={"lifelog": __version__, "Python": platform.python_version()}
        | {library: version(library) for library in LIBRARIES},
    )
    write_text(page, path)


def read_chapter(folder: str | Path, config: Config, users: list[str]) -> Chapter:
    """A chapter from the results folder of a target and split."""
    folder = Path(folder)
    target, split = config.target(folder.parent.name), config.split(folder.name)
    comparison = pd.read_csv(folder / "comparison.csv")
    parts, notes = split_overview([str(folder / "splits" / f"{user}.parquet") for user in users])
    importance = read_importance([str(folder / "importance" / f"{user}.parquet") for user in users])
    recovery = folder / "recovery.json"
    return Chapter(
        target=target.name,
        split=split.name,
        verdict=read_json(folder / "verdict.json"),
        figures=_chapter_figures(folder / "figures", config),
        comparison=comparison,
        by_user=_scores_by_user(pd.read_csv(folder / "scores.csv", dtype={"user": str}), config.compare.metric),
        parts=parts,
        notes=[note for note in notes if not note["excluded"]],
        excluded=[note for note in notes if note["excluded"]],
        groups=read_groups(str(folder / "groups" / "importance.csv")),
        spread=float(seed_spread(importance, config.groups.importance).mean(axis=None)),
        recovery=read_json(recovery) if config.cohort.layout == "simulated" else None,
    )


def _scores_by_user(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row a user (and one over all windows), a column a predictor and scheme, in the order of the run."""
    columns = list(dict.fromkeys(zip(scores.predictor, scores.scheme, strict=True)))
    return scores.pivot(index="user", columns=["predictor", "scheme"], values=metric)[columns]


def _chapter_figures(folder: Path, config: Config) -> dict[str, Figure]:
    metric, many = METRIC_NAMES[config.compare.metric], len(config.mil.seeds)
    captions = {
        "comparison": (
            f"Left: {metric} of each predictor when everyone, a group, or each person has a model of their own. "
            "Right: the difference to one model for everyone; an interval that does not touch 0 is a clear difference."
        ),
        "confusion": "Confusion matrices over the test windows of all users.",
        "importance": (
            "Attention: the weight that a person's own model gives to each modality, mean over windows and "
            f"{many} seeds. Rows sum to about 1. A framed cell was planted."
            if config.cohort.layout == "simulated"
            else "Attention: the weight that a person's own model gives to each modality, mean over windows and "
            f"{many} seeds. Rows sum to about 1."
        ),
        "ablation": (
            "Ablation: by how much the log-likelihood of the true class falls when the modality is hidden (nats). "
            "Negative: the model does better without it."
        ),
        "training": "Validation macro-F1 of the personal models; the dot marks the epoch whose weights are kept.",
        "group_importance": "Importance in each group: bars are means over users, dots are users.",
        "cluster_scores": "How clearly importance falls into k clusters; the ring marks what forms the groups.",
        "embedding": (
            "Windows by likeness (t-SNE): in importance and in raw features, coloured by person and by group. "
            "Distances between far clouds mean nothing."
        ),
    }
    return {name: Figure(str(folder / f"{name}.svg"), caption, caption) for name, caption in captions.items()}


def cohort_figures(folder: str | Path) -> dict[str, Figure]:
    """The figures that belong to no split."""
    captions = {
        "yield": "Share of each user's minutes with a readable label in which a modality could be used.",
        "dag": "The rules of this run, from the raw recordings at the top to this page at the bottom.",
    }
    return {name: Figure(str(Path(folder) / f"{name}.svg"), caption, caption) for name, caption in captions.items()}
