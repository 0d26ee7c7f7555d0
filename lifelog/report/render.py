"""render_report: everything that a run says, as one HTML file that needs no network."""

from __future__ import annotations

import base64
import gzip
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lifelog import __version__
from lifelog.config import Config
from lifelog.groups.assignment import read_groups
from lifelog.groups.clustering import read_scores
from lifelog.groups.faithfulness import STABLE
from lifelog.report.figures import METRIC_NAMES
from lifelog.report.tables import joined_random, split_overview
from lifelog.report.words import describe
from lifelog.tables import read_csv, read_json, read_notes, write_text

CLOSE_MINUTES = 10  # labels of minutes nearer than this are much alike
LIBRARIES = ("snakemake", "torch", "pandas", "numpy", "scikit-learn", "pyarrow", "seaborn", "scipy")
PERSON = (
    "Above: labels in time, by the part that they are used for. Below: validation score over the epochs, and "
    "importance in training and validation windows; bars are means over training seeds, marks are seeds."
)
TABS = {
    "overview": "Verdict",
    "cohort": "Cohort",
    "people": "People",
    "importance": "Importance",
    "groups": "Groups",
    "comparison": "Comparison",
    "run": "The run",
}


@dataclass
class Figure:
    """A figure, its data, and the sentence that stands for it where it cannot be seen."""

    path: Path
    name: str  # of the file that a reader gets
    caption: str
    kind: str

    @property
    def source(self) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode(self.path.read_bytes()).decode()

    @property
    def data(self) -> str:
        """The table, packed: of many people's windows it would be most of the page."""
        return base64.b64encode(gzip.compress(self.path.with_suffix(".csv").read_bytes(), mtime=0)).decode()

    @cached_property
    def table(self) -> pd.DataFrame:
        return read_csv(self.path.with_suffix(".csv"))

    @property
    def alt(self) -> str:
        return describe(self.kind, self.table)


@dataclass
class Within:
    """What a split with parts of its own says of people: who was split how, what matters for whom, who is alike."""

    parts: pd.DataFrame
    notes: list[dict[str, str]]
    excluded: list[dict[str, str]]
    importance: pd.DataFrame  # of score_importance
    groups: pd.DataFrame
    clusters: pd.DataFrame  # of score_groups
    recovery: dict[str, Any] | None
    published: dict[str, Any] | None

    @property
    def nearest(self) -> float:
        """Minutes from a user's nearest test window to training, median over users."""
        return self.parts.nearest.median()

    @property
    def unstable(self) -> list[str]:
        """Users whose importance differs from training seed to training seed."""
        return list(self.importance.user[~self.importance.stable])


@dataclass
class Chapter:
    """One target under one split."""

    target: str
    split: str
    verdict: dict[str, Any]
    figures: dict[str, Figure]
    comparison: pd.DataFrame
    by_user: pd.DataFrame
    within: Within | None  # None: of a split that takes the parts of another
    within_split: str
    grouped_by: str  # the importance that forms the groups
    alone: list[str]  # users whom a model of everyone else predicted, as nobody is in their group
    people: dict[str, Figure]

    @property
    def key(self) -> str:
        return f"{self.target}/{self.split}"  # names hold no slash, so that no two chapters have the same

    @property
    def title(self) -> str:
        return f"{self.target}, {self.split} split"

    @property
    def headline_scores(self) -> pd.DataFrame:
        """Of the predictors that have importance groups: scores with them and with one model for everyone."""
        grouped = [predictor for predictor, scheme in self.by_user.columns if scheme == "importance"]
        columns = [(p, s) for p, s in self.by_user.columns if p in grouped and s in ("global", "importance")]
        return self.by_user[columns]

    def score(self, user: str, column: tuple[str, str]) -> float:
        return self.by_user[column].get(user, float("nan"))

    def about(self, user: str, stability_known: bool) -> dict[str, Any]:
        """What is said of a person: group, greatest importance and whether to believe it; or why there is none."""
        tests = int(self.within.parts.set_index("user").test[user])
        found: dict[str, Any] = {"figure": self.people[user], "excluded": None, "tests": tests}
        for note in self.within.excluded:
            if note["user"] == user:
                return found | {"excluded": note["says"]}
        groups = self.within.groups.set_index("user")
        group, share = groups.loc[user, ["group", "share"]]
        others = sorted(set(groups.index[groups.group == group]) - {user})
        top = {}
        for method, name in (("attention", "importance"), ("ablation", "ablation")):
            own = self.figures[name].table
            top[method] = list(own[own.user == user].nlargest(2, "importance").modality)
        own = self.within.importance.set_index("user").loc[user]
        compared = stability_known and pd.notna(own[f"seeds_{self.grouped_by}"])
        says = ("yes" if own.stable else "no") if compared else "–"
        members = ", ".join(others) if others else "nobody else"
        return found | {"group": group, "share": share, "members": members, "top": top, "stable": says}


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
        loader=PackageLoader("lifelog", "report/page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value, digits=3: "–" if pd.isna(value) else f"{value:.{digits}f}"
    environment.filters["signed"] = lambda value: "–" if pd.isna(value) else f"{value:+.3f}"
    page = environment.get_template("page.html").render(
        tabs=TABS,
        config=config,
        config_yaml=yaml.safe_dump(config.model_dump(), allow_unicode=True, sort_keys=False, default_flow_style=None),
        cohort=cohort,
        faults=faults,
        figures=cohort_figures,
        chapters=chapters,
        people=_people(cohort, cohort_figures["yield"].table, chapters, len(config.mil.seeds) > 1),
        known=set(cohort.user),
        chapters_within={c.key: f"{c.target}/{c.within_split}" for c in chapters},
        metric=METRIC_NAMES[config.compare.metric],
        metrics=METRIC_NAMES,
        close_minutes=CLOSE_MINUTES,
        stable=STABLE,
        versions={"lifelog": __version__, "Python": platform.python_version()}
        | {library: version(library) for library in LIBRARIES},
    )
    write_text(page, path)


def _people(
    cohort: pd.DataFrame, usable: pd.DataFrame, chapters: list[Chapter], stability_known: bool
) -> list[dict[str, Any]]:
    """A page a person: what was recorded, and what each chapter says."""
    shares = {user: own.set_index("modality").usable_share for user, own in usable.groupby("user")}
    return [
        {
            **row,
            "usable": dict(shares[row["user"]]),
            "about": {c.key: c.about(row["user"], stability_known) for c in chapters if c.within},
        }
        for row in cohort.to_dict("records")
    ]


def read_chapter(folder: str | Path, config: Config, users: list[str]) -> Chapter:
    """A chapter from the results folder of a target and split."""
    folder = Path(folder)
    target, split = config.target(folder.parent.name), config.split(folder.name)
    unseen = split.method == "users"
    model = next((name for name, scheme in config.models(split) if scheme == "importance"), None)
    grouped = folder / "predictions" / str(model) / "importance.parquet"
    captions, stem = figure_captions(config), f"{target.name}-{split.name}"
    shown = ("comparison", "confusion") if unseen else captions
    return Chapter(
        target=target.name,
        split=split.name,
        verdict=read_json(folder / "verdict.json"),
        figures={n: Figure(folder / "figures" / f"{n}.svg", f"{stem}-{n}", captions[n], n) for n in shown},
        comparison=joined_random(pd.read_csv(folder / "comparison.csv")),
        by_user=_scores_by_user(read_csv(folder / "scores.csv"), config.compare.metric),
        within=None if unseen else _read_within(folder, config, users),
        within_split=split.within if unseen else split.name,
        grouped_by=config.groups.importance,
        alone=read_notes(grouped)["alone"] if model else [],
        people={
            user: Figure(folder / "figures" / "people" / f"{user}.svg", f"{stem}-user-{user}", PERSON, "person")
            for user in ([] if unseen else users)
        },
    )


def _read_within(folder: Path, config: Config, users: list[str]) -> Within:
    splits, importance = ([str(folder / kind / f"{u}.parquet") for u in users] for kind in ("splits", "importance"))
    parts, notes = split_overview(splits, importance)
    return Within(
        parts=parts,
        notes=[note for note in notes if not note["excluded"]],
        excluded=[note for note in notes if note["excluded"]],
        importance=read_csv(folder / "importance_scores.csv"),
        groups=read_groups(str(folder / "groups" / "importance.csv")),
        clusters=read_scores(str(folder / "groups" / "scores.csv")),
        recovery=read_json(folder / "recovery.json") if config.cohort.layout == "simulated" else None,
        published=read_json(folder / "published.json") if config.report.published else None,
    )


def _scores_by_user(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row a user (and one over all windows), a column a predictor and scheme but random ones."""
    scores = scores[~scores.scheme.str.startswith("random")]
    columns = list(dict.fromkeys(zip(scores.predictor, scores.scheme, strict=True)))
    return scores.pivot(index="user", columns=["predictor", "scheme"], values=metric)[columns]


def figure_captions(config: Config) -> dict[str, str]:
    """What is said below the figures of a chapter."""
    metric, many = METRIC_NAMES[config.compare.metric], len(config.mil.seeds)
    return {
        "comparison": (
            f"Left: {metric} of each predictor when everyone, a group, or each person has a model of their own; raw "
            "and random groups are controls. Right: the difference to one model for everyone."
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
        "deletion": (
            "Deletion curves: by how much the predicted class loses log-likelihood when the modalities are taken away, "
            "the most important first. An order that lies above the random one finds what the networks use."
        ),
        "group_importance": "Importance in each group: bars are means over users, dots are users.",
        "cluster_scores": "How clearly and how stably importance falls into k clusters; the ring marks what is taken.",
        "embedding": (
            "Windows by likeness (t-SNE): in importance and in raw features, coloured by person and by group; of very "
            "many a sample. "
            "Distances between far clouds mean nothing."
        ),
    }


def cohort_figures(folder: str | Path) -> dict[str, Figure]:
    """The figures that belong to no chapter."""
    captions = {
        "verdict": (
            "Does grouping help? Each bar: importance groups less one model for everyone, with its interval over "
            "users; right of 0, grouping is better. Hollow: no clear difference once the number of comparisons is "
            "corrected for (Holm), whatever a single bar seems to say. The controls below it should lie further left."
        ),
        "yield": "Share of each user's minutes with a readable label in which a modality could be used.",
        "dag": "The rules of this run, from the raw recordings at the top to this page at the bottom.",
    }
    return {name: Figure(Path(folder) / f"{name}.svg", name, caption, name) for name, caption in captions.items()}
