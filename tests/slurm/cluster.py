"""A real SLURM installation on this machine: a controller and two nodes, one of them with /dev/null as its GPU.

It requires root and the Debian packages slurmctld, slurmd, slurm-client and munge. Job steps read their configuration
from /etc/slurm, so the files are linked there. If /etc/slurm already contains the configuration of another cluster, no
cluster is started.
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
NODES = {"c1": "", "g1": " Gres=gpu:1"}  # two nodes, so that jobs waiting for the GPU do not block other jobs
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
# Without control groups, memory is sampled every second, and a job that exceeds its requested memory is killed.
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


def obstacle() -> str | None:
    """Return why no cluster can be started on this machine, or None."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"SLURM is not installed: {', '.join(missing)} not found"
    if os.geteuid():
        return "starting a cluster requires root"
    if (ETC / "slurm.conf").exists() and not (ETC / "slurm.conf").is_symlink():
        return f"{ETC} contains the configuration of another cluster"
    return None


class Cluster:
    """Two nodes in the partitions `cpu` and `gpu`, each configured with four cores and 16 GB."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def start(self) -> None:
        """Write the configuration, start the daemons and wait until the nodes are idle."""
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
        wait_for(lambda: run("sinfo", "-hN", "-o", "%T").split() == ["idle"] * len(NODES), "idle nodes")

    def stop(self) -> None:
        """Cancel all jobs, stop the daemons and remove the configuration."""
        subprocess.run(["scancel", "--user=root"], check=False)
        for path in (*(self.root / f"{name}.pid" for name in NODES), self.root / "slurmctld.pid", MUNGE / "munged.pid"):
            if path.exists():
                subprocess.run(["kill", path.read_text().strip()], check=False)
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)

    def running(self, rule: str) -> list[str]:
        """Return the ids of the running jobs of a rule, whose name is in the comment of a job."""
        lines = run("squeue", "-h", "-t", "RUNNING", "-o", "%i %k").splitlines()
        return [line.split()[0] for line in lines if rule in line]

    def jobs(self) -> list[dict[str, str]]:
        """Return the fields that SLURM reports for each submitted job."""
        text = run("scontrol", "-o", "show", "job")
        return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in text.splitlines() if line.startswith("JobId=")]


def run(*command: str) -> str:
    """Run a command and return its standard output. Raises AssertionError if it fails."""
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, f"{' '.join(command)}: {process.stdout}{process.stderr}"
    return process.stdout


def wait_for(condition: Callable[[], object], description: str, seconds: float = 60) -> None:
    """Wait until a condition is true. Raises AssertionError after a number of seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {description}"
        time.sleep(0.2)
