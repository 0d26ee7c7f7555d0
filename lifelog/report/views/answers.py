"""The first page in plain words: how well the target can be predicted, which sensors matter, and what follows.

Each answer is about the chapter of the primary test, and claims no more than the tests of the run: what could not be
tested is named as that, and what chance alone gives is not a finding.
"""

from typing import NamedTuple

import pandas as pd
from markupsafe import Markup
from scipy.special import bdtrc

from lifelog.config import Config
from lifelog.evaluate.calibration import against_constant, listed_scores
from lifelog.evaluate.decision import SURE
from lifelog.evaluate.metrics import METRICS
from lifelog.report.chapter import Chapter, SplitDetails
from lifelog.report.views.parts import NOTHING, Row, Texts, count, mark
from lifelog.settings.predict import time_only

MOST_NAMED = 6  # sensors or participants in a sentence
MOST_UNNAMED = 3  # sensors without an effect, by their names
FEW_WINDOWS = 60  # of a user, below which importance is often not measured (docs/validation.md)
FEWEST_BLOCKS = 5  # of a user, below which importance cannot be tested
ROUNDING = 1e-9  # of probabilities
MUCH_LOST = 0.1  # share of labelled time
phrase = Texts("answers")


class Answer(NamedTuple):
    """An answer of the first page.

    Attributes
    ----------
    question, sentence : str
        The question, and the answer in one sentence with its numbers.
    details : list of str
        Further sentences.
    page : str
        Page with the evidence.
    """

    question: str
    sentence: str
    details: list[str]
    page: str

    @property
    def plain(self) -> str:
        """Question and answer without marks of HTML."""
        texts = (x.striptags() if isinstance(x, Markup) else x for x in (self.sentence, *self.details))
        return f"**{self.question}** {' '.join(texts)}"


def answers(config: Config, chapter: Chapter, cohort: pd.DataFrame) -> list[Answer]:
    """Return the answers: prediction, sensors, differences between participants, modelling, and next steps.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    chapter : Chapter
        The chapter of the primary test.
    cohort : pandas.DataFrame
        Table of `cohort_yield`.
    """
    found = {
        "prediction": (prediction(config, chapter), probabilities(chapter)),
        "sensors": (sensors(chapter), untested(chapter)),
        "differences": (differences(chapter), []),
        "modelling": (modelling(config, chapter), conditions(chapter)),
    }
    pages = {"sensors": "importance", "differences": "groups"}
    first, *others = steps(chapter, cohort) or [phrase("nothing")]
    answered = [Answer(phrase(f"of_{k}"), *texts, pages.get(k, "comparison")) for k, texts in found.items()]
    return [*answered, Answer(phrase("of_steps"), first, others, "cohort")]


def leaks(chapter: Chapter) -> bool:
    """Return whether time alone predicts the label under the split, and sensors do not clearly better."""
    return bool(chapter.verdict["leak"]["outcome"] == "leak")


def compared(chapter: Chapter) -> dict[str, Row]:
    """Return the strategies of the primary predictor by name, the simplest first; none if nothing is scored."""
    rows = chapter.decision.get("strategies", {}).get(chapter.decision.get("predictor"), [])
    return {row["scheme"]: row for row in rows}


def informed(chapter: Chapter) -> bool:
    """Return whether a strategy of the primary predictor is clearly better than chance."""
    return any(row["better_than_chance"] for row in compared(chapter).values())


def shown(chapter: Chapter) -> str | None:
    """Return the strategy whose scores are shown: the recommended one, or the simplest one better than chance."""
    strategies = compared(chapter)
    better = (name for name, row in strategies.items() if row["better_than_chance"])
    return chapter.decision.get("recommended") or next(better, next(iter(strategies), None))


def prediction(config: Config, chapter: Chapter) -> str:
    """Return how well the target can be predicted, beside guessing and time alone."""
    auroc = chapter.comparison[chapter.comparison.metric == "auroc"].set_index(["predictor", "scheme"])
    model = chapter.decision.get("predictor"), shown(chapter)
    if model not in auroc.index or pd.isna(auroc["mean"][model]):
        return phrase("not_scored", target=chapter.target)
    row = auroc.loc[model]
    timed = auroc["mean"][auroc.index.get_level_values(0).isin(time_only())]
    better = informed(chapter)  # corrected for the number of strategies, which the interval is not
    limits = "" if pd.isna(row.low) or not better else f"{100 * row.low:.0f} to {100 * row.high:.0f}; "
    alone = phrase("time_alone", area=100 * timed.max()) if timed.notna().any() else ""
    if leaks(chapter):
        return phrase("leak", target=chapter.target)
    *first, last = config.target(chapter.target).classes
    key = "predicted" if better else "not_predicted"
    numbers = {"area": 100 * row["mean"], "beside": f"{limits}{phrase('guessing')}{alone}"}
    return phrase(key, target=chapter.target, classes=f"{', '.join(first)} and {last}", **numbers)


def probabilities(chapter: Chapter) -> list[str]:
    """Return whether the probabilities are better than constant ones, where something can be predicted; or the leak."""
    if leaks(chapter):
        return [chapter.verdict["leak"]["sentence"]]
    if not informed(chapter):
        return []
    outcome, rows = against_constant(chapter.calibration, chapter.decision["predictor"], str(shown(chapter)))
    return [phrase(f"probabilities_{outcome}", scores=listed_scores(rows))] if outcome else []


def sensors(chapter: Chapter) -> str:
    """Return which sensors matter, for how many participants."""
    details = chapter.details
    if details is None:
        return phrase("not_computed")
    testable = details.values[details.values.reason.isna()]
    total, found = testable.user.nunique(), details.mattering
    if not total:
        return phrase("none_testable", reasons=" and ".join(dict.fromkeys(details.untested.reason)))
    users = found.user.nunique()
    tested = count(total, "tested participant")
    if not users:
        return phrase("none_found", tested=tested)
    if by_chance(details):
        return phrase("by_chance", users=users, tested=tested, names=listed(sorted(found.user.unique())))
    counts = found.modality.value_counts(sort=True)
    none = [name for name in dict.fromkeys(details.values.modality) if name not in counts]
    others = ", ".join(none) if len(none) <= MOST_UNNAMED else phrase("others", number=len(none))
    named = listed([f"{name} ({number})" for name, number in counts.items()])
    return phrase("found", users=users, tested=tested, named=named) + (
        phrase("found_none", names=others) if none else "."
    )


def by_chance(details: SplitDetails) -> bool:
    """Return whether no more participants have a sensor that matters than the level of their tests allows."""
    tested = details.values[details.values.reason.isna()].user.nunique()
    users = details.mattering.user.nunique()
    return bool(tested == 0 or users == 0 or bdtrc(users - 1, tested, details.chance) > details.level + ROUNDING)


def sensors_of(details: SplitDetails, user: str) -> str:
    """Return the modalities that matter for a participant, with values and intervals, or why there are none."""
    reasons = details.untested.set_index("user").reason
    if user in reasons.index:
        return phrase("untestable", reason=reasons[user])
    rows = details.mattering[details.mattering.user == user]
    shown = [mark("strong", x.modality) + f" {x.shapley:+.2f} [{x.low:+.2f}, {x.high:+.2f}]" for x in rows.itertuples()]
    if shown and by_chance(details):
        return phrase("may_be_chance", sensors=", ".join(rows.modality))
    return Markup(", ").join(shown) or phrase("none_matters")


def untested(chapter: Chapter) -> list[str]:
    """Return for which participants it cannot be tested whether a sensor matters."""
    if chapter.details is None or chapter.details.values.reason.notna().all():
        return []
    reasons = chapter.details.untested.groupby("reason").user
    return [phrase("untested", reason=reason, names=listed(sorted(users.unique()))) for reason, users in reasons]


def differences(chapter: Chapter) -> str:
    """Return whether participants differ in the sensors that matter."""
    details = chapter.details
    if details is None:
        return phrase("not_computed")
    if details.heterogeneity.p_holm.isna().all():
        return phrase("differences_untested", blocks=FEWEST_BLOCKS)
    groups = details.groups.group.nunique()
    if not details.differing:
        return phrase("equal") + (phrase("equal_groups", groups=groups) if groups > 1 else "")
    return phrase("differ" if groups > 1 else "differ_one", names=listed(details.differing), groups=groups)


def modelling(config: Config, chapter: Chapter) -> str:
    """Return the recommended strategy, with its score and what is practically equal."""
    strategies, recommended = compared(chapter), chapter.decision.get("recommended")
    if leaks(chapter):
        return phrase("leak_model", target=chapter.target)
    if not strategies:
        return phrase("too_few")
    if recommended is None:
        if not informed(chapter):
            return phrase("no_model")
        near = [phrase(name) for name, row in strategies.items() if row["p_near"] > 1 - SURE]
        return phrase("undecided", names=" or ".join(near))
    row, one = strategies[recommended], strategies.get("global")
    score = f"{METRICS[config.compare.metric].label} {row['score']:.2f}"
    if recommended != "global" and one is not None:
        score += phrase("against_one", score=one["score"])
    place = list(strategies).index(recommended)
    sides = {"as_good_simpler": list(strategies)[:place], "as_good": list(strategies)[place:]}
    equal = {key: [phrase(name) for name in names if name in chapter.decision["equal"]] for key, names in sides.items()}
    others = "".join(phrase(key, names=listed(names)) for key, names in equal.items() if names)
    others = phrase("only") if len(strategies) == 1 else others
    return phrase("use", strategy=phrase(recommended), score=score, others=others)


def conditions(chapter: Chapter) -> list[str]:
    """Return what the recommendation means for new participants, and whether importance is the reason."""
    if leaks(chapter) or chapter.details is None or not chapter.decision.get("recommended"):
        return []
    reason = [chapter.verdict["headline"]] if chapter.verdict["findings"] else []
    return [phrase("new_users", curve=chapter.details.curve), *reason]


def steps(chapter: Chapter, cohort: pd.DataFrame) -> list[str]:
    """Return what to do next, the most important step first."""
    found, details = list[str](), chapter.details
    recommended = chapter.decision.get("recommended")
    if leaks(chapter):
        found.append(phrase("other_split"))
    elif not recommended:
        found.append(phrase("record_more"))
    if details is not None and details.unstable:
        found.append(_unmeasured(chapter, details, cohort))
    lost = lost_share(cohort)
    if lost > MUCH_LOST:
        found.append(phrase("much_lost", share=lost))
    if recommended and details is not None and not by_chance(details):
        mattering = set(details.mattering.modality)
        modalities = set(details.values.modality)
        if mattering < modalities:
            found.append(phrase("leave_off", none=len(modalities - mattering), all=len(modalities)))
    if recommended:
        found.append(phrase("bundle"))
    return found


def _unmeasured(chapter: Chapter, details: SplitDetails, cohort: pd.DataFrame) -> str:
    """Return for how many participants importance is not measured, and what helps."""
    users = details.unstable
    few = too_few_blocks(chapter.subsets.set_index("user").blocks.reindex(users))
    few_windows = (cohort.set_index("user").windows.reindex(users) < FEW_WINDOWS).sum()
    remedy = phrase("few_windows", users=few_windows, windows=FEW_WINDOWS) if few_windows else ""
    remedy = f" {few}" if few else remedy
    return phrase("unmeasured", some=len(users), all=len(details.importance), remedy=remedy)


def lost_share(cohort: pd.DataFrame) -> float:
    """Return the share of labelled time that is in no window."""
    return float(cohort.lost.sum() / max(1e-9, (cohort.labelled + cohort.lost).sum()))


def too_few_blocks(blocks: pd.Series) -> str | None:
    """Return a sentence about participants whose labels are too few to measure importance, or None.

    Parameters
    ----------
    blocks : pandas.Series
        Number of independent blocks of time by participant.

    Returns
    -------
    str or None
        What they lack, and what helps.
    """
    few = blocks[blocks < FEWEST_BLOCKS]
    numbers = {"few": len(few), "all": len(blocks), "blocks": FEWEST_BLOCKS, "median": few.median()}
    return phrase("too_few_blocks", **numbers) if len(few) else None


def listed(names: list[str]) -> str:
    """Return names for a sentence; of many, the first ones and the number of others."""
    more = len(names) - MOST_NAMED
    return ", ".join(map(str, names[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "") or NOTHING
