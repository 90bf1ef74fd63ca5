"""Ray on this machine alone: nobody elsewhere can reach it, for it runs whatever it is sent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from commands import HERE, command
from processes import PATIENCE_S, descendants, wait_until
from test_serving import sockets_of

pytestmark = pytest.mark.slow

STUDY = """
name = "long"
seeds = 40
[protocol]
benchmark = "split-digits"
iterations_per_task = 300
[conditions]
finetune = {}
"""
LOOPBACK = re.compile(r"(::ffff:)?127\.0\.0\.1|::1")


def test_every_socket_of_ray_without_an_address_is_on_loopback(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(STUDY)
    run = ("run", tmp_path / "long.toml", "--out", tmp_path / "out", "--executor", "ray")
    driver = subprocess.Popen(
        command(*run, "--workers", 2, "--no-report"),
        cwd=HERE,
        env=os.environ | {"REPRO_DATA_DIR": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_until(lambda: driver.poll() is not None or list(tmp_path.glob("out/records/*.json")))
        assert driver.poll() is None, "it was to run on"
        listening = {}
        for process in descendants(driver.pid):
            for address, port in sockets_of(process.pid):
                listening[address, port] = process.name
        listening |= dict.fromkeys(sockets_of(driver.pid), "the driver")
        names = " ".join(listening.values())
        assert "gcs_server" in names
        assert "raylet" in names
        assert "ray::" in names
        outside = {
            where: name for where, name in listening.items() if not LOOPBACK.fullmatch(where[0])
        }
        assert not outside
    finally:
        driver.send_signal(signal.SIGINT)
        driver.communicate(timeout=PATIENCE_S)
