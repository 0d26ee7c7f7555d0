"""Label tables and how they become labelled windows."""

from __future__ import annotations

import itertools
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lifelog.settings.tables import LabelTable
from lifelog.settings.windows import Extraction, Recordings
from lifelog.windows.intervals import Interval, read_intervals
from lifelog.windows.labels import shared_rows, to_labels
from lifelog.windows.layout import BadInput, Label
from lifelog.windows.times import midnight, to_unix

START = 1_644_227_580  # a full minute


def rows(*intervals: tuple[int, int, str | None]) -> list[Interval]:
    return [
        Interval(START + a, START + b, {"stress": v}, f"labels.csv:{i}") for i, (a, b, v) in enumerate(intervals, 2)
    ]


def labels(intervals: list[Interval], columns: tuple[str, ...] = ("stress",), **keys: object) -> list[Label]:
    return to_labels(intervals, list(columns), Extraction.model_validate(keys), "Europe/Berlin")


def shown(found: list[Label]) -> list[tuple[int, str | None, str | None]]:
    return [(one.start - START, one.values["stress"], one.fault.reason if one.fault else None) for one in found]


def test_windows_start_with_the_label_at_any_second() -> None:
    found = labels(rows((37, 97, "0"), (157, 290, "1")))
    assert shown(found) == [
        (37, "0", None),
        (157, "1", None),
        (217, "1", None),
        (277, "1", "labelled time shorter than a window"),
    ]
    assert [one.seconds for one in found] == [60, 60, 60, 13]
    assert [one.rows["stress"] for one in found] == [("labels.csv:2",)] + [("labels.csv:3",)] * 3


def test_overlapping_labels_do_not_depend_on_the_order_of_rows() -> None:
    """A repeated row counts once, two answers lose their time, an empty cell gives way to an answer."""
    overlapping = rows((0, 30, "1"), (0, 30, "1"), (60, 120, "0"), (60, 120, "1"), (120, 180, None), (120, 180, "1"))
    expected = [(0, "1", "labelled time shorter than a window"), (60, None, "conflicting labels"), (120, "1", None)]
    for order in itertools.permutations(overlapping):
        assert shown(labels(list(order))) == expected


def test_partly_overlapping_answers_lose_only_the_common_time() -> None:
    found = labels(rows((0, 100, "0"), (60, 160, "1")))
    assert shown(found) == [(0, "0", None), (60, None, "conflicting labels"), (100, "1", None)]
    assert found[1].fault is not None and "'0' (labels.csv:2), '1' (labels.csv:3)" in found[1].fault.detail
    assert sum(one.seconds or 0 for one in found) == 160


@pytest.mark.parametrize("anchor", ["label", "clock"])
def test_a_conflict_in_one_column_leaves_the_others(anchor: str) -> None:
    def given(row: int, stress: str, place: str | None) -> Interval:
        return Interval(0, 60, {"stress": stress, "place": place}, f"labels.csv:{row}")

    (found,) = labels([given(2, "1", "home"), given(3, "1", "work")], anchor=anchor, columns=("stress", "place"))
    assert found.fault is None and found.values == {"stress": "1", "place": None}
    (doubt,) = found.doubts
    assert doubt.reason == "conflicting labels" and "'home' (labels.csv:2), 'work' (labels.csv:3)" in doubt.detail
    (lost,) = labels([given(2, "1", "home"), given(3, "0", "work")], anchor=anchor, columns=("stress", "place"))
    assert lost.fault is not None and lost.fault.reason == "conflicting labels"


def test_equal_answers_that_overlap_are_one_label() -> None:
    found = labels(rows((0, 100, "0"), (50, 150, "0")))
    assert shown(found) == [(0, "0", None), (60, "0", None), (120, "0", "labelled time shorter than a window")]
    assert [one.rows["stress"] for one in found] == [("labels.csv:2", "labels.csv:3")] * 3


def test_two_labels_with_equal_shares_of_a_window_by_the_clock_lose_it() -> None:
    for first, second in (("0", "1"), ("1", "0")):
        found = labels(rows((0, 90, first), (90, 180, second)), anchor="clock")
        assert shown(found) == [(0, first, None), (60, None, "mixed labels"), (120, second, None)]


def test_short_labels_fill_a_window_by_the_clock() -> None:
    five = rows(*((5 * i, 5 * i + 5, "1" if i < 7 else "0") for i in range(12)))
    assert shown(labels(five, anchor="clock")) == [(0, "1", None)]
    assert shown(labels(five, anchor="clock", purity=0.9)) == [(0, None, "mixed labels")]


def test_each_column_of_a_window_by_the_clock_is_decided_on_its_own() -> None:
    """Arousal is constant, valence changes every five seconds, and task has equal shares."""
    rows = [
        Interval(
            START + 5 * i, START + 5 * i + 5, {"arousal": "2", "valence": str(i % 3), "task": str(i // 2)}, f"f:{i}"
        )
        for i in range(4)
    ]
    (found,) = to_labels(rows, ["arousal", "valence", "task"], Extraction(seconds=20, anchor="clock"), "UTC")
    assert found.fault is None
    assert found.values["arousal"] == "2" and found.values["task"] is None
    (mixed,) = to_labels(rows, ["task"], Extraction(seconds=20, anchor="clock"), "UTC")
    assert mixed.fault is not None and mixed.fault.reason == "mixed labels"


def test_labels_of_several_tables_are_merged_by_column() -> None:
    task = Interval(START, START + 300, {"task": "walk"}, "tasks.csv:2")
    rating = Interval(START + 120, START + 180, {"stress": "4"}, "ratings.csv:2")
    found = labels([task, rating], ("task", "stress"))
    assert [(one.start - START, one.values["stress"], one.values["task"]) for one in found] == [
        (0, None, "walk"),
        (60, None, "walk"),
        (120, "4", "walk"),
        (180, None, "walk"),
        (240, None, "walk"),
    ]
    assert found[1].rows == {"task": ("tasks.csv:2",)}
    assert found[2].rows == {"task": ("tasks.csv:2",), "stress": ("ratings.csv:2",)}


def test_prompts_during_a_task_are_separate_answers() -> None:
    """Equal answers to two prompts are not one answer because of the task that covers both, even in one file."""
    task = Interval(START, START + 600, {"task": "walk", "stress": None}, "labels.csv:2")
    prompts = [
        Interval(START + a, START + a + 90, {"task": None, "stress": "4"}, f"labels.csv:{i}")
        for i, a in enumerate((90, 180, 270), 3)
    ]
    answered = [one for one in labels([task, *prompts], ("task", "stress")) if one.values["stress"] and not one.fault]
    assert [one.start - START for one in answered] == [90, 180, 270]
    assert shared_rows(one.rows["stress"] for one in answered) == [0, 1, 2]
    assert shared_rows(one.rows["task"] for one in answered) == [0, 0, 0]


def test_day_windows_are_local_days_also_when_the_clocks_change() -> None:
    days = [pd.Timestamp(f"2022-03-{day}", tz="Europe/Berlin").timestamp() for day in (26, 27, 28, 29)]
    intervals = [
        Interval(int(a), int(b), {"stress": str(i)}, f"d:{i}") for i, (a, b) in enumerate(itertools.pairwise(days))
    ]
    found = labels(intervals, seconds=86400)
    assert [(one.start, one.seconds, one.fault) for one in found] == [
        (int(days[0]), 86400, None),
        (int(days[1]), 82800, None),
        (int(days[2]), 86400, None),
    ]


def test_hours_by_the_clock_are_local_hours() -> None:
    kolkata = to_labels(rows((0, 7200, "1")), ["stress"], Extraction(seconds=3600, anchor="clock"), "Asia/Kolkata")
    assert {one.start % 3600 for one in kolkata} == {1800}


def test_windows_by_the_clock_do_not_reach_into_the_next_day_when_the_clocks_change() -> None:
    """The 26th March 2022 has 24 hours in Berlin, the 27th has 23, and the 30th of October has 25."""
    for date, count, cut in (("2022-03-26", 12, 0), ("2022-03-27", 11, 1), ("2022-10-30", 12, 1)):
        start = int(pd.Timestamp(date, tz="Europe/Berlin").timestamp())
        end = int((pd.Timestamp(date, tz="Europe/Berlin") + pd.DateOffset(days=1)).timestamp())
        day = [Interval(start, end, {"stress": "1"}, "l:2")]
        found = labels(day, seconds=7200, anchor="clock")
        assert sum(one.fault is None for one in found) == count and len(found) == count + cut
        assert sum(one.seconds or 0 for one in found) == end - start


def test_labelled_time_after_a_cut_window_is_kept() -> None:
    """The last window of the 27th March 2022 is cut; the label ends half an hour after it."""
    times = pd.to_datetime(["2022-03-27 20:00", "2022-03-28 00:30"]).tz_localize("Europe/Berlin")
    start, end = (int(time.timestamp()) for time in times)
    found = labels([Interval(start, end, {"stress": "1"}, "l:2")], seconds=14400, anchor="clock")
    assert [one.seconds for one in found] == [3600, 10800, 1800]


def test_windows_with_a_common_row_share_a_number() -> None:
    assert shared_rows([["a"], ["b"], ["a", "c"], ["c"], [], ["b"]]) == [0, 1, 0, 0, 2, 1]


# --- tables --------------------------------------------------------------------------------------------------------


def read(
    tmp_path: Path, text: str | bytes, name: str = "labels.csv", zone: str = "Europe/Berlin", **table: object
) -> dict:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    recordings = Recordings(timezone=zone, labels=[LabelTable.model_validate({"file": name} | table)])
    return read_intervals(tmp_path, recordings).users


def test_labels_are_text_as_written(tmp_path: Path) -> None:
    values = ["None", "NA", "1", "1.0", "TRUE", "yes", "nan", "007", ""]
    lines = [f"S01,{START + 60 * i},{START + 60 * i + 60},{value}" for i, value in enumerate(values)]
    users = read(tmp_path, "\n".join(["user,start,end,Stress level (1-5)", *lines]))
    assert [row.values["Stress level (1-5)"] for row in users["S01"]] == [
        "None",
        None,
        "1",
        "1.0",
        "TRUE",
        "yes",
        None,
        "007",
        None,
    ]


def test_a_ratings_sheet_as_kept_by_hand(tmp_path: Path) -> None:
    sheet = "Proband;Zeit;Stress (0-100);Kommentar\nP01;08.05.2023 09:12;33,5;müde, Kaffee\nP01;08.05.2023 10:12;80;\n"
    keys = {"user": "Proband", "time": "Zeit", "unit": "%d.%m.%Y %H:%M", "separator": ";", "decimal": ","}
    users = read(tmp_path, sheet, columns=["Stress (0-100)"], before=120, **keys)
    answer = int(pd.Timestamp("2023-05-08 09:12", tz="Europe/Berlin").timestamp())
    assert (users["P01"][0].start, users["P01"][0].end) == (answer - 120, answer)
    assert [row.values for row in users["P01"]] == [{"Stress (0-100)": "33.5"}, {"Stress (0-100)": "80"}]
    assert [row.row for row in users["P01"]] == ["labels.csv:2", "labels.csv:3"]


def test_one_row_per_local_day(tmp_path: Path) -> None:
    users = read(tmp_path, "who,day,mood\nA,2022-03-27,1\n", user="who", time="day", unit="iso", lasts="day")
    assert users["A"][0].end - users["A"][0].start == 23 * 3600


def test_a_day_may_begin_when_the_clocks_change(tmp_path: Path) -> None:
    users = read(tmp_path, "user,day,s\nA,2022-09-11,1\n", time="day", unit="iso", lasts="day", zone="America/Santiago")
    assert users["A"][0].end - users["A"][0].start == 23 * 3600


def test_local_times_of_others_do_not_stop_a_participant(tmp_path: Path) -> None:
    lines = "user,start,end,s\nA,2022-03-27 01:30,2022-03-27 01:31,1\nB,2022-03-28 01:30,2022-03-28 01:31,1\n"
    (tmp_path / "labels.csv").write_text(lines)
    recordings = Recordings(timezone="Europe/Lisbon", labels=[LabelTable(file="labels.csv", unit="iso")])
    assert len(read_intervals(tmp_path, recordings, user="B").users["B"]) == 1
    found = read_intervals(tmp_path, recordings, user="A")  # the row itself is lost, and named
    assert "A" not in found.users and "labels.csv:2: start is '2022-03-27 01:30'" in found.lost["A"][0].detail
    assert "write times with an offset" in found.doubts[0]


def test_a_phase_over_night_and_overlapping_look_backs_are_doubted(tmp_path: Path) -> None:
    times = [START + 600 * i for i in range(6)] + [START + 86400, START + 87000]
    (tmp_path / "labels.csv").write_text(
        "user,start,s\n" + "".join(f"A,{time},{i % 2}\n" for i, time in enumerate(times))
    )
    phases, prompts = (
        LabelTable.model_validate({"file": "labels.csv"} | keys) for keys in ({"lasts": "next"}, {"before": 900})
    )
    (doubt,) = read_intervals(tmp_path, Recordings(labels=[phases])).doubts
    assert "the phase of line 7 lasts 23.2 h; the median is 10 min: add a row where it ends" in doubt
    (doubt,) = read_intervals(tmp_path, Recordings(labels=[prompts])).doubts
    assert "6 of 8 answers are less than 900 s" in doubt and "set before: 600" in doubt


def test_missing_answers_of_parquet_are_not_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": ["A", "A"], "start": [START, START + 60], "end": [START + 60, START + 120]})
    frame["s"] = pd.array([1, None], dtype="Int64")
    frame.to_parquet(tmp_path / "labels.parquet")
    rows = read_intervals(tmp_path, Recordings(labels=[LabelTable(file="labels.parquet")])).users["A"]
    assert rows[1].values["s"] is None


def test_phases_last_until_the_next_row(tmp_path: Path) -> None:
    text = f"user,start,phase\nA,{START + 300},stress\nB,{START + 60},rest\nA,{START},rest\nA,{START + 420},end\n"
    users = read(tmp_path, text, lasts="next")
    assert [(row.start - START, row.end - START, row.values["phase"]) for row in users["A"]] == [
        (300, 420, "stress"),
        (0, 300, "rest"),
    ]
    assert "B" not in users


def test_presses_of_the_button_in_folders_and_zips_are_labels(tmp_path: Path) -> None:
    """tags.csv of an E4 has a time per line and no header."""
    for name in ("A/1_S", "A/2_S", "B"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "A/1_S/tags.csv").write_text(f"{START}.25\n{START + 60}.00\n{START + 180}.00\n")
    (tmp_path / "A/2_S/tags.csv").write_text("")
    with zipfile.ZipFile(tmp_path / "B/3_S.zip", "w") as archive:
        archive.writestr("3_S/tags.csv", f"{START + 500}.00\n{START + 560}.00\n")
        archive.writestr("__MACOSX/tags.csv", "damaged")
    table = dict(file="{user}/**/tags.csv", user=None, header=["time"], time="time", lasts="next", count="tag")
    users = read_intervals(tmp_path, Recordings(labels=[LabelTable.model_validate(table)])).users
    assert [(row.start - START, row.end - START, row.values["tag"]) for row in users["A"]] == [
        (0, 60, "1"),
        (60, 180, "2"),
    ]
    assert [row.row for row in users["A"]] == ["A/1_S/tags.csv:1", "A/1_S/tags.csv:2"]
    assert [(row.start - START, row.row) for row in users["B"]] == [(500, "B/3_S.zip/3_S/tags.csv:1")]


def test_times_relative_to_the_start_of_each_participant(tmp_path: Path) -> None:
    (tmp_path / "subjects.csv").write_text(f"pid,startTime\n1,{START}000\n2,{START + 50}000\n")
    for user in ("1", "2"):
        (tmp_path / f"P{user}.csv").write_text("seconds,arousal\n5,3\n10,4\n")
    since = {"file": "subjects.csv", "user": "pid", "time": "startTime", "unit": "ms"}
    table = dict(file="P{user}.csv", user=None, time="seconds", before=5, since=since)
    recordings = Recordings(labels=[LabelTable.model_validate(table)])
    users = read_intervals(tmp_path, recordings).users
    assert [(row.start - START, row.end - START) for row in users["2"]] == [(50, 55), (55, 60)]
    digest = read_intervals(tmp_path, recordings).digest("1")
    (tmp_path / "subjects.csv").write_text(f"pid,startTime\n1,{START + 1}000\n")
    assert read_intervals(tmp_path, recordings, strict=False).digest("1") != digest
    with pytest.raises(BadInput, match=r"P2.csv.*subjects.csv has no usable time for the user '2' \(2 rows\)"):
        read_intervals(tmp_path, recordings)


@pytest.mark.parametrize("path", ["/data/labels.csv", "../labels.csv", "~/labels.csv"])
def test_a_path_outside_the_root_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"a path below cohort.root"):
        LabelTable(file=path)


def test_each_participant_has_an_own_time_zone(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "user,start,end,s\nA,2022-01-01 12:00,2022-01-01 12:01,1\n"
        "B,2022-01-01 12:00,2022-01-01 12:01,1\nC,2022-01-01T12:00Z,2022-01-01T12:01Z,1\n"
    )
    table = LabelTable(file="labels.csv", unit="iso")
    recordings = Recordings(timezone="UTC", timezones={"B": "America/New_York"}, labels=[table])
    users = read_intervals(tmp_path, recordings).users
    assert users["B"][0].start - users["A"][0].start == 5 * 3600 and users["C"][0].start == users["A"][0].start


def test_a_table_per_participant_and_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2022-01-01 12:00"]), "mood": [3]})
    (tmp_path / "A").mkdir()
    frame.to_parquet(tmp_path / "A/diary.parquet")
    table = LabelTable(file="{user}/diary.parquet", user=None, time="t", unit="iso", lasts=60, columns=["mood"])
    users = read_intervals(tmp_path, Recordings(timezone="UTC", labels=[table])).users
    assert users["A"][0].values == {"mood": "3"} and users["A"][0].row == "A/diary.parquet:1"


@pytest.mark.parametrize(
    ("text", "keys", "message"),
    [
        (f"user,start,end,s\nA,{START}000,{START}999,1\n", {}, "looks like milliseconds; set unit: ms"),
        ("user,start,end,s\nA,2022-01-01 12:00,2022-01-01 12:01,1\n", {}, "set unit: iso"),
        (f"user,start,end,s\nA,{START},{START + 60},1\n", {"unit": "iso"}, "these are unix seconds; set unit: s"),
        (
            "user,start,end,s\nP 1,2022-10-30 01:30,2022-10-30 03:30,1\nZoë,2022-10-30 01:30,2022-10-30 03:30,1\n",
            {"unit": "iso"},
            "such names: 'P 1', 'Zoë'; rename them",
        ),
        ("user,start,end,s\n,2022-10-30 01:30,2022-10-30 03:30,1\n", {"unit": "iso"}, "the user is missing"),
        (b"user,start,end,s\nA,\xff,1,1\n", {}, "save it as UTF-8"),
        (f"user;start;end;s\nA;{START};{START + 60};1\n", {}, "set separator: ';'"),
        (f"user,start,end,s,s\nA,{START},{START + 60},1,1\n", {}, "the column 's' occurs twice"),
    ],
)
def test_an_unusable_table_names_line_cause_and_remedy(
    tmp_path: Path, text: str | bytes, keys: dict, message: str
) -> None:
    with pytest.raises(BadInput, match=r"labels.csv \(cohort.labels\): ") as caught:
        read(tmp_path, text, **keys)
    assert message in str(caught.value)


def test_all_problems_of_a_table_are_reported_at_once(tmp_path: Path) -> None:
    lines = ["user,start,end,s", f"A,{START}000,{START}999,1", f"A,{START}000,{START}999,1", f"B,{START},{START - 5},1"]
    with pytest.raises(BadInput) as caught:
        read(tmp_path, "\n".join(lines))
    assert "line 2: start is" in str(caught.value) and "(2 rows)" in str(caught.value)
    assert "line 4: the interval ends before it starts" in str(caught.value)


def test_a_column_in_two_tables_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"user,start,end,s\nA,{START},{START + 60},1\n")
    tables = [LabelTable(file="a.csv"), LabelTable(file="b.csv")]
    with pytest.raises(BadInput, match="'s' is in two label tables"):
        read_intervals(tmp_path, Recordings(labels=tables))


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        (["1644227580.5"], "s", 1644227580.5),
        (["1644227580500"], "ms", 1644227580.5),
        (["2022-02-07T10:53:00.5+01:00"], "iso", 1644227580.5),
        (["2022-02-07T09:53:00.5Z"], "iso", 1644227580.5),
        (["2022-02-07 10:53:00.5"], "iso", 1644227580.5),
        (["07.02.2022 10:53"], "%d.%m.%Y %H:%M", 1644227580),
        (["2022-10-30 02:30"], "iso", np.nan),  # occurs twice
        (["2022-03-27 02:30"], "iso", np.nan),  # does not occur
        (pd.to_datetime(["2022-02-07 10:53:00.5"]), "us", 1644227580.5),  # a date and time, whatever the unit
        (["soon"], "iso", np.nan),
    ],
)
def test_times_of_every_unit(values: list[str], unit: str, expected: float) -> None:
    np.testing.assert_allclose(to_unix(pd.Series(values), unit, "Europe/Berlin"), [expected], rtol=0, atol=1e-6)


def test_mixed_offsets_are_read_one_by_one() -> None:
    times = to_unix(pd.Series(["2022-02-07T10:53:00+01:00", "2022-02-07 10:53", "2022-02-07"]), "iso", "Europe/Berlin")
    assert times[0] == times[1] == START and times[2] == START - 10 * 3600 - 53 * 60


def test_parquet_times_with_and_without_a_zone(tmp_path: Path) -> None:
    aware = pd.Series(pd.to_datetime(["2022-02-07 09:53"], utc=True))
    naive = pd.Series(pd.to_datetime(["2022-02-07 10:53"]))
    pd.DataFrame({"a": aware, "n": naive}).to_parquet(tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet").to_pandas()
    assert to_unix(table.a, "iso", "Europe/Berlin")[0] == to_unix(table.n, "iso", "Europe/Berlin")[0] == START


def test_labels_in_the_path_last_as_long_as_their_file(tmp_path: Path) -> None:
    for user, condition, start in (("a", "rest", START), ("a", "task", START + 600), ("b", "rest", START)):
        (tmp_path / user / condition).mkdir(parents=True)
        rows = "".join(f"{start + 60 * i},{70 + i}\n" for i in (0, 2, 1, 4))
        (tmp_path / user / condition / "hr.csv").write_text("timestamp,bpm\n" + rows)
    table = LabelTable(file="{user}/{condition}/hr.csv", user=None, time="timestamp", lasts="file")
    found = read_intervals(tmp_path, Recordings(layout="tables", labels=[table], timezone="UTC"))
    spans = [(row.start - START, row.end - START, dict(row.values)) for row in found.users["a"]]
    assert spans == [(0, 300, {"condition": "rest"}), (600, 900, {"condition": "task"})]  # the last minute is whole
    assert list(found.columns) == ["condition"] and len(found.users["b"]) == 1
    (tmp_path / "b/task").mkdir()
    for text, cause in ((f"{START},1\n", "1 times, two or more expected"), (f"{START},1\nnoon,2\n", "is 'noon'")):
        (tmp_path / "b/task/hr.csv").write_text(f"timestamp,bpm\n{text},5\n")
        again = read_intervals(tmp_path, Recordings(layout="tables", labels=[table], timezone="UTC"))
        assert len(again.users["b"]) == 1 and cause in again.lost["b"][0].detail and cause in again.doubts[0]
    with pytest.raises(ValueError, match="one participant"):
        LabelTable(file="{condition}/hr.csv", user="who", lasts="file")


def test_local_times_of_a_traveller(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "user,time,s\nP1,2024-03-01 12:00,1\nP1,2024-03-02 12:00,2\nP2,2024-03-02 12:00,3\n"
    )
    keys = {"labels": [LabelTable(file="labels.csv", time="time", lasts=60, unit="iso")], "timezone": "Europe/Berlin"}
    zones = {"P1": "Europe/Berlin, from 2024-03-02 Asia/Tokyo"}
    found = read_intervals(tmp_path, Recordings(layout="tables", timezones=zones, **keys)).users
    noon = pd.Timestamp("2024-03-01 11:00").timestamp()
    assert [row.start - noon for row in found["P1"]] == [0, 16 * 3600] and found["P2"][0].start - noon == 86400
    days = [midnight(noon + hours * 3600, zones["P1"], day) - noon for hours in (0, 6, 16) for day in (0, 1)]
    assert [day / 3600 for day in days] == [-12, 4, 4, 28, 4, 28]  # the day before the change has 16 hours
    (tmp_path / "labels.csv").write_text("user,time,s\nP1,2024-03-01 20:00,1\nP1,2024-03-02 20:00,2\n")
    of_days = {"labels": [LabelTable(file="labels.csv", time="time", lasts="day", unit="iso")], "timezone": "UTC"}
    found = read_intervals(tmp_path, Recordings(layout="tables", timezones=zones, **of_days)).users
    assert [(row.start - noon) / 3600 for row in found["P1"]] == [-12, 4]  # the day that was written
    for wrong in ("Europe/Berlin, from 2024-03-02 Asia/Tokio", "Europe/Berlin, Asia/Tokyo", "UTC, from 2024-13-02 UTC"):
        with pytest.raises(ValueError):
            Recordings(layout="tables", timezones={"P1": wrong}, **keys)


@pytest.mark.parametrize(("zone", "named"), [("Europe/Berlin", False), ("Asia/Seoul", True), ("UTC", True)])
def test_offsets_that_the_time_zone_has_not_are_named(tmp_path: Path, zone: str, named: bool) -> None:
    rows = "".join(f"A,2024-0{month}-15T12:00:00+0{1 + (month > 3)}:00,1\n" for month in range(2, 8))
    (tmp_path / "labels.csv").write_text("user,time,s\n" + rows)
    table = LabelTable(file="labels.csv", time="time", lasts=60, unit="iso")
    doubts = read_intervals(tmp_path, Recordings(layout="tables", labels=[table], timezone=zone)).doubts
    assert len(doubts) == named
    if named:
        assert f"which {zone} has not at these times: check cohort.timezone" in doubts[0]


def test_a_prompt_that_nobody_answered_and_codes_of_missing_answers_are_no_labels(tmp_path: Path) -> None:
    rows = ["S01,2022-02-07 09:53:00,3", "S01,,", "S01,2022-02-07 10:53:00,999", "S01,2022-02-07 11:53:00,-"]
    table = {"time": "answered", "unit": "iso", "before": 60, "missing": [999, "-"]}
    users = read(tmp_path, "\n".join(["user,answered,stress", *rows]), **table)
    assert [(row.values["stress"], row.row) for row in users["S01"]] == [
        ("3", "labels.csv:2"),
        (None, "labels.csv:4"),
        (None, "labels.csv:5"),
    ]
    with pytest.raises(BadInput, match="line 3: answered is ''"):
        read(tmp_path, "\n".join(["user,answered,stress", rows[0], "S01,,4"]), **table)


def test_date_and_time_of_day_in_two_columns_below_a_title(tmp_path: Path) -> None:
    text = "Study of stress;;;\nuser;Datum;Uhrzeit;stress\nS01;07.02.2022;10:53;3;\nS01;08.02.2022;11:30;4;\n"
    table = {"time": "Datum", "clock": "Uhrzeit", "unit": "%d.%m.%Y %H:%M", "before": 60, "separator": ";", "skip": 1}
    users = read(tmp_path, text, **table)
    assert [(row.end - START, row.values, row.row) for row in users["S01"]] == [
        (0, {"stress": "3"}, "labels.csv:3"),
        (86400 + 37 * 60, {"stress": "4"}, "labels.csv:4"),
    ]
