"""summarise_validation: results on simulated cohorts beside their planted truth."""

from __future__ import annotations

from typing import Any

import pandas as pd

LABELS = {
    "gain": "gain by importance",
    "gain_not_specific": "gain, not specific to importance",
    "gain_untested": "gain, untested",
    "loss": "loss",
    "no_difference": "no difference",
    "too_few_users": "too few participants",
}


def summarise_validation(cohorts: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of simulated cohorts.

    Parameters
    ----------
    cohorts : dict of str to dict
        By `{variant}-{seed}`: the `verdict` and the `recovery` of a run.

    Returns
    -------
    pandas.DataFrame
        One row per cohort and predictor.
    """
    rows = []
    for name, cohort in cohorts.items():
        variant, _, seed = name.rpartition("-")
        recovery = cohort["recovery"]
        for finding in cohort["verdict"]["findings"]:
            rows.append(
                {"variant": variant, "seed": int(seed), "predictor": finding["predictor"]}
                | {key: finding[key] for key in ("global", "importance", "difference", "p_holm", "random", "p_random")}
                | {"verdict": LABELS[finding["outcome"]]}
                | {"adjusted_rand_index": recovery["adjusted_rand_index"]}
                | {f"on_top_{measure}": share for measure, share in recovery["planted_on_top"].items()}
            )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown, followed by one line per variant with claims and means."""
    shown = table.drop(columns="predictor") if table.predictor.nunique() == 1 else table
    head = " | ".join(name.replace("_", " ") for name in shown.columns)
    lines = [f"| {head} |", "|" + "---|" * len(shown.columns)]
    for row in shown.itertuples(index=False):
        cells = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    for variant, own in table.groupby("variant", sort=False):
        claims = (own.verdict == LABELS["gain"]).sum()
        on_top = ", ".join(
            f"{own[column].mean():.2f} ({column.removeprefix('on_top_')})"
            for column in own.columns
            if column.startswith("on_top_")
        )
        lines.append(
            f"- **{variant}**: a gain by importance is claimed in {claims} of {len(own)}; mean difference "
            f"{own.difference.mean():+.3f}, adjusted Rand index {own.adjusted_rand_index.mean():.2f}, planted on top "
            f"{on_top}."
        )
    return "\n".join(lines) + "\n"
