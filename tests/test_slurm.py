"""An array of jobs on a real SLURM of one node, where SLURM is installed (Debian: slurm-wlm).

The script that starts Ray is not run here: at its end Ray stops every Ray of the machine.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import wait_until
from test_submit import free_ports
from test_templates import recorded, study_file, written

pytestmark = pytest.mark.slow

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "scontrol")
CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort={control}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=2048 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """A SLURM of one node, with everything that it writes in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "COLUMNS": "200"}

    def say(self, *words: object, cwd: Path | None = None) -> str:
        """Run one of SLURM's commands; returns what it says."""
        done = subprocess.run(
            list(map(str, words)), env=self.environment, cwd=cwd, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"SLURM is not installed (apt-get install slurm-wlm): no {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("only root can start a SLURM")
    folder = Path(tempfile.mkdtemp(prefix="slurm"))  # a path of sockets may not be long
    folder.chmod(0o755)  # munge refuses a socket that not everybody can reach
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(secrets.token_bytes(128))
    (folder / "key").chmod(0o400)
    control, node = free_ports(2)
    text = CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0],
        folder=folder,
        control=control,
        node=node,
        cores=min(2, os.cpu_count() or 1),
    )
    (folder / "slurm.conf").write_text(text)
    cluster = Slurm(folder)
    files = {name: f"--{name}-file={folder}/munge.{name}" for name in ("pid", "log", "seed")}
    key, munge_socket = f"--key-file={folder}/key", f"--socket={folder}/munge.sock"
    daemons = [
        ["munged", "--foreground", "--force", key, munge_socket, *files.values()],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    ]
    running = []
    try:
        for number, words in enumerate(daemons):
            with (folder / f"{words[0]}.out").open("w") as said:
                daemon = subprocess.Popen(
                    words, env=cluster.environment, stdout=said, stderr=said, start_new_session=True
                )
            running.append(daemon)
            if number == 0:
                wait_until((folder / "munge.sock").exists)
        wait_until(lambda: "idle" in cluster.say("sinfo", "--noheader", "--format=%T"))
        yield cluster
    finally:
        for daemon in reversed(running):
            daemon.terminate()
            daemon.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def test_an_array_of_jobs_runs_a_study_and_reports_it(slurm: Slurm, tmp_path: Path) -> None:
    folder = tmp_path / "it's $(touch pwned)"
    study = study_file(folder / "s.toml", description="$(touch pwned)", seeds=2)
    results = folder / "results"
    script = folder / "job.sh"
    options = ("--results", results, "--memory", 1, "--time", "0:20:00")
    script.write_text(written("slurm-array", study, *options))
    first = slurm.say("sbatch", "--parsable", script, cwd=folder)
    after = ("--parsable", f"--dependency=afterany:{first}", "--array=1")
    last = slurm.say("sbatch", *after, script, "report", cwd=folder)
    wait_until(lambda: not slurm.say("squeue", "--noheader"))
    logs = "\n".join(path.read_text() for path in folder.glob("*.log"))
    assert "JobState=COMPLETED" in slurm.say("scontrol", "show", "job", last), logs
    assert recorded(results) == 4
    assert (results / "report" / "index.html").is_file()
    assert len(list(folder.glob("tiny-*.log"))) == 3
    assert not list(tmp_path.rglob("pwned"))
