"""Whole runs through the command line: interrupted equals uninterrupted, bad input is exit 2."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import HERE, command, run, without_notes
from processes import PATIENCE_S, wait_until

from harness.keeping.results import read_results

pytestmark = pytest.mark.slow

CONDITIONS = """
finetune = {}
"dhp+si" = { plasticity = "on", head_init = "blog", consolidation = "si", strength = 1 }
online-ewc = { consolidation = "online-ewc", strength = 10, fisher = "sampled" }
"""
STUDY = f"""
name = "tiny"
seeds = 4
[protocol]
benchmark = "split-digits"
hidden = [24, 20]
batch_size = 16
iterations_per_task = STEPS
[conditions]
{CONDITIONS}
"""
TABLE = Path("report") / "table.parquet"


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(STUDY.replace("STEPS", "40"))
    return path


@pytest.fixture(scope="module")
def uninterrupted(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run in one process, many lanes, that nothing disturbed."""
    out = tmp_path_factory.mktemp("uninterrupted")
    done = run("run", study_file, "--out", out, "--executor", "in-process")
    assert done.returncode == 0, done.stderr
    return out


def test_one_lane_at_a_time_gives_the_same_bits(
    uninterrupted: Path, study_file: Path, tmp_path: Path
) -> None:
    done = run("run", study_file, "--out", tmp_path, "--executor", "in-process", "--lanes", 1)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / TABLE).read_bytes() == (uninterrupted / TABLE).read_bytes()


@pytest.mark.long
def test_ray_gives_the_same_bits_also_below_uv_run(
    uninterrupted: Path, study_file: Path, tmp_path: Path
) -> None:
    """Ray knows uv by its name in an ancestor's command line, which a shell can take as well."""
    (tmp_path / "run").write_text('"$@"\n')
    shell = ("bash", "-c", 'exec -a uv bash run "$@"', "bash")
    arguments = ("--executor", "ray", "--workers", 2, "--lanes", 3)
    done = run("run", study_file, "--out", tmp_path, *arguments, cwd=tmp_path, below=shell)
    assert done.returncode == 0, done.stderr
    assert "on Ray, 2 workers" in done.stdout
    assert (tmp_path / TABLE).read_bytes() == (uninterrupted / TABLE).read_bytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on_to_the_same_bits(
    number: signal.Signals, uninterrupted: Path, study_file: Path, tmp_path: Path
) -> None:
    arguments = ("run", study_file, "--out", tmp_path, "--executor", "in-process", "--lanes", 1)
    driver = subprocess.Popen(
        command(*arguments),
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        # A shell starts its background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    records = tmp_path / "records"
    deadline = time.monotonic() + 120
    while len(list(records.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    driver.send_signal(number)
    code = driver.wait(60)
    kept = {path.name for path in records.glob("*.json")}
    assert 3 <= len(kept) < 12, "it was to be interrupted half-way"
    assert code == (130 if number == signal.SIGINT else -number)
    written = {path.name: path.stat().st_mtime_ns for path in records.glob("*.json")}

    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert f"{12 - len(kept)} cells to run, {len(kept)} on record" in done.stdout
    assert all((records / name).stat().st_mtime_ns == t for name, t in written.items())
    assert (tmp_path / TABLE).read_bytes() == (uninterrupted / TABLE).read_bytes()


def test_a_damaged_record_is_named_set_aside_and_replaced(
    uninterrupted: Path, study_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    subprocess.run(["cp", "-r", uninterrupted, out], check=True)
    victim = sorted((out / "records").iterdir())[0]
    victim.write_text(victim.read_text().replace('"seed"', '"seeed"', 1))
    reported = run("report", out)
    assert reported.returncode == 1
    assert victim.name in reported.stderr
    done = run("run", study_file, "--out", out)
    assert done.returncode == 0
    assert f"damaged record {victim.name}" in done.stderr
    assert "1 cells to run, 11 on record" in done.stdout
    assert (out / "damaged" / victim.name).exists()
    assert (out / TABLE).read_bytes() == (uninterrupted / TABLE).read_bytes()


def test_a_report_that_cannot_be_written_is_one_clear_error(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    subprocess.run(["cp", "-r", uninterrupted, out], check=True)
    subprocess.run(["rm", "-r", out / "report"], check=True)
    (out / "report").write_text("in the way")
    reported = run("report", out)
    assert reported.returncode == 2
    assert "cannot write the report" in reported.stderr
    assert "Traceback" not in reported.stderr


def test_a_new_condition_trains_only_its_own_cells(uninterrupted: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    subprocess.run(["cp", "-r", uninterrupted, out], check=True)
    grown = tmp_path / "tiny.toml"
    text = STUDY.replace("STEPS", "40") + 'mas = { consolidation = "mas", strength = 1 }\n'
    grown.write_text(text)
    done = run("run", grown, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "4 cells to run, 12 on record" in done.stdout
    assert "mas" in done.stdout


def test_a_dry_run_trains_and_writes_nothing(study_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "not-there"
    done = run("run", study_file, "--out", out, "--dry-run", "--seeds", "0-2", "--lanes", "2")
    assert done.returncode == 0, done.stderr
    for expected in ("cells to run", " 9 ", "blocks", "6 of up to 2 lanes", "estimated time"):
        assert expected in done.stdout
    assert not out.exists()


def test_completeness_is_told_by_the_exit_code(
    uninterrupted: Path, study_file: Path, tmp_path: Path
) -> None:
    options = ("--dry-run", "--require-complete")
    nothing = run("run", study_file, "--out", tmp_path / "none", *options)
    assert nothing.returncode == 1
    assert "12 cells are missing, 0 are on record" in nothing.stderr
    assert not (tmp_path / "none").exists(), "it only looks"
    out = tmp_path / "copy"
    subprocess.run(["cp", "-r", uninterrupted, out], check=True)
    past = "1000000000"  # whose wall time is over may still look
    whole = run("run", study_file, "--out", out, *options, SLURM_JOB_END_TIME=past)
    assert whole.returncode == 0, whole.stderr
    assert "complete, 12 cells" in whole.stdout
    record = sorted((out / "records").glob("*.json"))[0]
    record.write_text("{")
    assert run("run", study_file, "--out", out, *options).returncode == 1, "damaged is missing"
    assert record.read_text() == "{"
    assert run("run", study_file, "--require-complete").returncode == 2


def test_a_diverged_cell_is_a_result_and_exit_code_1(study_file: Path, tmp_path: Path) -> None:
    wild = tmp_path / "wild.toml"
    text = STUDY.replace("STEPS", "10").replace(CONDITIONS, "")
    wild.write_text(text + "wild = { protocol = { learning_rate = 1e30 } }\nfinetune = {}\n")
    first = run("run", wild, "--out", tmp_path / "out", "--executor", "in-process")
    assert first.returncode == 1
    assert "4 cells diverged" in first.stderr
    again = run("run", wild, "--out", tmp_path / "out")
    assert again.returncode == 0, "on record: nothing left to run"
    assert "4 diverged" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "run takes either a study or --all"),
        (["run", "no-such-study"], "dhp-split-mnist"),
        (["runn", "smoke"], "No such command"),
        (["run", "smoke", "--conditions", "finetune,dph"], "has no condition 'dph'"),
        (["run", "smoke", "--conditions", ","], "it has finetune"),
        (["run", "smoke", "--seeds", "ten"], "--seeds: 'ten'"),
        (["run", "smoke", "--seeds", "0"], "chooses no seed"),
        (["run", "smoke", "--workers", "0"], "workers"),
        (["run", "smoke", "--lanes", "-1"], "lanes"),
        (["run", "smoke", "--executor", "slurm"], "executor"),
        (["run", "smoke", "--device", "tpu"], "device"),
        (["run", "smoke", "--executor", "in-process", "--address", "auto"], "--address needs Ray"),
        (["run", "smoke", "--address", "127.0.0.1:1"], "127.0.0.1:1: nothing answers there"),
        (["run", "smoke", "--out", "/proc/nothing/here"], "cannot write to /proc/nothing"),
        (["run", "dhp-split-mnist", "--data-dir", "/proc/nothing"], "no MNIST: /proc/nothing"),
        (["--data-dir", "x", "run", "smoke"], "--data-dir goes after the command run"),
        (["--allow-other-data", "studies"], "--allow-other-data goes after the command studies"),
        (["run", "smoke", "--seeds", "0-3,2"], "--seeds: seed 2 is there twice"),
        (["run", "smoke", "--seeds", "0-99999999999999999999"], "out of range"),
        (["report", "/proc"], "holds no results"),
        (["studies", "nothing"], "no study 'nothing'"),
    ],
)
def test_bad_input_is_one_clear_error_and_exit_code_2(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()


def test_without_mnist_the_default_job_says_so_first_and_last(tmp_path: Path) -> None:
    results = tmp_path / "results" / "dhp-split-digits"
    results.mkdir(parents=True)
    (results / "study.json").write_text("{")  # stops it before it trains a hundred cells
    done = run("--data-dir", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout.startswith("NOT THE CLAIM'S DATA SET")


CLAIM = """
[[claims]]
id = "planted"
text = "a planted gain"
source = "control"
treatment = "planted"
baseline = "finetune"
reported = 8.9
unit = "points"
margin = 6.0
"""


def test_any_text_is_reported_on_any_terminal_and_verified(
    study_file: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.toml"
    text = study_file.read_text().partition('"dhp+si"')[0].replace("seeds = 4", "seeds = 2")
    text += "planted = { protocol = { seed_offset = 100, corrected_errors = 40 } }\n"
    odd.write_text(text + CLAIM.replace("a planted gain", "[/appendix] costs $5 and $6 ✓"))
    out = tmp_path / "[/out] $x$"
    done = run("run", odd, "--out", out, "--executor", "in-process", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert 'Claim: "[/appendix] costs $5 and $6 +"' in done.stdout
    assert "? INCONCLUSIVE" in done.stdout
    assert f"report: {out}" in done.stdout
    agreed = run("verify", out, PYTHONIOENCODING="ascii")
    assert (agreed.returncode, without_notes(agreed.stderr)) == (0, "")
    (out / "report" / "forest.svg").unlink()
    (out / "report" / "notes.txt").write_text("mine")
    named = run("verify", out)
    assert named.returncode == 1
    assert without_notes(named.stderr).splitlines() == [
        "differs: forest.svg: missing",
        "differs: notes.txt: not a file of this report",
    ]
    whole = {path.name for path in (out / "report").iterdir()}
    more = run("run", odd, "--out", out, "--seeds", 4, "--executor", "in-process")
    assert more.returncode == 0, more.stderr
    # Four seeds show what two do not, so there are tables more.
    assert {path.name for path in (out / "report").iterdir()} >= whole | {"forest.svg"}
    document = json.loads((out / "report" / "verdict.json").read_text())
    assert document["claims"][0]["n"] == 4, "the seeds that were asked for, not the study's two"


def test_adaptive_adds_seeds_until_the_claim_is_decided_and_says_so(
    study_file: Path, tmp_path: Path
) -> None:
    planted = tmp_path / "tiny.toml"
    text = study_file.read_text().partition('"dhp+si"')[0]
    text += "planted = { protocol = { seed_offset = 100, corrected_errors = 40 } }\n" + CLAIM
    planted.write_text(text)
    out, verdict = tmp_path / "out", tmp_path / "out" / "report" / "verdict.json"
    arguments = ("run", planted, "--out", out, "--executor", "in-process", "--adaptive")
    stopped = run(*arguments, "--max-seeds", 5)
    assert stopped.returncode == 3, stopped.stderr
    assert "5 seeds: 0 of 1 claims decided; not yet planted" in stopped.stdout
    assert "UNDECIDED: planted after 5 seeds" in stopped.stdout
    done = run(*arguments, "--max-seeds", 60)
    assert done.returncode == 0, done.stderr
    claim = json.loads(verdict.read_text())["claims"][0]
    assert claim["procedure"] == "anytime-valid t"
    assert claim["verdict"] in ("REPRODUCED", "PARTIAL", "LARGER")
    assert 5 < claim["n"] < 60
    assert f"{claim['n']} seeds: 1 of 1 claims decided" in done.stdout
    before = verdict.read_bytes()
    again = run(*arguments, "--max-seeds", 60)  # nothing is missing, and it stops at the same place
    assert (again.returncode, verdict.read_bytes()) == (0, before)
    plain = run("run", planted, "--out", out, "--executor", "in-process")
    assert plain.returncode == 0, plain.stderr  # who has looked cannot go back to fixed-n
    assert json.loads(verdict.read_text())["claims"][0]["procedure"] == "anytime-valid t"


def test_adaptive_does_not_add_seeds_for_a_claim_that_no_number_decides(
    study_file: Path, tmp_path: Path
) -> None:
    weak = tmp_path / "tiny.toml"
    text = study_file.read_text().partition('"dhp+si"')[0]
    text += "planted = { protocol = { seed_offset = 100, corrected_errors = 40 } }\n"
    weak.write_text(text + CLAIM.replace("margin = 6.0", "margin = 30.0"))
    arguments = ("--out", tmp_path / "out", "--executor", "in-process", "--max-seeds", 60)
    done = run("run", weak, "--adaptive", *arguments)
    assert done.returncode == 0, done.stderr
    verdict = json.loads((tmp_path / "out" / "report" / "verdict.json").read_text())
    assert verdict["claims"][0]["verdict"] == "DIRECTION ONLY"
    assert verdict["claims"][0]["n"] < 60
    assert "0 of 1 claims decided; no number of seeds decides planted" in done.stdout
    assert "would settle it" not in done.stdout


def test_adaptive_needs_claims_and_chooses_the_seeds_itself(
    study_file: Path, tmp_path: Path
) -> None:
    for arguments, says in (
        (("--adaptive",), "has no claim that could be decided"),
        (("--adaptive", "--seeds", 3), "leave out --seeds"),
    ):
        refused = run("run", study_file, "--out", tmp_path, *arguments)
        assert (refused.returncode, says in refused.stderr) == (2, True), refused.stderr


def test_a_results_directory_that_vanishes_is_told_and_made_again(tmp_path: Path) -> None:
    small = tmp_path / "vanishing.toml"
    small.write_text(
        'name = "vanishing"\nseeds = 6\n[protocol]\nbenchmark = "split-digits"\n'
        "iterations_per_task = 60\n[conditions]\nfinetune = {}\n"
        'dhp = { plasticity = "on" }\n[[claims]]\nid = "ahead"\ntext = "t"\nsource = "s"\n'
        'kind = "better"\ntreatment = "dhp"\nbaseline = "finetune"\n'
    )
    out = tmp_path / "out"
    options = ("--out", out, "--executor", "in-process", "--lanes", 1, "--no-report")
    driver = subprocess.Popen(
        command("run", small, *options), cwd=HERE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: len(list(out.glob("records/*.json"))) > 1)
    driver.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    gone = len(list(out.glob("records/*.json")))
    shutil.rmtree(out)
    driver.send_signal(signal.SIGCONT)
    _, said = driver.communicate(timeout=PATIENCE_S)
    assert driver.returncode == 1
    assert f"was removed while the run went on, with {gone} cells" in said
    assert len(list(out.glob("records/*.json"))) == 12 - gone
    assert [one.status for one in read_results(out).standings] == ["before"]
    again = run("run", small, *options)
    assert again.returncode == 0, again.stderr
    assert len(list(out.glob("records/*.json"))) == 12
