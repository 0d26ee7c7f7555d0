"""Progress of a workflow run: the running stages, their finished jobs and the estimated time left.

A logger plugin of Snakemake (`logger: lifelog` in profiles/default). On a terminal it shows one progress bar for the
whole workflow and one per running stage; otherwise it prints one line per finished job. All other messages, including
errors, are printed unchanged. Snakemake's complete log is in .snakemake/log. Faults of the command line that Snakemake
answers with a traceback are named in one line.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import timedelta
from logging import LogRecord
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_lifelog.command_line import command_line_fault

JOB_EVENTS = (LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS, LogEvent.GROUP_INFO)
SUPPRESSED_MESSAGES = ("Select jobs to execute...",)
MAX_NAMES = 3  # number of running jobs named beside the bar of their stage
NO_RULE = "`snakemake --list-target-rules` lists the names that can be requested, docs/files.md the files."
WORKFLOW = "workflow"  # label of the bar of all jobs

if Path(sys.argv[0]).name == "snakemake" and (fault := command_line_fault(sys.argv[1:])):
    sys.exit(f"Error: {fault}")


class RunningJob(NamedTuple):
    """A job that has started; its name consists of its wildcards, `started` is a monotonic time in seconds."""

    stage: str
    name: str
    started: float


class Tally:
    """Number of planned, finished and running jobs per stage (rule), and the estimated time left."""

    def __init__(self, planned: dict[str, int]) -> None:
        self.planned = {stage: int(count) for stage, count in planned.items() if stage not in ("all", "total")}
        self.done: Counter[str] = Counter()
        self.running: dict[int, RunningJob] = {}  # by job id
        self.seconds: dict[str, float] = dict.fromkeys(self.planned, 0.0)  # total duration of the finished jobs
        self.started = time.monotonic()

    def start(self, job_id: int, stage: str, name: str) -> None:
        """Register a job as running. Jobs of stages that are not planned are ignored."""
        if stage in self.planned:
            self.running[job_id] = RunningJob(stage, name, time.monotonic())

    def finish(self, job_id: int) -> RunningJob | None:
        """Register a running job as finished and return it; None if it is not registered."""
        job = self.running.pop(job_id, None)
        if job:
            self.done[job.stage] += 1
            self.seconds[job.stage] += time.monotonic() - job.started
        return job

    def fail(self, job_id: int | None) -> None:
        """Remove a job from the running jobs."""
        if job_id is not None:
            self.running.pop(job_id, None)

    @property
    def has_jobs(self) -> bool:
        """Whether any job has been registered as running or finished."""
        return bool(self.running or self.done)

    @property
    def counts(self) -> tuple[int, int]:
        """Number of finished and of planned jobs."""
        return self.done.total(), sum(self.planned.values())

    def time_left(self) -> str:
        """Return the estimated time left.

        A job is assumed to take the mean duration of the finished jobs of its stage, or of all finished jobs if its
        stage has none. The number of jobs that run in parallel is assumed to stay the same.
        """
        busy, elapsed = sum(self.seconds.values()), time.monotonic() - self.started
        if not self.done or busy == 0:
            return "time left unknown"
        overall = busy / self.done.total()
        mean = {
            stage: self.seconds[stage] / self.done[stage] if self.done[stage] else overall for stage in self.planned
        }
        work = sum(mean[stage] * (count - self.done[stage]) for stage, count in self.planned.items())
        return f"about {timedelta(seconds=round(work * elapsed / busy))} left"


class LogHandler(LogHandlerBase):
    """Print Snakemake's messages, with those about single jobs replaced by the progress of the workflow."""

    writes_to_stream = True
    writes_to_file = has_filter = has_formatter = needs_rulegraph = False
    tally: Tally | None = None

    def __post_init__(self) -> None:
        self.stream: TextIO = sys.stdout if self.common_settings.stdout else sys.stderr
        interactive = self.stream.isatty() and not self.common_settings.dryrun
        console = Console(file=self.stream, no_color=self.common_settings.nocolor)
        self.bars: ProgressBars | None = ProgressBars(console) if interactive else None

    def emit(self, record: LogRecord) -> None:
        """Print a record or update the progress."""
        try:
            self._emit(record)
        except Exception:  # an error of the display must not stop the workflow
            self.handleError(record)

    def _emit(self, record: LogRecord) -> None:
        event, fields = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO and not self.common_settings.dryrun:
            self.tally = Tally(fields["stats"])
        if self.tally is None:
            self._print(self.format(record))
            return
        if event in JOB_EVENTS or record.msg in SUPPRESSED_MESSAGES:
            self._update(self.tally, event, fields, record)
        else:
            self._print(self.format(record))
        if event == LogEvent.JOB_ERROR:
            self.tally.fail(fields.get("jobid"))
        if self.bars:
            self.bars.show(self.tally)

    def _update(self, tally: Tally, event: LogEvent | None, fields: dict[str, Any], record: LogRecord) -> None:
        """Update the progress from the event of a job."""
        if event == LogEvent.JOB_INFO:
            wildcards = fields.get("wildcards") or {}
            tally.start(fields["jobid"], fields["rule_name"], "/".join(str(value) for value in wildcards.values()))
        elif event == LogEvent.JOB_FINISHED:
            job = tally.finish(fields["job_id"])
            if job and not self.bars:
                self._print(_progress_line(tally, job))
        elif event == LogEvent.PROGRESS and not tally.has_jobs:  # with --quiet rules, there are no events of jobs
            self._print(self.format(record))

    def _print(self, text: str | None) -> None:
        if not text or text == "None":
            return
        if "MissingRuleException" in text:
            text = f"{text}\n{NO_RULE}"
        if self.bars:
            self.bars.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        """Remove the progress bars."""
        if self.bars:
            self.bars.progress.stop()
        super().close()


def _progress_line(tally: Tally, job: RunningJob) -> str:
    """Return the line that is printed when a job has finished."""
    done, planned = tally.counts
    stage = f"{job.stage} {tally.done[job.stage]} of {tally.planned[job.stage]}"
    name = f" ({job.name})" if job.name else ""
    return f"{time.strftime('%H:%M:%S')} {done} of {planned} done, {tally.time_left()}; {stage}{name}"


class ProgressBars:
    """A progress bar for the whole workflow and one per running stage."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[text]}")
        self.progress = Progress(*columns, console=console, transient=True, refresh_per_second=2)
        self.bars: dict[str, TaskID] = {}

    def show(self, tally: Tally) -> None:
        """Show the present state of the jobs."""
        done, planned = tally.counts
        if done == planned:
            self.progress.stop()
            return
        self.progress.start()
        self._show_bar(WORKFLOW, done, planned, tally.time_left())
        names_by_stage: dict[str, list[str]] = {}
        for job in tally.running.values():
            names_by_stage.setdefault(job.stage, []).append(job.name)
        for stage in [bar for bar in self.bars if bar != WORKFLOW and bar not in names_by_stage]:
            self.progress.remove_task(self.bars.pop(stage))
        for stage, names in names_by_stage.items():
            more = ", …" if len(names) > MAX_NAMES else ""
            self._show_bar(stage, tally.done[stage], tally.planned[stage], ", ".join(names[:MAX_NAMES]) + more)

    def _show_bar(self, label: str, done: int, planned: int, text: str) -> None:
        if label not in self.bars:
            self.bars[label] = self.progress.add_task(label, total=planned, text=text)
        self.progress.update(self.bars[label], completed=done, total=planned, text=text)
