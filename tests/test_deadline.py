"""A deadline: no block is started that would not end before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from small import small_data

from harness.errors import InputError
from harness.keeping.store import Store
from harness.running import deadline, runner
from harness.running.deadline import SLACK, Deadline, fixed, seconds_left
from harness.running.events import BlockDone, Event
from harness.running.executors import InProcess
from harness.running.outcomes import Outcome
from harness.running.plan import make_plan
from harness.running.runner import Run, Tally
from harness.studies.study import Study

STUDY = Study.model_validate(
    {
        "name": "tiny",
        "seeds": 3,
        "protocol": {"benchmark": "split-digits", "iterations_per_task": 2, "hidden": [8, 8]},
        "conditions": {"finetune": {}, "dhp": {"plasticity": "on"}},
    }
)
PLAN = make_plan(STUDY, small_data().checksum(), [], workers=1, lanes=1, device="cpu")
SHORT, LONG = PLAN.blocks[0], PLAN.blocks[1]
PACES = {SHORT[0].condition.structure(): 1.0, LONG[0].condition.structure(): 100.0}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45", 2700), ("10:30", 630), ("3:30:00", 12600), ("1-12:00:00", 129600)],
)
def test_durations_are_read_as_slurm_writes_them(text: str, seconds: float) -> None:
    assert seconds_left(text) == seconds


def test_dates_are_read_and_durations_can_be_fixed_as_dates() -> None:
    at = datetime.now(UTC) + timedelta(hours=2)
    assert seconds_left(at.isoformat()) == pytest.approx(7200, abs=60)
    assert seconds_left(fixed("2:00:00")) == pytest.approx(7200, abs=60)
    assert fixed(None) is None


def test_a_job_of_slurm_needs_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    assert seconds_left(None) is None
    end = datetime.now(UTC).timestamp() + 600
    monkeypatch.setenv("SLURM_JOB_END_TIME", f"{end:.0f}")
    assert seconds_left(None) == pytest.approx(600, abs=60)


@pytest.mark.parametrize("text", ["", "soon", "3:30:00:00", "2020-01-01", "0:10", "-5", "1e3"])
def test_what_is_no_time_or_has_passed_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--deadline"):
        seconds_left(text)


def test_a_block_must_fit_and_what_was_measured_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(deadline, "monotonic", lambda: now)
    until = Deadline(deadline.RESERVE_S + SLACK * 100, PACES)
    assert until.allows(LONG)
    now = 1.0
    assert not until.allows(LONG)
    assert until.allows(SHORT)
    slow = Outcome("done", [[1.0]], timings={"total": 200.0})
    until.learn(BlockDone(SHORT, [slow], {}))
    assert not until.allows(SHORT), "it was slower than estimated"
    assert not until.passed
    now += SLACK * 100
    assert until.passed


def test_what_does_not_fit_is_named_and_what_fits_is_trained(tmp_path: Path) -> None:
    store, tally, seen = Store(tmp_path), Tally(), list[Event]()
    run = Run(PLAN, small_data(), "tiny", store, tally, Deadline(90.0, PACES))
    run.execute(InProcess("cpu"), seen.append)
    assert tally.done == 3
    assert {left.block[0].condition.name for left in tally.left_out} == {LONG[0].condition.name}
    assert not tally.clean
    assert not (tmp_path / "reserved").exists(), "others may train them"
    again = Tally()
    Run(PLAN, small_data(), "tiny", store, again).execute(InProcess("cpu"), seen.append)
    assert (again.done, again.clean) == (3, True)


def test_a_clock_that_is_set_while_a_run_goes_on_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read for the times that records and the journal tell, and once for a deadline."""

    class SetBack(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> SetBack:
            return cls(1970, 1, 1, tzinfo=tz)

    until = Deadline(3600.0, PACES)
    monkeypatch.setattr(runner, "datetime", SetBack)
    monkeypatch.setattr("time.time", lambda: 0.0)
    store, tally = Store(tmp_path), Tally()
    run = Run(PLAN, small_data(), "tiny", store, tally, until)
    run.execute(InProcess("cpu"), lambda event: None)
    assert (tally.done, tally.clean) == (6, True)
    records, damaged = store.read_all()
    assert not damaged
    assert {r["timings"]["finished"] for r in records} == {"1970-01-01T00:00:00+00:00"}
