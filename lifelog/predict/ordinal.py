"""A linear discriminant for classes in an order, such as low, middle and high: class means are drawn towards a line."""

from __future__ import annotations

from lifelog.predict import lda
from lifelog.settings.predict import Ordinal


class Predictor(lda.Predictor):
    """As `lda`; the validation windows select how far class means are drawn towards a line, too."""

    settings: Ordinal

    @property
    def orders(self) -> list[float]:
        """How far class means are drawn towards a line, the strongest ones first."""
        return sorted(self.settings.order, reverse=True)
