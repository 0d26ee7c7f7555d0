"""The log of a job: what the library says, warnings and an uncaught exception all reach the rule's log file."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lifelog.tables import damage

logger = logging.getLogger("lifelog")


@contextmanager
def job_log(path: str | Path, inputs: Iterable[str] = ()) -> Iterator[logging.Logger]:
    """Send the package's log to `path` for the length of a job, an exception with its traceback included.

    The last line of the exception also goes to standard error, where Snakemake shows it; so does the name of an input
    that is damaged, which no job can know to be the cause of its failing.
    """
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    if not gc.isenabled():  # see lifelog/__init__.py; what is loaded by now stays to the end
        gc.freeze()
        gc.enable()
    try:
        yield logger
    except Exception as error:
        logger.exception("the job failed")
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        for file in inputs:
            if why := damage(file):
                says = f"{file} is damaged ({why}); delete it and ask for it by its name: snakemake --cores 1 {file}"
                logger.error(says)
                print(says, file=sys.stderr)
        raise
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()
