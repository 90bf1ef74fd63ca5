"""A small web server on this machine's loopback alone, through which a run can be watched.

It answers ``/`` (a page), ``/state.json`` and ``/metrics``, reads no file for a request, and takes
no order: nothing that is sent to it changes anything. A run never waits for it.
"""

from __future__ import annotations

import json
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from harness.errors import InputError
from harness.screen import prometheus
from harness.screen.watch_page import Page, shown
from harness.screen.watching import Watched

LOOPBACK = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names under which a browser may ask; the last one is the near end of some tunnels.

A page of somewhere else, whose name was made to mean this machine (DNS rebinding), asks under that
name.
"""
METHODS = ("GET", "HEAD")
MOST_CONNECTIONS = 32
"""At a time; each holds an open file, of which the run needs some too."""
PATIENCE_S = 10.0
"""For a client that says nothing."""
CLOSING_S = 0.1
"""How often the server looks whether it is to end, at whose end the run waits for it."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Serving:
    """Serves the state of a run while the ``with`` block runs.

    Parameters
    ----------
    port : where to listen; 0 for any that is free.

    Raises
    ------
    InputError
        Where one cannot listen there.
    """

    def __init__(self, watched: Watched, port: int) -> None:
        if not 0 <= port <= 65535:
            raise InputError(f"--serve {port}: no such port; choose 1024 to 65535, or 0 for any")
        try:
            self._server = _Server(watched, port)
        except OSError as error:
            raise InputError(
                f"--serve {port}: cannot listen there ({error.strerror or error}); choose another "
                "port, or 0 for any that is free"
            ) from None
        self.address = f"http://{LOOPBACK}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(CLOSING_S,), name="serving", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Listens on loopback; its threads end with the program."""

    request_queue_size = MOST_CONNECTIONS

    def __init__(self, watched: Watched, port: int) -> None:
        self.watched = watched
        self.page = Page()
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking who this is: the name service may take its time to answer."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or hang up where there are too many."""
        if self._room.acquire(blocking=False):
            try:
                super().process_request(request, client_address)
            except BaseException:
                self._room.release()
                raise
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hung up is its own matter, and the terminal is the run's."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: _Server
    timeout = PATIENCE_S
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def parse_request(self) -> bool:
        """Read a request; refuse it here where it is not ours to answer."""
        if not super().parse_request():
            return False
        if self.command not in METHODS:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, Allow=", ".join(METHODS))
            return False
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or _without_port(hosts[0]) not in HOSTS:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
            return False
        return True

    def do_GET(self) -> None:
        """Answer with the page, the data or the metrics."""
        path = self.path.partition("?")[0]
        try:
            answer = self._answer(path)
        except Exception:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        if answer is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            self._send(HTTPStatus.OK, *answer)

    do_HEAD = do_GET  # noqa: N815

    def version_string(self) -> str:
        """Return what the server calls itself; its versions are nobody's business."""
        return "dhp-repro"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the run's."""

    def _answer(self, path: str) -> tuple[str, str, dict[str, str]] | None:
        """Return content, its type and further headers; None where there is no such path."""
        watched, page = self.server.watched, self.server.page
        match path:
            case "/":
                policy = {"Content-Security-Policy": page.policy}
                return page.html(watched.state()), "text/html; charset=utf-8", policy
            case "/state.json":
                state = watched.state()
                text = json.dumps(state | {"shown": shown(state)}, allow_nan=False) + "\n"
                return text, "application/json", {}
            case "/metrics":
                return prometheus.metrics(watched.state()), prometheus.CONTENT_TYPE, {}
        return None

    def _refuse(self, status: HTTPStatus, **headers: str) -> None:
        text = f"{status.value} {status.phrase}\n"
        self._send(status, text, self.error_content_type, headers)

    def _send(self, status: HTTPStatus, text: str, kind: str, headers: dict[str, str]) -> None:
        content = text.encode("utf-8", "backslashreplace")
        self.close_connection = True
        self.send_response(status)
        for name, value in {
            "Content-Type": kind, "Content-Length": str(len(content)), **HEADERS, **headers
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _without_port(host: str) -> str:
    name, colon, port = host.strip().lower().rpartition(":")
    return name if colon and port.isdecimal() else host.strip().lower()
