"""Made-up cohorts in the forms of docs/own-data.md, each with four participants."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tests.windows.test_embraceplus import write_avro

START = 1_678_705_200  # 2023-03-13 11:00 UTC
DAY = 86400
MEANS = {"EDA": 8, "TEMP": 33, "HR": 70.0}  # of a worn sensor
USERS = ("P01", "P02", "P03", "P04")


def signal(seed: int, count: int, columns: int, level: np.ndarray, mean: float = 0) -> np.ndarray:
    """Noise whose spread follows the level of each sample."""
    noise = np.random.default_rng(seed).normal(size=(count, columns))
    return (mean + noise * (1 + level[:, None])).round(4)


def levels(count: int) -> np.ndarray:
    """Levels 0 and 1 in turn, in pairs of windows."""
    return np.arange(count) // 2 % 2


def e4(root: Path) -> None:
    """Three sessions of eight minutes: a folder, a zip, and a zip with a folder in it."""
    rows = []
    for number, user in enumerate(USERS):
        for session in range(3):
            start = START + session * DAY
            files = {}
            for name, rate, columns in (("ACC", 32, 3), ("BVP", 64, 1), ("EDA", 4, 1), ("TEMP", 4, 1)):
                level = np.repeat(levels(8), rate * 60)
                values = signal(number, rate * 480, columns, level, MEANS.get(name, 0))
                head = [",".join([f"{value}"] * columns) for value in (f"{start}.000000", f"{rate}.000000")]
                files[f"{name}.csv"] = "\n".join([*head, *(",".join(map(str, row)) for row in values)]) + "\n"
            beats = np.arange(1, 470, 0.8)
            files["IBI.csv"] = f"{start}.000000, IBI\n" + "".join(f"{beat:.3f},0.800\n" for beat in beats)
            files["tags.csv"] = ""
            name = f"{start}_A{number:05d}"
            folder = root / user
            if session == 0:
                (folder / name).mkdir(parents=True)
                for file, text in files.items():
                    (folder / name / file).write_text(text)
            else:
                with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
                    for file, text in files.items():
                        archive.writestr(f"{name}/{file}" if session == 2 else file, text)
            rows += [f"{user},{start + 60 * i},{start + 60 * i + 60},{v}" for i, v in enumerate(levels(8))]
    (root / "labels.csv").write_text("\n".join(["user,start,end,stress", *rows]) + "\n")


def embraceplus(root: Path) -> None:
    """Three days with two files of four minutes each."""
    rows = []
    for number, user in enumerate(USERS):
        for day in range(3):
            start = START + day * DAY
            date = f"{pd.Timestamp(start, unit='s'):%Y-%m-%d}"
            folder = root / "participant_data" / date / f"{user}-3YK3K15{number}" / "raw_data/v6"
            for part in range(2):
                write_avro(folder / f"{user}_{start + part * 240}.avro", start + part * 240, 240)
            rows += [f"{user},{start + 60 * i},{start + 60 * i + 60},{v}" for i, v in enumerate(levels(8))]
    (root / "labels.csv").write_text("\n".join(["user,start,end,stress", *rows]) + "\n")


def aware(root: Path) -> None:
    """Three days with two prompts each; five minutes before each of them are recorded."""
    acc, light, esm, screen, apps = [], [], [], [], []
    for number, user in enumerate(USERS):
        for prompt in range(6):
            answered = START + prompt // 2 * DAY + prompt % 2 * 7200 + 3017
            level = prompt % 2
            times = (answered - 310) * 1000 + np.arange(3200) * 100
            values = signal(number * 10 + prompt, 3200, 3, np.full(3200, level))
            axes = {f"double_values_{axis}": values[:, axis] for axis in range(3)}
            acc.append(pd.DataFrame({"timestamp": times, "device_id": user} | axes))
            light.append(
                pd.DataFrame({"timestamp": times[::50], "device_id": user, "double_light_lux": 100 + 50 * level})
            )
            events = {"timestamp": times[::100], "device_id": user}
            screen.append(pd.DataFrame(events | {"screen_status": [3, 1, 0, 2][level : level + 2] * 16}))
            names = [("Mail", "Chat", "Chat")[i % (2 + level)] for i in range(32)]
            apps.append(pd.DataFrame(events | {"application_name": names}))
            esm.append({"timestamp": answered * 1000, "device_id": user, "esm_user_answer": 3 * level})
    for name, parts in (
        ("accelerometer", acc),
        ("light", light),
        ("screen", screen),
        ("applications_foreground", apps),
    ):
        pd.concat(parts).sort_values("timestamp").to_csv(root / f"{name}.csv", index=False)
    pd.DataFrame(esm).to_csv(root / "esm.csv", index=False)


def fitbit(root: Path) -> None:
    """Ten days with three prompts each, in a workbook; JSON exports of minutes and of nights."""
    rows = []
    for number, user in enumerate(USERS):
        folder, heart, steps, sleep = root / user / "fitbit", [], [], []
        folder.mkdir(parents=True)
        for day in pd.date_range("2023-03-06", periods=10):
            good = levels(10)[day.day_of_year % 10]
            sleep.append({"dateOfSleep": f"{day:%Y-%m-%d}", "minutesAsleep": 400 + 30 * int(good) + number})
            for prompt in range(3):
                answered, level = day + pd.Timedelta(hours=10 + 3 * prompt), (prompt + int(good)) % 2
                for minute in range(30):
                    time = f"{answered - pd.Timedelta(minutes=30 - minute):%m/%d/%y %H:%M:%S}"
                    chance = np.random.default_rng([number, day.day, prompt, minute])
                    heart.append({"dateTime": time, "value": {"bpm": int(70 + 5 * level + chance.integers(5))}})
                    steps.append({"dateTime": time, "value": str(chance.integers(20))})
                rows.append({"code": user, "answered": answered, "stress": 1 + 3 * level})
        for name, records in (("heart_rate", heart), ("steps", steps), ("sleep", sleep)):
            (folder / f"{name}.json").write_text(json.dumps(records))
    pd.DataFrame(rows).to_excel(root / "prompts.xlsx", index=False)


def laboratory(root: Path) -> None:
    """Two visits with two conditions of eight minutes, which the folders name."""
    for number, user in enumerate(USERS):
        for visit in range(2):
            for level, condition in enumerate(("rest", "task")):
                folder, start = root / user / f"visit{visit + 1}" / condition, START + 7 * visit * DAY + 3600 * level
                folder.mkdir(parents=True)
                for name, mean in (("HR", 70.0 + 5 * level), ("EDA", 8.0)):
                    values = signal(100 * number + 10 * visit + level, 480, 1, np.full(480, level), mean)
                    frame = pd.DataFrame({"time": start + np.arange(480), "value": values[:, 0]})
                    frame.to_csv(folder / f"{name}.csv", index=False)


def lifesnaps(root: Path) -> None:
    """Forty days across the change of the clocks, with empty cells."""
    parts = []
    for number, user in enumerate(USERS):
        days = pd.date_range("2023-03-06", periods=40).strftime("%Y-%m-%d")
        names = ("sleep_duration", "sleep_efficiency", "bpm", "resting_hr", "steps", "distance", "calories")
        values = signal(number, 40, len(names), levels(40)) + 60
        frame = pd.DataFrame(values, columns=names).assign(user=user, date=days)
        frame["TENSE/ANXIOUS"] = [None if i % 9 == 4 else float(v) for i, v in enumerate(levels(40))]
        frame.loc[frame.index % 7 == 3, ["sleep_duration", "sleep_efficiency"]] = None
        parts.append(frame)
    pd.concat(parts).to_csv(root / "daily.csv", index=False)


def rapids(root: Path) -> None:
    """Features of 41 days with all participants in a file per sensor; answers on all days but the first."""
    columns = {
        "steps": "f_steps:fitbit_steps_summary_rapids_sumsteps:allday",
        "call": "f_call:phone_calls_rapids_incoming_count:allday",
        "sleep": "f_slp:fitbit_sleep_summary_rapids_sumdurationasleepmain:allday",
    }
    days = pd.date_range("2018-03-26", periods=41).strftime("%Y-%m-%d")
    parts, answers = {name: list[pd.DataFrame]() for name in columns}, []
    for number, user in enumerate(USERS):
        values = signal(number, 41, len(columns), levels(41)) + 60
        for name, value in zip(columns, values.T, strict=True):
            frame = pd.DataFrame({"pid": user, "date": days, columns[name]: value, "f_x:unused:14dhist": np.nan})
            parts[name].append(frame)
        answers.append(pd.DataFrame({"pid": user, "date": days, "phq4": 6 * levels(41)})[1:])
    for folder in ("FeatureData", "SurveyData"):
        (root / folder).mkdir()
    for name, frames in parts.items():
        pd.concat(frames).to_csv(root / f"FeatureData/{name}.csv")
    pd.concat(answers).to_csv(root / "SurveyData/ema.csv")


def kemocon(root: Path) -> None:
    """Ten minutes with a label about every five seconds, in seconds since the start of each participant."""
    annotations = root / "emotion_annotations/self_annotations"
    annotations.mkdir(parents=True)
    (root / "metadata").mkdir()
    starts = pd.DataFrame({"pid": range(1, len(USERS) + 1), "startTime": START * 1000})
    starts.to_csv(root / "metadata/subjects.csv", index=False)
    for number in range(len(USERS)):
        folder = root / "e4_data" / str(number + 1)
        folder.mkdir(parents=True)
        for name, rate, columns in (("ACC", 32, ["x", "y", "z"]), ("EDA", 4, ["value"]), ("HR", 1, ["value"])):
            level = np.repeat(np.arange(10) % 2, rate * 60)
            values = signal(number, rate * 600, len(columns), level, MEANS.get(name, 0))
            frame = pd.DataFrame(values, columns=columns)
            frame.insert(0, "timestamp", START * 1000 + np.arange(rate * 600) * 1000 // rate)
            frame.to_csv(folder / f"E4_{name}.csv", index=False)
        seconds = 5 * np.arange(1, 121)
        labels = pd.DataFrame({"seconds": seconds, "arousal": 1 + 3 * (np.arange(120) // 12 % 2)})
        labels.to_csv(annotations / f"P{number + 1}.self.csv", index=False)


def etri2024(root: Path) -> None:
    """Thirty days of sparse items in Parquet files, and one label per day."""
    heart, steps, light, labels = [], [], [], []
    for number in range(len(USERS)):
        user = f"id{number + 1:02d}"
        for day, level in enumerate(levels(30)):
            date = pd.Timestamp("2024-06-01") + pd.Timedelta(days=day)
            times = pd.date_range(date, periods=24, freq="h")
            rng = np.random.default_rng(number * 100 + day)
            beats = [(60 + 10 * level + rng.normal(size=5)).round(1).tolist() for _ in times]
            heart.append(pd.DataFrame({"subject_id": user, "timestamp": times, "heart_rate": beats}))
            walked = {"step": rng.integers(0, 50, 24), "distance": rng.normal(20, 5, 24)}
            steps.append(pd.DataFrame({"subject_id": user, "timestamp": times} | walked))
            light.append(pd.DataFrame({"subject_id": user, "timestamp": times, "w_light": rng.normal(100, 9, 24)}))
            labels.append({"subject_id": user, "lifelog_date": f"{date:%Y-%m-%d}", "Q1": level, "Q2": 1 - level})
    for name, parts in (("wHr", heart), ("wPedo", steps), ("wLight", light)):
        pd.concat(parts).to_parquet(root / f"ch2025_{name}.parquet", index=False)
    pd.DataFrame(labels).to_csv(root / "ch2025_metrics_train.csv", index=False)


COHORTS: dict[str, Callable[[Path], None]] = {
    make.__name__: make for make in (e4, embraceplus, aware, fitbit, laboratory, lifesnaps, rapids, kemocon, etri2024)
}
