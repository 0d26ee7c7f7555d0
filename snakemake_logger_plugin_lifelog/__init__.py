"""What a person sees while the workflow runs: which stage, how many of its jobs are done, about how long it takes yet.

A logger plugin of Snakemake (`logger: lifelog` in profiles/default). On a terminal: a bar for the run and one for every
stage at work. Elsewhere: a line a finished job. Everything else, errors among it, is said as Snakemake itself says it;
its complete log stays in .snakemake/log.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import timedelta
from logging import LogRecord
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

JOBS = (LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS, LogEvent.GROUP_INFO)
CHATTER = ("Select jobs to execute...",)
SHOWN = 3  # names of jobs at work, beside their stage


class Tally:
    """Jobs by stage (rule): planned, done and at work; and from how long they took, what is left."""

    def __init__(self, planned: dict[str, int]) -> None:
        self.planned = {name: int(count) for name, count in planned.items() if name not in ("all", "total")}
        self.done: Counter[str] = Counter()
        self.running: dict[int, tuple[str, str, float]] = {}  # by job: stage, what it is about, when it began
        self.seconds: Counter[str] = Counter()
        self.began = time.monotonic()

    def start(self, job: int, stage: str, about: str) -> None:
        if stage in self.planned:
            self.running[job] = (stage, about, time.monotonic())

    def finish(self, job: int) -> tuple[str, str] | None:
        """Stage of a job that is done, and what it was about; None of one that does not count."""
        stage, about, began = self.running.pop(job, (None, "", 0.0))
        if stage is None:
            return None
        self.done[stage] += 1
        self.seconds[stage] += time.monotonic() - began
        return stage, about

    @property
    def known(self) -> bool:
        """Whether it was told of any job."""
        return bool(self.running or self.done)

    @property
    def counts(self) -> tuple[int, int]:
        return self.done.total(), sum(self.planned.values())

    def left(self) -> str:
        """About how long the rest takes: jobs as long as those of their stage so far, as many at once as so far."""
        busy, elapsed = self.seconds.total(), time.monotonic() - self.began
        if not self.done or busy == 0:
            return "time left unknown"
        usual = busy / self.done.total()
        each = {name: self.seconds[name] / self.done[name] if self.done[name] else usual for name in self.planned}
        work = sum(each[name] * (count - self.done[name]) for name, count in self.planned.items())
        return f"about {timedelta(seconds=round(work * elapsed / busy))} left"


class LogHandler(LogHandlerBase):
    """Snakemake's own messages, with its talk of single jobs made into progress."""

    writes_to_stream = True
    writes_to_file = has_filter = has_formatter = needs_rulegraph = False
    tally: Tally | None = None

    def __post_init__(self) -> None:
        self.stream: TextIO = sys.stdout if self.common_settings.stdout else sys.stderr
        terminal = self.stream.isatty() and not self.common_settings.dryrun
        self.bars = Bars(Console(file=self.stream, no_color=self.common_settings.nocolor)) if terminal else None

    def emit(self, record: LogRecord) -> None:
        try:
            self._emit(record)
        except Exception:  # a picture of the work must not stop the work
            self.handleError(record)

    def _emit(self, record: LogRecord) -> None:
        event, about = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO and not self.common_settings.dryrun:
            self.tally = Tally(about["stats"])
        if not self.tally or (event not in JOBS and record.msg not in CHATTER):
            self._say(self.format(record))
        elif event == LogEvent.JOB_INFO:
            names = [str(value) for value in (about.get("wildcards") or {}).values()]
            self.tally.start(about["jobid"], about["rule_name"], "/".join(names))
        elif event == LogEvent.JOB_FINISHED:
            self._finished(about)
        elif event == LogEvent.PROGRESS and not self.tally.known:  # told of no job: --quiet rules
            self._say(self.format(record))
        if self.tally and event == LogEvent.JOB_ERROR:
            self.tally.running.pop(about.get("jobid"), None)
        if self.bars and self.tally:
            self.bars.show(self.tally)

    def _finished(self, about: dict[str, Any]) -> None:
        found = self.tally.finish(about["job_id"])
        if found and not self.bars:
            (stage, name), (done, planned) = found, self.tally.counts
            of_stage = f"{stage} {self.tally.done[stage]} of {self.tally.planned[stage]}"
            what = f" ({name})" if name else ""
            self._say(f"{time.strftime('%H:%M:%S')} {done} of {planned} done, {self.tally.left()}; {of_stage}{what}")

    def _say(self, text: str | None) -> None:
        if not text or text == "None":
            return
        if self.bars:
            self.bars.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        if self.bars:
            self.bars.progress.stop()
        super().close()


class Bars:
    """The run, and below it every stage that is at work."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[says]}")
        self.progress = Progress(*columns, console=console, transient=True, refresh_per_second=2)
        self.rows: dict[str, TaskID] = {}

    def show(self, tally: Tally) -> None:
        done, planned = tally.counts
        if done == planned:
            self.progress.stop()
            return
        self.progress.start()
        self._row("the run", done, planned, tally.left())
        working: dict[str, list[str]] = {}
        for stage, about, _ in tally.running.values():
            working.setdefault(stage, []).append(about)
        for stage in [stage for stage in self.rows if stage != "the run" and stage not in working]:
            self.progress.remove_task(self.rows.pop(stage))
        for stage, names in working.items():
            more = ", …" if len(names) > SHOWN else ""
            self._row(stage, tally.done[stage], tally.planned[stage], ", ".join(names[:SHOWN]) + more)

    def _row(self, name: str, done: int, planned: int, says: str) -> None:
        if name not in self.rows:
            self.rows[name] = self.progress.add_task(name, total=planned, says=says)
        self.progress.update(self.rows[name], completed=done, total=planned, says=says)
