# How Snakemake starts jobs. Both replacements are left out where a version of Snakemake has other methods.

import subprocess
import tempfile
import threading
from contextlib import nullcontext
from functools import partial

from snakemake.benchmark import benchmarked
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.script import PythonScript

from lifelog.forkserver import ForkServer


def look_again(scheduler, delay):
    """Have the scheduler look for jobs after some seconds, unless it will do so anyway."""
    pending = getattr(scheduler, "_pending_look", None)
    if pending is None or not pending.is_alive():
        scheduler._pending_look = threading.Timer(delay, scheduler._open_jobs.release)
        scheduler._pending_look.daemon = True
        scheduler._pending_look.start()


# Snakemake 9.27 starts such a timer with every look, so that each finished job adds one more look per second, at the
# sizes of all inputs of ready jobs; and it waits for the last timer before it ends.
if hasattr(JobScheduler, "_schedule_reevalutation"):
    JobScheduler._schedule_reevalutation = look_again


def in_forked_process(root, server, execute_in_new_process):
    """Method that runs a Python script of this workflow in a forked process, and any other one as Snakemake does."""

    def execute_script(script, name, edit=False):
        own = Path(script.path.get_path_or_uri(secret_free=True)).resolve().parent == root / "workflow_scripts"
        elsewhere = script.conda_env or script.container_img or script.env_modules or script.shadow_dir
        if not own or elsewhere or os.getenv("LIFELOG_DEBUG"):  # the debugger reads the terminal
            return execute_in_new_process(script, name, edit=edit)
        folder = script.resources.get("tmpdir") or tempfile.gettempdir()
        code = server.run(
            name,
            dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), folder),
            script.threads,
            partial(benchmarked, benchmark_record=script.bench_record) if script.bench_record else nullcontext,
        )
        if code:
            raise subprocess.CalledProcessError(code, f"{sys.executable} {name}")

    return execute_script


if sys.platform == "linux" and hasattr(PythonScript, "execute_script"):
    PythonScript.execute_script = in_forked_process(ROOT.resolve(), ForkServer(), PythonScript.execute_script)
