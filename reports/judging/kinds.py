"""Every kind of claim by the name that a study file gives it."""

from __future__ import annotations

from reports.judging.at_least import AtLeast
from reports.judging.better import Better
from reports.judging.equal import Equal
from reports.judging.gain import Gain
from reports.judging.kind import Kind
from reports.judging.rank import Rank
from reports.judging.value import Value

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (Gain(), Better(), AtLeast(), Equal(), Value(), Rank())
}
