"""The log of a job: messages of the package, warnings and uncaught exceptions are written to the rule's log file."""

from __future__ import annotations

import logging
import os
import pdb
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lifelog.tables import damage

logger = logging.getLogger("lifelog")


@contextmanager
def job_log(path: str | Path, inputs: Iterable[str] = ()) -> Iterator[logging.Logger]:
    """Write the log of a job to `path`, including the traceback of an exception.

    The exception is also printed to standard error, which Snakemake shows, with the names of damaged input files, which
    may be its cause. If the environment variable LIFELOG_DEBUG is set, the debugger pdb starts at the first line of the
    block, and again at an exception (CONTRIBUTING.md).
    """
    debug = bool(os.environ.get("LIFELOG_DEBUG"))
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    if debug:
        pdb.Pdb().set_trace(sys._getframe(2))  # the script, above this function and contextlib
    try:
        yield logger
    except Exception as error:
        logger.exception("job failed")
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        for file in inputs:
            if why := damage(file):
                message = f"{file} is damaged ({why}); delete it and rebuild it: snakemake --cores 1 {file}"
                logger.error(message)
                print(message, file=sys.stderr)
        if debug:
            pdb.post_mortem(error.__traceback__)
        raise
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()
