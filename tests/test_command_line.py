"""Faults of a command line of Snakemake: one line with the remedy instead of a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from snakemake_logger_plugin_lifelog.command_line import command_line_fault


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("cohort: {root: /data}\n")
    (tmp_path / "quick.yml").write_text("{}\n")
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        "--cores 2",
        "--cores 2 --configfile study.yaml",
        "--configfile study.yaml quick.yml -- inspect",
        "--configfile=study.yaml inspect",
        "--config seed=1 report.title=x --cores 2 inspect",
        "-- results/report.html",
    ],
)
def test_a_right_command_line_has_no_fault(line: str, folder: Path) -> None:
    assert command_line_fault(line.split()) is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("--configfile study.yaml inspect", "'inspect' belongs to the option before it: write --"),
        ("--config seed=1 inspect", "snakemake --config seed=1 -- inspect"),
        ("--configfile studi.yaml", "there is no configuration file studi.yaml: did you mean study.yaml?"),
        ("--configfile=other.json -- inspect", "there is no configuration file other.json"),
        ("--configfile missing/a.yaml", "this folder is"),
    ],
)
def test_missing_files_and_a_forgotten_separator_are_named(line: str, fault: str, folder: Path) -> None:
    assert fault in str(command_line_fault(line.split()))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"cohort:\n\troot: x\n", "study.yaml, line 2: a tab"),
        (b'cohort: {root: "C:\\Users\\me"}\n', "study.yaml, line 1: a backslash in double quotes"),
        (b'cohort:\n  root: "D:\\data"\n', "study.yaml, line 2: a backslash in double quotes"),
        (b"a: [1\nb: 2\n", "study.yaml, line 2: not YAML"),
        (b"k: caf\xe9\n", "study.yaml: not UTF-8 text"),
    ],
)
def test_faults_of_yaml_are_named_with_their_line(text: bytes, fault: str, folder: Path) -> None:
    (folder / "study.yaml").write_bytes(text)
    assert fault in str(command_line_fault(["--configfile", "study.yaml"]))


def test_snakemake_ends_before_it_reads_its_arguments(folder: Path) -> None:
    snakemake = Path(sys.executable).with_name("snakemake")
    run = subprocess.run([snakemake, "--configfile", "nope.yaml"], capture_output=True, text=True)
    assert run.returncode == 1 and "Traceback" not in run.stderr and "File" not in run.stderr
    assert "Error: there is no configuration file nope.yaml" in run.stderr
