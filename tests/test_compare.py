import numpy as np
import pandas as pd
import pytest

from lifelog.compare import bootstrap_interval, compare_predictors, read_predictions, score_users, verdict
from lifelog.config import Compare

SETTINGS = Compare(bootstrap=500)


def predictions(skill: float, seed: int = 0, users: int = 10) -> pd.DataFrame:
    """Two classes, right with a chance of `skill`."""
    rng, frames = np.random.default_rng(seed), []
    for i in range(users):
        truth = np.arange(40) % 2
        right = rng.random(40) < skill
        p = np.where(right == (truth == 1), 0.9, 0.1)
        frames.append(pd.DataFrame({"user": f"u{i}", "start": range(40), "truth": truth, "p_a": 1 - p, "p_b": p}))
    return pd.concat(frames, ignore_index=True)


def compared(grouped: float, shared: float) -> pd.DataFrame:
    tables = {
        ("net", "global"): predictions(shared, 1),
        ("net", "importance"): predictions(grouped, 2),
        ("majority", "global"): predictions(0.5, 3).assign(p_a=0.6, p_b=0.4),
    }
    return compare_predictors(score_users(tables), SETTINGS)


@pytest.mark.parametrize(
    ("grouped", "shared", "says"), [(0.9, 0.7, "helps"), (0.7, 0.9, "hurts"), (0.75, 0.75, "unclear")]
)
def test_the_verdict_says_what_the_interval_carries(grouped: float, shared: float, says: str) -> None:
    said = verdict(compared(grouped, shared), SETTINGS)
    assert [finding["says"] for finding in said["findings"]] == [says]
    words = {"helps": "helped every predictor", "hurts": "worse", "unclear": "no clear difference"}
    assert words[says] in said["headline"]


def test_predictors_below_the_class_shares_are_called_so() -> None:
    said = verdict(compared(0.2, 0.2), SETTINGS)
    assert "Neither beats the class shares alone" in said["findings"][0]["sentence"]


def test_means_are_over_users_and_pooled_over_windows() -> None:
    one, two = predictions(1.0, users=1), predictions(0.0, users=1).assign(user="v").iloc[:10]
    by_user = score_users({("net", "global"): pd.concat([one, two])})
    row = compare_predictors(by_user, SETTINGS).set_index("metric").loc["accuracy"]
    assert row["mean"] == 0.5 and row["pooled"] == 0.8 and row["users"] == 2


def test_interval_of_a_known_mean() -> None:
    values = np.random.default_rng(0).normal(5, 1, 100)
    low, high = bootstrap_interval(values, SETTINGS)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 10, rel=0.15)
    assert np.isnan(bootstrap_interval(values[:1], SETTINGS)).all()


def test_other_test_windows_are_refused(tmp_path) -> None:
    predictions(1.0).to_parquet(tmp_path / "a")
    predictions(1.0).iloc[1:].to_parquet(tmp_path / "b")
    with pytest.raises(ValueError, match="other test windows"):
        read_predictions({("a", "global"): tmp_path / "a", ("b", "global"): tmp_path / "b"})
