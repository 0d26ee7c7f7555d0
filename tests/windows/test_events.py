"""Events: their features by hand and by counting, categories, ends, gaps, and what is not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.settings.tables import Table
from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.tables import read_tables
from lifelog.windows.events import Events
from lifelog.windows.extract import extract_windows
from lifelog.windows.features import extract_features
from lifelog.windows.layout import BadInput
from lifelog.windows.read import read_labels, read_windows
from lifelog.windows.tables import read_events

START = 1_644_192_000  # a local midnight in Berlin, less an hour


def events(starts: list[float], ends: list[float] | None = None, gap: float | None = None, **keys: object) -> Events:
    number = np.array(keys.get("number", [0] * len(starts)))
    lasting = np.array(starts if ends is None else ends, dtype=float)
    return Events(np.array(starts, dtype=float), lasting, number, 1 + number.max(), ends is not None, gap)


def test_features_of_a_window_by_hand() -> None:
    found = events([0, 100, 130, 500], [20, 110, 160, 500]).between(105, 165)
    assert found.values.tolist() == [[1, np.log1p(165 - 130), pytest.approx((5 + 30) / 60)]]
    assert events([0, 100, 130, 500]).between(160, 220).values.tolist() == [[0, np.log1p(90)]]


def test_a_category_without_an_earlier_event_has_no_time_since() -> None:
    found = events([0, 50, 500], number=[0, 1, 0]).between(10, 40).values[0]
    assert found[0] == 0 and found[1] == np.log1p(40) and found[2] == 0 and np.isnan(found[3])


def union(starts: np.ndarray, ends: np.ndarray) -> float:
    """Seconds that spans cover."""
    covered, until = 0.0, -np.inf
    for start, end in sorted(zip(starts, ends, strict=True)):
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered


def test_events_that_overlap_cover_their_time_once() -> None:
    assert events([0, 10, 100], [30, 40, 100]).between(0, 100).values[0, 2] == pytest.approx(0.4)


def test_features_equal_those_by_counting() -> None:
    random = np.random.default_rng(0)
    starts = np.sort(random.uniform(0, 5000, 300)) + 1.6e9
    ends, number = starts + random.exponential(10, 300), random.integers(-1, 3, 300)
    stream = Events(starts, ends, number, 3, True, None)
    for begin in 1.6e9 + random.uniform(200, 4500, 20):
        found = stream.between(begin, begin + 60).values[0].reshape(3, 3)
        for category in range(3):
            first, last = starts[number == category], ends[number == category]
            inside = union(np.clip(first, begin, begin + 60), np.clip(last, begin, begin + 60)) / 60
            since = begin + 60 - first[first < begin + 60].max()
            count = ((first >= begin) & (first < begin + 60)).sum()
            np.testing.assert_allclose(found[category], [count, np.log1p(since), inside], atol=1e-6)


def test_windows_outside_the_recording_or_in_a_long_gap_are_missing() -> None:
    stream = events([100, 200, 5000, 5100], gap=1000)
    inside = [len(stream.between(start, start + 50).seconds) for start in (0, 60, 100, 150, 200, 3000, 5000, 5080)]
    assert inside == [0, 0, 1, 1, 0, 0, 1, 0]
    assert len(events([100, 200, 5000, 5100]).between(3000, 3050).seconds) == 1


ROWS = "t,type,secs,end\n0,STILL,5,10\n60,WALK,,90\n120,STILL,30,\n180,BIKE,1,190\n"


def read(tmp_path: Path, text: str = ROWS, **keys: object) -> pd.DataFrame:
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{START + int(a)},{b}\n" if a.isdigit() else f"{a},{b}\n" for a, b in split(text)))
    return read_events(path, Table(time="t"), Modality(name="m", kind="events", **keys), "a", "UTC")


def split(text: str) -> list[list[str]]:
    return [line.split(",", 1) for line in text.splitlines()]


def test_categories_durations_and_ends(tmp_path: Path) -> None:
    keys = {"columns": ["type"], "categories": {"still": ["STILL"], "moving": ["WALK", "RUN"]}}
    found = read(tmp_path, **keys, duration="secs", scale=2)
    assert found.number.tolist() == [0, 1, 0, -1]
    assert (found.end - found.start).tolist() == [10, 0, 60, 2]
    assert Modality(name="m", kind="events", **keys, until="next").channel_names == [
        f"{name}.{feature}" for name in ("still", "moving") for feature in ("count", "since", "share")
    ]
    with pytest.raises(BadInput, match="unreadable time"):
        read(tmp_path, **keys, until="end")  # 10 is a time of 1970
    with pytest.raises(BadInput, match="event ends before it starts"):
        read(tmp_path, **keys, duration="secs", scale=-1)


def test_numbers_are_categories_too(tmp_path: Path) -> None:
    found = read(tmp_path, "t,type,x\n0,0,1\n60,2.0,1\n", columns=["type"], categories={"off": [0, 2]})
    assert found.number.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"columns": ["type"]}, "and its categories"),
        ({"categories": ["A"]}, "and its categories"),
        ({"rate": 1.0}, "no rate"),
        ({"until": "next", "duration": "x"}, "not both"),
        ({"kind": "scalar", "columns": ["x"], "until": "next"}, "until is for kind: events"),
        ({"kind": "scalar"}, "needs columns"),
    ],
)
def test_settings_that_do_not_fit(keys: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Modality(**{"name": "m", "kind": "events"} | keys)


def test_booleans_are_the_same_categories_in_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": [START, START + 60, START + 120], "on": [True, False, True]})
    frame.to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.json").write_text(frame.to_json(orient="records"))
    frame.to_csv(tmp_path / "t.csv", index=False)
    modality = Modality(name="m", kind="events", columns=["on"], categories=["True"])
    for suffix in ("parquet", "json", "csv"):
        assert read_events(tmp_path / f"t.{suffix}", Table(time="t"), modality, "a", "UTC").number.tolist() == [
            0,
            -1,
            0,
        ]
    with pytest.raises(ValueError, match="boolean in YAML"):
        Modality(name="m", kind="events", columns=["on"], categories={"yes": [True]})


def test_ends_are_times_of_any_type(tmp_path: Path) -> None:
    times = pd.to_datetime([START, START + 60], unit="s")
    frame = pd.DataFrame({"t": times, "end": times + pd.Timedelta(seconds=5)})
    frame.to_parquet(tmp_path / "t.parquet")
    found = read_events(
        tmp_path / "t.parquet", Table(time="t"), Modality(name="m", kind="events", until="end"), "a", "UTC"
    )
    assert (found.end - found.start).tolist() == [5, 5]


def test_from_files_to_features(tmp_path: Path) -> None:
    root, minutes = tmp_path / "raw", range(0, 3600, 60)
    (root / "a").mkdir(parents=True)
    rows = [f"{START + 7 * i},{'ON' if i % 2 else 'OFF'}" for i in range(600)] + [f"{START + 4193},"]
    (root / "a" / "screen.csv").write_text("timestamp,state\n" + "\n".join(rows) + "\n")
    (root / "a" / "tap.csv").write_text("timestamp\n" + "".join(f"{START + t}\n" for t in (0, 90, 95, 95, 4000)))
    labels = "".join(f"a,{START + t},{START + t + 60},{t // 60 % 2}\n" for t in minutes)
    (root / "labels.csv").write_text("user,start,end,stress\n" + labels)
    modalities = [
        Modality(name="screen", kind="events", columns=["state"], categories={"on": ["ON"]}, until="next"),
        Modality(name="tap", kind="events"),
    ]
    recordings = Recordings(layout="tables", timezone="Europe/Berlin")
    windows, quality = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("a", root / "a", recordings, Extraction(), modalities, windows, quality)
    arrays = read_windows(windows, modalities)
    features = extract_features([arrays], read_labels(windows), modalities)
    assert features.names == ["screen.on.count", "screen.on.since", "screen.on.share", "tap.count", "tap.since"]
    assert features.summary[:3, 3].tolist() == [1, 2, 0]  # a repeated row counts once
    assert features.summary[:, 2].mean() == pytest.approx(0.5, abs=0.01)
    notes = read_tables([quality]).query("kind == 'note'")
    assert notes.reason.tolist() == ["events of no category"]
    assert "301 of 601 rows of 'state' are in no category: 'OFF' (300), '' (1)" in notes.detail.iloc[0]
