"""Every case gives the figures that the page needs, and the page shows every figure in its place."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.__main__ import main, run
from benchmarks.cases import CASES, find_case, run_case
from benchmarks.report import GPU_CASES, TOGETHER, write_report

STAGES = ("read", "written")
GPU_FIGURES = {"kernels ms/epoch", "bound ms/epoch", "peak GPU MiB"}
FIGURES = {
    "baseline": set(),
    "epochs": {"ms/epoch"},
    "features": {"ms/window"},
    "learning": {"epochs", "s"},
    "mil": {"s"},
    "optimiser": {"s start", "ms/step", "ms/update"},
    "predictor": {"s", "windows"},
    "prepare": set(),
    "reading": {"MB/s"},
    "step": {"ms/window"},
    "together": {"ms/epoch", "ms/epoch alone", "speed-up"},
    "plan": {"s"},
    "shapley": {"s exact", "s sampled", "s errors", "s test", "largest difference"},
}
QUICK = [
    "baseline",
    *(f"epochs way={way} device=cpu windows=12 batch=4 count=1" for way in ("plain", "lifelog")),
    *(f"features way={way} windows=4" for way in ("plain", "lifelog", "domain")),
    *(f"learning way={way} seeds=1 windows=40 limit=1" for way in ("plain", "lifelog")),
    "mil windows=12",
    *(f"optimiser way={way} batch=2 rounds=1" for way in ("torch", "fused", "lifelog")),
    *(f"reading way={way} minutes=2" for way in ("plain", "lifelog")),
    *(f"together networks=2 encoder={encoder} windows=8 batch=4 count=1" for encoder in ("features", "convolution")),
    *(f"step way={way} batch=2 rounds=1" for way in ("plain", "lifelog")),
    "extraction minutes=2 cores=2 rounds=1",
    "shapley windows=12 modalities=3",
    "plan workflow=empty users=3 finished=true",
    "plan workflow=lifelog users=2",
    *(f"predictor name={name}" for name in ("boosting", "lifelognet", "windownet")),
]


def figures_of(name: str, settings: dict[str, Any]) -> set[str]:
    """Return the figures that a case gives, besides its peak memory."""
    if name == "extraction":
        ways = [f"{stage}, {n}" for stage in STAGES for n in range(1, int(settings.get("cores", 1)) + 1)]
        return {"MB of CSV"} | {f"{figure} {way}" for figure in ("s", "speed-up") for way in ways}
    return FIGURES[name] | (GPU_FIGURES if name == "epochs" and settings.get("device") == "cuda" else set())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables that the case `predictor` reads."""
    folder = tmp_path_factory.mktemp("prepared")
    run_case("prepare", [f"folder={folder}", "users=2", "windows=20"])
    return folder


@pytest.fixture
def same_threads() -> Iterator[None]:
    """Restore the number of threads, which cases set."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("line", QUICK)
def test_a_case_gives_its_figures(line: str, prepared: Path, same_threads: None) -> None:
    name, *words = line.split()
    if name == "predictor":
        words.append(f"folder={prepared}")
    figures = run_case(name, words)
    assert set(figures) == figures_of(name, dict(word.split("=") for word in words)) | {"peak MiB"}
    assert all(value > 0 for value in figures.values())


def test_every_case_is_run_here() -> None:
    assert {line.split()[0] for line in QUICK} | {"prepare"} == set(CASES)


def test_a_process_returns_the_figures_of_a_case() -> None:
    assert set(run("features", way="lifelog", windows=4)) == {"ms/window", "peak MiB"}


def test_the_memory_of_the_parent_does_not_count() -> None:
    ballast = np.ones(2**26)  # 512 MiB
    assert run("features", way="lifelog", windows=4)["peak MiB"] < ballast.nbytes / 2**20


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stp"], "did you mean 'step'?"),
        (["step", "way=lifelog"], "batch: Missing"),
        (["step", "way=other", "batch=8"], "'plain' or 'lifelog'"),
        (["step", "way=lifelog", "batch=8", "depth=2"], "depth: Unexpected"),
        (["step", "lifelog"], "'lifelog' is not KEY=VALUE"),
    ],
)
def test_mistakes_of_the_command_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["case", *words])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_help_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "docs/performance.md" in capsys.readouterr().out
    main(["case"])
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines() if line[0] != " "} == set(CASES)


class Runner:
    """Stands in for `run`: every figure of every call has its own number."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], dict[str, float]]] = []
        self.numbers = iter(random.Random(0).sample(range(100, 1000), 900))  # three digits: shown unrounded
        self.cohorts: dict[object, dict[str, Any]] = {}

    def __call__(self, name: str, /, keep_memory: bool = True, **settings: object) -> dict[str, float]:
        inspect.signature(find_case(name)).bind(**settings)
        figures = {figure: float(next(self.numbers)) for figure in sorted(figures_of(name, settings) | {"peak MiB"})}
        if name == "prepare":
            self.cohorts[settings["folder"]] = settings
        cohort = self.cohorts.get(settings.get("folder"), {})
        self.calls.append((name, cohort | settings | {"keep_memory": keep_memory}, figures))
        return figures

    def number(self, case: str, figure: str, **settings: Any) -> float:
        """Return the number of a figure; the smallest if the case ran several times with the same settings."""
        found = [
            (about, figures[figure])
            for name, about, figures in self.calls
            if name == case and settings.items() <= about.items()
        ]
        assert found, (case, settings)
        assert all(about == found[0][0] for about, _ in found), f"{case} {settings}: not one kind of call"
        return min(number for _, number in found)


class Page:
    """The page that `write_report` writes, and its files."""

    def __init__(self, folder: Path, full: bool, gpu: str | None) -> None:
        self.runner, self.folder = Runner(), folder
        write_report(self.runner, folder / "docs", full=full, gpu=gpu)
        self.text = (folder / "docs/performance.md").read_text(encoding="utf-8")

    def section(self, heading: str) -> str:
        """Return the text of a section."""
        return self.text.split(f"\n## {heading}\n")[1].split("\n## ")[0]

    def cell(self, heading: str, row: str, column: str) -> str:
        """Return the cell of a column in the row that begins with `row`, of whichever table of a section has both."""
        found = []
        for table in self.section(heading).split("\n\n"):
            lines = [line for line in table.splitlines() if line.startswith("|")]
            cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
            if cells and column in cells[0]:
                begin = row.split("|")
                found += [line[cells[0].index(column)] for line in cells[2:] if line[: len(begin)] == begin]
        assert len(found) == 1, (heading, row, column, found)
        return found[0]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The whole page, on a machine with a GPU and after a default run of three jobs."""
    folder = tmp_path_factory.mktemp("page")
    for name, s in (("tension/blocked/train_mil/101", 3.0), ("tension/blocked/train_mil/102", 5.0), ("plot_dag", 1.5)):
        path = folder / f"results/benchmarks/{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"s": [s], "max_rss": [100 * s]}).to_csv(path, sep="\t", index=False)
    return Page(folder, full=True, gpu="a GPU of this test")


# section, row, column, and the figure in this cell: case, figure, settings
Cell = tuple[str, str, str, str, str, dict[str, Any]]
STEP_COLUMNS: list[tuple[str, str, dict[str, Any]]] = [
    ("plain", "ms/window", {"way": "plain", "keep_memory": False}),
    ("plain, kept memory", "ms/window", {"way": "plain", "keep_memory": True}),
    ("lifelog", "ms/window", {"way": "lifelog", "keep_memory": True}),
    ("peak MiB, plain", "peak MiB", {"way": "plain", "keep_memory": False}),
    ("peak MiB, lifelog", "peak MiB", {"way": "lifelog", "keep_memory": True}),
]
AGAINST = [
    ("reading CSV files, one core", "reading", "MB/s"),
    ("features", "features", "ms/window"),
    ("training until validation macro-F1 .8", "learning", "s"),
    ("epochs of this training", "learning", "epochs"),
]
OPTIMISERS = {"torch.optim.AdamW": "torch", "torch.optim.AdamW, fused=True": "fused", "lifelog": "lifelog"}
OPTIMISER_COLUMNS = {"start, s": "s start", "step, ms": "ms/step", "update, ms": "ms/update", "peak MiB": "peak MiB"}
CELLS: list[Cell] = [
    *(
        ("Training step", f"{batch}|{threads}", column, "step", figure, settings | {"batch": batch, "threads": threads})
        for batch in (8, 64, 512)
        for threads in (1, 2)
        for column, figure, settings in STEP_COLUMNS
    ),
    *(
        ("Reading, features and training", row, way, case, figure, {"way": way})
        for row, case, figure in AGAINST
        for way in ("plain", "lifelog")
    ),
    *(
        ("Several cores", str(n), f"speed-up {stage}", "extraction", f"speed-up {stage}, {n}", {"minutes": 1500})
        for n in (1, 2)
        for stage in STAGES
    ),
    *(
        ("Process techniques", row, column, "optimiser", figure, {"way": way})
        for row, way in OPTIMISERS.items()
        for column, figure in OPTIMISER_COLUMNS.items()
    ),
    *(
        ("Process techniques", str(batch), column, "step", "ms/window", settings | {"batch": batch, "threads": 1})
        for batch in (8, 64, 512)
        for column, settings in (
            ("defaults", {"way": "lifelog", "keep_memory": False}),
            ("kept memory", {"way": "lifelog", "keep_memory": True}),
        )
    ),
    *(
        ("Shapley values", f"{n}|{m}", figure, "shapley", figure, {"windows": n, "modalities": m})
        for n, m in ((100, 9), (2900, 9), (100, 12))
        for figure in (*sorted(FIGURES["shapley"]), "peak MiB")
    ),
    *(
        (section, f"{case['networks']}|{case['encoder']}|{case['batch']}", figure, "together", figure, about)
        for section, device in (("Networks trained at once", "cpu"), ("GPU", "cuda"))
        for case in TOGETHER[device]
        for figure, about in ((name, case | {"device": device}) for name in FIGURES["together"])
    ),
    *(
        ("Growth with the data", str(n), figure, "mil", figure, {"windows": n})
        for n in (10, 100, 1000, 5000, 20000)
        for figure in ("s", "peak MiB")
    ),
    *(
        (
            "Growth with the data",
            f"{users}|{name}",
            figure,
            "predictor",
            figure,
            {"users": users, "name": name, "windows": 60},
        )
        for users in (5, 20, 80)
        for name in ("boosting", "lifelognet", "windownet")
        for figure in ("s", "windows", "peak MiB")
    ),
    *(
        ("Large studies", name, figure, "predictor", figure, {"users": 20, "name": name, "windows": 2900})
        for name in ("boosting", "lifelognet", "windownet")
        for figure in ("s", "windows", "peak MiB")
    ),
    *(
        ("Planning the workflow", str(users), column, "plan", "s", {"users": users} | about)
        for users in (100, 1000, 5000)
        for column, about in (
            ("nothing to do, s", {"workflow": "lifelog", "finished": True}),
            ("dry run of an empty workflow, s", {"workflow": "empty"}),
        )
    ),
    *(
        ("GPU", f"{title}|{batch}", figure, "epochs", figure, case | {"batch": batch})
        for title, case in GPU_CASES.items()
        for batch in (64, 512)
        for figure in ("ms/epoch", "peak MiB", *sorted(GPU_FIGURES))
    ),
]


@pytest.mark.parametrize("section", dict.fromkeys(cell[0] for cell in CELLS))
def test_figures_are_in_their_cells(page: Page, section: str) -> None:
    for heading, row, column, case, figure, settings in CELLS:
        if heading == section:
            number = page.runner.number(case, figure, **settings)
            assert page.cell(heading, row, column) == f"{number:.0f}", (row, column)


@pytest.mark.parametrize(
    ("section", "row", "column", "over", "under"),
    [
        ("Training step", "8|2", "speed-up", "plain", "lifelog"),
        ("Training step", "512|1", "speed-up, kept memory", "plain, kept memory", "lifelog"),
        ("Reading, features and training", "features", "speed-up", "plain", "lifelog"),
        ("Reading, features and training", "reading CSV files, one core", "speed-up", "lifelog", "plain"),
        ("Process techniques", "64", "speed-up", "defaults", "kept memory"),
    ],
)
def test_ratios(page: Page, section: str, row: str, column: str, over: str, under: str) -> None:
    ratio = float(page.cell(section, row, over)) / float(page.cell(section, row, under))
    assert page.cell(section, row, column) == f"{ratio:.3g}"


def test_numbers_in_the_text(page: Page) -> None:
    number, text = page.runner.number, " ".join(page.text.split())
    assert f"{number('baseline', 'peak MiB'):.0f} MiB with torch" in text
    assert f"1500 minutes ({number('extraction', 'MB of CSV', minutes=1500):.0f} MB of CSV files): only" in text
    assert f"takes {number('extraction', 's written, 1', minutes=5000):.0f} s on one core" in text
    assert "a GPU of this test" in page.section("GPU")
    plain, own = (number("epochs", "ms/epoch", batch=512, **GPU_CASES[name]) for name in ("plain", "lifelog"))
    assert f"`lifelog` is {plain / own:.1f} times faster" in text
    megabytes = number("extraction", "MB of CSV", minutes=1500)
    seconds = number("extraction", "s written, 2", minutes=1500)
    assert page.cell("Several cores", "2", "MB/s written") == f"{megabytes / seconds:.3g}"


def test_rules_of_a_run_are_summed(page: Page) -> None:
    assert "3 jobs, 10 s in total" in page.section("Rules of the default run")
    columns = ("jobs", "s", "s per job", "peak MiB")
    cells = {
        rule: [page.cell("Rules of the default run", rule, c) for c in columns] for rule in ("train_mil", "plot_dag")
    }
    assert cells == {"train_mil": ["2", "8", "4", "500"], "plot_dag": ["1", "1.5", "1.5", "150"]}


def test_the_figure_has_its_data(page: Page) -> None:
    assert (page.folder / "docs/performance.svg").exists()
    data = pd.read_csv(page.folder / "docs/performance.csv")
    row = data[(data["batch size"] == 64) & (data["threads"] == 2)]
    number = page.runner.number("step", "ms/window", way="lifelog", batch=64, threads=2)
    assert row["lifelog"].tolist() == [number]
    assert data["windows"].dropna().tolist() == [10, 100, 1000, 5000, 20000]


def test_a_page_without_gpu_and_run(tmp_path: Path) -> None:
    page = Page(tmp_path, full=False, gpu=None)
    assert page.section("GPU") == "\nNot measured: this machine has no GPU.\n"
    assert "Not measured" in page.section("Rules of the default run")
    assert "## Large studies" not in page.text
    assert not any(name == "epochs" for name, _, _ in page.runner.calls)
