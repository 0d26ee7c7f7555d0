"""summarise_validation: what the pipeline found in made-up cohorts, against what was planted in them."""

from __future__ import annotations

from typing import Any

import pandas as pd

SAYS = {
    "helps": "gain by importance",
    "any": "gain, not by importance",
    "untested": "gain, untested",
    "hurts": "loss",
    "unclear": "no difference",
    "few": "too few people to tell",
}


def summarise_validation(cohorts: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """A row a cohort and predictor; cohorts, by `variant-seed`, hold the `verdict` and the `recovery` of a run."""
    rows = []
    for name, found in cohorts.items():
        variant, _, seed = name.rpartition("-")
        recovery = found["recovery"]
        for finding in found["verdict"]["findings"]:
            rows.append(
                {"variant": variant, "seed": int(seed), "predictor": finding["predictor"]}
                | {key: finding[key] for key in ("shared", "grouped", "difference", "p_holm", "random", "p_random")}
                | {"verdict": SAYS[finding["says"]]}
                | {"adjusted_rand_index": recovery["adjusted_rand_index"]}
                | {f"on_top_{method}": share for method, share in recovery["planted_on_top"].items()}
            )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """The table for people, and below it a line a variant: claims, means."""
    shown = table.drop(columns="predictor") if table.predictor.nunique() == 1 else table
    head = " | ".join(name.replace("_", " ") for name in shown.columns)
    lines = [f"| {head} |", "|" + "---|" * len(shown.columns)]
    for row in shown.itertuples(index=False):
        cells = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    for variant, own in table.groupby("variant", sort=False):
        claims = (own.verdict == SAYS["helps"]).sum()
        lines.append(
            f"- **{variant}**: a gain by importance is claimed in {claims} of {len(own)}; mean difference "
            f"{own.difference.mean():+.3f}, adjusted Rand index {own.adjusted_rand_index.mean():.2f}, planted on top "
            f"{own.on_top_attention.mean():.2f} (attention), {own.on_top_ablation.mean():.2f} (ablation)."
        )
    return "\n".join(lines) + "\n"
