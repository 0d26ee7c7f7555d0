"""The figure of the rules of a run."""

import re

import matplotlib.pyplot as plt
import networkx as nx
import pandas as pd

from lifelog.report.style import Drawing, style


def read_rulegraph(dot: str) -> list[tuple[str, str]]:
    """Return the edges (from rule, to rule) of `snakemake --rulegraph dot`; raise ValueError if there are none."""
    names = dict(re.findall(r'^\s*(\d+)\s*\[\s*label = "([A-Za-z_]+)', dot, re.M))
    edges = [(names[a], names[b]) for a, b in re.findall(r"^\s*(\d+) -> (\d+)", dot, re.M)]
    edges = [(a, b) for a, b in edges if a != b]  # a rule may depend on itself with other wildcards
    if not edges:
        raise ValueError(f"no rule graph in the output of Snakemake: {dot[:200]!r}")
    return edges


def plot_dag(edges: list[tuple[str, str]]) -> Drawing:
    """Plot the rules and the data flow between them, from top to bottom."""
    # Edges that a longer path implies hide the structure.
    reduced = nx.transitive_reduction(nx.DiGraph(edges))
    # The reduction iterates over sets, whose order differs from run to run.
    graph = nx.DiGraph(sorted(reduced.edges))
    layers = {-number: sorted(layer) for number, layer in enumerate(nx.topological_generations(graph))}
    spots = nx.multipartite_layout(graph, subset_key=layers, align="horizontal")
    depth = {rule: number for number, layer in layers.items() for rule in layer}
    near = [(a, b) for a, b in graph.edges if depth[a] - depth[b] == 1]
    far = [edge for edge in graph.edges if edge not in near]
    widest = max(map(len, layers.values()), default=1)
    with style():
        figure, ax = plt.subplots(figsize=(max(7.5, 1.9 * widest), 0.75 * (1 - min(depth.values(), default=0))))
        # Edges that skip a layer bend around the rules between.
        for part, bend in ((near, 0.0), (far, -0.25)):
            nx.draw_networkx_edges(
                graph, spots, part, ax=ax, edge_color="0.6", node_size=500, connectionstyle=f"arc3,rad={bend}"
            )
        for rule, (x, y) in spots.items():
            box = {"boxstyle": "round,pad=0.4", "fc": "#e8f1f8", "ec": "#0072b2"}
            ax.text(x, y, rule, ha="center", va="center", fontsize=9, bbox=box)
        ax.margins(0.14, 0.06)
        ax.axis("off")
        return figure, pd.DataFrame(sorted(graph.edges), columns=["rule", "feeds"])
