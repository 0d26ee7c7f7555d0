"""Run the benchmarks and write docs/performance.md with its figure.

python -m benchmarks [full]   full: also 58,000 windows and 2 GB of CSV, which takes 20 GB of disk
python -m benchmarks case NAME [KEY=VALUE ...]   one case, its figures as JSON
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

from benchmarks import cases

ALLOCATOR = {name: str(2**30) for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")}  # as rules/common.smk


def run(name: str, /, allocator: bool = True, **settings: object) -> dict[str, float]:
    """The figures of a case that runs in a process of its own, with its peak memory in MiB."""
    words = [f"{key}={value}" for key, value in settings.items()]
    environment = {key: value for key, value in os.environ.items() if key not in ALLOCATOR}
    command = [sys.executable, "-m", "benchmarks", "case", name, *words]
    print(name, *words, file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment | (ALLOCATOR if allocator else {}), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    figures = json.loads(done.stdout.splitlines()[-1])
    print("   ", figures, file=sys.stderr, flush=True)
    return figures


def case(name: str, words: list[str]) -> None:
    """Run one case here."""
    settings = {key: int(value) if value.isdigit() else value for key, value in (word.split("=") for word in words)}
    figures = getattr(cases, name)(**settings)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    figures["peak MiB"] = max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children) / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["case"]:
        case(sys.argv[2], sys.argv[3:])
    else:
        from benchmarks.report import write_report

        write_report(run, full=sys.argv[1:2] == ["full"])
