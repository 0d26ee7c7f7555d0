"""The card of a bundle: what it predicts, for whom and how well, in words."""

from importlib import import_module
from pathlib import Path

import pandas as pd
import yaml

from lifelog import __version__
from lifelog.bundle.content import About
from lifelog.bundle.strategy import FEWEST_WINDOWS, Strategy
from lifelog.evaluate.metrics import METRICS
from lifelog.intervals import estimate_mean
from lifelog.settings.windows import Cohort, Modality

TEMPLATE = Path(__file__).with_name("card.md")
SCORES = ("auroc", "macro_f1", "balanced_accuracy")
PACKAGES = ("numpy", "scipy", "pandas", "pyarrow")
OF_SCHEME = {
    "global": "one model of all participants",
    "personal": "a model of each participant",
    "pooled": "a model of each participant, in which the windows of others count less",
    "tuned": "a network of all participants, tuned to each",
    "importance": "a model of each group of participants with similar importance",
    "blend": "a mean of the model of all participants and of a model of each",
}
OF_NEW = {
    "global": "one model of all participants",
    "importance": "the model of the group of participants that fits their windows",
}


def software_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of lifelog and of packages."""
    return {"lifelog": __version__} | {name: import_module(name).__version__ for name in packages}


def write_card(
    about: About,
    known: Strategy | None,
    new: Strategy,
    sensors: pd.DataFrame,
    use: list[str],
    learning: str,
    cohort: Cohort,
) -> str:
    """Describe a bundle.

    Parameters
    ----------
    about : About
        What it was made from.
    known, new : Strategy
        For participants of the run (None if there are no such models), and for new ones.
    sensors : pandas.DataFrame
        Table of `summarise_sensors`.
    use : list of str
        Sentences of the run on probabilities and sets.
    learning : str
        Sentence of the run on new participants.
    cohort : Cohort
        How the recordings were read.

    Returns
    -------
    str
        Markdown.
    """
    windows, target = about.windows, about.target
    software = ", ".join(f"{name} {version}" for name, version in about.software.items() if name != "lifelog")
    read = cohort.model_dump(mode="json", exclude_defaults=True, exclude={"root", "users"})
    return TEMPLATE.read_text(encoding="utf-8").format(
        target=target.name,
        column=target.column,
        classes=", ".join(target.classes),
        bins="relative to the participant's own answers"
        if target.relative
        else "; ".join(f"{name}: {', '.join(map(str, levels))}" for name, levels in target.bins.items()),
        modalities=", ".join(modality.name for modality in about.modalities),
        version=about.software["lifelog"],
        software=software,
        scores=_scores(known, new, about),
        use=" ".join(use),
        participants=about.participants,
        recorded=about.recorded,
        fingerprint=about.fingerprint,
        known="none" if known is None else f"{known.scores.user.nunique()}, by name",
        known_models="the models for new participants" if known is None else OF_SCHEME[known.scheme],
        new_models=OF_NEW[new.scheme],
        predictor=new.settings.name,
        fewest=FEWEST_WINDOWS,
        learning=learning,
        sensors="\n".join(["| sensor | unit | recorded | columns |", "| --- | --- | --- | --- |", *_rows(about)]),
        read_as=_yaml([modality.model_dump(mode="json", exclude_defaults=True) for modality in about.modalities]),
        matters=_matters(sensors),
        windows=f"{windows.seconds} s; a sensor is used if it covers {windows.coverage:.0%} of a window",
        cohort=_yaml({"cohort": read | {"root": "..."}}),
        coverage=f"{1 - about.compare.alpha:.0%}",
    )


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120).rstrip()


def _scores(known: Strategy | None, new: Strategy, about: About) -> str:
    """Return a table of scores of the strategies."""
    lines = ["| windows of | participants | AUROC | macro-F1 | balanced accuracy |", "| --- | --- | --- | --- | --- |"]
    for title, strategy in (("participants of the run", known), ("new participants", new)):
        if strategy is not None:
            cells = [str(strategy.scores.user.nunique())]
            for metric in SCORES:
                bounds = METRICS[metric].bounds
                known_scores = strategy.scores[metric].dropna().to_numpy(dtype=float)
                found = estimate_mean(known_scores, about.compare.confidence, bounds=bounds)
                cells.append(f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]")
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _rows(about: About) -> list[str]:
    def recorded(modality: Modality) -> str:
        return f"{modality.rate:g} Hz" if modality.rate else modality.kind

    return [f"| {m.name} | {m.unit} | {recorded(m)} | {', '.join(m.columns)} |" for m in about.modalities]


def _matters(sensors: pd.DataFrame) -> str:
    """Return for how many participants each sensor matters."""
    if sensors.empty:
        return "The run measured no importance."
    tested = sensors[sensors.matters.notna()]
    counts = tested.groupby("modality", sort=False).matters.agg(["sum", "size"])
    found = [f"{name} for {row['sum']:.0f} of {row['size']}" for name, row in counts.iterrows() if row["sum"]]
    return f"Sensors that matter: {', '.join(found) or 'none is shown to'} tested participants."
