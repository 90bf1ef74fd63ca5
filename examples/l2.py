"""A consolidation that is not shipped: every slow weight is drawn to where the last task left it.

It trains in the stack like ours. ``examples/l2.toml`` compares it; run it from here or anywhere:

    python run_all.py run examples/l2.toml
"""

from __future__ import annotations

from dataclasses import dataclass

from methods.consolidation import Recentred, SampleTask
from methods.importance import Importance


class L2(Recentred):
    """The penalty ``strength * sum (theta - theta*)^2``, with theta* the last task's weights."""

    @dataclass(frozen=True, kw_only=True)
    class Settings(Recentred.Settings):
        """``biases`` tells whether they are drawn back too; ``strength`` is the base class's."""

        biases: bool = True

    def accumulate(self, importance: Importance, samples: SampleTask) -> None:
        """Let every weight matter alike."""
        for name, value in importance.items():
            value.fill_(1.0 if self.settings.biases or name.endswith("weight") else 0.0)
