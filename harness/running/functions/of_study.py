"""The conditions of a run that the user's own functions train, and what is known of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from harness.errors import InputError
from harness.keeping.store import Damaged, Store
from harness.running.functions.preflight import Preflight
from harness.running.functions.terms import Terms
from harness.running.plan import Plan
from harness.studies.condition import Cell, Condition, cell_key
from harness.studies.study import Study


class Functions:
    """The conditions that functions train, of the part of a study that is run.

    Parameters
    ----------
    cell_timeout : seconds that a cell may take; None for no limit.

    Attributes
    ----------
    conditions : in the order of the study.
    terms : what holds for all of their cells.
    preflight : what their trial showed.

    Raises
    ------
    InputError
        Where there is a limit and no condition that it is for.
    """

    def __init__(self, study: Study, chosen: Study, cell_timeout: float | None) -> None:
        self.conditions = [c for c in chosen.ours.values() if c.function is not None]
        if cell_timeout is not None and not self.conditions:
            raise InputError(
                "--cell-timeout: no condition is trained by a function of your own; for blocks of "
                "the stack there is --block-timeout"
            )
        self.terms = Terms(study.measured, study.isolation != "none", cell_timeout)
        self.preflight = Preflight()

    def are_in(self, plan: Plan) -> bool:
        """Tell whether a plan has cells of theirs."""
        return any(block[0].condition.function is not None for block in plan.blocks)

    def at_hand(self, plan: Plan, folders: tuple[Path, ...]) -> Plan:
        """Return a plan whose functions can be called; see ``Function.ready``."""
        ready: dict[str, Condition] = {}
        for condition in self.conditions:
            if condition.function is not None:
                method = condition.function.ready(folders)
                ready[condition.name] = condition.model_copy(update={"method": method})
        self.conditions = [*ready.values()]
        blocks = tuple(tuple(_with(cell, ready) for cell in block) for block in plan.blocks)
        return replace(plan, blocks=blocks)

    def paces(
        self, store: Store, recorded: Collection[str], chosen: Study, checksum: str
    ) -> dict[str, float]:
        """Return the seconds of a cell, by structure, where one was trained."""
        found = {}
        for condition in self.conditions:
            pace = self._pace(condition, store, recorded, chosen, checksum)
            if pace is not None:
                found[condition.structure()] = pace
        return found

    def _pace(
        self,
        condition: Condition,
        store: Store,
        recorded: Collection[str],
        chosen: Study,
        checksum: str,
    ) -> float | None:
        for event in self.preflight.done:
            if event.block[0].condition.name == condition.name:
                return event.outcomes[0].timings["total"]
        program = condition.program(checksum)
        for seed in chosen.seeds:
            if (key := cell_key(program, seed)) in recorded:
                record = store.read(store.path(key))
                if not isinstance(record, Damaged):
                    return float(record["timings"].get("total", 0.0))
        return None


def _with(cell: Cell, conditions: dict[str, Condition]) -> Cell:
    condition = conditions.get(cell.condition.name)
    return cell if condition is None else Cell(condition=condition, seed=cell.seed)
