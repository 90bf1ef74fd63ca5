"""The recipes for CI systems in docs/, run as the shell that they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import HERE, run
from test_pytest_plugin import STUDY

pytestmark = pytest.mark.slow

RECIPES = HERE / "docs" / "ci"


def github() -> tuple[str, dict[str, str]]:
    """Return the action's script and its variables, each named by the input that fills it."""
    action: dict[str, Any] = yaml.safe_load(
        (RECIPES / "results-gate" / "action.yml").read_text(encoding="utf-8")
    )
    (step,) = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite"
    assert step["shell"] == "bash"
    assert "${{" not in step["run"], "an input in a script is code; an environment variable is not"
    inputs = {f"${{{{ inputs.{name} }}}}": name for name in action["inputs"]}
    return step["run"], {name: inputs[value] for name, value in step["env"].items()}


def gitlab() -> tuple[str, dict[str, str]]:
    recipe: dict[str, Any] = yaml.safe_load((RECIPES / "gitlab.yml").read_text(encoding="utf-8"))
    job = recipe["results-gate"]
    return "set -e\n" + "\n".join(job["script"]), job["variables"]


@pytest.mark.parametrize("recipe", [github, pytest.param(gitlab, marks=pytest.mark.long)])
def test_a_recipe_passes_on_accepted_results_and_fails_on_others(
    recipe: Any, tmp_path: Path
) -> None:
    script, variables = recipe()
    assert set(variables) == {"STUDY", "BASELINES", "DATA_DIR"}
    study = tmp_path / "my study.toml"
    study.write_text(STUDY)
    accepted = tmp_path / "accepted"
    assert run("run", study, "--no-report", "--out", accepted).returncode == 0
    baselines = tmp_path / "base lines"
    assert run("accept", accepted, "--baselines", baselines, "--reason", "#1").returncode == 0
    output, summary = tmp_path / "output", tmp_path / "summary"
    environment = {
        "STUDY": str(study),
        "BASELINES": str(baselines),
        "DATA_DIR": "data",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def shell() -> int:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        return done.returncode

    assert shell() == 0
    assert summary.read_text().startswith("# mine: OK")
    study.write_text(STUDY.replace("rate = 0.1", "rate = 0.001"))
    assert shell() == 1
    if recipe is github:
        folder = output.read_text().splitlines()[-1].removeprefix("gate=")
        assert (Path(folder) / "gate.xml").is_file()
    else:
        assert (tmp_path / "results-gate" / "gate" / "gate.xml").is_file()
