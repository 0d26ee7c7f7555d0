"""make_bundle: windows of all participants, and a predictor under a scheme → fitted strategies with a card."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lifelog.bundle.bundle import SENSORS, Bundle, Groups, window_digests
from lifelog.bundle.card import write_card
from lifelog.bundle.content import About
from lifelog.bundle.fit import fit_strategy
from lifelog.bundle.strategy import Placing, Strategy
from lifelog.evaluate.decision import STRATEGIES, decide
from lifelog.groups.read import in_order, included_users, ungrouped
from lifelog.groups.unseen import fit_placers, fold_groups, labelled_people
from lifelog.predict.samples import Person
from lifelog.predict.train import Model
from lifelog.settings.groups import Scoring
from lifelog.settings.predict import PredictorSettings
from lifelog.settings.splits import ParticipantsSplit, RandomSplit
from lifelog.settings.windows import Cohort
from lifelog.splits.assign import assign_splits
from lifelog.splits.subsets import unseen_folds
from lifelog.windows.read import Features

SEEN = 20  # windows of each participant that are recognised
FEWEST = 3  # participants: two train while one is tested


class Participant(NamedTuple):
    """A participant of a run: features and folds, and the labels of the windows."""

    person: Person
    labels: pd.DataFrame


class Grouping(NamedTuple):
    """Groups by importance from all windows, and what they are formed from.

    Attributes
    ----------
    groups : pandas.DataFrame
        user, group.
    importance : pandas.DataFrame
        Table of `read_importance`.
    settings : Scoring
        Vectors, clustering and number of groups.
    shrinkage : float
        Of the correlations of features, in the discriminants that place a participant in a group.
    """

    groups: pd.DataFrame
    importance: pd.DataFrame
    settings: Scoring
    shrinkage: float


class Evidence(NamedTuple):
    """What a run found, for the card and for `Bundle.explain`.

    Attributes
    ----------
    sensors : pandas.DataFrame
        Importance of modalities by participant.
    use : list of str
        Sentences on probabilities and sets.
    learning : str
        Sentence on new participants.
    cohort : Cohort
        How the recordings were read.
    grouping : Grouping or None
        What groups by importance are formed from; None if there are none.
    """

    sensors: pd.DataFrame
    use: list[str]
    learning: str
    cohort: Cohort
    grouping: Grouping | None


def check_bundled(settings: PredictorSettings, scheme: str) -> None:
    """Raise ValueError with the reason if models of a predictor under a scheme cannot be in a bundle."""
    if not settings.uses_sensors:
        raise ValueError(f"{settings.name} sees no sensors, so that it cannot predict new recordings")
    if not settings.stored:
        cause = "sees whole windows, whose models are not stored" if settings.inputs == "windows" else "is not stored"
        raise ValueError(f"{settings.name} {cause}; bundles hold models of features")
    if scheme not in STRATEGIES:
        raise ValueError(f"{scheme} is a control; strategies are {', '.join(STRATEGIES)}")


def make_bundle(
    settings: PredictorSettings,
    scheme: str,
    about: About,
    participants: Sequence[Participant],
    groups: pd.DataFrame | None,
    evidence: Evidence,
) -> Bundle:
    """Fit a predictor under a scheme, as it was tested, and for new participants.

    Parameters
    ----------
    settings : PredictorSettings
        The predictor.
    scheme : str
        One of the strategies.
    about : About
        Settings of the run.
    participants : sequence of Participant
        All participants of the run.
    groups : pandas.DataFrame or None
        Groups of the scheme, if it has any.
    evidence : Evidence
        What the run found.

    Returns
    -------
    Bundle
        Its models are equal to those of `train_predictors`.

    Raises
    ------
    ValueError
        If the models cannot be stored, or there are too few participants.
    """
    check_bundled(settings, scheme)
    people, schemes, known = [participant.person for participant in participants], [scheme], None
    if not isinstance(about.split, ParticipantsSplit):
        table = ungrouped(included_users([x.folds for x in people]), scheme) if groups is None else groups
        known = _fit(Model(settings, scheme, table), people, about)
        people, schemes = _tested_as_a_whole(participants, about), ["global", "importance"]
    count = included_users([person.folds for person in people]).user.nunique()
    if count < FEWEST:
        raise ValueError(f"a bundle needs {FEWEST} participants, not {count}")
    new = _fit_new(settings, schemes, people, about, evidence.grouping)
    sensors, grouped = evidence.sensors, _groups(people, evidence.grouping, len(about.classes))
    card = write_card(about, known, new, sensors, evidence.use, evidence.learning, evidence.cohort)
    return Bundle(about, known, new, grouped, sensors, card)


def _groups(people: list[Person], grouping: Grouping | None, classes: int) -> Groups:
    """Return the groups of the report."""
    if grouping is None:
        return Groups({}, {})
    table = grouping.groups
    windows = labelled_people([person.features for person in people], [person.folds for person in people])
    members = {str(name): list(rows.user) for name, rows in table.groupby("group")}
    return Groups(members, fit_placers(windows, table, classes, grouping.shrinkage))


def _fit(model: Model, people: list[Person], about: About, placing: Placing | None = None) -> Strategy:
    return fit_strategy(model, people, about.compare, about.windows.standardise, about.target.ordinal, placing)


def _fit_new(
    settings: PredictorSettings, schemes: list[str], people: list[Person], about: About, grouping: Grouping | None
) -> Strategy:
    """Return the strategy for new participants: one model, or one per group if that is clearly better."""
    found = dict[str, Strategy]()
    if "global" in schemes:
        table = ungrouped(included_users([person.folds for person in people]), "global")
        found["global"] = _fit(Model(settings, "global", table), people, about, {})
    if "importance" in schemes and grouping is not None:
        features, folds = [person.features for person in people], [person.folds for person in people]
        of_folds = list(fold_groups(grouping.importance, grouping.settings, features, folds, grouping.shrinkage))
        table = in_order(pd.concat([one.table.assign(fold=one.fold, grouping=1) for one in of_folds]))
        placing = {one.fold: one.placing for one in of_folds}
        found["importance"] = _fit(Model(settings, "importance", table, untested=True), people, about, placing)
    if len(found) < 2:
        return next(iter(found.values()))
    rows = [x.scores.assign(predictor=settings.name, scheme=name) for name, x in found.items()]
    recommended = decide(pd.concat(rows), about.compare, settings.name)["recommended"]
    return found[recommended or "global"]


def _tested_as_a_whole(participants: Sequence[Participant], about: About) -> list[Person]:
    """Return the participants in folds that test whole ones."""
    keys: dict[str, Any] = {"name": "new", "seed": about.split.seed, "validation": about.split.validation}
    keys["block_minutes"] = about.split.block_minutes
    if not isinstance(about.split, RandomSplit):
        keys |= {"min_sessions": about.split.min_sessions, "embargo_minutes": about.split.embargo_minutes}
    split, names = ParticipantsSplit(**keys), [str(participant.person.folds.user) for participant in participants]
    usable = [name for name, (person, _) in zip(names, participants, strict=True) if person.folds.excluded is None]
    unseen = unseen_folds(usable, split)
    people = []
    for name, (person, labels) in zip(names, participants, strict=True):
        if name not in unseen:
            continue
        folds = assign_splits(labels, about.target, split, about.windows.seconds, None, unseen[name])
        people.append(Person(person.features, folds))
    return people


def some_windows(features: Iterable[Features]) -> list[str]:
    """Return digests of about twenty windows of each participant, for `About.windows_seen`."""
    digests = (window_digests(of_user) for of_user in features)
    return [digest for of_user in digests for digest in of_user[:: max(1, len(of_user) // SEEN)]]


def summarise_sensors(values: pd.DataFrame | None, directions: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the sensors of participants in the columns of `Bundle.explain`.

    Parameters
    ----------
    values : pandas.DataFrame or None
        Table of `compare_shapley`; None if no importance was measured.
    directions : dict of str to pandas.DataFrame
        By participant, features that differ between classes, of `estimate_shapley`.

    Returns
    -------
    pandas.DataFrame
        user, modality, value, low, high, matters, reason, feature, higher.
    """
    if values is None:
        return pd.DataFrame(columns=SENSORS)
    table = values[["user", "modality", "shapley", "low", "high", "matters", "reason"]].rename(
        columns={"shapley": "value"}
    )
    first = [rows.drop_duplicates("modality").assign(user=user) for user, rows in directions.items()]
    columns = ["user", "modality", "feature", "higher"]
    strongest = pd.concat(first)[columns] if first else pd.DataFrame(columns=columns)
    return table.merge(strongest, how="left", on=["user", "modality"])
