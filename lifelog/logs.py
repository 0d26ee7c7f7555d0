"""A job: its messages, warnings and uncaught exceptions are written to the rule's log file, and its record is kept."""

import logging
import os
import pdb
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lifelog.records import write_record

logger = logging.getLogger("lifelog")


@contextmanager
def job_log(job: Any) -> Iterator[logging.Logger]:
    """Write the log of a job, including the traceback of an exception, and its record if it succeeds.

    The exception is also printed to standard error, which Snakemake shows. If the environment variable LIFELOG_DEBUG is
    set, the debugger pdb starts at the first line of the block, and again at an exception (CONTRIBUTING.md).

    Parameters
    ----------
    job : object
        The object `snakemake` of the script.
    """
    debug = bool(os.environ.get("LIFELOG_DEBUG"))
    handler = logging.FileHandler(job.log[0], mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    if debug:
        pdb.Pdb().set_trace(sys._getframe(2))  # the script, above this function and contextlib
    try:
        yield logger
        # In a workflow that uses this one as a module, `job.config` is that of the other workflow.
        results, wildcards = str(job.log[0]).rpartition("/logs/")[0] or ".", dict(job.wildcards.items())
        write_record(results, job.rule, wildcards, dict(job.params.items()), [*job.input], [*job.output])
    except Exception as error:
        logger.exception("job failed")
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        if debug:
            pdb.post_mortem(error.__traceback__)
        raise
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()
