"""A real run that is watched through ``--serve``: what it answers, and what it refuses."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from commands import HERE, command, run, without_notes
from processes import PATIENCE_S, wait_until
from test_watching import STEERS, STUDY, Elements, done, parsed, watched

from harness.screen.serving import MOST_CONNECTIONS, Serving
from harness.screen.watching import Watched
from reports.findings.running import Estimator

TEXT = "</script><script>alert(1)</script> {{ 7 * 7 }} \\u202e \\u001b]0;owned\\u0007 \\\" '"
LONG = f"""
name = "watched"
description = "{TEXT}"
seeds = 500
[protocol]
benchmark = "split-digits"
hidden = [24, 20]
iterations_per_task = 60
[conditions]
plain = {{}}
started = {{ head_init = "blog" }}
[[claims]]
id = "<b>gain</b>"
text = "{TEXT}"
source = "{TEXT}"
treatment = "started"
baseline = "plain"
reported = 4.0
unit = "points"
margin = 1.3
"""
NAMES = ["plain", "started"]
ADDRESS = re.compile(r"watch it at http://127\.0\.0\.1:(\d+)/$")
LISTENING = "0A"


class Run:
    """A run as a process of its own, and the port that it told."""

    def __init__(self, folder: Path) -> None:
        (folder / "watched.toml").write_text(LONG)
        self.out = folder / "out"
        arguments = ("run", folder / "watched.toml", "--out", self.out, "--serve", 0)
        self.process = subprocess.Popen(
            command(*arguments, "--executor", "in-process", "--lanes", 1, "--no-report"),
            cwd=HERE,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert self.process.stdout is not None
        found = ADDRESS.match(self.process.stdout.readline())
        assert found, self.process.communicate()[1]
        self.port = int(found[1])
        self.said: list[str] = []
        reader = threading.Thread(target=self.said.extend, args=(self.process.stdout,))
        reader.daemon = True
        reader.start()  # a full pipe would stop the run

    def recorded(self) -> int:
        return len(list(self.out.glob("records/*.json")))


def ask(
    port: int, path: str = "/", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Return status, headers and content of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8")


def state_of(port: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(ask(port, "/state.json")[2])
    return content


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that has some cells of both conditions and goes on."""
    started = Run(tmp_path_factory.mktemp("watched"))
    try:
        wait_until(lambda: state_of(started.port)["claims"][0]["pairs"] >= 3)
        yield started
    finally:
        started.process.kill()
        started.process.wait()


@pytest.mark.slow
def test_the_data_are_those_of_the_run(running: Run) -> None:
    before = running.recorded()
    state = state_of(running.port)
    assert before <= state["records_written"] <= running.recorded()
    assert sum(state["cells"].values()) == 1000
    assert state["phase"] == "running"
    (claim,) = state["claims"]
    assert claim["id"] == "<b>gain</b>"
    assert claim["low"] < claim["mean"] < claim["high"]
    by_name = {row["condition"]: row for row in state["conditions"]}
    records = [json.loads(path.read_text()) for path in running.out.glob("records/*.json")]
    finals = {(r["condition"], r["seed"]): r["accuracy"][-1] for r in records}
    for name, row in by_name.items():
        first = [100 * sum(finals[name, s]) / len(finals[name, s]) for s in range(row["seeds"])]
        assert row["mean"] == pytest.approx(sum(first) / len(first))
    (worker,) = state["workers"]
    assert worker["numerics"] == records[0]["provenance"]["numerics"]
    assert state["events"][0]["text"].startswith("done: ")
    assert state["seconds_left"] > 0


@pytest.mark.slow
def test_the_page_has_no_element_of_the_study_and_may_run_no_script_but_its_own(
    running: Run,
) -> None:
    status, headers, html = ask(running.port)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    page = Elements(html)
    assert page.tags.count("script") == 1, "its own"
    assert "b" not in page.tags
    assert "</script><script>alert(1)</script> {{ 7 * 7 }}" in page.text
    assert not STEERS.search(page.text)
    assert {"src", "onerror", "onload", "onclick", "style"}.isdisjoint(page.attributes)


@pytest.mark.slow
def test_prometheus_can_read_the_metrics(running: Run) -> None:
    status, headers, text = ask(running.port, "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = parsed(text)
    assert found["dhp_run_info"] == [({"study": "watched"}, 1)]
    assert sum(count for _, count in found["dhp_cells"]) == 1000
    assert found["dhp_cells_per_second"][0][1] > 0


@pytest.mark.slow
def test_it_listens_on_loopback_alone(running: Run) -> None:
    listening = sockets_of(running.process.pid)
    assert listening == [("127.0.0.1", running.port)]
    with socket.socket() as other:  # 127.0.0.2 is this machine, and not that address
        assert other.connect_ex(("127.0.0.2", running.port)) != 0


def opened_by(pid: int) -> list[str]:
    """Return what a process has open: the paths of files, and "socket:[NUMBER]"."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(path.readlink()))
    return found


def sockets_of(pid: int) -> list[tuple[str, int]]:
    """Return the addresses at which a process listens for connections, from /proc."""
    own = {name.removeprefix("socket:[").removesuffix("]") for name in opened_by(pid)}
    found = []
    for family, name in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in own:
                address, _, port = fields[1].partition(":")
                words = struct.iter_unpack(">I", bytes.fromhex(address))
                packed = b"".join(struct.pack("=I", word) for (word,) in words)
                found.append((socket.inet_ntop(family, packed), int(port, 16)))
    return found


@pytest.mark.slow
def test_clients_that_keep_silent_do_not_keep_the_run_from_its_files(running: Run) -> None:
    silent = []
    try:
        for _ in range(4 * MOST_CONNECTIONS):
            silent.append(socket.create_connection(("127.0.0.1", running.port), PATIENCE_S))
        before = running.recorded()
        wait_until(lambda: running.recorded() > before + 3)
        files = opened_by(running.process.pid)
        assert sum(name.startswith("socket:") for name in files) <= MOST_CONNECTIONS + 2
    finally:
        for connection in silent:
            connection.close()

    def answers() -> bool:
        try:
            return ask(running.port, "/metrics")[0] == 200
        except (OSError, http.client.HTTPException):  # hung up on, while it is still full
            return False

    wait_until(answers)


@pytest.mark.slow
def test_the_end_of_the_run_is_the_end_of_the_server(running: Run) -> None:
    """To be the last of those that ask this run."""
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(PATIENCE_S) == 130
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.1", running.port)) != 0
    assert running.process.stderr is not None
    said = without_notes(running.process.stderr.read())
    assert said.startswith("interrupted: ")
    assert said.count("\n") == 1, "nothing of the server"


@pytest.mark.slow
def test_a_run_that_goes_on_shows_what_was_on_record(running: Run) -> None:
    """To come after the end of the first."""
    assert running.process.poll() == 130
    before = [json.loads(path.read_text()) for path in running.out.glob("records/*.json")]
    seeds = [{r["seed"] for r in before if r["condition"] == name} for name in NAMES]
    again = Run(running.out.parent)
    try:
        wait_until(lambda: state_of(again.port)["phase"] == "running")
        state = state_of(again.port)
    finally:
        again.process.kill()
        again.process.wait()
    assert state["cells_on_record_before"] == len(before)
    assert [row["condition"] for row in state["conditions"]] == NAMES
    assert state["claims"][0]["pairs"] >= len(seeds[0] & seeds[1]) >= 3
    for row, own in zip(state["conditions"], seeds, strict=True):
        assert row["seeds"] >= len(own)


# What is refused; the state is by hand, the server real


@pytest.fixture(scope="module")
def serving() -> Iterator[int]:
    with Serving(watched(done("a", [0.9])), 0) as found:
        yield int(found.address.rstrip("/").rpartition(":")[2])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:80", "127.0.0.1:9000", "[::1]:9000", "[::1]"]
)
def test_a_host_that_is_this_machine_is_answered(serving: int, host: str) -> None:
    assert ask(serving, "/state.json", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "192.0.2.2",
        "0.0.0.0",
        "",
        ":80",
        "127.0.0.1:80:80",
        "localhost:",
    ],
)
@pytest.mark.parametrize("path", ["/", "/state.json", "/metrics"])
def test_a_host_that_a_page_elsewhere_made_to_mean_this_machine_is_refused(
    serving: int, host: str, path: str
) -> None:
    status, _, text = ask(serving, path, Host=host)
    assert (status, text) == (421, "421 Misdirected Request\n")


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        answer = b""
        with suppress(OSError):  # refused before it was sent to its end
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while more := connection.recv(65536):
                answer += more
        return answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x00\x01\x02 / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
        b"GET /<script>alert(1)</script> HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\r\n",
        b"",
    ],
)
def test_what_is_no_request_of_ours_gets_no_data(serving: int, request_: bytes) -> None:
    answer = raw(serving, request_)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert b"hand" not in answer, "the name of the study"
    assert b"text/html" not in answer
    assert ask(serving, "/metrics")[0] == 200, "and the next one gets its answer"


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"]
)
def test_other_methods_are_not_allowed(serving: int, method: str) -> None:
    status, headers, _ = ask(serving, "/", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_its_content(serving: int) -> None:
    for path in ("/", "/state.json", "/metrics"):
        _, got, content = ask(serving, path)
        status, headers, nothing = ask(serving, path, "HEAD")
        assert (status, nothing) == (200, "")
        assert headers["Content-Type"] == got["Content-Type"]
        assert int(got["Content-Length"]) == len(content.encode())


@pytest.mark.parametrize(
    "path",
    [
        "/run_all.py",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/etc/passwd%00",
        "file:///etc/passwd",
        "http://evil.example/state.json",
        "/templates/watch.html.j2",
        "/state.json/",
        "/favicon.ico",
        "*",
    ],
)
def test_no_path_reads_a_file(serving: int, path: str) -> None:
    assert ask(serving, path, Host="localhost")[::2] == (404, "404 Not Found\n")


def test_an_error_in_an_answer_is_that_requests_own() -> None:
    class Broken(Watched):
        def state(self) -> dict[str, Any]:
            raise RuntimeError("<secret>")

    with Serving(Broken(STUDY, Estimator()), 0) as serving:
        port = int(serving.address.rstrip("/").rpartition(":")[2])
        for path in ("/", "/state.json", "/metrics"):
            assert ask(port, path)[::2] == (500, "500 Internal Server Error\n")
        assert ask(port, "/nothing")[0] == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    ("port", "reason"),
    [
        ("taken", "cannot listen there (Address already in use)"),
        ("65536", "no such port"),
        ("-1", "no such port"),
    ],
)
def test_a_port_that_is_taken_or_impossible_ends_it_before_it_begins(
    tmp_path: Path, port: str, reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        chosen = str(holder.getsockname()[1]) if port == "taken" else port
        done = run("run", "smoke", "--out", tmp_path / "out", f"--serve={chosen}")
    assert done.returncode == 2
    assert done.stdout == ""
    said = without_notes(done.stderr)
    assert said.startswith(f"error: --serve {chosen}: {reason}")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_plan_is_not_served() -> None:
    done = run("run", "smoke", "--dry-run", "--serve", 0)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: --serve: a plan does nothing to be watched")
