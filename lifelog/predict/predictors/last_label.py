"""The user's last known label: what a label predicts until the next one, without sensors."""

from typing import ClassVar, Literal

import numpy as np

from lifelog.arrays import Codes
from lifelog.predict.predictors.nearest_minute import KnownLabels
from lifelog.settings.predict import Inputs, PredictorSettings


class LastLabel(PredictorSettings):
    """Last label before."""

    inputs: ClassVar[Inputs] = "time"
    fast: ClassVar[bool] = True
    meaning: ClassVar[str] = "The label of the participant's last training window before, without sensors."

    name: Literal["last_label"] = "last_label"
    """label of the user's last training window before; no sensors"""


class LastLabelPredictor(KnownLabels):
    """Uses time stamps of the past only. Windows before the first training window of a user get the class shares."""

    def place(self, known: Codes, minutes: Codes) -> Codes:
        """Return the place of the last minute before."""
        return np.searchsorted(known, minutes) - 1
