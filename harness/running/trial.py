"""A few steps with the user's own classes before a run: what fails then has cost nothing yet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.data.own_tasks import Data
from harness.errors import InputError, in_a_line
from harness.running.training import Stack, outcomes_of, use_one_thread
from harness.studies.condition import Cell, Condition
from harness.studies.own_code import OwnCode

SAMPLES, STEPS = 12, 3
"""Training samples of each class, and steps of each task."""


def try_own_classes(conditions: Sequence[Condition], data: Data) -> None:
    """Train each structure that has a class of the user's own for a few steps, on the CPU.

    Raises
    ------
    InputError
        Where it fails, does not give the same twice, or where a lane's numbers depend on others.
    """
    tried: set[str] = set()
    for condition in conditions:
        if condition.function is not None:  # tried by harness.running.functions.preflight
            continue
        codes = [*condition.method.own.values(), *condition.protocol.own.values()]
        if codes and condition.structure() not in tried:
            tried.add(condition.structure())
            use_one_thread()
            _try(_shortened(condition), codes, data.first(SAMPLES))


def _shortened(condition: Condition) -> Condition:
    short = {
        "epochs": None,
        "iterations_per_task": STEPS,
        "batch_size": min(SAMPLES, condition.stack_protocol.batch_size),
        "validation_fraction": min(0.5, condition.stack_protocol.validation_fraction),
    }
    return condition.model_copy(update={"protocol": condition.protocol.model_copy(update=short)})


def _try(condition: Condition, codes: Sequence[OwnCode], data: Data) -> None:
    first, second = (Cell(condition=condition, seed=seed) for seed in (0, 1))
    places = " and ".join(f"'{code.place}'" for code in codes)
    name = f"conditions.{condition.name}: {places}"
    try:
        alone, again, stacked = (
            _state(cells, data) for cells in ([first], [first], [first, second])
        )
    except InputError:
        raise
    except Exception as error:  # what the user's own code raises can be anything
        where = "".join({code.line_of(error): None for code in codes})
        raise InputError(
            f"{name} fails in a trial of some steps: {in_a_line(error)}{where}"
        ) from None
    for parameter, value in alone.items():
        if not _same(value, again[parameter]):
            raise InputError(
                f"{name}: the same seed gave other numbers the second time ({parameter}); draw "
                "from the streams of methods.streams, never from a global generator"
            )
        if not _same(value, stacked[parameter]):
            raise InputError(
                f"{name}: a network's numbers depend on those that train beside it ({parameter}); "
                "the first dimension of every tensor is the lane, which no sum may run over"
            )


def _state(cells: Sequence[Cell], data: Data) -> dict[str, Tensor]:
    """Return everything that the first cell of a block ends with."""
    stack = Stack(cells, data, "cpu")
    outcomes = outcomes_of(stack.run())
    state = {name: value[0] for name, value in stack.network.parameters.items()}
    told = {
        f"telemetry of task {entry['task']}: {name}": value
        for entry in outcomes[0].telemetry
        for name, value in entry.items()
    }
    return state | {
        name: torch.tensor(torch.nan if value is None else value, dtype=torch.float64)
        for name, value in told.items()
    }


def _same(a: Tensor, b: Tensor) -> bool:
    return torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
