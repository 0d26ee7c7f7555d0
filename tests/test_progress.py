"""The logger plugin: progress bars on a terminal, lines in a log, and Snakemake's errors in both."""

import io
import logging
from types import SimpleNamespace
from typing import cast

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface

from snakemake_logger_plugin_lifelog import LogHandler, RunningJob, Tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def create_handler(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, dryrun: bool = False) -> LogHandler:
    monkeypatch.setattr("sys.stderr", stream)
    settings = cast(OutputSettingsLoggerInterface, SimpleNamespace(stdout=False, nocolor=True, dryrun=dryrun))
    handler = LogHandler(settings, None)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


def log(handler: LogHandler, message: str = "", **fields: object) -> None:
    handler.handle(logging.makeLogRecord({"msg": message, "levelno": logging.INFO, **fields}))


def start_job(handler: LogHandler, job_id: int, user: str) -> None:
    wildcards = {"target": "tension", "user": user}
    log(handler, event=LogEvent.JOB_INFO, jobid=job_id, rule_name="train_mil", wildcards=wildcards)


def run_three_jobs(handler: LogHandler) -> None:
    """Log a run of three jobs: two finish, the third fails."""
    log(handler, "Job stats", event=LogEvent.RUN_INFO, stats={"train_mil": 3, "all": 1, "total": 4})
    log(handler, "Select jobs to execute...")
    for job_id, user in enumerate(("101", "102", "103")):
        start_job(handler, job_id, user)
    for job_id in (0, 1):
        log(handler, f"Finished jobid: {job_id}", event=LogEvent.JOB_FINISHED, job_id=job_id)
    log(handler, "Error in rule train_mil: [all] of it", event=LogEvent.JOB_ERROR, jobid=2)


def test_log_has_one_line_per_finished_job(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    run_three_jobs(create_handler(stream, monkeypatch))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Job stats" and lines[-1] == "Error in rule train_mil: [all] of it" and len(lines) == 4
    assert "1 of 3 done" in lines[1] and lines[1].endswith("train_mil 1 of 3 (tension/101)")
    assert "2 of 3 done" in lines[2] and "left" in lines[2]


def test_terminal_shows_progress_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    handler = create_handler(stream, monkeypatch)
    run_three_jobs(handler)
    start_job(handler, 2, "103")  # the failed job is repeated
    assert handler.bars
    handler.bars.progress.refresh()
    handler.close()
    output = stream.getvalue()
    assert "workflow" in output and "train_mil" in output and "2/3" in output and "tension/103" in output
    assert "Error in rule train_mil: [all] of it" in output and "Select jobs" not in output


def test_failed_job_is_not_counted_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = create_handler(io.StringIO(), monkeypatch)
    run_three_jobs(handler)
    assert handler.tally and not handler.tally.running and handler.tally.counts == (2, 3)


def test_progress_of_snakemake_is_printed_without_events_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    handler = create_handler(stream, monkeypatch)
    log(handler, "Job stats", event=LogEvent.RUN_INFO, stats={"train_mil": 3})
    log(handler, "1 of 3 steps (33%) done", event=LogEvent.PROGRESS)
    assert "1 of 3 steps (33%) done" in stream.getvalue()


def test_dry_run_is_printed_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    run_three_jobs(create_handler(stream, monkeypatch, dryrun=True))
    assert "done" not in stream.getvalue() and "Finished jobid: 1" in stream.getvalue()


def test_time_left_uses_the_mean_duration_per_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two slow jobs of 10 s and one quick job of 1 s, eight quick jobs are left: 8 s."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    tally = Tally({"slow": 2, "quick": 9})
    assert tally.time_left() == "time left unknown"
    for job_id, (stage, seconds) in enumerate((("slow", 10), ("slow", 10), ("quick", 1))):
        tally.start(job_id, stage, "")
        started = clock[0]
        clock[0] += seconds
        assert tally.finish(job_id) == RunningJob(stage, "", started)
    assert tally.counts == (3, 11) and tally.time_left() == "about 0:00:08 left"
    assert tally.finish(99) is None
