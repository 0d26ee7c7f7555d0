"""Scripts of jobs run in processes that are forked from one that has already imported their packages.

Starting Python and importing pandas or torch takes longer than most jobs. One process per call of Snakemake, the
server, imports what the scripts import, and forks twice per script: a monitor, which waits and reports the exit code,
and the process of the script itself. What a script imported while it ran, the server imports before the next one. Only
Linux: on macOS, libraries of the system do not work in forked processes.
"""

import ast
import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

LARGEST = 2**16  # bytes of a message
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Threads of a library that exist before a fork do not exist after it, so that the server must not start any.
NO_THREADS = dict.fromkeys(THREADS, "1") | {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # of pyarrow


class ForkServer:
    """The side of Snakemake: it starts the server with the first script, and again if it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None  # kept, since its deletion would warn that it runs
        self._requests: socket.socket | None = None

    def run(
        self,
        script: Path,
        environment: dict[str, str],
        threads: int,
        watch: Callable[[int], AbstractContextManager[object]],
    ) -> int:
        """Run a script, and return its exit code: negative if a signal ended it, as in `subprocess`.

        Parameters
        ----------
        script : Path
            Python file.
        environment : dict of str to str
            Variables of the script, beside those of this process when it started the server.
        threads : int
            Threads that its libraries use.
        watch : callable
            Context manager of the process id of the script, which is open while the script runs.

        Raises
        ------
        RuntimeError
            If the server was killed before it started the script.
        """
        answers, theirs = os.pipe()
        request = json.dumps({"script": str(script), "environment": environment, "threads": threads}).encode()
        with os.fdopen(answers) as lines:
            try:
                self._send(request, theirs)
            finally:
                os.close(theirs)
            process = lines.readline()
            if not process:
                cause = "perhaps memory was short: use fewer --cores"
                raise RuntimeError(
                    f"the process that starts the scripts was killed before it started {script}; {cause}"
                )
            with watch(int(process)):
                return int(lines.readline() or -signal.SIGKILL)  # without an answer, the monitor was killed

    def _send(self, request: bytes, answers: int) -> None:
        """Send a request, to a new server if there is none."""
        with self._lock:
            if self._requests:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the server was killed
                    socket.send_fds(self._requests, [request], [answers])
                    return
            # The server ends when this end is closed, also by the end of this process.
            self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                # Without the working directory as a place of modules (-P), as for a script.
                command = [sys.executable, "-P", "-m", __name__, str(theirs.fileno())]
                self._server = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=os.environ | NO_THREADS)
            socket.send_fds(self._requests, [request], [answers])


def serve(requests: socket.socket) -> str:
    """Fork for each request, and return the path of the script in the process that has to run it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the scripts, and then Snakemake ends the server
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a monitor
    imported, reports = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    while True:
        message, answers, *_ = socket.recv_fds(requests, LARGEST, 1)
        if not message:
            sys.exit()
        request = json.loads(message)
        import_modules(imported_modules(Path(request["script"])))
        with contextlib.suppress(BlockingIOError):
            while names := imported.recv(LARGEST, socket.MSG_DONTWAIT).decode():
                import_modules(names.split())
        gc.freeze()  # a collection in a script does not copy the memory that it shares with the server
        if os.fork() == 0:
            requests.close()
            imported.close()
            if monitor(answers[0]):
                prepare(**request)
                atexit.register(report_imports, reports, set(sys.modules))
                return str(request["script"])
        os.close(answers[0])


def imported_modules(script: Path) -> list[str]:
    """Return the modules that a script imports at its start; none of a faulty script, which reports that itself."""
    names = list[str]()
    with contextlib.suppress(OSError, ValueError, SyntaxError):
        for statement in ast.parse(script.read_bytes()).body:
            if isinstance(statement, ast.Import):
                names += [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom) and statement.module:
                names.append(statement.module)
    return names


def import_modules(names: list[str]) -> None:
    """Import modules; what fails here fails in the script, where it is reported."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def report_imports(reports: socket.socket, before: set[str]) -> None:
    """Send the names of the modules that this process has imported, in their order."""
    names = " ".join(name for name in sys.modules if name not in before)
    if names:
        with contextlib.suppress(OSError):  # too long a message, or the server has ended
            reports.send(names.encode(), socket.MSG_DONTWAIT)


def monitor(answers: int) -> bool:
    """Fork the process of the script, where the result is true, and report its process id and its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(answers)
        return True
    with contextlib.suppress(BrokenPipeError):  # Snakemake was killed; the script ends by itself
        os.write(answers, f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def prepare(script: str, environment: dict[str, str], threads: int) -> None:
    """Set up the process of a script as if it had been started with its environment."""
    Path("/proc/self/comm").write_text(Path(script).stem.rpartition(".")[2])  # its name in top; the first 15 bytes
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(environment | dict.fromkeys(THREADS, str(threads)))  # of libraries that are imported later
    if threads > 1:
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)


if __name__ == "__main__":
    sys.argv = [serve(socket.socket(fileno=int(sys.argv[1])))]
    runpy.run_path(sys.argv[0], run_name="__main__")
