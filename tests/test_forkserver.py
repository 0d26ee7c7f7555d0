"""Processes of scripts: they are forked from one that keeps what their predecessors imported."""

from __future__ import annotations

import ast
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from lifelog.forkserver import ForkServer
from tests.workflow import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts are forked on Linux only")


class Scripts:
    """Scripts of a temporary folder, run by one server."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.server = folder, ForkServer()

    def __call__(self, text: str, environment: dict[str, str] | None = None, threads: int = 1) -> int:
        script = self.folder / "script.py"
        script.write_text(text)
        return self.server.run(script, environment or {}, threads, nullcontext)

    def printed(self, expression: str, imports: str = "import os, sys", **options: object) -> str:
        """Return what a script finds."""
        result = self.folder / "result.txt"
        code = self(
            f"{imports}\nwith open({str(result)!r}, 'w') as file:\n    print({expression}, file=file)", **options
        )
        assert code == 0
        return result.read_text().strip()


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("raise ValueError('a traceback in standard error')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("syntax error", 1),
        ("import no_such_package", 1),
    ],
)
def test_exit_code(scripts: Scripts, text: str, code: int) -> None:
    assert scripts(text) == code


def test_output_is_that_of_the_parent(scripts: Scripts, capfd: pytest.CaptureFixture[str]) -> None:
    scripts("import sys; print('printed'); print('an error', file=sys.stderr)")
    assert capfd.readouterr() == ("printed\n", "an error\n")


def test_process_is_like_that_of_a_command(scripts: Scripts, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    assert scripts.printed("__name__, __file__, sys.argv") == f"__main__ {script} {[str(script)]}"
    assert scripts.printed("open('/proc/self/comm').read().strip()") == "script"
    assert scripts.printed("os.getcwd()") == str(Path.cwd())
    assert scripts.printed("os.environ['TMPDIR']", environment={"TMPDIR": "/elsewhere"}) == "/elsewhere"


def test_what_a_script_imports_is_imported_before_the_next(scripts: Scripts) -> None:
    assert scripts.printed("'colorsys' in sys.modules") == "False"
    scripts("def later():\n    import colorsys\nlater()")
    assert scripts.printed("'colorsys' in sys.modules") == "True"


def test_state_of_a_script_ends_with_it(scripts: Scripts) -> None:
    scripts("import json; json.changed = True; import os; os.environ['CHANGED'] = 'yes'")
    assert scripts.printed("hasattr(json, 'changed'), 'CHANGED' in os.environ", "import json, os") == "False False"


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(scripts: Scripts, threads: int) -> None:
    """Of libraries that the server has imported, and of those that the script imports later."""
    expression = "len(pools), {pool['num_threads'] for pool in pools}"
    imports = "import numpy, threadpoolctl\nif True:\n    import sklearn\npools = threadpoolctl.threadpool_info()"
    assert scripts.printed(expression, imports, threads=threads) == f"3 {{{threads}}}"


def test_process_is_watched_while_the_script_runs(tmp_path: Path) -> None:
    script, events = tmp_path / "script.py", []
    script.write_text("import time; time.sleep(.2)")

    @contextmanager
    def watch(process: int) -> Iterator[None]:
        events.append(Path(f"/proc/{process}").exists())
        yield
        events.append(Path(f"/proc/{process}").exists())

    assert ForkServer().run(script, {}, 1, watch) == 0
    assert events == [True, False]


def test_killed_server(scripts: Scripts) -> None:
    scripts("")
    server = scripts.server._server
    assert server is not None
    os.kill(server.pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (server.pid, signal.SIGKILL)).start()
    with pytest.raises(RuntimeError, match=r"was killed before it started .*script\.py"):
        scripts("")
    assert scripts("") == 0  # by another server


def test_server_ends_with_its_parent(scripts: Scripts, tmp_path: Path) -> None:
    first = "from lifelog.forkserver import ForkServer; from contextlib import nullcontext; from pathlib import Path"
    empty, pid = tmp_path / "empty.py", tmp_path / "pid"
    empty.write_text("")
    run = f"server = ForkServer(); server.run(Path({str(empty)!r}), {{}}, 1, nullcontext)"
    assert scripts(f"{first}\n{run}\nPath({str(pid)!r}).write_text(str(server._server.pid))") == 0
    for _ in range(100):
        if not Path(f"/proc/{pid.read_text()}").exists():
            return
        time.sleep(0.05)
    raise AssertionError("the server still runs")


def test_server_has_no_threads_after_the_imports_of_all_scripts(scripts: Scripts) -> None:
    """A thread of the server would not exist in the forked processes, and what it has locked would stay locked."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow_scripts").glob("*.py"))]
    imports = [node for text in texts for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert scripts("\n".join(map(ast.unparse, imports))) == 0
    server = scripts.server._server
    assert server is not None
    assert scripts.printed("'torch' in sys.modules and 'seaborn' in sys.modules") == "True"
    assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1
