"""Text for a publication: a methods paragraph, a model card, and the REFORMS checklist, filled from the run.

What a run cannot know is None, and is marked for the author.

References
----------
Mitchell et al. (2019). Model cards for model reporting. FAT*.
Kapoor et al. (2024). REFORMS: Consensus-based recommendations for machine-learning-based science. Science Advances 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.report.chapter import Chapter
from lifelog.report.overview import lost_share
from lifelog.settings.predict import predictor_kinds

AUTHOR = "To be written by the author."
GENERAL = (
    "Mölder et al. 2021, F1000Research 10:33 (Snakemake)",
    "Covert, Lundberg, Lee 2020, Advances in Neural Information Processing Systems 33 (Shapley values)",
    "Schwarz 1978, Annals of Statistics 6:461-464 (BIC)",
    "Phipson, Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9:39 (permutation p-values)",
    "Guo, Pleiss, Sun, Weinberger 2017, ICML (temperature scaling)",
)


@dataclass(frozen=True)
class CardPart:
    """A part of the card: its title, and entries of (key, question, answer or None)."""

    title: str
    entries: list[tuple[str, str, str | None]]


@dataclass(frozen=True)
class Card:
    """The text about a run."""

    methods: str
    references: list[str]
    sections: list[CardPart]

    @property
    def markdown(self) -> str:
        """The card as Markdown."""
        lines = ["# Methods", "", self.methods, "", "References:", "", *(f"- {text}" for text in self.references)]
        for section in self.sections:
            lines += ["", f"# {section.title}", ""]
            lines += [f"- **{key} {question}** {answer or f'*{AUTHOR}*'}" for key, question, answer in section.entries]
        return "\n".join(lines) + "\n"


def write_card(config: Config, cohort: pd.DataFrame, chapter: Chapter, versions: dict[str, str]) -> Card:
    """Describe a run for a publication.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    cohort : pandas.DataFrame
        Table of `cohort_yield`.
    chapter : Chapter
        The chapter of the primary test.
    versions : dict of str to str
        Versions by software.

    Returns
    -------
    Card
        Methods, model card and checklist.
    """
    facts = _facts(config, cohort, chapter)
    citations = {predictor_kinds()[name].citation for name in facts.predictors}
    references = sorted(filter(None, citations)) + list(GENERAL)
    software = ", ".join(f"{name} {number}" for name, number in versions.items())
    methods = " ".join([facts.data, facts.preprocessing, facts.split, facts.importance, facts.models, facts.evaluation])
    methods += f" Software: {software}."
    return Card(methods, references, [_model_card(facts, chapter), _reforms(facts, chapter, software)])


@dataclass(frozen=True)
class _Facts:
    """Sentences that a run can state about itself."""

    predictors: list[str]
    data: str
    excluded: str
    missing: str
    outcome: str
    preprocessing: str
    split: str
    importance: str
    models: str
    tuning: str
    baselines: str
    evaluation: str
    uncertainty: str
    results: str
    leaky_groups: bool


def _facts(config: Config, cohort: pd.DataFrame, chapter: Chapter) -> _Facts:
    target, split = config.target(chapter.target), config.split(chapter.split)
    predictors = [x.name for x in config.predictors if x.uses_sensors]
    baselines = [x.name for x in config.predictors if not x.uses_sensors]
    metric, share = METRICS[config.compare.metric].label, lost_share(cohort)
    counts = chapter.class_counts
    classes = ", ".join(
        f"{name} {counts.get(name, 0)} ({'/'.join(map(str, levels))})" for name, levels in target.bins.items()
    )
    excluded = "; ".join(f"{note['user']}: {note['reason']}" for note in chapter.excluded)
    simulated = " The recordings are simulated." if config.cohort.layout == "simulated" else ""
    modalities = ", ".join(modality.name for modality in config.modalities)
    folds = int(chapter.subsets.folds.max())
    standardised = config.windows.standardise == "user"
    scaling = "standardised by the training windows of each participant" if standardised else "not standardised"
    if split.method == "random":
        how = "Windows were assigned to training, validation and test subsets at random."
    else:
        kept = "tasks" if split.tasks else "sessions (or blocks of minutes, where there are few sessions)"
        gap = f"at least {split.embargo_minutes} minutes between subsets"
        tested = "There is one test subset."
        if split.hold_out:
            tested = "Held-out tasks were tested, in one fold each."
        elif split.rotates:
            tested = f"In {folds} folds, each window was tested at most once."
        how = f"Whole {kept} were kept together, with {gap}. {tested}"
    primary = (
        f"The primary test, named before the run, is that of {config.primary.predictor} in importance groups against "
        f"one model of all participants, by {metric} ({chapter.title}); all other results are exploratory."
        if config.primary.predictor
        else f"No test was named before the run; all results, by {metric} ({chapter.title}), are exploratory."
    )
    recommended = (chapter.verdict["decision"] or {}).get("sentence", "")
    return _Facts(
        predictors=predictors,
        data=f"{len(cohort)} participants have {cohort.windows.sum()} labelled windows of {config.windows.seconds} s "
        f"with the modalities {modalities}.{simulated}",
        excluded=f"Excluded participants: {excluded}." if excluded else "No participant was excluded.",
        missing=f"{share:.1%} of the labelled time is in no window; reasons are counted per participant in the report "
        "(Cohort) and in the quality tables.",
        outcome=f"The target is {target.name} (label column {target.column}). Test windows and label values by class: "
        f"{classes}.",
        preprocessing=f"A modality was used in a window if samples covered at least {config.windows.coverage:.0%} of "
        "it at the configured rate; constant signals and signals without skin contact counted as missing. Features "
        f"were {scaling}.",
        split=how + " Windows that share one answer were in one subset.",
        importance="The importance of a modality for a participant is its Shapley value in units of AUROC of a linear "
        "discriminant, on windows that were not used to fit it, with intervals over blocks of time. Participants were "
        f"grouped by {config.groups.importance} ({config.groups.algorithm}, number of groups: {config.groups.k}), in "
        f"every fold anew, from the subsets {' and '.join(config.groups.subsets)}.",
        models=f"Predictors with sensors were {', '.join(predictors) or 'none'}, trained on all participants, on "
        "groups, on each participant, and on combinations of these, as far as configured.",
        tuning="Settings and epochs were chosen on validation windows."
        + ("" if "test" in config.groups.subsets else " Test windows were used once, for the scores."),
        baselines=f"Models without sensors: {', '.join(baselines) or 'none'}. Controls of groups: "
        f"{config.groups.random} random groupings of the same sizes, and groups by raw features and by class shares, "
        "as far as configured.",
        evaluation=f"{primary} Intervals ({config.compare.confidence:.0%}) and p-values are those of Student's t "
        "distribution over participants.",
        uncertainty=f"Intervals ({config.compare.confidence:.0%}) over participants by Student's t distribution, which "
        "assumes that participants are independent and their mean is nearly normal; p-values of other predictors are "
        "corrected by Holm's method; random groupings give a permutation p-value. Models that share participants are "
        "not independent.",
        results=f"{chapter.verdict['headline']} {recommended} {chapter.verdict['leak']['sentence']}",
        leaky_groups="test" in config.groups.subsets,
    )


def _model_card(facts: _Facts, chapter: Chapter) -> CardPart:
    return CardPart(
        "Model card",
        [
            ("Model:", "what it is", facts.models),
            ("Use:", "intended use, users, and uses out of scope", None),
            ("Factors:", "groups of people, devices and settings that matter", None),
            ("Metrics:", "how it is judged", facts.evaluation),
            ("Data:", "training and evaluation", f"{facts.data} {facts.outcome} {facts.split}"),
            ("Results:", "what was found", facts.results),
            ("Ethics:", "consent, privacy, harm", None),
            ("Limits:", "what is not shown", chapter.verdict["limits"]),
        ],
    )


def _reforms(facts: _Facts, chapter: Chapter, software: str) -> CardPart:
    clean = "Scaling, importance, groups and settings were formed from training and validation windows of each fold."
    if facts.leaky_groups:
        clean = "Not fulfilled: groups were formed from the test windows on which they are judged."
    code = "The workflow is lifelog; the configuration of the run is on the page Run of the report."
    return CardPart(
        "REFORMS checklist",
        [
            ("1a", "Population about which the claim is made.", None),
            ("1b", "Motivation for this population.", None),
            ("1c", "Motivation for machine learning.", None),
            ("2a", "Data set, with link or identifier.", None),
            ("2b", "Code, with link or identifier.", code),
            ("2c", "Computing infrastructure.", f"{software}. Processors and memory: see the benchmarks of each job."),
            ("2d", "Instructions for reproducing the results.", "The README of lifelog, and the configuration."),
            ("2e", "Script that reproduces all results.", "`snakemake --cores N` with the configuration of the run."),
            ("3a", "Source of data and of labels, and time of collection.", None),
            ("3b", "Set from which the data are sampled.", None),
            ("3c", "Why the data suit the task.", None),
            ("3d", "Outcome, its definition and distribution.", facts.outcome),
            ("3e", "Sample size and frequency of outcomes.", f"{facts.data} {facts.outcome}"),
            ("3f", "Share of missing data.", facts.missing),
            ("3g", "Why the data represent the population.", None),
            ("4a", "Excluded samples, and why.", f"{facts.excluded} {facts.missing}"),
            ("4b", "Impossible or corrupt samples.", facts.preprocessing),
            ("4c", "Transformations of the data.", f"{facts.preprocessing} The rules are drawn on the page Run."),
            ("5a", "All models.", facts.models),
            ("5b", "Why these types of models.", None),
            ("5c", "Method of evaluation, with splits.", f"{facts.split} {facts.evaluation}"),
            ("5d", "How the reported models were selected.", facts.evaluation),
            ("5e", "Tuning of hyperparameters.", facts.tuning),
            ("5f", "Baselines.", facts.baselines),
            ("6a", "Preprocessing and modelling use training data only.", clean),
            ("6b", "Dependencies between training and test data.", facts.split),
            ("6c", "Every input is legitimate.", chapter.verdict["leak"]["sentence"]),
            ("7a", "Metrics, and why they suit the task.", f"{facts.evaluation} Why they suit: {AUTHOR.lower()}"),
            ("7b", "Uncertainty, and how it is computed.", facts.uncertainty),
            ("7c", "Statistical tests and their assumptions.", facts.uncertainty),
            ("8a", "Evidence of external validity.", None),
            ("8b", "Contexts in which the findings may not hold.", chapter.verdict["limits"]),
        ],
    )
