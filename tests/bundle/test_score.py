from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifelog.bundle.bundle import Bundle
from lifelog.bundle.configure import with_bundle
from lifelog.bundle.files import write_bundle
from lifelog.bundle.score import score_schema, score_windows, true_classes
from lifelog.bundle.transfer import HERE, OWN, compare_transfer
from lifelog.config import Config, load_config
from lifelog.predict.samples import Person
from lifelog.report.figures.score import plot_scored, scored_days
from lifelog.settings.splits import Target
from lifelog.tables import read_tables, write_table
from lifelog.windows.layout import BadInput
from lifelog.windows.read import read_labels

People = dict[str, Person]


@pytest.fixture(scope="module")
def scored(lda: Bundle, people: People, tables: Path) -> dict[str, pd.DataFrame]:
    """Scored windows of all users, as new participants."""
    found = {}
    for user, person in people.items():
        labels, quality = read_labels(tables / "windows" / f"{user}.parquet"), tables / "quality" / f"{user}.parquet"
        found[user] = score_windows(lda, user, person.features, labels, read_tables([quality]), same=False).table
    return found


def test_every_window_has_a_prediction_or_a_reason(
    scored: dict[str, pd.DataFrame], lda: Bundle, people: People, tables: Path, tmp_path: Path
) -> None:
    for user, table in scored.items():
        quality = read_tables([tables / "quality" / f"{user}.parquet"])
        assert len(table) == len(people[user].features.rows) + (quality.kind == "label").sum()
        assert (table["class"].notna() ^ table.reason.notna()).all() and table.start.dropna().is_monotonic_increasing
        assert (table.p_low.notna() | table.reason.str.contains(":", na=False)).all()
        write_table(table, tmp_path / "scored.parquet", score_schema(lda))


def test_participants_of_the_run_have_their_models_only_if_they_are_the_same_people(
    lda: Bundle, people: People, tables: Path
) -> None:
    labels, quality = read_labels(tables / "windows/101.parquet"), read_tables([tables / "quality/101.parquet"])
    features = people["101"].features
    new, same = (score_windows(lda, "101", features, labels, quality, same) for same in (False, True))
    assert (new.about["model"], same.about["model"]) == ("for new participants", "of the participant")
    known = lda.predict(features, "101").set_index("start").p_high
    np.testing.assert_array_equal(same.table.set_index("start").p_high.loc[known.index], known)
    assert not np.allclose(new.table.p_high.dropna(), same.table.p_high.dropna())
    assert same.about["windows"] == same.about["predicted"] + (quality.kind == "label").sum()


def test_recordings_of_the_run_are_recognised(lda: Bundle, people: People, tables: Path) -> None:
    features = people["101"].features
    assert lda.has_seen(features)
    moved = type(features)(features.rows, features.names, features.summary + 1, features.maxima, features.modalities)
    assert not lda.has_seen(moved)


def test_a_user_without_windows_has_no_prediction(lda: Bundle, people: People, tables: Path) -> None:
    labels = read_labels(tables / "windows/101.parquet")[:0]
    features = people["101"].features
    none = np.zeros(len(features.rows), dtype=bool)
    maxima = {name: values[none] for name, values in features.maxima.items()}
    nothing = type(features)(features.rows[none], features.names, features.summary[none], maxima, features.modalities)
    found = score_windows(lda, "101", nothing, labels, read_tables([tables / "quality/101.parquet"]), same=False)
    assert found.table.p_low.isna().all() and found.about["predicted"] == 0


def test_true_classes_are_those_of_the_labels(tables: Path, lda: Bundle) -> None:
    labels, target = read_labels(tables / "windows/101.parquet"), lda.about.target
    expected = [None if level is None else target.class_of(level) for level in labels[target.column]]
    assert true_classes(labels, target).tolist() == expected
    assert true_classes(labels.drop(columns=target.column), target).isna().all()


def test_relative_classes_depend_on_earlier_answers_only() -> None:
    start = pd.date_range("2025-01-01", periods=12, freq="h", tz="UTC").astype("datetime64[s, UTC]")
    labels = pd.DataFrame({"start": start, "stress": [str(number) for number in [1, 2, 3, 4, 5, 6] * 2]})
    labels["label_rows"] = [{"stress": [f"labels.csv:{row}"]} for row in range(12)]
    target = Target(name="stress", column="stress", relative="user", bins={"less": ["0..50"], "more": ["50..100"]})
    found = true_classes(labels, target)
    changed = true_classes(labels.assign(stress=[*labels.stress[:11], "1"]), target)
    assert found[:11].tolist() == changed[:11].tolist() and found[:5].isna().all() and found[5:].notna().all()


def test_the_configuration_takes_windows_modalities_and_target_from_the_bundle(lda: Bundle, tmp_path: Path) -> None:
    write_bundle(lda, tmp_path)
    raw: dict[str, Any] = {"score": {"bundle": str(tmp_path)}, "cohort": {"labels": []}}
    config = load_config(with_bundle(raw))
    assert config.targets == [lda.about.target] and config.modalities == lda.about.modalities
    assert with_bundle(with_bundle(raw)) == with_bundle(raw)  # the process of each job does it again
    assert with_bundle({"cohort": {}}) == {"cohort": {}}
    with pytest.raises(BadInput, match=r"windows: they are those of the bundle, seconds: 60"):
        with_bundle(raw | {"windows": {"coverage": 0.5}})


def test_modalities_that_do_not_suit_the_bundle_are_refused(lda: Bundle, tmp_path: Path) -> None:
    write_bundle(lda, tmp_path)

    def configured(*changes: tuple[int, dict[str, Any]]) -> dict[str, Any]:
        entries = [modality.model_dump() for modality in Config().modalities]
        for number, change in changes:
            entries[number] |= change
        return with_bundle({"score": {"bundle": str(tmp_path), "modalities": entries}})

    eda = next(i for i, modality in enumerate(Config().modalities) if modality.name == "e4Eda")
    backwards = {"bundle": str(tmp_path), "modalities": [m.model_dump() for m in reversed(Config().modalities)]}
    ordered = with_bundle({"score": backwards})["modalities"]
    assert [entry["name"] for entry in ordered] == [modality.name for modality in lda.about.modalities]
    slower = configured((eda, {"source": "EDA", "rate": 8.0, "length": 480}))
    assert slower["modalities"][eda]["source"] == "EDA"
    with pytest.raises(BadInput, match=r"score\.modalities: unit of 'e4Eda' is 'mS', and 'µS' in the bundle"):
        configured((eda, {"unit": "mS", "signal": "skin_conductance"}))
    with pytest.raises(BadInput, match=r"'e4Edo' is not in the bundle; did you mean 'e4Eda'"):
        configured((eda, {"name": "e4Edo"}))
    with pytest.raises(BadInput, match="without mMag"):
        entries = [modality.model_dump() for modality in Config().modalities if modality.name != "mMag"]
        with_bundle({"score": {"bundle": str(tmp_path), "modalities": entries}})


def test_a_missing_bundle_is_named() -> None:
    with pytest.raises(BadInput, match="nowhere: there is no such folder"):
        with_bundle({"score": {"bundle": "nowhere"}})


def test_the_figure_has_the_means_of_half_hours(scored: dict[str, pd.DataFrame]) -> None:
    days = scored_days(scored, dict.fromkeys(scored, "Asia/Seoul"), "high")
    whole = pd.concat(scored.values())
    assert days.windows.sum() == whole.p_high.notna().sum() and set(days.hour * 2 % 1) == {0}
    weighted = np.average(days.probability, weights=days.windows)
    assert weighted == pytest.approx(whole.p_high.mean())
    figure, table = plot_scored(days, "high")
    assert len(figure.axes) == 5 and table is days


def test_a_transferred_bundle_is_compared_with_its_own_test_and_models_trained_there(
    scored: dict[str, pd.DataFrame], lda: Bundle, config: Config
) -> None:
    whole = pd.concat(scored.values(), ignore_index=True)
    known = whole[whole.truth.notna() & whole.p_low.notna()].reset_index(drop=True)
    truth = known.truth.map({"low": 0, "middle": 1, "high": 2})
    perfect = {f"{prefix}{name}": (known.truth == name).astype(float) for name in ("low", "middle", "high")
               for prefix in ("p_", "raw_")}  # fmt: skip
    trained = known[["user", "start"]].assign(truth=truth, fold=1 + known.index % 2, **perfect)[5:]
    found = compare_transfer(lda, whole, {("lda", "global"): trained}, config.compare)
    auroc = found.table[found.table.metric == "auroc"].set_index("model")
    assert auroc.index.tolist() == [HERE, OWN, "lda (global), trained here"]
    assert auroc["mean"]["lda (global), trained here"] == 1.0 and auroc.difference["lda (global), trained here"] <= 0
    own = lda.new.scores.auroc.dropna()
    assert auroc["mean"][OWN] == pytest.approx(own.mean())
    assert auroc.difference[OWN] == pytest.approx(auroc["mean"][HERE] - own.mean())
    assert "Here, the bundle has a macro-F1 of" in found.sentence and "(asked: 90%)" in found.sentence
    one = compare_transfer(lda, whole[whole.user == "101"], {}, config.compare)
    assert "in its own test: too few participants to compare." in one.sentence
    with pytest.raises(ValueError, match="no window is scored by the bundle and tested"):
        compare_transfer(lda, whole, {("lda", "global"): trained[:0]}, config.compare)
    with pytest.raises(ValueError, match="no scored window has a class"):
        compare_transfer(lda, whole.assign(truth=None), {}, config.compare)
