"""A trial of the user's own functions before the long run: what it shows costs little now.

The same seed twice gives the same; another seed another; the treatment differs from its baseline.
With a table ``preflight`` in the study the trial is cheap and its results are dropped; without one
its cells are cells of the run, and kept.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.data.own_tasks import Data
from harness.errors import InputError
from harness.keeping.records import UNFINISHED
from harness.running.events import Block, BlockDone
from harness.running.functions.pool import Pool
from harness.running.functions.terms import Terms
from harness.running.outcomes import Outcome
from harness.studies.condition import Cell, Condition, digest
from harness.studies.study import Study

NAME = "preflight.json"
"""A file of the results directory: what trials have shown; disposable."""


@dataclass
class Preflight:
    """What the trials of a study's functions showed.

    Attributes
    ----------
    lines : one for each thing that a reader should know.
    deterministic : by the source of a function, whether the same seed gave the same.
    done : cells of the run that were trained meanwhile.
    """

    lines: list[str] = field(default_factory=list)
    deterministic: dict[str, bool] = field(default_factory=dict)
    done: list[BlockDone] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """The cells of one function's trial; the first one runs twice."""

    place: str
    source: str
    base: Cell
    other_seed: Cell
    treatment: Cell | None

    @property
    def cells(self) -> list[Cell]:
        """All of them."""
        return [self.base, self.base, self.other_seed, *filter(None, [self.treatment])]


def trials(study: Study, conditions: Sequence[Condition]) -> Iterator[Trial]:
    """Yield the trial of each function that trains some of the conditions.

    Parameters
    ----------
    conditions : those that will be run, with their functions at hand.
    """
    pairs = [(claim.treatment, claim.baseline) for claim in study.claims]
    groups: dict[tuple[str, str], dict[str, Condition]] = {}
    for condition in conditions:
        if condition.function is not None:
            of = condition.function
            source = str(of.train_source or of.command_source)
            groups.setdefault((of.place, source), {})[condition.name] = condition
    first = study.seeds[0]
    second = study.seeds[1] if len(study.seeds) > 1 else first + 1
    for (place, source), group in groups.items():
        named = [*group]
        asked = [(b, t) for t, b in pairs if t in group and b in group]
        base, treatment = asked[0] if asked else (named[0], named[1] if len(named) > 1 else None)
        cheap = {name: _cheap(group[name], study.preflight) for name in {base, treatment or base}}
        yield Trial(
            place,
            source,
            Cell(condition=cheap[str(base)], seed=first),
            Cell(condition=cheap[str(base)], seed=second),
            None if treatment is None else Cell(condition=cheap[treatment], seed=first),
        )


def _cheap(condition: Condition, values: Mapping[str, Any] | None) -> Condition:
    if not values or condition.function is None:
        return condition
    return condition.model_copy(update={"method": condition.function.under(values)})


def try_functions(
    study: Study,
    conditions: Sequence[Condition],
    data: Data,
    device: str,
    terms: Terms,
    workers: int,
    root: Path,
) -> Preflight:
    """Try each function, unless the results directory says what came of it before.

    Parameters
    ----------
    root : the results directory.

    Raises
    ------
    InputError
        Where every run of a function's trial fails.
    """
    found = Preflight()
    known = _known(root)
    asked: dict[str, Trial] = {}
    for trial in trials(study, conditions):
        programs = [cell.key(data.checksum()) for cell in trial.cells]
        key = digest([trial.place, trial.source, programs, device, terms.fresh])[:32]
        if key in known:
            found.lines += known[key]["lines"]
            found.deterministic[trial.source] = known[key]["deterministic"]
        else:
            asked[key] = trial
    if not asked:
        return found
    blocks: list[Block] = [(cell,) for trial in asked.values() for cell in trial.cells]
    done: dict[Block, list[BlockDone]] = {}
    pool = Pool(device, workers, terms)
    try:
        for event in pool.serve(blocks, data):
            if isinstance(event, BlockDone):
                done.setdefault(event.block, []).append(event)
    finally:
        pool.close()
    for key, trial in asked.items():
        lines, same = _judged(trial, done)
        found.lines += lines
        if same is not None:
            found.deterministic[trial.source] = same
            known[key] = {"lines": lines, "deterministic": same}
    if study.preflight is None:
        found.done = [events[0] for events in done.values()]
    _keep(root, known)
    return found


def _judged(
    trial: Trial, done: Mapping[Block, Sequence[BlockDone]]
) -> tuple[list[str], bool | None]:
    """Return what a trial shows, and whether the same seed gave the same; None for not known."""
    once, again = (event.outcomes[0] for event in done[trial.base,])
    other = done[trial.other_seed,][0].outcomes[0]
    treated = done[trial.treatment,][0].outcomes[0] if trial.treatment is not None else None
    all_of_them = [once, again, other, *filter(None, [treated])]
    if all(outcome.status in UNFINISHED for outcome in all_of_them):
        why = once.failure.partition("\n")[0]
        raise InputError(
            f"'{trial.place}' fails in each run of its trial{_line_in(once.failure)}: {why}; "
            "nothing was run"
        )
    lines = []
    base, seed = trial.base.condition.name, trial.base.seed
    same: bool | None = None
    if not {once.status, again.status} & {*UNFINISHED}:
        same = _results(once) == _results(again)
        if not same:
            lines.append(
                f"'{trial.place}' is not deterministic: '{base}' with seed {seed} gave "
                f"{_shown(once)} and then {_shown(again)}; the report says so"
            )
        elif _results(once) == _results(other):
            lines.append(
                f"'{trial.place}' gave {_shown(once)} for the seeds {seed} and "
                f"{trial.other_seed.seed} of '{base}' alike: does it use its seed?"
            )
        if same and treated is not None and _results(once) == _results(treated):
            name = trial.treatment.condition.name if trial.treatment is not None else ""
            lines.append(
                f"'{trial.place}' gave {_shown(once)} for '{name}' and '{base}' alike (seed "
                f"{seed}): does it use what they differ in?"
            )
    return lines, same


def _results(outcome: Outcome) -> list[Any]:
    return [outcome.status, outcome.accuracy, outcome.values, outcome.curves]


def _shown(outcome: Outcome) -> str:
    named = [f"{name} {value:.6g}" for name, value in outcome.values.items() if value is not None]
    return ", ".join(named[:3]) or outcome.status


def _line_in(failure: str) -> str:
    """Return the last place of a traceback that is not in an installed package."""
    places = [line.strip() for line in failure.splitlines() if line.strip().startswith('File "')]
    own = [place for place in places if "site-packages" not in place and "child.py" not in place]
    if not own:
        return ""
    file, _, rest = own[-1].removeprefix('File "').partition('", line ')
    return f" ({file}, line {rest.partition(',')[0]})"


def _known(root: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        content = json.loads((root / NAME).read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return {
                key: value
                for key, value in content.items()
                if isinstance(value, dict) and value.keys() == {"lines", "deterministic"}
            }
    return {}


def _keep(root: Path, known: Mapping[str, Any]) -> None:
    temporary = root / f".{NAME}.{uuid.uuid4().hex}.tmp"
    with suppress(OSError):
        try:
            temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
            temporary.replace(root / NAME)
        finally:
            temporary.unlink(missing_ok=True)
