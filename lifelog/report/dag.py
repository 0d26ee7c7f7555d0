"""The graph of the rules as Snakemake prints it."""

from __future__ import annotations

import re


def read_rulegraph(dot: str) -> list[tuple[str, str]]:
    """Edges (from rule, to rule) of `snakemake --rulegraph dot`. Raises ValueError where there is no graph."""
    names = dict(re.findall(r'^\s*(\d+)\s*\[\s*label = "([A-Za-z_]+)', dot, re.M))
    edges = [(names[a], names[b]) for a, b in re.findall(r"^\s*(\d+) -> (\d+)", dot, re.M)]
    edges = [(a, b) for a, b in edges if a != b]  # a rule may feed itself with other wildcards
    if not edges:
        raise ValueError(f"no graph of rules in what Snakemake printed: {dot[:200]!r}")
    return edges
