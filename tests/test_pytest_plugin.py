"""The pytest plug-in as a user has it: results fail, are accepted, pass, and fail when they change.

Each step is a test session of its own, and trains.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

STUDY = """
name = "mine"
seeds = 4
[protocol]
benchmark = "split-digits"
hidden = [32]
learning_rate = 0.1
iterations_per_task = 8
[conditions]
plain = {}
kept = { consolidation = "mas", strength = 0.1 }
"""
TEST = """
def test_results(results_gate):
    answer = results_gate.check("studies/mine.toml")
    assert answer.get("verdict", "OK") == "OK"
"""


def test_fail_accept_pass_and_fail_again(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]")
    study = pytester.mkdir("studies") / "mine.toml"
    study.write_text(STUDY)
    pytester.makepyfile(TEST)

    nothing = pytester.runpytest_subprocess()
    nothing.assert_outcomes(failed=1)
    nothing.stdout.fnmatch_lines(
        ["*holds no accepted results of 'mine'*", '*or: pytest --accept-results --reason "..."*']
    )
    no_reason = pytester.runpytest_subprocess("--accept-results")
    no_reason.stderr.fnmatch_lines(["*--accept-results needs a reason*"])
    pytester.runpytest_subprocess("--accept-results", "--reason", "#1").assert_outcomes(passed=1)
    assert list((pytester.path / "baselines" / "mine").glob("*.json"))
    pytester.runpytest_subprocess().assert_outcomes(passed=1)

    study.write_text(STUDY.replace("rate = 0.1", "rate = 0.001"))
    changed = pytester.runpytest_subprocess()
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(
        ["*protocol.learning_rate 0.1 -> 0.001 in plain, kept*", "*next: python run_all.py*"]
    )
    assert "Traceback" not in changed.stdout.str()


def test_a_line_in_conftest_does_no_harm(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["harness.pytest_plugin"]')
    pytester.makepyfile("def test_it(results_gate): assert results_gate.reason is None")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
