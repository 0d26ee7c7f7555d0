"""The methods section follows the configuration, and the literature is complete."""

import pytest

from lifelog.config import Config, load_config
from lifelog.report.methods import label_sentences, usable_sentences
from lifelog.report.page import read_texts
from lifelog.report.references import read_references
from lifelog.settings.predict import predictor_settings


def tables(labels: dict, samples: dict | None = None, modality: dict | None = None) -> Config:
    """A configuration of a study of tables with two modalities of the same kind."""
    sleep = {"name": "sleep", "kind": "scalar", "columns": ["minutes"], "unit": "min"}
    first = sleep | (modality or {})
    return load_config(
        {
            "cohort": {
                "layout": "tables",
                "root": "data",
                "timezone": "Europe/Berlin",
                "labels": [{"file": "labels.csv", "columns": ["stress"], **labels}],
                "samples": [{"file": "{user}.csv", **(samples or {})}],
            },
            "modalities": [first, first | {"name": "other"}],
            "targets_run": ["stress"],
            "targets": [{"name": "stress", "column": "stress", "bins": {"low": [0], "high": [1]}}],
        }
    )


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"before": 300}, "An answer describes the 5 minutes before it."),
        ({"lasts": "day", "lag": -1}, "A label describes its local day, moved by 1 day earlier."),
        ({"lasts": 90}, "A label describes 90 seconds from its time on."),
        ({"lasts": "next"}, "A label lasts until the next one of the participant."),
        ({}, "Labels have a start and an end."),
    ],
)
def test_the_time_of_labels_is_described(labels: dict, sentence: str) -> None:
    assert label_sentences(tables(labels)).startswith(sentence)


def test_only_what_applies_to_the_modalities_is_described() -> None:
    daily = " ".join(usable_sentences(tables({"lasts": "day"}, {"carry": "day", "lag": 1})))
    assert daily == "A daily value of sleep and other was used in all windows of its local day, moved by 1 day later."
    sampled = {"kind": "sequence", "rate": 4, "length": 240, "unit": "µS", "name": "eda"}
    worn = " ".join(usable_sentences(tables({"lasts": 60}, modality=sampled)))
    assert "samples at its rate covered at least 95%" in worn and "eda below 0.01 µS, other below 0.01 µS" in worn
    single = " ".join(usable_sentences(tables({"lasts": 60})))
    assert "skin" not in single and "rate" not in single and "at least one" in single
    events = {"kind": "events", "columns": [], "name": "screen", "unit": ""}
    assert "Events of all modalities were counted" in " ".join(usable_sentences(tables({"lasts": 60}, modality=events)))


def test_every_citation_has_a_title_and_an_entry() -> None:
    known = read_texts("references.yaml")
    names = ("boosting", "lda", "lifelognet", "mil", "ordinal", "rocket", "windownet")
    cited = [key for name in names for key in predictor_settings(name).citations]
    assert set(known) == {*cited, *read_texts("card.yaml")["references"]}
    found = read_references(known)
    assert [x.key for x in found] == sorted(known) and all(x.fields["title"] in x.text for x in found)
    assert all(x.bibtex.startswith(f"@{x.fields['type']}{{{x.key},\n") for x in found)
    [ilse] = [x for x in found if x.key == "ilse2018"]
    assert ilse.text.startswith("Ilse, Tomczak, Welling (2018). Attention-Based Deep Multiple Instance Learning.")
