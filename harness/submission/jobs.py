"""Studies as jobs of a Ray cluster that runs already, through its job server on the head."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import shlex
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import InputError, Interrupted
from harness.studies.study_files import own_files, read_text, shipped_studies
from harness.submission.quoting import require_utf8
from harness.submission.templating import program_folder

SHIPPED = ("harness", "methods", "reports", "run_all.py")
"""What of the project travels with a job: neither environment nor results nor data."""
STUDY_FILE = "study.toml"
CONNECTION_S = 10.0
AGAIN_S = 1.0
"""Until the server is asked again, for a log that broke off or to take a job."""
MOST_FAILURES = 10
"""So often in a row that may be without success."""
NOT_YET = "No available agent"
"""What the job server of a head says that has only just started."""
JOB_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")
OTHER_ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
"""Variables that Ray's client obeys before the address that it is given."""


class JobServer:
    """The job server of a cluster.

    Parameters
    ----------
    address : such as "http://HEAD:8265".

    Raises
    ------
    InputError
        Where Ray's client is not installed, or no job server answers at the address.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        _check_reachable(address)
        if find_spec("ray") is None or find_spec("aiohttp") is None:
            raise InputError(
                "submit needs Ray with its job client; install it: pip install 'ray[default]'"
            )
        from ray.job_submission import JobSubmissionClient

        for handler in logging.getLogger("ray").handlers:
            handler.setLevel(logging.WARNING)  # else Ray's client tells of each step
        try:
            with _no_other_address():
                self._client = JobSubmissionClient(address)
        except Exception as error:  # of any class: what answers there may be anything
            if "Authentication" in f"{type(error).__name__} {error}":
                raise InputError(
                    f"--address {address}: the cluster asks for a token ({_first_line(error)}); "
                    "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"
                ) from None
            raise InputError(
                f"--address {address}: what answers there is no job server of Ray "
                f"({_first_line(error)}); the head needs ray[default] and its dashboard"
            ) from None

    def submit(self, study: str, words: Sequence[str], out: str) -> str:
        """Send the program and a study to the cluster, and start it there; returns the job's ID.

        Parameters
        ----------
        study : a study that ships, or a study file of this machine, which travels with the job.
        words : options of the command ``run``.
        out : the results directory, on the cluster's head.

        Raises
        ------
        InputError
            Where the cluster refuses the job.
        """
        named = study if study in shipped_studies() else STUDY_FILE
        command = ["python", "run_all.py", "run", named, *words, f"--out={out}", "--address=auto"]
        job = f"dhp-repro-{secrets.token_hex(6)}"
        with tempfile.TemporaryDirectory(prefix="dhp-repro-job-") as folder:
            _pack(Path(folder), None if named == study else Path(study))
            request = {
                "submission_id": job,
                "entrypoint": require_utf8(shlex.join(command)),
                "runtime_env": {"working_dir": folder},
                "metadata": {"out": out},
            }
            try:
                self._send(request)
            except KeyboardInterrupt:
                raise Interrupted(
                    f"the job may have been sent or not; to see: {self._attach(job)}"
                ) from None
        return job

    def _send(self, request: dict[str, Any]) -> None:
        """Send a job, again and again where the head has only just started."""
        for attempt in range(MOST_FAILURES):
            try:
                self._client.submit_job(**request)
                return
            except Exception as error:
                if NOT_YET not in str(error) or attempt == MOST_FAILURES - 1:
                    raise InputError(
                        f"--address {self.address}: the cluster did not take the job "
                        f"({_first_line(error)})"
                    ) from None
            time.sleep(AGAIN_S)

    def follow(self, job: str, write: Callable[[str], None]) -> int:
        """Write the log of a job as it grows, until the job ends.

        Returns
        -------
        An exit code: 0 where the job succeeded, else that of the program, or 1 where it has none.

        Raises
        ------
        InputError
            Where there is no such job, or the cluster is lost.
        Interrupted
            Where the user stops following; the job goes on.
        """
        try:
            details = self._followed(job, write)
        except KeyboardInterrupt:
            raise Interrupted(
                f"the job goes on without this; to follow it again: {self._attach(job)}"
            ) from None
        status = str(details.status.value).lower()
        out = (details.metadata or {}).get("out")
        kept = f"; what is recorded is on the cluster's head, in {out}" if out else ""
        write(f"\njob {job}: {status}{kept}\n")
        return 0 if status == "succeeded" else int(details.driver_exit_code or 0) or 1

    def _followed(self, job: str, write: Callable[[str], None]) -> Any:
        """Write the log of a job; returns what the server says of the job after its end."""
        self._details(job)
        seen = failures = 0
        while True:
            length = asyncio.run(self._tail(job, seen, write))
            details = self._details(job)
            if details.status.is_terminal():
                return details
            failures = 0 if length > seen else failures + 1
            if failures == MOST_FAILURES:
                raise InputError(
                    f"the log of {job} cannot be read; the job goes on. Later: {self._attach(job)}"
                )
            seen = max(seen, length)
            time.sleep(AGAIN_S)

    def _attach(self, job: str) -> str:
        return f"python run_all.py submit --attach {job} --address {shlex.quote(self.address)}"

    def _details(self, job: str) -> Any:
        if JOB_ID.fullmatch(job) is None:
            raise InputError(f"--attach {job!r}: no ID of a job; submit prints it")
        try:
            return self._client.get_job_info(job)
        except Exception as error:
            if "404" in str(error):
                raise InputError(f"--attach {job}: {self.address} has no such job") from None
            raise InputError(
                f"{self.address} no longer answers ({_first_line(error)}). Later: "
                f"{self._attach(job)}"
            ) from None

    async def _tail(self, job: str, seen: int, write: Callable[[str], None]) -> int:
        """Write what the log has beyond its first ``seen`` characters; returns its length."""
        from aiohttp import ClientError

        length = 0
        with suppress(ClientError, OSError, RuntimeError):  # broken off: the caller asks again
            async for text in self._client.tail_job_logs(job):
                if length + len(text) > seen:
                    write(text[max(0, seen - length) :])
                length += len(text)
        return length


def require_on_cluster(path: str, option: str) -> str:
    """Return a path on the cluster; InputError where it depends on a folder of the job's."""
    if not path.startswith("/"):
        raise InputError(
            f"{option} {path}: write the whole path, as it is on the cluster's head; the job's own "
            "folder is deleted after it"
        )
    return path


def _pack(folder: Path, study: Path | None) -> None:
    """Copy what a job needs to an empty folder."""
    origin = program_folder()
    for name in SHIPPED:
        source = origin / name
        if source.is_dir():
            skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, folder / name, ignore=skipped)
        else:
            shutil.copy(source, folder / name)
    if study is not None:
        (folder / STUDY_FILE).write_text(read_text(study), encoding="utf-8")
        for file in own_files(study):
            target = (folder / file.path).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise InputError(
                    f"{study}: {file.path} is not below the folder of the study's file, so it "
                    "cannot travel with a job; put it there"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            if file.executable:
                target.chmod(0o755)


def _check_reachable(address: str) -> None:
    """Refuse an address that is none of a job server, or where nothing listens."""
    example = "write http://HEAD:8265, the address of the head's dashboard"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"--address {address}: {error}; {example}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"--address {address}: no address of a job server; {example}")
    port = port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=CONNECTION_S).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"--address {address}: nothing answers there ({error}); the head needs ray[default] "
            "and its dashboard (ray start --head --dashboard-host ADDRESS)"
        ) from None


@contextmanager
def _no_other_address() -> Iterator[None]:
    """Take variables away that would send the job to another cluster than the one asked for."""
    found = {name: os.environ.pop(name) for name in OTHER_ADDRESSES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(found)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
