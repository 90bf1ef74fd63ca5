"""What is shown while a study runs."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from harness.running.events import NoWorker
from harness.screen.progress import Display


@pytest.mark.parametrize("terminal", [True, False])
def test_that_no_worker_starts_is_said_whole_in_a_terminal_and_in_a_file(terminal: bool) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=terminal, color_system=None, width=40)
    advice = "look into the logs in /tmp/[bold]/somewhere/that/is/longer/than/a/line"
    with Display(console, 4, {"finetune": []}) as display:
        display.observe(NoWorker(90.0, advice))
    assert f"no worker has started for 1:30: {advice}\n" in screen.getvalue()
