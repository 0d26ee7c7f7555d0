"""Bins of label values."""

import pytest

from lifelog.config import ConfigError, load_config
from lifelog.settings.splits import Target


@pytest.mark.parametrize(
    ("bins", "value", "expected"),
    [
        ({"low": [1, 1.5, 2], "high": [3.5, 4]}, "1.5", "low"),
        ({"low": "0..33", "high": "67..100"}, "33.0", "low"),
        ({"low": "0..33", "high": "67..100"}, "50", None),
        ({"low": "-3..0", "high": ["0.5..3"]}, "-1", "low"),
        ({"no": ["no"], "yes": ["yes"]}, "yes", "yes"),
        ({"no": ["FALSE"], "yes": ["TRUE"]}, "TRUE", "yes"),
        ({"no": [0], "yes": ["1"]}, "1.0", "yes"),
        ({"no": [0], "yes": [1]}, "1_0", None),
        ({"none": ["None"], "some": ["NA"]}, "None", "none"),
        ({"none": ["nan"], "some": ["inf"]}, "nan", "none"),
    ],
)
def test_bins_compare_numbers_with_numbers_and_text_with_text(bins: dict, value: str, expected: str | None) -> None:
    assert Target.model_validate({"name": "t", "column": "c", "bins": bins}).class_of(value) == expected


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ({"rest": [False], "stress": [True]}, 'write "no"'),
        ({False: [1], "stress": [2]}, 'write the bin "no"'),
        ({"low": "0..33", "high": "33..66"}, "in two bins"),
        ({"low": [1], "high": ["1.0"]}, "in two bins"),
        ({"low": "0..5", "high": [3]}, "in two bins"),
        ({"low": "5..0", "high": [9]}, "ends before it starts"),
    ],
)
def test_ambiguous_bins_are_refused(bins: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config({"targets": [{"name": "t", "column": "c", "bins": bins}], "targets_run": ["t"]})
