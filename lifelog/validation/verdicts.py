"""summarise_validation: results on simulated cohorts beside their planted truth."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lifelog.evaluate.verdict import OUTCOMES


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
                | {"verdict": OUTCOMES[finding["outcome"]][0]}
                | {"adjusted_rand_index": recovery["adjusted_rand_index"]}
                | {f"on_top_{measure}": share for measure, share in recovery["planted_on_top"].items()}
            )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown, followed by one line per variant with claims and means."""
    shown = table.drop(columns="predictor") if table.predictor.nunique() == 1 else table
    shown = shown.rename(columns=lambda name: name.replace("_", " "))
    lines = [shown.to_markdown(index=False, floatfmt=".3f"), ""]
    for variant, own in table.groupby("variant", sort=False):
        claims = (own.verdict == OUTCOMES["gain"][0]).sum()
        means = own.filter(regex="^on_top_").mean()
        on_top = ", ".join(f"{mean:.2f} ({name.removeprefix('on_top_')})" for name, mean in means.items())
        lines.append(
            f"- **{variant}**: a gain by importance is claimed in {claims} of {len(own)}; mean difference "
            f"{own.difference.mean():+.3f}, adjusted Rand index {own.adjusted_rand_index.mean():.2f}, planted on top "
            f"{on_top}."
        )
    return "\n".join(lines) + "\n"
