"""What is seen while the workflow runs: bars on a terminal, lines in a log, and nothing of Snakemake's errors lost."""

import io
import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_lifelog import LogHandler, Tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def handler(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, dryrun: bool = False) -> LogHandler:
    monkeypatch.setattr("sys.stderr", stream)
    made = LogHandler(SimpleNamespace(stdout=False, nocolor=True, dryrun=dryrun), None)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def say(to: LogHandler, message: str = "", **about: object) -> None:
    to.handle(logging.makeLogRecord({"msg": message, "levelno": logging.INFO, **about}))


def run(to: LogHandler) -> None:
    """Three people; two are done, the third fails."""
    say(to, "Job stats", event=LogEvent.RUN_INFO, stats={"train_mil": 3, "all": 1, "total": 4})
    say(to, "Select jobs to execute...")
    for job, user in enumerate(("101", "102", "103")):
        wildcards = {"target": "tension", "user": user}
        say(to, "", event=LogEvent.JOB_INFO, jobid=job, rule_name="train_mil", wildcards=wildcards)
    for job in (0, 1):
        say(to, f"Finished jobid: {job}", event=LogEvent.JOB_FINISHED, job_id=job)
    say(to, "Error in rule train_mil: [all] of it", event=LogEvent.JOB_ERROR, jobid=2)


def test_a_log_has_a_line_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    run(handler(stream, monkeypatch))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Job stats" and lines[-1] == "Error in rule train_mil: [all] of it" and len(lines) == 4
    assert "1 of 3 done" in lines[1] and lines[1].endswith("train_mil 1 of 3 (tension/101)")
    assert "2 of 3 done" in lines[2] and "left" in lines[2]


def test_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    shown = handler(stream, monkeypatch)
    run(shown)
    wildcards = {"target": "tension", "user": "103"}
    say(shown, "", event=LogEvent.JOB_INFO, jobid=2, rule_name="train_mil", wildcards=wildcards)  # it is tried again
    shown.bars.progress.refresh()
    shown.close()
    said = stream.getvalue()
    assert "the run" in said and "train_mil" in said and "2/3" in said and "tension/103" in said
    assert "Error in rule train_mil: [all] of it" in said and "Select jobs" not in said


def test_a_job_that_failed_is_not_at_work_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = handler(io.StringIO(), monkeypatch)
    run(shown)
    assert not shown.tally.running and shown.tally.counts == (2, 3)


def test_told_of_no_job_it_says_what_snakemake_says(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    shown = handler(stream, monkeypatch)
    say(shown, "Job stats", event=LogEvent.RUN_INFO, stats={"train_mil": 3})
    say(shown, "1 of 3 steps (33%) done", event=LogEvent.PROGRESS)
    assert "1 of 3 steps (33%) done" in stream.getvalue()


def test_a_dry_run_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    run(handler(stream, monkeypatch, dryrun=True))
    assert "done" not in stream.getvalue() and "Finished jobid: 1" in stream.getvalue()


def test_time_left_is_by_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs of 10 s one after the other, then one short one: eight more short ones take as long as they took."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    tally = Tally({"slow": 2, "quick": 9})
    assert tally.left() == "time left unknown"
    for job, (stage, seconds) in enumerate((("slow", 10), ("slow", 10), ("quick", 1))):
        tally.start(job, stage, "")
        clock[0] += seconds
        assert tally.finish(job) == (stage, "")
    assert tally.counts == (3, 11) and tally.left() == "about 0:00:08 left"
    assert tally.finish(99) is None
