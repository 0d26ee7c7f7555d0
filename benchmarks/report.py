"""The cases of a benchmark run, and docs/performance.md with its figure."""

from __future__ import annotations

import datetime
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch

from lifelog.config import Config
from lifelog.report.style import colours, save, style
from lifelog.tables import write_text

TARGETS = [target.name for target in Config().targets]
DOCS = Path(__file__).parents[1] / "docs"
Run = Callable[..., dict[str, float]]
NOTE = """\
`plain` is a reference of our own, written from the study's description (`benchmarks/plain.py`): pandas file by file,
the encoders as in the papers under autograd, lists of windows collated one by one, torch's AdamW. "As it comes" is
glibc's allocator as every Python program has it; the workflow's jobs keep freed memory (`MALLOC_TRIM_THRESHOLD_`,
`MALLOC_MMAP_THRESHOLD_`), and "kept" gives the plain step the same. The fastest of a few rounds is taken, every case in
a process of its own. Peak memory includes Python and torch, some 390 MiB. Figures of one machine; the ratios are what
carries over.
"""


def write_report(run: Run, full: bool) -> None:
    """Run the cases and write the page; what needs 20 GB of disk only if it is asked for."""
    steps, growth, people = _steps(run), _growth(run, full), _participants(run)
    parts = [
        "# Performance\n",
        f"{datetime.date.today()}, {_machine()}. `python -m benchmarks{' full' if full else ''}` writes this page.\n",
        NOTE,
        "## A training step, ms a window\n\nNine modalities at full length (ETRI), float32.\n",
        _table(steps),
        "![A training step](performance.svg)\n",
        "## The rest against plain\n",
        _table(_against(run)),
        "## All cores that a rule is given\n",
        "`extract_windows`, 439 MB of CSV: read only, and written to both tables. Medians of twelve turns:\n",
        _table(_cores(run)),
        "## Growth\n\n`train_mil`, one user, two epochs; the time includes loading:\n",
        _table(growth),
        "Predictors for everyone, 60 windows a user; one epoch, or 20 trees:\n",
        _table(people),
        *(_large(run) if full else []),
        "## On a GPU\n",
        _gpu(run),
        "## The default run, by rule\n",
        _rules(DOCS.parent / "results/benchmarks"),
    ]
    _figure(steps, growth)
    write_text("\n".join(parts), DOCS / "performance.md")


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, torch {torch.__version__}, Python {platform.python_version()}"


def _steps(run: Run) -> pd.DataFrame:
    rows = []
    for batch in (64, 512):
        for threads in (1, 2):
            settings = {"batch_size": batch, "threads": threads}
            ours = run("step", way="lifelog", **settings)
            plain = run("step", allocator=False, way="plain", **settings)
            kept = run("step", way="plain", **settings)["ms/window"]
            mine = ours["ms/window"]
            rows.append(
                settings
                | {"plain, as it comes": plain["ms/window"], "plain, kept": kept, "lifelog": mine}
                | {"times faster": plain["ms/window"] / mine, "than kept": kept / mine}
                | {"peak MiB plain": round(plain["peak MiB"]), "peak MiB lifelog": round(ours["peak MiB"])}
            )
    return pd.DataFrame(rows)


def _against(run: Run) -> pd.DataFrame:
    rows = []
    for what, name, figure in (
        ("reading CSV, one core", "reading", "MB/s"),
        ("features", "features", "ms/window"),
        ("training to a validation macro-F1 of .8", "learning", "s"),
        ("- epochs until then", "learning", "epochs"),
    ):
        plain, ours = (run(name, allocator=way == "lifelog", way=way) for way in ("plain", "lifelog"))
        times = ours[figure] / plain[figure] if figure == "MB/s" else plain[figure] / ours[figure]
        rows.append({"": what, "unit": figure, "plain": plain[figure], "lifelog": ours[figure], "times": times})
    return pd.DataFrame(rows)


def _cores(run: Run) -> pd.DataFrame:
    found, rows = run("extraction", minutes=1500, most=2), []
    for n in (1, 2):
        row: dict[str, float] = {"cores": n}
        for way in ("read", "written"):
            row[f"MB/s {way}"] = found["MB of CSV"] / found[f"s {way}, {n}"]
            row[f"times {way}"] = found[f"times {way}, {n}"]
        rows.append(row)
    return pd.DataFrame(rows)


def _growth(run: Run, full: bool) -> pd.DataFrame:
    sizes = (10, 100, 1000, 5000, *([20000] if full else []))
    return pd.DataFrame([{"windows": n} | run("mil", windows=n) for n in sizes])


def _participants(run: Run) -> pd.DataFrame:
    rows = []
    for users in (5, 20, 80):
        with tempfile.TemporaryDirectory() as folder:
            run("prepare", folder=folder, users=users, windows=60)
            for name in ("boosting", "lifelognet", "windownet"):
                rows.append({"users": users, "predictor": name} | run("predictor", name=name, folder=folder))
    return pd.DataFrame(rows)


def _large(run: Run) -> list[str]:
    recordings = run("extraction", minutes=5000)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        run("prepare", folder=folder, users=20, windows=2900)
        for name in ("boosting", "lifelognet", "windownet"):
            rows.append({"predictor": name} | run("predictor", name=name, folder=folder))
    return [
        "## What a large study needs\n",
        f"A user of 5,000 minutes ({recordings['MB of CSV']:.0f} MB of CSV): `extract_windows` takes "
        f"{recordings['s written, 1']:.0f} s on one core and {recordings['peak MiB']:.0f} MiB at most.\n",
        "Predictors for everyone on 20 users of 2,900 windows (6 GB as recorded), one epoch or 20 trees:\n",
        _table(pd.DataFrame(rows)),
    ]


def _gpu(run: Run) -> str:
    if not torch.cuda.is_available():
        return "None on this machine: nothing on this page was measured on a GPU.\n"
    rows = [{"": way} | run("epochs", way=way, device="cuda") for way in ("plain", "lifelog")]
    frame = pd.DataFrame(rows)
    minutes = frame["ms/epoch"] / 60  # of a whole training: 1000 epochs
    frame = frame.assign(**{"min/training": minutes, "trainings a minute": 1 / minutes})
    return (
        f"{torch.cuda.get_device_name()}, one user of 1290 windows, batch 512; a training is 1000 epochs, by the time "
        f"of ten. {frame['ms/epoch'][0] / frame['ms/epoch'][1]:.1f} times faster than plain.\n\n{_table(frame)}"
    )


def _rules(folder: Path) -> str:
    """Snakemake's benchmark files, added up by rule."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        names = path.relative_to(folder).with_suffix("").parts
        rule = names[2] if names[0] in TARGETS else names[0]  # <target>/<split>/<rule>/..., or <rule>/...
        predictor = f" {names[3]}" if rule == "train_predictor" else ""
        rows.append(pd.read_csv(path, sep="\t").assign(rule=rule + predictor))
    if not rows:
        return "No results/benchmarks here: run `snakemake --cores N` first.\n"
    whole = pd.concat(rows)
    table = whole.groupby("rule").agg(
        **{"jobs": ("s", "size"), "s": ("s", "sum"), "s a job": ("s", "mean"), "peak MiB": ("max_rss", "max")}
    )
    table = table.sort_values("s", ascending=False).reset_index()
    total = f"{len(whole)} jobs, {whole.s.sum():.0f} s of work one after the other.\n"
    return total + "\n" + _table(table)


def _table(frame: pd.DataFrame) -> str:
    """A Markdown table; numbers to three digits."""

    def cell(value: object) -> str:
        return (
            f"{value:.3g}"
            if isinstance(value, float) and value < 1000
            else f"{value:.0f}"
            if isinstance(value, float)
            else str(value)
        )

    lines = [list(map(str, frame.columns)), ["---"] * frame.shape[1]]
    lines += [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _figure(steps: pd.DataFrame, growth: pd.DataFrame) -> None:
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
        ways = ["plain, as it comes", "plain, kept", "lifelog"]
        places = range(len(steps))
        for i, (way, colour) in enumerate(zip(ways, colours(3), strict=True)):
            left.bar([p + 0.27 * (i - 1) for p in places], steps[way], width=0.25, color=colour, label=way)
        left.set_xticks(list(places), [f"{row.batch}\n{row.threads} thr." for row in steps.itertuples()])
        left.set(title="A training step", ylabel="ms a window", xlabel="windows a step")
        left.legend()
        right.plot(growth["windows"], growth["peak MiB"], marker="o", color=colours(3)[2])
        right.set(
            title="train_mil, peak memory", xlabel="windows of the user", ylabel="MiB", xscale="log", yscale="log"
        )
        save(figure, DOCS / "performance.svg", pd.concat([steps, growth]))
