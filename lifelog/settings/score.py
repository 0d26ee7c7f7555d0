"""Settings of the prediction of other recordings with a bundle."""

from typing import Literal

from pydantic import Field

from lifelog.settings.base import Section
from lifelog.settings.windows import Modality


class Score(Section):
    """Prediction of other recordings with a bundle."""

    bundle: str = ""
    """folder of a bundle; the targets `score` and `transfer` predict the windows of this cohort with it; windows,
    modalities and target are those of the bundle"""

    participants: Literal["new", "same"] = "new"
    """new: nobody is a participant of the run that made the bundle; same: users of the same name are the same people"""

    modalities: list[Modality] | None = Field(None)
    """modalities of these recordings, if they are read otherwise than those of the run: the same names and channels"""
