"""What is shown while a study runs."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from harness.running.events import BlockFailed, BlockProgress, NoWorker
from harness.screen.progress import Display
from harness.studies.condition import Cell, Condition


@pytest.mark.parametrize("terminal", [True, False])
def test_that_no_worker_starts_is_said_whole_in_a_terminal_and_in_a_file(terminal: bool) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=terminal, color_system=None, width=40)
    advice = "look into the logs in /tmp/[bold]/somewhere/that/is/longer/than/a/line"
    with Display(console, 4, {"finetune": []}) as display:
        display.observe(NoWorker(90.0, advice))
    assert f"no worker has started for 1:30: {advice}\n" in screen.getvalue()


def test_the_counter_counts_what_is_recorded_and_the_bar_what_is_trained() -> None:
    condition = Condition.model_validate({"name": "finetune", "method": {}, "protocol": {}})
    cell = Cell(condition=condition, seed=0)
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=80)
    with Display(console, 1, {"finetune": []}) as display:
        display.observe(BlockProgress((cell,), 1.0))
        console.print(display._render())
        assert "0/1 cells" in screen.getvalue()
        assert "100%" in screen.getvalue()
        assert "1/1 cells" not in screen.getvalue()
        display.observe(BlockFailed((cell,), "why", ""))
        console.print(display._render())
        assert "1/1 cells" in screen.getvalue()
