"""A pytest plug-in: the results of a study as a test.

    def test_results(results_gate):
        results_gate.check("my-study.toml")

The study is trained by the code as it is, and checked against the accepted results in
``baselines/`` beside the project's pytest configuration. ``pytest --accept-results --reason "..."``
accepts what it trains instead. Results are trained into a fresh folder each time: a record of an
earlier state of the code would be compared with itself.

The plug-in is there wherever the package is installed; nothing has to be imported. It runs the
program as a process of its own, so a test session loads neither torch nor Ray.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ACCEPT, REASON, BASELINES = "--accept-results", "--reason", "results_baselines"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the gate."""
    group = parser.getgroup("results", "results of studies")
    group.addoption(ACCEPT, action="store_true", help="accept the results that tests train")
    group.addoption(REASON, default=None, help=f"why they are right; needed by {ACCEPT}")
    parser.addini(BASELINES, "folder of accepted results", default="baselines")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to accept results without a reason."""
    if config.getoption(ACCEPT) and not (config.getoption(REASON) or "").strip():
        raise pytest.UsageError(f'{ACCEPT} needs a reason: {REASON} "why these results are right"')


class ResultsGate:
    """Trains studies and holds them against accepted results; the fixture ``results_gate``.

    Parameters
    ----------
    root : the folder from which studies and baselines are named.
    near : the folder of the test, the second place to look for a study.
    folder : an empty folder for what is trained.
    reason : why results are accepted; None to check them.
    """

    def __init__(
        self, root: Path, near: Path, baselines: Path, folder: Path, reason: str | None
    ) -> None:
        self.root = root
        self.near = near
        self.baselines = baselines
        self.folder = folder
        self.reason = reason

    def check(
        self,
        study: str,
        *,
        margin: float | None = None,
        seeds: str | int | None = None,
        conditions: Sequence[str] | None = None,
        data_dir: Path | str | None = None,
        new_bits: bool = False,
    ) -> dict[str, Any]:
        """Train a study and fail the test where its results are not the accepted ones.

        Parameters
        ----------
        study : a TOML file, or the name of a study that ships.
        margin : how much worse counts as the same, in points or the unit of the study's measure; by
            the accepted spread if None.
        seeds, conditions : the part of the study, as on the command line; all of it if None.
        data_dir : the folder of MNIST, where the study needs it.
        new_bits : judge by statistics even where the environment is known.

        Returns
        -------
        The answer, as in ``gate.json``; empty where results were accepted.
        """
        results = self.folder / f"results-{len(list(self.folder.iterdir()))}"
        part: list[object] = [] if seeds is None else ["--seeds", seeds]
        part += [] if conditions is None else ["--conditions", ",".join(conditions)]
        part += [] if data_dir is None else ["--data-dir", data_dir]
        self._call("run", self._path_of(study), "--out", results, "--no-report", *part)
        if self.reason is not None:
            self._accept(results)
            return {}
        options: list[object] = [] if margin is None else ["--margin", margin]
        options += ["--new-bits"] if new_bits else []
        self._call("check", results, "--baselines", self.baselines, *options)
        answer: dict[str, Any] = json.loads((results / "gate" / "gate.json").read_text())
        return answer

    def _path_of(self, study: str) -> str:
        for folder in (self.root, self.near):
            if (folder / study).is_file():
                return str(folder / study)
        return study

    def _accept(self, results: Path) -> None:
        """Accept results, as another environment where they are of one."""
        arguments = ("accept", results, "--baselines", self.baselines, "--reason", self.reason)
        done = self._process(*arguments)
        if done.returncode and "--new-environment" in done.stderr:
            done = self._process(*arguments, "--new-environment")
        self._fail_if_bad(done)

    def _call(self, *arguments: object) -> None:
        self._fail_if_bad(self._process(*arguments))

    def _process(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "run_all", *map(str, arguments)],
            cwd=self.root,
            env=os.environ | {"COLUMNS": "160"},  # nothing is cut in what a failure shows
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )

    def _fail_if_bad(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode:
            said = done.stdout.strip().splitlines()[-40:] + done.stderr.strip().splitlines()[-10:]
            text = "\n".join(said)
            if "holds no accepted results" in text:
                text += f'\nor: pytest {ACCEPT} {REASON} "..."'
            pytest.fail(text, pytrace=False)


@pytest.fixture
def results_gate(request: pytest.FixtureRequest, tmp_path: Path) -> ResultsGate:
    """Return the gate: ``results_gate.check("my-study.toml")``."""
    config = request.config
    accepting = config.getoption(ACCEPT)
    folder = tmp_path / "results-gate"
    folder.mkdir()
    return ResultsGate(
        root=config.rootpath,
        near=request.path.parent,
        baselines=config.rootpath / str(config.getini(BASELINES)),
        folder=folder,
        reason=str(config.getoption(REASON)) if accepting else None,
    )
