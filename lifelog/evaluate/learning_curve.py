"""learning_curve: a new user with few answers, under every strategy, by linear discriminants.

Each user is left out: models, groups and settings are estimated without this user. Beyond twenty users, several are
left out at a time, since groups are re-estimated each time, which takes longest. The windows of the first answers in
time are labelled; windows after the largest number of answers, and after a gap and in other blocks of time, are tested:
the same ones for every number.

unseen    other participants' windows; no window of the user was recorded before
global    other participants' windows, and the labelled ones
pooled    the same, but other windows count as `prior_windows` windows (the lower middle one of the list)
groups    other windows are those of the group whose model fits the user's windows (`lifelog.groups.unseen`)
personal  labelled windows only, with the strongest shrinkage

Features are standardised by all windows before the first tested one, whose labels are not used: they are recorded
whether the user answers or not. Those of `unseen` are standardised by the mean scaling of other users.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats
from lifelog.discriminant import filled, fit_discriminants
from lifelog.evaluate.metrics import METRICS, scores
from lifelog.groups.assignment import cluster_importance
from lifelog.groups.unseen import Placer, fit_group, place_person
from lifelog.importance.vectors import describing
from lifelog.intervals import CHANCE, estimate_mean
from lifelog.predict.predictors.lda import Lda
from lifelog.predict.samples import Samples
from lifelog.settings.compare import Compare, LearningCurve
from lifelog.settings.groups import Scoring
from lifelog.settings.splits import Target
from lifelog.splits.classes import find_cuts
from lifelog.standardise import Scaling, fit_scaling
from lifelog.tables import plain

MODELS = ("unseen", "global", "pooled", "groups", "personal")
LATER = 0.3  # minimum share of a user's windows after the labelled ones
PARTS = 20  # how often users are left out: each one alone, or several at a time


class Person(NamedTuple):
    """Windows of a user by answer: features as recorded and standardised, classes, scaling, rows of the samples."""

    raw: Floats
    x: Floats
    truth: Codes
    scaling: Scaling
    rows: pd.DataFrame


def learning_curve(
    samples: Samples,
    importance: pd.DataFrame,
    settings: LearningCurve,
    lda: Lda,
    groups: Scoring,
    target: Target,
    shrinkage: float = 0.5,
    gap: float = 2,
) -> pd.DataFrame:
    """Score every strategy by the number of answers of a left-out user.

    Parameters
    ----------
    samples : Samples
        All labelled windows of all users, not standardised.
    importance : pandas.DataFrame
        Table of `read_importance` with the Shapley values of all users.
    settings : LearningCurve
        Numbers of answers, and users.
    lda : Lda
        Shrinkages and prior windows.
    groups : Scoring
        Clustering of Shapley values.
    target : Target
        Of the classes. Those of a relative target are relative to the answers before the first tested one.
    shrinkage : float, default 0.5
        Of the correlations of features, in the discriminants that place a user in a group.
    gap : float, default 2
        Minutes between the starts of labelled and tested windows, at least.

    Returns
    -------
    pandas.DataFrame
        user, strategy, answers, labelled (number of their windows), windows (number of test windows), and every metric.
    """
    people = _people(samples)
    users = sorted(people)
    if len(users) > settings.users:
        users = sorted(np.random.default_rng(settings.seed).choice(users, settings.users, replace=False).tolist())
    by_shapley = groups.model_copy(update={"importance": "shapley", "unit": "users"})
    described, table = describing(importance), list[dict[str, Any]]()
    # In random order: users with neighbouring names may be alike.
    mixed = np.random.default_rng(settings.seed).permutation(users)
    for left_out in np.array_split(mixed, min(len(users), PARTS)) if len(people) > 2 else ():
        rest = {name: person for name, person in people.items() if name not in left_out}
        members = _groups(described[described.user.isin(rest)], by_shapley)
        others = _Others(rest, members, len(samples.classes), lda, shrinkage)
        for user in map(str, left_out):
            for answers, labelled, test in steps(people[user], settings.answers, gap):
                about = {"answers": answers, "labelled": labelled, "windows": len(test)}
                person = _with_known_classes(people[user], test[0], target)
                if person is None:
                    continue
                for strategy in MODELS:
                    probabilities = others.predict(person, strategy, labelled, test)
                    if probabilities is not None:
                        row = {"user": user, "strategy": strategy} | about
                        table.append(row | scores(person.truth[test], probabilities, ordinal=target.ordinal))
    curve = pd.DataFrame(table, columns=None if table else ["user", "strategy", "answers", "labelled", "windows"])
    return curve.sort_values("user", kind="stable", ignore_index=True)


def _people(samples: Samples) -> dict[str, Person]:
    """Return the windows of each user in the order of answers, and in time order in each."""
    people, table = {}, samples.rows
    first = table.groupby(["user", "answer"]).start.transform("min").to_numpy()
    for user, rows in samples.rows_by_user().items():
        rows = rows[np.lexsort((table.start.to_numpy()[rows], table.answer.to_numpy()[rows], first[rows]))]
        raw = samples.summary[rows].astype(np.float64)
        scaling = fit_scaling([raw], raw.shape[1], "user")
        people[user] = Person(raw, filled(scaling, raw), samples.truth[rows], scaling, table.iloc[rows])
    return people


def _with_known_classes(person: Person, first: int, target: Target) -> Person | None:
    """Return a user whose classes are relative to the answers before the first tested window; None if these are few."""
    if target.relative is None:
        return person
    levels, answers = person.rows.level.to_numpy(), person.rows.answer.to_numpy()
    cuts = find_cuts(levels[:first], answers[:first], target.shares)
    return None if cuts is None else person._replace(truth=np.searchsorted(cuts, levels))


def _groups(importance: pd.DataFrame, settings: Scoring) -> list[list[str]]:
    """Return the members of each group."""
    return [list(rows.user) for _, rows in cluster_importance(importance, settings).groupby("group")]


def steps(person: Person, numbers: list[int], gap: float) -> Iterator[tuple[int, int, Codes]]:
    """Yield numbers of answers with the windows to test, which are the same for every number.

    Parameters
    ----------
    person : Person
        The left-out user.
    numbers : list of int
        Numbers of answers; too large ones are left out.
    gap : float
        Minutes between the starts of labelled and tested windows, at least.

    Yields
    ------
    int, int, ndarray of int
        A number of answers, the number of their windows, and the numbers of the windows to test.
    """
    count, minutes, blocks = len(person.truth), person.rows.minute.to_numpy(), person.rows.block.to_numpy()
    ends = np.append(0, np.flatnonzero(np.append(np.diff(person.rows.answer.to_numpy()) != 0, True)) + 1)
    usable = [(number, int(ends[number])) for number in numbers if number < len(ends)]
    usable = [(number, labelled) for number, labelled in usable if labelled <= (1 - LATER) * count]
    most = max((labelled for _, labelled in usable), default=0)
    test = np.arange(most, count)
    if most:
        later = (minutes[test] - minutes[:most].max() > gap - 1e-3) & ~np.isin(blocks[test], blocks[:most])
        test = test[later]
    if len(np.unique(person.truth[test])) > 1:
        yield from ((number, labelled, test) for number, labelled in usable)


@dataclass
class _Others:
    """The models of all users but those who are left out.

    `groups` has the members of each group, `classes` is the number of classes, and `placing` the shrinkage of the
    discriminants that place a user in a group.
    """

    people: dict[str, Person]
    groups: list[list[str]]
    classes: int
    lda: Lda
    placing: float

    def predict(self, person: Person, strategy: str, labelled: int, test: Codes) -> Floats | None:
        """Return the probabilities of the test windows of a user, None if the strategy needs more windows."""
        if strategy == "unseen" and labelled:
            return None
        own = strategy != "unseen" and test[0] > 1
        scaling = fit_scaling([person.raw[: test[0]]], person.raw.shape[1], "user") if own else self.scaling
        x, members, shrinkage = filled(scaling, person.raw), list(self.people), self.shrinkage
        new = person._replace(x=x[:labelled], truth=person.truth[:labelled])
        if strategy == "personal":
            if len(np.unique(new.truth)) < 2:
                return None
            members, shrinkage = [], max(self.lda.shrinkage)
        elif strategy == "groups":
            if not own:
                return None
            members = self.groups[place_person(x[: test[0]], self.models, new.truth)]
        train, truth = _joined([*(self.people[name] for name in members), new])
        weights, others = np.ones(len(train)), len(train) - labelled
        if strategy == "pooled":
            weights[:others] = sorted(self.lda.prior_windows)[(len(self.lda.prior_windows) - 1) // 2] / max(1, others)
        (model,) = fit_discriminants(train, truth, self.classes, [shrinkage], weights)
        return model.probabilities(x[test])

    @cached_property
    def models(self) -> list[Placer]:
        """Discriminants of the groups, which place a user by windows without labels."""
        members = [[self.people[name] for name in names] for names in self.groups]
        return [fit_group([(own.x, own.truth) for own in of_group], self.classes, self.placing) for of_group in members]

    @cached_property
    def scaling(self) -> Scaling:
        """Mean scaling of the other users."""
        scalings = [person.scaling for person in self.people.values()]
        return Scaling(np.mean([s.mean for s in scalings], axis=0), np.mean([s.std for s in scalings], axis=0))

    @cached_property
    def shrinkage(self) -> float:
        """Shrinkage with which models of one half of the other users predict the other half best."""
        people, shrinkages = list(self.people.values()), sorted(self.lda.shrinkage)
        log_loss = np.zeros(len(shrinkages))
        for fitted, seen in ((people[1::2], people[::2]), (people[::2], people[1::2])):
            x, truth = _joined(seen)
            for i, model in enumerate(fit_discriminants(*_joined(fitted), self.classes, shrinkages)):
                evidence = model.scores(x)
                log_loss[i] += np.logaddexp.reduce(evidence, axis=1).sum()
                log_loss[i] -= evidence[np.arange(len(x)), truth].sum()
        return shrinkages[int(log_loss.argmin())]


def _joined(people: Sequence[Person]) -> tuple[Floats, Codes]:
    """Return the standardised features and the classes of the windows of several users."""
    return np.concatenate([person.x for person in people]), np.concatenate([person.truth for person in people])


def summarise_curve(curve: pd.DataFrame, settings: Compare) -> dict[str, Any]:
    """Summarise a learning curve.

    Parameters
    ----------
    curve : pandas.DataFrame
        Table of `learning_curve`.
    settings : Compare
        Metric, confidence level and margin.

    Returns
    -------
    dict
        For JSON: points (strategy, answers, labelled (windows, median), users, and the mean over users with its
        interval), matches (the smallest number of answers at and above which personal models match the global model:
        they are better than chance, and not worse by more than the margin, by one-sided tests from the largest number
        down; None if that is not shown within these data), and a sentence.
    """
    if curve.empty:
        none = "Too few windows or participants for a learning curve."
        return {"points": [], "matches": None, "sentence": none}
    points, curve = [], _same_users(curve)
    ordered = curve.sort_values("answers", kind="stable")  # some users have no group with few windows
    for (strategy, answers), rows in ordered.groupby(["strategy", "answers"], sort=False):
        values = rows[settings.metric]
        estimate = estimate_mean(
            values.dropna().to_numpy(), settings.confidence, bounds=METRICS[settings.metric].bounds
        )
        about = {"answers": int(answers), "labelled": int(rows.labelled.median()), "users": int(values.count())}
        numbers = {name: plain(getattr(estimate, name)) for name in ("mean", "low", "high")}
        points.append({"strategy": strategy} | about | numbers)
    matches = _matches(curve, settings)
    if matches is None:
        matching = f"Personal models are not shown to match one model, with up to {int(curve.answers.max())} answers."
    else:
        matching = f"Personal models match one model from {matches} answers on."
    return {"points": points, "matches": matches, "sentence": f"{_without_answers(points, settings)}{matching}"}


def _without_answers(points: list[dict[str, Any]], settings: Compare) -> str:
    """Return the sentence about models of others, for a user who has not answered."""
    means = {point["strategy"]: point["mean"] for point in points if point["answers"] == 0}
    if means.get("global") is None:
        return ""
    label, score = METRICS[settings.metric].label, f"{means['global']:.2f}"
    one = f"Without answers, one model of the other participants has a {label} of {score}"
    unseen = f" ({means['unseen']:.2f} without any recording)" if means.get("unseen") is not None else ""
    grouped = (
        f", and the model of the best-fitting group {means['groups']:.2f}" if means.get("groups") is not None else ""
    )
    return f"{one}{unseen}{grouped}. "


def _same_users(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the rows up to the largest number that half of the users have, and only of these users."""
    users = curve.groupby("answers").user.nunique()
    most = users.index[users >= users.max() / 2].max()
    enough = set(curve.user[curve.answers == most])
    return curve[curve.user.isin(enough) & (curve.answers <= most)]


def _matches(curve: pd.DataFrame, settings: Compare) -> int | None:
    """Return the smallest number of answers at and above which personal models match the global one."""
    scores = curve.pivot(index="user", columns=["strategy", "answers"], values=settings.metric)
    skill = curve.pivot(index="user", columns=["strategy", "answers"], values="auroc") - CHANCE
    matched = None
    for answers in sorted(set(curve.answers[curve.strategy == "personal"]), reverse=True):
        personal = ("personal", answers)
        gain = scores[personal] - scores["global", answers]
        low, informed = (
            estimate_mean(values.dropna().to_numpy(), 1 - 2 * settings.level).low for values in (gain, skill[personal])
        )
        if not (low > -settings.margin and informed > 0):
            break
        matched = int(answers)
    return matched
