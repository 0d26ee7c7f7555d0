"""train_and_conclude: the stages from samples to decision, on a simulated cohort with the predictor lda."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.compare import compare_predictors, score_users, split_groupings
from lifelog.evaluate.decision import decide
from lifelog.evaluate.verdict import leak_check, verdict
from lifelog.groups.assignment import SchemeInputs, group_users
from lifelog.groups.read import described_groups, included_users
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import COMBINED, Scheme, predictor_settings

SCHEMES: tuple[Scheme, ...] = ("global", "importance", "personal", "pooled", "blend", "random")


def train_and_conclude(
    people: list[Person],
    formed: pd.DataFrame,
    config: Config,
    schemes: Sequence[Scheme] = SCHEMES,
    others: Sequence[str] = (),
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Train lda under some schemes, and draw the conclusions of a report.

    Parameters
    ----------
    people : list of Person
        Features and folds; at least one participant without `excluded`.
    formed : pandas.DataFrame
        Groups by importance, from `group_users`.
    config : Config
        Settings of groups and comparison.
    schemes : sequence of str
        Schemes of lda.
    others : sequence of str, optional
        Predictors to train as one model of all participants in addition, such as those of time stamps.

    Returns
    -------
    dict
        For JSON: recommended (a scheme or None), outcome, difference and detectable one of the importance groups
        (importance minus global), p of the primary and p_random of the permutation test, tested (participants),
        headline, leak (outcome of the leak check), groups (their number), scores by scheme and `near`, their shares of
        resamples near the best one.
    pandas.DataFrame
        The comparison, from `compare_predictors`.
    """
    included = included_users([person.folds for person in people])
    models = [Model(predictor_settings(name), "global", group_users("global", included)) for name in others]
    for scheme in schemes:
        table = "global" if scheme in COMBINED else scheme
        inputs = SchemeInputs(groups=formed)
        groups = formed if scheme == "importance" else group_users(table, included, config.groups, inputs)
        models.append(Model(predictor_settings("lda"), scheme, groups))
    trained = train_predictors(models, partial(make_samples, people))
    tables = split_groupings({(found.model.settings.name, found.model.scheme): found.table for found in trained})
    scored = score_users(tables, decide=config.compare.decide)
    comparison = compare_predictors(scored, config.compare, "lda")
    leak = leak_check(scored.users, "lda", config.compare)
    decision = decide(scored.users, config.compare, "lda", leak=leak)
    concluded = verdict(scored.users, comparison, config.compare, ["train", "validation"], primary="lda", leak=leak)
    (finding,) = concluded["findings"]
    conclusions = {
        "recommended": decision["recommended"],
        **{key: finding[key] for key in ("outcome", "difference", "detectable", "p", "p_random")},
        "tested": finding["users"],
        "headline": concluded["headline"],
        "leak": leak["outcome"],
        "groups": int(described_groups(formed).group.nunique()),
        "scores": {row["scheme"]: row["score"] for row in decision["strategies"]["lda"]},
        "near": {row["scheme"]: row["p_near"] for row in decision["strategies"]["lda"]},
    }
    return conclusions, comparison
