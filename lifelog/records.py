"""Records beside the results: what each job was made from, so that results are never believed to be current unseen.

Snakemake records how it made a file only in the folder in which it ran. Results that were moved, copied, made in
another folder, replaced or touched (`--touch`) look current to it. Every job therefore writes a record below
`{results}/provenance/`: digests of its params (settings, code, fingerprint of recordings) and of its outputs. A record
is trusted without a check if it was written from this folder and its outputs were not touched since: then Snakemake
has the same information.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lifelog.files import read_json, write_text

FOLDER = "provenance"
MARK = Path(".snakemake/lifelog")  # names the folder in which Snakemake ran
UNRECORDED = ("logs", "benchmarks", FOLDER)


class Planned(NamedTuple):
    """The outputs and params that a job has under the present configuration."""

    outputs: list[str]
    params: Mapping[str, Any]


class Stale(NamedTuple):
    """An output that was not made by the present configuration, and why."""

    path: str
    reason: str


def write_record(
    results: str,
    rule: str,
    wildcards: Mapping[str, str],
    params: Mapping[str, Any],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> None:
    """Write the record of a finished job.

    Parameters
    ----------
    results : str
        Folder of the results.
    rule : str
        Name of the rule.
    wildcards, params : mapping
        Of the job, by name.
    inputs, outputs : sequence of str
        Files or folders of the job.
    """
    record = {
        "rule": rule,
        "wildcards": dict(wildcards),
        "folder": mark_folder(),
        "params": digests(params),
        "inputs": [os.path.relpath(path, results) for path in inputs],
        "outputs": {os.path.relpath(path, results): content_digest(Path(path)) for path in outputs},
    }
    name = "-".join(wildcards.values()) or rule
    write_text(json.dumps(record), Path(results, FOLDER, rule, f"{name}.json"))


def mark_folder() -> str:
    """Return the name of the folder in which Snakemake runs; it is lost with Snakemake's own records."""
    if not MARK.exists():
        MARK.parent.mkdir(exist_ok=True)
        MARK.write_text(secrets.token_hex(8))
    return MARK.read_text()


def digests(params: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of each param."""
    texts = {name: json.dumps(value, sort_keys=True, default=str) for name, value in params.items()}
    return {name: hashlib.blake2s(text.encode(), digest_size=8).hexdigest() for name, text in texts.items()}


def content_digest(path: Path) -> str:
    """Return a digest of the content of a file; of a folder, of the names and sizes of its files."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        text = "\n".join(f"{file.relative_to(path)} {file.stat().st_size}" for file in files)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def seal_records(results: str, since: float) -> None:
    """Complete the records of a run: times of outputs, which Snakemake sets, and the content of inputs.

    Parameters
    ----------
    results : str
        Folder of the results.
    since : float
        Start of the run in seconds since 1970.
    """
    records = dict(_read_records(results))
    contents = _contents(records)
    for path, record in records.items():
        if path.stat().st_mtime >= since:
            record["made_from"] = _inputs_digest(record, contents)
            record["times"] = {name: _time(Path(results, name)) for name in record["outputs"]}
            write_text(json.dumps(record), path)


def stale_outputs(
    results: str, plan: Callable[[str, Mapping[str, str]], Planned | None], is_output: Callable[[str], bool]
) -> Iterator[Stale]:
    """Yield the existing outputs that were not made by the present configuration, and that Snakemake does not know.

    Parameters
    ----------
    results : str
        Folder of the results.
    plan : callable
        Returns outputs and params of a job by rule and wildcards, None if there is no such job any more.
    is_output : callable
        Whether a file is an output of some rule.

    Yields
    ------
    Stale
        By output.
    """
    folder, records = mark_folder(), dict(_read_records(results))
    contents, recorded = _contents(records), set[str]()
    for path, record in records.items():
        recorded.update(record["outputs"])
        times = {name: _time(Path(results, name)) for name in record["outputs"]}
        existing = [name for name, time in times.items() if time]
        if not existing or (record["folder"] == folder and record.get("times") == times):
            continue
        planned = plan(record["rule"], record["wildcards"])
        if planned is None:
            continue
        reason = _difference(results, record, times, contents, digests(planned.params))
        if reason is None:
            record["times"] = times
            write_text(json.dumps(record), path)
            continue
        outputs = {os.path.relpath(name, results): name for name in planned.outputs}
        yield from (Stale(outputs[name], reason) for name in existing if name in outputs)
    for name in _files(results):
        unknown = name not in recorded and not any(str(parent) in recorded for parent in Path(name).parents)
        if unknown and is_output(whole := str(Path(results, name))):
            yield Stale(whole, "no record")


def _difference(
    results: str, record: dict[str, Any], times: Mapping[str, Any], contents: Mapping[str, str], params: dict[str, str]
) -> str | None:
    """Return what differs between a record and the present state, None if nothing does."""
    changed = [name for name in {**record["params"], **params} if record["params"].get(name) != params.get(name)]
    if changed:
        return "other " + ", ".join(changed)
    for name, digest in record["outputs"].items():
        same = record.get("times", {}).get(name) == times[name]
        if times[name] and not same and content_digest(Path(results, name)) != digest:
            return "other content"
    if record.get("made_from", made_from := _inputs_digest(record, contents)) != made_from:
        return "other inputs"
    return None


def _read_records(results: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every readable record with its path."""
    for path in sorted(Path(results, FOLDER).glob("*/*.json")):
        try:
            yield path, read_json(path)
        except ValueError:  # a damaged record is none
            continue


def _contents(records: Mapping[Path, dict[str, Any]]) -> dict[str, str]:
    """Return the digest of the content of every recorded output."""
    return {name: digest for record in records.values() for name, digest in record["outputs"].items()}


def _inputs_digest(record: dict[str, Any], contents: Mapping[str, str]) -> str:
    """Return a digest of the inputs that are outputs of other jobs."""
    text = "\n".join(f"{name} {contents[name]}" for name in sorted(record["inputs"]) if name in contents)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def _time(path: Path) -> list[int] | None:
    """Return size and time of a file, None if it does not exist."""
    try:
        state = path.stat()
    except OSError:
        return None
    return [state.st_size, state.st_mtime_ns]


def _files(results: str) -> Iterator[str]:
    """Yield the files of the results relative to their folder, without logs, benchmarks and records."""
    for folder, folders, files in os.walk(results):
        here = os.path.relpath(folder, results)
        if here == ".":
            folders[:] = [name for name in folders if name not in UNRECORDED]
        yield from (os.path.normpath(os.path.join(here, name)) for name in files if not name.startswith("."))  # noqa: PTH118
