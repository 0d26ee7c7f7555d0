import numpy as np
import pytest

from lifelog.settings.windows import Modality, Windows
from lifelog.windows.extract import to_window
from lifelog.windows.layout import BadInput, Samples


def samples(count: int, columns: int) -> Samples:
    values = np.arange(count * columns, dtype=float).reshape(count, columns)
    return Samples(np.arange(count) * (60 / count), values)


def test_mean_is_over_all_columns_and_scalar_is_per_column() -> None:
    """The study averages latitude, longitude and accuracy together."""
    gps = {"name": "gps", "columns": ["lat", "lon", "accuracy"]}
    assert to_window(samples(2, 3), Modality(kind="mean", **gps), Windows()).tolist() == [2.5]
    assert to_window(samples(2, 3), Modality(kind="scalar", **gps), Windows()).tolist() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize(("count", "used"), [(59, False), (60, True), (61, False)])
def test_an_exact_modality_requires_its_exact_number_of_samples(count: int, used: bool) -> None:
    modality = Modality(name="m", columns=["x"], rate=1, length=60, exact=True)
    if used:
        assert len(to_window(samples(count, 1), modality, Windows())) == 60
    else:
        with pytest.raises(BadInput, match=f"{count}, not 60"):
            to_window(samples(count, 1), modality, Windows())
    assert len(to_window(samples(count, 1), modality.model_copy(update={"exact": False}), Windows())) == 60
