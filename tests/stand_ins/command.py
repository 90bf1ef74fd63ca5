#!/usr/bin/env python3
"""Stands in for srun, scontrol, hostname and ray, by its own name; notes what it is called with.

srun runs its command once, as if on the first node. ray starts a head for ``symmetric-run``, as Ray
does, but ends that one only: ``ray stop`` would end every Ray of this machine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(name: str, words: list[str]) -> int:
    """Do what the command of this name would do; returns its exit code."""
    with Path(os.environ["STAND_IN_LOG"]).open("a") as log:
        print(json.dumps([name, *words]), file=log)
    if name == "scontrol":
        print("n1\nn2")
        return 0
    if name == "hostname":
        print(os.environ.get("STAND_IN_HOSTNAME", "192.0.2.7 198.51.100.7 "))
        return 0
    if name == "srun":
        first = next(i for i, word in enumerate(words) if not word.startswith("--"))
        return subprocess.run(words[first:]).returncode
    if os.environ["STAND_IN_RAY"] != "starts":
        return 0
    options, command = words[1 : words.index("--")], words[words.index("--") + 1 :]
    value = dict(zip(options[::2], options[1::2], strict=True))
    return with_head(value["--address"], value["--num-cpus"], command)


def with_head(address: str, cpus: str, command: list[str]) -> int:
    """Run a command beside a real head of Ray."""
    host, _, port = address.partition(":")
    folder = tempfile.mkdtemp(prefix="ray")
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    start += [f"--node-ip-address={host}", f"--port={port}", f"--num-cpus={cpus}"]
    start += [f"--temp-dir={folder}", "--include-dashboard=false"]
    ports = ["--dashboard-agent-listen-port"]
    if importlib.util.find_spec("grpc") is not None:  # only with ray[client] is there such a port
        ports.append("--ray-client-server-port")
    start += [f"{option}={free_port()}" for option in ports]
    head = subprocess.Popen(
        start, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while head.poll() is None and not answers(host, int(port)):
            time.sleep(0.1)
        time.sleep(5)  # the node joins its own head
        return subprocess.run(command).returncode
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        head.wait()
        with_children_gone(head.pid)


def with_children_gone(group: int) -> None:
    """Wait until the head's processes have ended, and end those that do not."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(host: str, port: int) -> bool:
    """Tell whether something listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[0]).name, sys.argv[1:]))
