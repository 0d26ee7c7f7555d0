"""fewest_sensors: how few sensors are enough, for everyone and for each participant.

For each number of sensors, the best set is chosen in every outer fold by the values of all sets, which are computed
without the test windows of the fold (`lifelog.importance.sets`): for everyone the set with the highest mean value over
participants, for each participant the one with their highest value. Of sets that are nearly as good, the cheapest is
chosen. Models are then trained with these sensors alone, and tested like any other.

A number of sensors is enough if its AUROC is better than chance, and its score is not worse than that of all sensors by
more than the margin; both by intervals over participants.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lifelog.evaluate.compare import score_users
from lifelog.evaluate.metrics import METRICS
from lifelog.intervals import CHANCE, estimate_mean
from lifelog.predict.samples import Samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.compare import Compare
from lifelog.settings.windows import Modality

NEARLY = 0.005  # of AUROC: sets whose values differ by less are equally good, and the cheaper one is chosen
EVERYONE = "everyone"
EACH = "each participant"


class Chosen(NamedTuple):
    """The sets of modalities by fold (None: all windows) and number of modalities, as tuples of names."""

    sets: dict[tuple[int | None, int], tuple[str, ...]]

    def of(self, fold: int | None, size: int) -> tuple[str, ...] | None:
        """Return the set of a fold, None if no value is known in it: that of all windows has its test windows in it."""
        return self.sets.get((fold, size))


class Fewest(NamedTuple):
    """How few sensors are enough.

    Attributes
    ----------
    table : pandas.DataFrame
        scope (everyone, or each participant), scheme, sensors (their number), cost (mean of the sets), set (from all
        windows; of everyone), participants, mean, low, high (score), difference (to all sensors) with interval, worse
        (by how much it may be worse), and auroc with auroc_low.
    sets : pandas.DataFrame
        user (everyone, or a participant), sensors, set, cost, enough (whether it is the recommended number).
    sentences : list of str
        What is enough.
    """

    table: pd.DataFrame
    sets: pd.DataFrame
    sentences: list[str]


def choose_sets(values: pd.DataFrame, modalities: Sequence[Modality]) -> Chosen:
    """Choose the best set of modalities of each size, in every fold.

    Parameters
    ----------
    values : pandas.DataFrame
        fold (null: all windows), set (bit i stands for modality i), value.
    modalities : sequence of Modality
        Their order and costs.

    Returns
    -------
    Chosen
        Of the sets whose value is within `NEARLY` of the best one of their size, the cheapest, then the best.
    """
    names, costs = [m.name for m in modalities], np.array([m.cost for m in modalities])
    bits = np.arange(2 ** len(names))[:, None] >> np.arange(len(names)) & 1
    sizes, prices = bits.sum(axis=1), bits @ costs
    sets = dict[tuple[int | None, int], tuple[str, ...]]()
    for fold, rows in values.groupby("fold", dropna=False):
        found = rows.groupby("set").value.mean().reindex(np.arange(len(bits))).to_numpy()
        for size in range(1, len(names) + 1):
            here = np.flatnonzero(sizes == size)
            near = here[found[here] >= np.nanmax(found[here]) - NEARLY]
            best = near[np.lexsort((-found[near], prices[near]))[0]]
            key = None if pd.isna(fold) else int(fold), size
            sets[key] = tuple(name for name, bit in zip(names, bits[best], strict=True) if bit)
    return Chosen(sets)


def fewest_sensors(
    values: pd.DataFrame,
    model: Model,
    personal: Model | None,
    read_fold: Callable[[int], Samples],
    modalities: Sequence[Modality],
    compare: Compare,
    ordinal: bool,
) -> Fewest:
    """Find how few sensors are enough.

    Parameters
    ----------
    values : pandas.DataFrame
        Table of `value_sets` of all participants.
    model : Model
        The predictor under a scheme, for sets of everyone.
    personal : Model or None
        The predictor under the scheme `personal`, for sets of each participant; None to leave it out.
    read_fold : callable
        Returns the windows of all participants that a fold uses.
    modalities : sequence of Modality
        Their order and costs.
    compare : Compare
        Metric, margin and confidence level.
    ordinal : bool
        Whether classes are in an order.

    Returns
    -------
    Fewest
        Tables and sentences.
    """
    everyone = choose_sets(values, modalities)
    if everyone.of(None, 1) is None:
        raise ValueError("no sets of sensors can be compared: importance is measured for no participant")
    found = Comparison(modalities, compare, ordinal, read_fold, everyone)
    tables, of_everyone = [found.curve(model, {EVERYONE: everyone})], found.sets(EVERYONE, everyone)
    sentences = [found.sentence(tables[0], EVERYONE, everyone)]
    sets = [of_everyone.assign(enough=of_everyone.sensors == enough(tables[0], compare.margin))]
    if personal is not None:
        own = {str(user): choose_sets(rows, modalities) for user, rows in values.groupby("user")}
        tables.append(found.curve(personal, own))
        sentences.append(found.sentence(tables[1], EACH, None))
        of_users = pd.concat([found.sets(user, chosen) for user, chosen in own.items()])
        sets.append(of_users.assign(enough=of_users.sensors == enough(tables[1], compare.margin)))
    return Fewest(pd.concat(tables, ignore_index=True), pd.concat(sets, ignore_index=True), sentences)


def enough(curve: pd.DataFrame, margin: float) -> int | None:
    """Return the smallest number of sensors that is enough, None for all of them.

    Numbers are tested from the largest one down, and the first one that is not enough ends this: of many tests, some
    would succeed by chance.
    """
    ordered = curve.sort_values("sensors", ascending=False)
    passed = (ordered.worse < margin) & (ordered.auroc_low > CHANCE)
    count = int(passed.cumprod().sum())
    return int(ordered.sensors.iloc[count - 1]) if count > 1 else None


class Comparison(NamedTuple):
    """The test of sets of sensors."""

    modalities: Sequence[Modality]
    compare: Compare
    ordinal: bool
    read_fold: Callable[[int], Samples]
    everyone: Chosen

    @property
    def costs(self) -> dict[str, float]:
        return {modality.name: modality.cost for modality in self.modalities}

    def sets(self, user: str, chosen: Chosen) -> pd.DataFrame:
        """Return the sets from all windows, one row per size."""
        sizes = range(1, len(self.modalities) + 1)
        rows = [(size, found) for size in sizes if (found := chosen.of(None, size))]
        table = pd.DataFrame([{"user": user, "sensors": size, "set": " ".join(found)} for size, found in rows])
        return table.assign(cost=[self._cost(found) for _, found in rows])

    def _cost(self, names: tuple[str, ...]) -> float:
        return sum(self.costs[name] for name in names)

    def tested_set(self, chosen: Chosen, fold: int, size: int) -> tuple[str, ...]:
        """Return the set to test in a fold: the chosen one, that of everyone, or all sensors."""
        return chosen.of(fold, size) or self.everyone.of(fold, size) or tuple(self.costs)

    def curve(self, model: Model, chosen: dict[str, Chosen]) -> pd.DataFrame:
        """Return the score by number of sensors; `chosen` has one entry for everyone, or one per participant."""
        count = len(self.modalities)
        scores = {size: self._scores(model, chosen, size) for size in range(1, count + 1)}
        bounds, rows = METRICS[self.compare.metric].bounds, list[dict[str, Any]]()
        sign = 1 if METRICS[self.compare.metric].lower else -1
        for size, of_users in scores.items():
            metric = self.compare.metric
            score = estimate_mean(of_users[metric].dropna().to_numpy(), self.compare.confidence, bounds=bounds)
            gained = (of_users[metric] - scores[count][metric]).dropna().to_numpy()
            lost = estimate_mean(gained, self.compare.confidence)
            skill = estimate_mean(of_users.auroc.dropna().to_numpy(), self.compare.confidence, bounds=(0.0, 1.0))
            worse = max(sign * lost.low, sign * lost.high)
            one, known = chosen.get(EVERYONE), [x.of(None, size) for x in chosen.values()]
            cost = np.mean([self._cost(names) for names in known if names])
            row = {"scope": EVERYONE if one else EACH, "scheme": model.scheme, "sensors": size, "cost": cost}
            named = " ".join(one.of(None, size) or ()) if one else ""
            row |= {"set": named, "participants": int(of_users[metric].count())}
            row |= {"mean": score.mean, "low": score.low, "high": score.high, "difference": lost.mean}
            row |= {"difference_low": lost.low, "difference_high": lost.high, "worse": worse}
            rows.append(row | {"auroc": skill.mean, "auroc_low": skill.low})
        return pd.DataFrame(rows)

    def _scores(self, model: Model, chosen: dict[str, Chosen], size: int) -> pd.DataFrame:
        """Return the scores of each participant with sets of a size."""
        tables = []
        for user, found in chosen.items():
            groups = model.groups if user == EVERYONE else model.groups[model.groups.user == user]

            def read(fold: int, user: str = user, found: Chosen = found) -> Samples:
                samples = self.read_fold(fold)
                own = samples if user == EVERYONE else samples.take((samples.rows.user == user).to_numpy())
                return own.only(self.tested_set(found, fold, size))

            if len(groups):
                (predictions,) = train_predictors([replace(model, groups=groups)], read)
                tables.append(predictions.table)
        whole = pd.concat(tables, ignore_index=True)
        users = score_users({("", ""): whole}, self.ordinal, self.compare.decide).users
        return users.set_index("user")[list(dict.fromkeys([self.compare.metric, "auroc"]))]

    def sentence(self, curve: pd.DataFrame, scope: str, chosen: Chosen | None) -> str:
        """Return what is enough."""
        label, number, every = METRICS[self.compare.metric].label, enough(curve, self.compare.margin), curve.iloc[-1]
        whom = "For everyone" if scope == EVERYONE else "With sensors chosen for each participant"
        if not every.auroc_low > CHANCE:
            return f"{whom}, no number of sensors can be named: all together are not clearly better than chance."
        if number is None:
            return f"{whom}, no fewer than all {every.sensors} sensors are shown to be enough."
        row = curve[curve.sensors == number].iloc[0]
        named = f": {', '.join(chosen.of(None, number) or ())}" if chosen else ""
        sensors = "sensors is" if number == 1 else "sensors are"
        return (
            f"{whom}, {number} of {every.sensors} {sensors} enough{named} ({label} {row['mean']:.2f} against "
            f"{every['mean']:.2f} with all, {row.difference:+.2f} [{row.difference_low:+.2f}, "
            f"{row.difference_high:+.2f}])."
        )
