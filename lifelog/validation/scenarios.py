"""The simulated cohorts of the validation: kinds of cohorts, and the seeds that results are reported on.

Defaults were chosen on the seeds 0 to 9; the validation reports others.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """A kind of cohort.

    Attributes
    ----------
    sizes : tuple of int
        Participants of each kind of people; kinds differ in their planted modalities.
    windows : int
        Training and validation windows per participant; a quarter more are test windows.
    effect : float
        Effect of the label on the planted modalities; 0 for none.
    difficulty : str
        plain; channel: only one channel of a planted modality responds; redundant: both planted modalities respond
        with the same error; interaction: planted modalities respond only while a third one is low; missing: planted
        modalities are missing in a third of the windows; opposite: half of the participants respond in the other
        direction; loners: two more participants whose two planted modalities are drawn at random; different: no two
        participants have the same two planted modalities
    """

    sizes: tuple[int, ...] = (3, 3, 3, 3)
    windows: int = 60
    effect: float = 1.0
    difficulty: str = "plain"


SEEDS = range(100, 103)
FOUR = (3, 3, 3, 3)
DIFFICULTIES = ("channel", "redundant", "interaction", "missing", "opposite", "loners")
KINDS = {"one kind": (12,), "two": (6, 6), "three": (4, 4, 4), "five": (3, 3, 3, 3, 3), "unequal": (6, 3, 2, 1)}

SCENARIOS: dict[str, Scenario] = {
    **{f"plain-{w}-{e}": Scenario(FOUR, w, e) for w, e in product((20, 30, 60, 120, 500), (0.0, 0.25, 0.5, 1.0))},
    **{f"{d}-{w}-{e}": Scenario(FOUR, w, e, d) for d in DIFFICULTIES for w, e in ((30, 1.0), (60, 1.0), (120, 0.25))},
    **{f"{name.replace(' ', '_')}-60-1.0": Scenario(sizes, 60, 1.0) for name, sizes in KINDS.items()},
    **{f"one_kind-{w}-{e}": Scenario((12,), w, e) for w, e in ((30, 1.0), (120, 0.25))},
}
# By kind of cohort, the strategies that are right; without any effect, none.
RIGHT_STRATEGIES: dict[str, tuple[Scenario, tuple[str | None, ...]]] = {
    "groups": (Scenario((4, 4, 4)), ("importance",)),
    "alike": (Scenario((12,)), ("global", "pooled")),
    "different": (Scenario((12,), difficulty="different"), ("personal", "pooled", "blend")),
    "opposite": (Scenario((12,), difficulty="opposite"), ("personal", "pooled", "blend")),
    "nothing": (Scenario((4, 4, 4), effect=0.0), (None,)),
    "weak": (Scenario((4, 4, 4), effect=0.35), ("importance",)),
}
# Kinds of recordings (`people.Design`), and the smallest set that is enough; none where nothing is predicted.
_PAIR = {"sessions": 6, "windows": 10, "effects": (1.0, 1.0, 0.0, 0.0)}
SENSOR_LINES: dict[str, tuple[dict[str, Any], str]] = {
    "pair": (_PAIR, "m0 m1"),
    "pair-autocorrelated": (_PAIR | {"memory": 0.5, "run": 3.0}, "m0 m1"),
    "copy": (_PAIR | {"copy": 0.3}, "m0"),
    "nothing": (_PAIR | {"effects": (0.0, 0.0, 0.0, 0.0)}, ""),
}
SENSOR_SEEDS = range(980, 1000)
# Cohorts whose bundles score another cohort of the same kind.
BUNDLE_LINES = {name: scenario for name, (scenario, _) in RIGHT_STRATEGIES.items() if name != "opposite"}
BUNDLE_SEEDS = range(960, 964)
# The same for new participants, of whom no label is known.
RIGHT_FOR_NEW: dict[str, tuple[str | None, ...]] = {
    "groups": ("importance",),
    "alike": ("global",),
    "different": ("global", None),
    "opposite": ("global", None),
    "nothing": (None,),
    "weak": ("importance",),
}
STRATEGY_SEEDS = range(300, 310)
# Kind, seed of the cohort, and seed of the split: a second split for four cohorts of each kind.
STRATEGIES = [
    *product(RIGHT_STRATEGIES, STRATEGY_SEEDS, (32,)),
    *((kind, seed, 33) for kind, seed in product(RIGHT_STRATEGIES, STRATEGY_SEEDS[:4]) if kind != "weak"),
]
# Networks are trained for some cohorts only: they take a hundred times as long as values.
WITH_NETWORKS = ("plain-30-1.0", "plain-60-1.0", "plain-120-0.25", "plain-60-0.0", "channel-60-1.0", "one_kind-60-1.0")
# Recordings in which claims about single participants are validated. Defaults were chosen on the seeds 1 to 41.
CLAIMS: dict[str, dict[str, Any]] = {
    "independent-6x10": dict(sessions=6, windows=10),
    "memory-6x10": dict(sessions=6, windows=10, memory=0.5, run=4),
    "slow-6x10": dict(sessions=6, windows=10, memory=0.9, run=8),
    "slow-6x30": dict(sessions=6, windows=30, memory=0.9, run=20),
    "slow-8x20": dict(sessions=8, windows=20, memory=0.9, run=10),
    "slow-12x20": dict(sessions=12, windows=20, memory=0.9, run=10),
    "prompts-40x5": dict(sessions=40, windows=5, memory=0.5, run=2, minutes=180),
    "unequal-8x20": dict(sessions=8, windows=20, memory=0.9, run=10, unequal=True),
    "three-8x20": dict(sessions=8, windows=20, memory=0.5, run=4, shares=(0.5, 0.3, 0.2)),
    "levels-8x20": dict(sessions=8, windows=20, memory=0.5, run=4, levels=1.0),
    "rare-8x20": dict(sessions=8, windows=20, memory=0.5, run=3, shares=(0.85, 0.15)),
    "drift-12x10": dict(sessions=12, windows=10, drift=0.7),
    "one-session-60": dict(sessions=1, windows=60, memory=0.9, run=8),
}
# No effect; one standard deviation on two of the four features of a modality, of all participants or of every second
# one; two such modalities; and such a modality with its copy.
CLAIM_EFFECTS: dict[str, dict[str, Any]] = {
    "null": {},
    "effect": dict(effects=(1.0, 0.0, 0.0, 0.0)),
    "half": dict(effects=(1.0, 0.0, 0.0, 0.0), responders=0.5),
    "two": dict(effects=(1.0, 1.0, 0.0, 0.0)),
    "copy": dict(effects=(1.0, 0.0, 0.0, 0.0), copy=0.1),
}
CLAIM_LINES = [
    *product(CLAIMS, ("null", "effect")),
    *product(list(CLAIMS)[:7], ("half",)),
    *product(("independent-6x10", "slow-12x20", "prompts-40x5"), ("two", "copy")),
]
CLAIM_SEED, CLAIM_PEOPLE = 500, 200
# Cohorts of twelve people in which groups are validated. The model of groups was chosen on the seeds 600 to 819.
SHORT = dict(sessions=6, windows=10, memory=0.3, run=3)
LONG = dict(sessions=16, windows=10, memory=0.5, run=3, shares=(0.55, 0.3, 0.15))
SLOW = dict(sessions=8, windows=20, memory=0.9, run=10)
ONE, STRENGTHS = (12,), (0.5, 1.5)
GROUP_LINES: dict[str, dict[str, Any]] = {
    "four-160": dict(design=LONG, effect=1.5),
    "four-160-rare": dict(design=LONG | {"shares": (0.7, 0.25, 0.05)}, effect=1.5),
    "four-160-strengths": dict(design=LONG, effect=1.5, strengths=STRENGTHS),
    "four-60-weak": dict(design=SHORT, effect=0.8),
    "one-60": dict(design=SHORT, effect=1.0, sizes=ONE),
    "one-160-strengths": dict(design=LONG, effect=1.5, sizes=ONE, strengths=STRENGTHS),
    "one-slow-strengths": dict(design=SLOW, effect=1.2, sizes=ONE, strengths=STRENGTHS),
    "nothing-60": dict(design=SHORT, effect=0.0, sizes=ONE),
    "nothing-160": dict(design=LONG, effect=0.0, sizes=ONE),
    "nothing-slow": dict(design=SLOW, effect=0.0, sizes=ONE),
}
GROUP_SEEDS = range(820, 840)
# Cohorts of twelve people in which decisions are validated. `smaller`: members of a group share modalities, but no
# direction of the response. `nothing-k`: three groups, so that p-values exist.
HOUR = dict(sessions=1, windows=60, memory=0.9, run=8)
PROMPTS = dict(sessions=40, windows=5, memory=0.5, run=2, minutes=180)
BLOCKED, FORWARD = dict(method="blocked", name="blocked"), dict(method="sessions", name="forward", test=0.3)
TWENTY = dict(sizes=(4, 4, 4), split=BLOCKED, seeds=range(900, 920), groups={"random": 39})
DECISION_LINES: dict[str, dict[str, Any]] = {
    "smaller": TWENTY | dict(design=LONG | {"individual": True}, effect=1.5),
    "prompts": TWENTY | dict(design=PROMPTS, effect=1.0),
    "prompts-nothing": TWENTY | dict(design=PROMPTS, effect=0.0),
    "hour": TWENTY | dict(design=HOUR, effect=1.5),
    "hour-nothing": TWENTY | dict(design=HOUR, effect=0.0),
    "forward": TWENTY | dict(design=SLOW, effect=1.5, split=FORWARD),
    "forward-drift": TWENTY | dict(design=SLOW | {"drift": 0.7}, effect=0.0, split=FORWARD),
    "nothing-k": TWENTY | dict(design=SHORT, effect=0.0, seeds=range(900, 1100), groups={"k": 3, "random": 39}),
}
# Cohorts of twelve people in which probabilities are validated, with class shares from 1 : 1 to 9 : 1. The priors of
# the calibration were chosen on other cohorts (`simulated` of cohorts.py with thinned classes, seeds 700 and 701).
DESIGNS: dict[str, dict[str, Any]] = {"short": SHORT, "long": LONG}
PROBABILITY_LINES: dict[str, dict[str, Any]] = {
    f"{name}-{100 * high:.0f}-{effect}": dict(design=DESIGNS[name] | {"shares": (1 - high, high)}, effect=effect)
    for (name, effect), high in product((("short", 1.0), ("long", 1.0), ("long", 0.0)), (0.5, 0.3, 0.2, 0.1))
}
PROBABILITY_SEEDS = range(950, 955)
