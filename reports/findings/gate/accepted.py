"""What the gate reads of accepted results: the members that any baselines and waivers must have."""
# ruff: noqa: D102

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from reports.numbers.study import Measure


class Waiver(Protocol):
    """An excused alarm."""

    @property
    def condition(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def until(self) -> datetime.date: ...
    def covers(self, condition: str, metric: str) -> bool: ...


class Baselines(Protocol):
    """What the gate reads of the accepted results of a study."""

    @property
    def study(self) -> str: ...
    @property
    def measure(self) -> Measure: ...
    @property
    def generation(self) -> int: ...
    @property
    def current(self) -> Mapping[str, Any]: ...
    @property
    def newest(self) -> Any: ...
    @property
    def reference(self) -> Any: ...
    @property
    def history(self) -> Sequence[Any]: ...
    @property
    def waivers(self) -> Sequence[Waiver]: ...
    def measured_spread(
        self, up_to: str | None = None
    ) -> Mapping[str, Mapping[str, Sequence[float]]]: ...
