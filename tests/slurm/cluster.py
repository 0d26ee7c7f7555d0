"""A real SLURM on this machine: a controller and two nodes, one of them with a GPU that is /dev/null.

It needs Debian's packages slurmctld, slurmd, slurm-client and munge, and root. Job steps read their configuration from
/etc/slurm, so the files are linked from there; a machine that has a cluster's configuration already is left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ETC, MUNGE = Path("/etc/slurm"), Path("/run/munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
NODES = {"c1": "", "g1": " Gres=gpu:1"}  # two, for jobs that wait for the GPU must not block the others
CONFIG = """
ClusterName=lifelog
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MailProg=/bin/true
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# Without control groups the memory of a job is asked for every second, and a job above its own is killed.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
MinJobAge=86400
KillWait=5
JobCompType=jobcomp/filetxt
JobCompLoc={root}/jobs.txt
{nodes}
PartitionName=cpu Nodes=c1 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=g1 MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no cluster can be started here; None if one can."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"SLURM is not installed: no {', '.join(lacking)}"
    if os.geteuid():
        return "a cluster is started as root"
    if (ETC / "slurm.conf").exists() and not (ETC / "slurm.conf").is_symlink():
        return f"{ETC} holds the configuration of another cluster"
    return None


class Cluster:
    """Two nodes that say they have four cores and 16 GB each, in the partitions `cpu` and `gpu`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def start(self) -> None:
        (self.root / "state").mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={6821 + i} CPUs=4 RealMemory=16000{gres}"
            for i, (name, gres) in enumerate(NODES.items())
        )
        files = {
            "slurm.conf": CONFIG.format(host=host, root=self.root, nodes=nodes),
            "gres.conf": "NodeName=g1 Name=gpu File=/dev/null\n",
        }
        ETC.mkdir(exist_ok=True)
        for name, text in files.items():
            (self.root / name).write_text(text)
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(self.root / name)
        MUNGE.mkdir(exist_ok=True)
        shutil.chown(MUNGE, "munge", "munge")
        MUNGE.chmod(0o755)
        run("setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "munged", "--force")
        run("slurmctld")
        for name in NODES:
            (self.root / name).mkdir()
            run("slurmd", "-N", name)
        wait_for(lambda: run("sinfo", "-hN", "-o", "%T").split() == ["idle"] * len(NODES), "the nodes are idle")

    def stop(self) -> None:
        subprocess.run(["scancel", "--user=root"], check=False)
        for path in (*(self.root / f"{name}.pid" for name in NODES), self.root / "slurmctld.pid", MUNGE / "munged.pid"):
            if path.exists():
                subprocess.run(["kill", path.read_text().strip()], check=False)
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)

    def running(self, rule: str) -> list[str]:
        """Numbers of the jobs of a rule that run now: the plugin writes the rule into the comment."""
        lines = run("squeue", "-h", "-t", "RUNNING", "-o", "%i %k").splitlines()
        return [line.split()[0] for line in lines if rule in line]

    def jobs(self) -> list[dict[str, str]]:
        """What SLURM knows of every job that was ever submitted."""
        text = run("scontrol", "-o", "show", "job")
        return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in text.splitlines() if line.startswith("JobId=")]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_for(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Ask again and again; AssertionError if it has not become true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited {seconds} s until {what}"
        time.sleep(0.2)
