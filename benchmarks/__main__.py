"""Run the benchmarks and write docs/performance.md, or run a single case."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import BadSetting, describe_cases, run_case
from lifelog.registry import UnknownName

ROOT = Path(__file__).parents[1]
ALLOCATOR = {name: str(2**30) for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")}  # as rules/common.smk

DESCRIPTION = """\
Measure time and memory of lifelog against a plain reference implementation (benchmarks/plain.py,
benchmarks/plain_training.py). Every case runs in its own process; its figures are also printed to stderr.

Without a command, all cases run and docs/performance.md, .svg and .csv are written, which takes
tens of minutes on two cores. Nothing else should run on the machine. The table of the default
run is read from results/benchmarks, if `snakemake` has been run before.
"""


def run(name: str, /, keep_memory: bool = True, **settings: object) -> dict[str, float]:
    """Run a case in its own process, and return its figures.

    With `keep_memory`, glibc keeps freed memory, as in the jobs of the workflow.
    """
    words = [f"{key}={value}" for key, value in settings.items()]
    environment = {key: value for key, value in os.environ.items() if key not in ALLOCATOR}
    environment |= ALLOCATOR if keep_memory else {}
    command = [sys.executable, "-m", "benchmarks", "case", name, *words]
    print(name, *words, file=sys.stderr, flush=True)
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        sys.exit(result.stderr)
    figures: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    print("   ", figures, file=sys.stderr, flush=True)
    return figures


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", title="commands", metavar="{full,gpu,case}")
    commands.add_parser(
        "full", help="also measure 58,000 windows and 2 GB of CSV files; needs 20 GB of disk for temporary files"
    )
    commands.add_parser("gpu", help="only measure training on the GPU of this machine, and print the section")
    case = commands.add_parser(
        "case",
        help="run one case in this process and print its figures as JSON, for example: case step way=lifelog batch=8",
    )
    case.add_argument("name", metavar="NAME", nargs="?", help="name of the case; without it, all cases are listed")
    case.add_argument("settings", metavar="KEY=VALUE", nargs="*", help="settings of the case")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command != "case":
        from benchmarks.report import DOCS, gpu_name, gpu_section, write_report  # imports matplotlib and torch

        if options.command == "gpu":
            print("\n".join(gpu_section(run, gpu_name())))
            return
        write_report(run, DOCS, full=options.command == "full", gpu=gpu_name())
    elif options.name is None:
        print(describe_cases())
    else:
        try:
            print(json.dumps(run_case(options.name, options.settings)))
        except (UnknownName, BadSetting) as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
