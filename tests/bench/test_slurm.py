"""The same grid through a real Slurm of one node, started here on ports of its own."""

import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest
from ports import free_ports

from tiny import chapter

from .conftest import wait_for

CONFIGURATION = """\
ClusterName=posebook
SlurmctldHost={host}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
NodeName={host} CPUs={cores} RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def stop(folder: Path) -> None:
    """End the daemons by the process numbers that they wrote."""
    processes = [psutil.Process(int(path.read_text())) for path in folder.glob("*.pid") if path.read_text().strip()]
    for process in processes:
        process.terminate()
    for process in psutil.wait_procs(processes, timeout=20)[1]:
        process.kill()


@pytest.fixture
def slurm(monkeypatch):
    """Environment in which sbatch, squeue … talk to a Slurm that lives as long as the test."""
    absent = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"needs Slurm on this machine (apt-get install slurm-wlm munge); absent: {', '.join(absent)}")
    if os.getuid() != 0:
        pytest.skip("needs root: slurmd starts the jobs of users")
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # short: sockets' paths are limited
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o400)
    facts = {"host": socket.gethostname().split(".")[0], "ports": free_ports(2), "folder": folder}
    facts |= {"user": getpass.getuser(), "cores": os.cpu_count()}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**facts))
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    files = {"socket": "munge.socket", "key-file": "munge.key", "log-file": "munged.log", "pid-file": "munged.pid"}
    files["seed-file"] = "munged.seed"
    try:
        subprocess.run(["munged", "--force", *(f"--{o}={folder / name}" for o, name in files.items())], check=True)
        for daemon in ("slurmctld", "slurmd"):
            subprocess.run([daemon, "-f", folder / "slurm.conf"], check=True)
        wait_for(lambda: subprocess.run(["sinfo", "-h", "-t", "idle"], capture_output=True).stdout, seconds=60)
        yield folder
    finally:
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_a_grid_through_slurm(clone, slurm):
    chapter(clone.root, "01")
    done = clone.call("bench", clone.grid("seeds: [0, 1]\nslurm: {walltime: '00:10:00'}"), "--cluster", "slurm")
    assert done.returncode == 0, done.stderr
    assert "Waiting for the first of 2 Slurm jobs" in done.stdout and "70.5" in done.stdout
    for seed in (0, 1):
        assert (clone.results / "smoke" / "procedural" / "01" / f"seed{seed}" / "run.json").is_file()
    assert list((clone.results / ".slurm").glob("dask-worker-*.err"))  # the workers were Slurm's
    assert "Allocate JobId=" in (slurm / "slurmctld.log").read_text()
    left = lambda: subprocess.run(["squeue", "-h", "-t", "R,PD"], capture_output=True).stdout  # noqa: E731
    wait_for(lambda: not left(), seconds=60)  # no job outlives the command


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("slurm: {colour: red}", "do not fit dask_jobqueue.SLURMCluster: .*colour"),
        ("slurm: {queue: nowhere}", "Slurm refuses the workers' job: .*invalid partition"),
        ("cores: 4000", "Slurm refuses the workers' job: "),
    ],
)
def test_a_job_that_slurm_would_not_take_is_one_message(clone, slurm, options, message):
    chapter(clone.root, "01")
    done = clone.call("bench", clone.grid(options), "--cluster", "slurm")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search(message, done.stderr), done.stderr
