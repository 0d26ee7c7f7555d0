from pathlib import Path

import pyarrow.parquet as pq

from lifelog.config import Config
from lifelog.mil.importance import extract_importance
from lifelog.windows.read import read_windows
from tests.mil.test_train import train


def test_every_used_window_has_every_modality_under_every_method(config: Config, tables: Path, tmp_path: Path) -> None:
    checkpoint = train(config, tables, tmp_path)
    paths = tables / "windows/101.parquet", tables / "splits/101.parquet"
    extract_importance(*paths, [str(checkpoint)], tmp_path / "i.parquet")
    table = pq.read_table(tmp_path / "i.parquet").to_pandas()
    used = pq.read_table(paths[1]).to_pandas().part.notna()
    assert len(table) == used.sum() * len(config.modalities) * 2
    attention = table[table.method == "attention"]
    sums = attention.groupby("start").value.sum()
    assert ((sums - 1).abs() < 1e-5).all()
    missing = sum(int((values[:, 0, 0] != values[:, 0, 0])[used].sum()) for values in
                  read_windows(paths[0], config.modalities).values())  # fmt: skip
    assert attention.value.isna().sum() == missing
