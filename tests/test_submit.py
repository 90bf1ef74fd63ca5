"""Studies as jobs of a real Ray cluster; and one line where there is none."""

from __future__ import annotations

import http.server
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import commands
import pytest
from processes import wait_until
from test_gate import call
from test_templates import study_file

from harness.errors import InputError
from harness.submission.jobs import _pack

JOBS = find_spec("aiohttp") is not None
WITHOUT = "ray[default] is not installed: pip install 'dhp-repro[cluster]'"


@dataclass
class Head:
    """A head of Ray with its job server, and the variables that let a client in."""

    address: str
    variables: dict[str, str]


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    if not JOBS:
        pytest.skip(WITHOUT)
    gcs, dashboard, *others = free_ports(4)
    folder = tempfile.mkdtemp(prefix="ray")  # a path of sockets may not be long
    options = ["--ray-client-server-port", "--dashboard-agent-listen-port"]
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    start += ["--node-ip-address=127.0.0.1", f"--port={gcs}", "--num-cpus=1"]
    start += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    start += [f"--temp-dir={folder}", "--disable-usage-stats"]
    start += [f"{option}={port}" for option, port in zip(options, others, strict=True)]
    # The job's "python" is this one; it must not find the project but where the job brought it.
    ours = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": ""}
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    process = subprocess.Popen(
        start,
        env=os.environ | ours | token,
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(dashboard) or process.poll() is not None)
        assert process.poll() is None
        yield Head(f"http://127.0.0.1:{dashboard}", token)
    finally:
        for end in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, end)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
        shutil.rmtree(folder, ignore_errors=True)


def submit(head: Head, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, at this head."""
    return subprocess.run(
        commands.command("submit", *arguments, "--address", head.address),
        env=os.environ | head.variables | {"COLUMNS": "200"} | variables,
        capture_output=True,
        text=True,
        timeout=900,
    )


def job_of(output: str) -> str:
    found = re.search(r"^job (\S+) at ", output, re.MULTILINE)
    assert found, output
    return found[1]


@pytest.mark.slow
def test_a_study_of_the_users_runs_as_a_job(head: Head, tmp_path: Path) -> None:
    study = study_file(tmp_path / "it's $(touch pwned)\nx" / "s.toml", description="$(touch pwned)")
    out = tmp_path / "`touch pwned` 'r' <b>"
    elsewhere = "http://127.0.0.1:9"  # Ray's client would obey this one
    done = submit(head, study, "--out", out, "--no-report", RAY_ADDRESS=elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2/2 cells" in done.stdout
    assert f"succeeded; what is recorded is on the cluster's head, in {out}" in done.stdout
    assert len(list((out / "records").glob("*.json"))) == 2
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.slow
def test_a_job_that_is_left_goes_on_and_is_followed_again(head: Head, tmp_path: Path) -> None:
    out = tmp_path / "results"
    options = ("smoke", "--address", head.address, "--out", out, "--no-report")
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(
            commands.command("submit", *options),
            env=os.environ | head.variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        said = tmp_path / "log"
        wait_until(lambda: "leaves it running" in said.read_text() or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
    text = said.read_text()
    assert "Traceback" not in text
    (again,) = re.findall(r"to follow it again: python run_all\.py (.*)", text)
    assert shlex.split(again) == ["submit", "--attach", job_of(text), "--address", head.address]
    done = submit(head, "--attach", job_of(text))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20/20 cells" in done.stdout
    assert len(list((out / "records").glob("*.json"))) == 20


@pytest.mark.slow
def test_a_job_that_fails_gives_its_exit_code(head: Head, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "results"
    done = submit(head, "smoke", "--out", out)
    assert done.returncode == 2
    assert "Not a directory" in done.stdout
    assert ": failed" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("job", "said"), [("none-such", "no such job"), ("../x", "no ID")])
def test_a_job_that_is_not_there_is_one_line(head: Head, job: str, said: str) -> None:
    done = submit(head, "--attach", job)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line


@pytest.mark.slow
def test_a_wrong_token_is_one_line(head: Head) -> None:
    done = submit(head, "--attach", "x", RAY_AUTH_TOKEN="0" * 64)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "token" in line


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://head:10001", "write http://HEAD:8265"),
        ("head:8265", "write http://HEAD:8265"),
        ("", "write http://HEAD:8265"),
        ("http://[::1", "write http://HEAD:8265"),
        ("http://127.0.0.1:99999", "write http://HEAD:8265"),
        ("http://no-such-host.invalid:8265", "nothing answers there"),
        ("http://127.0.0.1:{free}", "nothing answers there"),
    ],
)
def test_a_wrong_address_is_one_line(address: str, said: str) -> None:
    address = address.format(free=free_ports(1)[0])
    code, output = call("submit", "smoke", "--address", address, "--out", "/results")
    assert code == 2
    assert f"--address {address}: " in output
    assert said in output
    assert "\n" not in output


def test_what_is_no_job_server_is_one_line() -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        code, output = call("submit", "smoke", "--address", address, "--out", "/results")
        server.shutdown()
    assert code == 2
    assert ("no job server of Ray" if JOBS else "pip install 'ray[default]'") in output
    assert "\n" not in output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("smoke", "--out is needed"),
        ("smoke --out results", "--out results: write the whole path"),
        ("smoke --out /results --data-dir data", "--data-dir data: write the whole path"),
        ("no-such-study --out /results", "no study"),
        ("smoke --out /results --conditions none", "--conditions"),
        ("smoke --attach x", "--attach ID"),
        ("", "--attach ID"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_sent(words: str, said: str) -> None:
    code, output = call("submit", *words.split(), "--address", "http://127.0.0.1:9")
    assert code == 2
    assert said in output
    assert "\n" not in output


def test_a_job_takes_the_project_alone_and_the_study(tmp_path: Path) -> None:
    study = study_file(tmp_path / "s.toml")
    (folder := tmp_path / "packed").mkdir()
    _pack(folder, study)
    assert {path.name for path in folder.iterdir()} == {
        "harness",
        "methods",
        "reports",
        "run_all.py",
        "study.toml",
    }
    assert not list(folder.rglob("__pycache__"))
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 10 * 2**20
    run = [sys.executable, "run_all.py", "studies", "smoke"]
    done = subprocess.run(run, cwd=folder, env=os.environ | {"PYTHONPATH": ""})
    assert done.returncode == 0


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_the_users_own_files_travel_with_the_study(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "parts" / "deep").mkdir(parents=True)
    (mine / "l2.py").write_text("import sizes\nfrom parts.deep import more\n", encoding="utf-8")
    (mine / "sizes.py").write_text("import json\n", encoding="utf-8")
    (mine / "parts" / "__init__.py").write_text("", encoding="utf-8")
    (mine / "parts" / "deep" / "more.py").write_text("from .. import other\n", encoding="utf-8")
    (mine / "parts" / "other.py").write_text("", encoding="utf-8")
    (mine / "unused.py").write_text("", encoding="utf-8")
    study = mine / "study.toml"
    study.write_text('[conditions]\na = { consolidation = "l2.py:L2" }\n', encoding="utf-8")
    folder = tmp_path / "job"
    folder.mkdir()
    _pack(folder, study)
    own = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if path.relative_to(folder).parts[0] not in ("harness", "methods", "reports", "run_all.py")
    }
    deep = {"parts/__init__.py", "parts/other.py", "parts/deep/more.py"}
    assert own == {"l2.py", "sizes.py", *deep}
    script = mine / "train.sh"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    functions = 'train = "sizes.py:train"\n[conditions]\na = { command = "./train.sh {seed}" }\n'
    study.write_text(functions, encoding="utf-8")
    _pack(_empty(tmp_path / "functions"), study)
    assert (tmp_path / "functions" / "sizes.py").read_text(encoding="utf-8") == "import json\n"
    assert os.access(tmp_path / "functions" / "train.sh", os.X_OK)

    study.write_text('[conditions]\na = { consolidation = "no.py:L2" }\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"study\.toml: 'no\.py:L2': there is no file"):
        _pack(_empty(tmp_path / "second"), study)
    study.write_text('[conditions]\na = { head = "../up.py:H" }\n', encoding="utf-8")
    (tmp_path / "up.py").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="is not below the folder of the study's file"):
        _pack(_empty(tmp_path / "third"), study)
