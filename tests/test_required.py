"""A failed control and a verdict that is not met end a report with 1, and say so first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gate_results import results, shifted
from reported import Page
from test_gate import call

from harness.keeping.results import read_results
from harness.keeping.store import Store
from harness.studies.statements import Statement
from harness.studies.study import Study
from reports.findings.requirements import unmet_demands
from reports.output.reporter import Reporter


def study_of(reported: float, expected: str | None = None) -> Study:
    claim: dict[str, Any] = {
        "id": "gain", "text": "plain gains", "source": "by hand", "treatment": "plain",
        "baseline": "ewc", "reported": reported, "unit": "points", "margin": 1.5,
    }  # fmt: skip
    return Study.model_validate(
        {
            "name": "by-hand",
            "seeds": 12,
            "protocol": {"benchmark": "split-digits"},
            "conditions": {"plain": {}, "ewc": {"consolidation": "ewc", "strength": 10.0}},
            "claims": [claim | ({} if expected is None else {"expected": expected})],
        }
    )


def directory(tmp_path: Path, study: Study) -> Path:
    """Write results with a gain of about five points."""
    return results(tmp_path / "results", shifted(5.0), study)


def test_a_failed_control_is_the_first_line_and_the_exit_code(tmp_path: Path) -> None:
    found = directory(tmp_path, study_of(5.0, expected="NOT REPRODUCED"))
    code, output = call("report", found)
    assert code == 1
    lines = (line for line in output.splitlines() if line.strip())
    first = next(line for line in lines if not line.startswith("writing"))
    assert first.startswith("CONTROL FAILED. gain must be NOT REPRODUCED and is REPRODUCED")
    page = Page(found / "report" / "index.html")
    assert page.text.index("CONTROL FAILED") < page.text.index("plain gains")
    html = (found / "report" / "index.html").read_text()
    assert '<h1 class="FAILED">' in html, "a verdict that is not to be trusted is not green"
    assert "CONTROL FAILED" in (found / "report" / "report.md").read_text().splitlines()[2]
    notices = json.loads((found / "report" / "verdict.json").read_text())["notices"]
    assert notices[0].startswith("CONTROL FAILED. gain")


def test_a_control_that_got_its_verdict_says_nothing(tmp_path: Path) -> None:
    found = directory(tmp_path, study_of(5.0, expected="REPRODUCED"))
    code, output = call("report", found, "--require", "PARTIAL")
    assert code == 0, "a control is no claim that could be required"
    assert "CONTROL FAILED" not in output


@pytest.mark.parametrize(
    ("reported", "required", "exit_code"),
    [(5.0, "REPRODUCED", 0), (9.0, "REPRODUCED", 1), (9.0, "reproduced, partial", 0)],
)
def test_the_verdicts_that_are_required(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reported: float,
    required: str,
    exit_code: int,
) -> None:
    code, output = call("report", directory(tmp_path, study_of(reported)), "--require", required)
    said = output + capsys.readouterr().err
    assert code == exit_code
    assert ("--require REPRODUCED: not met, gain is PARTIAL" in said) == bool(exit_code)


def test_a_preliminary_or_a_late_verdict_meets_no_requirement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = study_of(5.0).model_copy(update={"seeds": tuple(range(20))})
    found = results(tmp_path / "results", shifted(5.0), more, seeds=range(12))
    code, output = call("report", found, "--require", "REPRODUCED")
    said = output + capsys.readouterr().err
    assert code == 1
    assert "--require REPRODUCED: not met, gain is REPRODUCED, PRELIMINARY" in said


def test_what_is_no_verdict_cannot_be_required(tmp_path: Path) -> None:
    found = directory(tmp_path, study_of(5.0))
    code, output = call("report", found, "--require", "GOOD")
    assert code == 2
    assert "'GOOD' is no verdict; there are REPRODUCED, LARGER, PARTIAL" in output
    code, output = call("run", "smoke", "--dry-run", "--require", "PARTIAL")
    assert code == 2
    assert "leave out --no-report and --dry-run" in output


def test_the_version_is_said() -> None:
    code, output = call("--version")
    assert code == 0
    assert output.startswith("dhp-repro 0.")


def test_claims_of_other_kinds_can_be_required_and_controls_of_them_can_fail(
    tmp_path: Path,
) -> None:
    study = study_of(5.0).model_dump(mode="json", exclude_none=True)
    pair = {"treatment": "plain", "baseline": "ewc"}
    said = {"text": "plain against ewc", "source": "by hand"} | pair
    study["claims"] += [
        {"id": "ahead", "kind": "better"} | said,
        {"id": "same", "kind": "equal", "margin": 1.0, "expected": "EQUAL"} | said,
    ]
    found = directory(tmp_path, Study.model_validate(study))
    code, output = call("report", found, "--require", "better,REPRODUCED")
    assert code == 1
    assert "CONTROL FAILED. same must be EQUAL and is DIFFERENT" in " ".join(output.split())
    assert "not met" not in output
    code, output = call("report", found, "--require", "REPRODUCED")
    assert "--require REPRODUCED: not met, ahead is BETTER" in " ".join(output.split())


def demanding(*words: str, **more: str) -> Study:
    """Return a study whose claim of nine points requires one of these verdicts."""
    content = study_of(9.0).model_dump(mode="json", exclude_none=True)
    content["claims"][0] |= {"require": list(words)} | more
    return Study.model_validate(content)


def test_a_study_that_requires_a_verdict_ends_with_one_where_it_gets_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = directory(tmp_path, demanding("REPRODUCED", "LARGER"))
    code, output = call("report", found)
    said = output + capsys.readouterr().err
    assert code == 1
    assert "requires another verdict: gain must be REPRODUCED or LARGER and is PARTIAL" in said
    results = read_results(found)
    judged = Reporter().analyse(results).judged
    assert unmet_demands(judged) == ["gain must be REPRODUCED or LARGER and is PARTIAL"]
    Store(found).open_for(demanding("PARTIAL"))
    assert read_results(found).study.claims[0].require == ("PARTIAL",), "it is what counts now"
    assert unmet_demands(Reporter().analyse(read_results(found)).judged) == []


def test_a_demand_changes_no_study_and_must_be_a_verdict_that_the_claim_can_get() -> None:
    assert demanding("LARGER").fingerprint() == study_of(9.0).fingerprint()
    with pytest.raises(ValueError, match="require names 'BETTER', which is no verdict of its kind"):
        demanding("BETTER")
    with pytest.raises(ValueError, match="at least 1 item"):
        demanding()
    with pytest.raises(ValueError, match="a control is required to be what 'expected' says"):
        demanding("PARTIAL", expected="REPRODUCED")
    asked: dict[str, Any] = {"id": "x", "kind": "better", "text": "t", "source": "s",
                             "treatment": "plain", "baseline": "ewc"}  # fmt: skip
    assert Statement(**asked, require=("WORSE", "INCONCLUSIVE")).require is not None
    with pytest.raises(ValueError, match="require names 'EQUAL'"):
        Statement(**asked, require=("EQUAL",))
