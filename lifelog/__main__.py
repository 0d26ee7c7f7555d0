"""The command `lifelog look FOLDER`, which writes a configuration for a folder of recordings."""

import argparse
import sys
from pathlib import Path
from typing import Any

from lifelog.config import ConfigError, load_config
from lifelog.look.draft import draft, results_name
from lifelog.look.write import summary, to_yaml
from lifelog.settings.tables import time_zone
from lifelog.windows.check import check_recordings
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="lifelog", description="Which sensors matter for whom.")
    commands = parser.add_subparsers(dest="command", required=True)
    look = commands.add_parser("look", help="look at a folder of recordings and write a configuration")
    look.add_argument("folder", type=Path, help="folder of the recordings and answers of a study")
    look.add_argument("--for", dest="answer", metavar="NAME", help="part of the name of the answer to predict")
    look.add_argument("--timezone", metavar="ZONE", help="time zone of the participants, such as Europe/Berlin")
    look.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: the name of the folder, .yaml)")
    given = parser.parse_args(arguments)
    try:
        return _look(given.folder, given.answer, given.timezone, given.out)
    except (BadInput, OSError, ValueError) as problem:
        print(f"lifelog look: {problem}", file=sys.stderr)
        return 1


def _look(folder: Path, answer: str | None, zone: str | None, out: Path | None) -> int:
    if not folder.is_dir():
        raise BadInput("no folder", f"{folder}{' is a file: name its folder' if folder.exists() else ''}")
    out = out or Path(f"{results_name(folder)}.yaml")
    if out.exists():
        raise BadInput("file exists", f"{out}: name another one (--out FILE), or remove it")
    result = draft(folder, answer, time_zone(zone) if zone else None)
    for line in summary(result, folder):
        print(line)
    out.write_text(to_yaml(result), encoding="utf-8")
    print(f"{out} is written. No file shows:" if result.checks else f"{out} is written.")
    for check in result.checks.values():
        print(f"  # CHECK {' '.join(check.split())}")
    for problem in _problems(result.raw):
        print(f"  to mend: {problem}")
    print(f"Next: snakemake --cores 2 --configfile {out} -- inspect")
    return 0


def _problems(raw: dict[str, Any]) -> list[str]:
    """Return what `inspect` would report before its first job; without a time zone, what does not depend on it."""
    zone = raw["cohort"]["timezone"]
    try:
        config = load_config(raw if zone else raw | {"cohort": raw["cohort"] | {"timezone": "UTC"}})
        problems = check_recordings(config, find_users(config.cohort, config.simulation))
    except (BadInput, ConfigError) as error:
        problems = [str(error)]
    return problems if zone else [problem for problem in problems if "outside the recordings" not in problem]


if __name__ == "__main__":
    sys.exit(main())
