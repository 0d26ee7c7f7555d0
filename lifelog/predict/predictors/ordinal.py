"""A linear discriminant for classes in an order, such as low, middle and high."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lifelog.predict.predictors.lda import Lda, LdaPredictor


class Ordinal(Lda):
    """Linear discriminant for classes in an order."""

    renamed: ClassVar[dict[str, str]] = Lda.renamed | {"order": "line_shrinkage"}
    needs: ClassVar[str | None] = "ordinal: true"
    meaning: ClassVar[str] = "Linear discriminant whose class means are shrunk towards equally spaced points on a line."

    name: Literal["ordinal"] = "ordinal"  # type: ignore[assignment]
    """as lda, for classes in an order (targets with `ordinal: true`)"""

    line_shrinkage: list[float] = Field([0, 0.5, 1], min_length=1)
    """shrinkages of the class means towards equally spaced points on a line, to choose from on validation windows; 0 is
    lda, 1 puts them on the line"""

    @field_validator("line_shrinkage")
    @classmethod
    def _is_part(cls, value: list[float]) -> list[float]:
        if not all(0 <= part <= 1 for part in value):
            raise ValueError("a line shrinkage is a number from 0 to 1")
        return value


class OrdinalPredictor(LdaPredictor):
    """As `lda`; the validation windows also select the shrinkage of class means towards a line."""

    @property
    def line_shrinkages(self) -> list[float]:
        """Shrinkages of class means, the strongest ones first."""
        return sorted(self.settings.line_shrinkage, reverse=True)
