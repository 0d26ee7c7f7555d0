"""Settings of the comparison."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lifelog.settings.base import Section

Metric = Literal[
    "macro_f1", "balanced_accuracy", "accuracy", "auroc", "quadratic_kappa", "rank_correlation", "rating_correlation"
]
# What a metric of the primary test needs of its target; the other ones suit every target.
NEEDS = {"quadratic_kappa": "ordinal: true", "rank_correlation": "ordinal: true", "rating_correlation": "kind: rating"}


class Compare(Section):
    """Scores, intervals and the verdict. One test is primary, named before the run."""

    removed: ClassVar[dict[str, str]] = dict.fromkeys(
        ("bootstrap", "seed"), "intervals are those of Student's t distribution now, without resampling"
    )

    confidence: float = Field(0.95, gt=0.5, lt=1)
    """confidence level of the intervals"""

    metric: Metric = "macro_f1"
    """metric of the primary test; quadratic_kappa and rank_correlation are for targets with `ordinal: true`,
    rating_correlation for those of kind `rating`"""

    decide: Literal["balanced", "argmax"] = "balanced"
    """predicted class: balanced, the likeliest one before calibration, when models of sensors weigh all classes alike
    and miss rare ones least; argmax, the likeliest one with the class shares of the training windows, which is wrong
    least often. Metrics are those of these probabilities"""

    target: str | None = None
    """target of the primary test; null: the first of targets_run. Results of other targets are exploratory"""

    split: str | None = None
    """split of the primary test; null: the first of splits. Results of other splits are exploratory"""

    predictor: str | None = None
    """predictor of the primary test; null: the first sensor-based one with importance groups. The p-values of other
    predictors are corrected for their number"""

    margin: float = Field(0.03, ge=0)
    """two schemes are practically equal if the interval of their difference is within plus and minus this"""

    alpha: float = Field(0.1, gt=0, lt=0.5)
    """sets of classes: share of windows whose true class may be outside of its set. A window whose set does not have
    one class is unknown"""

    threshold: float | None = Field(None, gt=0, lt=1)
    """least probability of the last class at which a window is acted on; null: net benefit is not computed"""

    @property
    def level(self) -> float:
        """Significance level of the tests."""
        return round(1 - self.confidence, 12)  # .05, not a little more


class LearningCurve(Section):
    """A new user with few answers, by the predictor lda."""

    renamed: ClassVar[dict[str, str]] = {"windows": "answers"}

    answers: list[int] = Field([0, 5, 10, 20, 40, 80, 160, 320], min_length=2)
    """numbers of the new user's answers, the first ones in time; at least 30 % of the windows are later"""

    users: int = Field(100, ge=2)
    """maximum number of users who are left out: one at a time, or several if there are more than twenty"""

    seed: int = Field(0, ge=0)
    """seed of the choice of users"""

    @field_validator("answers")
    @classmethod
    def _are_ascending(cls, value: list[int]) -> list[int]:
        if min(value) < 0 or sorted(set(value)) != value:
            raise ValueError("numbers of answers are ascending and not negative")
        return value
