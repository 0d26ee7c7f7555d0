"""Settings of the comparison."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lifelog.settings.base import Section


class Compare(Section):
    """Scores, intervals and the verdict."""

    bootstrap: int = Field(2000, ge=100)
    """bootstrap resamples of users per interval"""

    confidence: float = Field(0.95, gt=0.5, lt=1)
    """confidence level of the intervals"""

    metric: Literal["macro_f1", "balanced_accuracy", "accuracy", "auroc"] = "macro_f1"
    """metric of the verdict"""

    seed: int = Field(0, ge=0)
    """seed of the bootstrap"""

    @property
    def level(self) -> float:
        """Significance level of the tests."""
        return round(1 - self.confidence, 12)  # .05, not a little more
