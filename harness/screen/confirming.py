"""Train fresh seeds for conditions in alarm: a second look that nobody chose after the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from harness.errors import InputError
from harness.keeping.acceptance import append_line
from harness.keeping.asking import Asked
from harness.keeping.baselines import Baselines
from harness.keeping.records import Record
from harness.keeping.results import Results, read_results
from harness.keeping.store import Store
from harness.running.options import Options
from harness.screen.pooling import fingerprint_without_seeds
from harness.studies.study import Study
from harness.studies.study_files import load_study

FIRST_SEED = 2**40
"""The seeds from here on are for confirmations; a study that uses them is refused one."""
SEEDS_PER_ATTEMPT = 10_000


@dataclass(frozen=True)
class Attempt:
    """A confirmation: its number, its seeds, and the conditions that are trained anew."""

    number: int
    seeds: tuple[int, ...]
    conditions: tuple[str, ...]
    results: Path


def plan_attempt(
    baselines: Baselines, results: Results, conditions: Sequence[str], directory: Path
) -> Attempt:
    """Return the next attempt: as many fresh seeds as were accepted, fixed by its number.

    Raises
    ------
    InputError
        Where the study itself uses seeds that are kept for confirmations.
    """
    if any(record["seed"] >= FIRST_SEED for record in results.records):
        raise InputError(
            f"--confirm: seeds from {FIRST_SEED} on are kept for confirmations, and "
            f"{directory} uses them; choose smaller seeds"
        )
    number = 1 + sum(line.get("event") == "started" for line in baselines.attempts)
    count = len({cell["seed"] for cell in baselines.reference["cells"]})
    first = FIRST_SEED + number * SEEDS_PER_ATTEMPT
    seeds = tuple(range(first, first + count))
    return Attempt(number, seeds, tuple(conditions), directory / f"confirmation-{number}")


def train_attempt(
    out: Console,
    attempt: Attempt,
    baselines: Baselines,
    results: Results,
    data_dir: Path,
    *,
    allow_other_data: bool,
) -> list[Record]:
    """Record the attempt with the baseline, train its seeds, and return their records.

    Raises
    ------
    InputError
        Where the data or the user's own code are not there, or files cannot be written; the
        attempt then does not count.
    """
    from harness.running.session import Session
    from harness.screen.answer import Answer
    from harness.screen.run import show_run

    seeds = f"{attempt.seeds[0]}-{attempt.seeds[-1]}"
    was_asked = Store(attempt.results.parent).asked()
    study = _by_its_file(results.study, was_asked)
    chosen = study.choose(attempt.conditions, seeds)
    asked: Asked | None = None
    if was_asked is not None:
        names = ",".join(attempt.conditions)
        asked = {**was_asked, "seeds": seeds, "conditions": names, "out": str(attempt.results)}
    session = Session(
        study,
        chosen,
        data_dir,
        attempt.results,
        Options(),
        allow_other_data=allow_other_data,
        asked=asked,
    )
    for condition in session.functions.conditions:
        if condition.function is not None:
            condition.function.ready((Path(), *([] if asked is None else [_beside(asked)])))
    note(baselines, attempt, event="started")
    out.print(f"confirmation {attempt.number}: fresh seeds for {', '.join(attempt.conditions)}")
    show_run(Answer(out), session)
    fresh = set(attempt.seeds)
    return [r for r in read_results(attempt.results).records if r["seed"] in fresh]


def _by_its_file(study: Study, asked: Asked | None) -> Study:
    """Return the study of results, from its file where that still says the same.

    Classes of the user's own are found beside it.
    """
    if asked is None or not Path(asked["study"]).is_file():
        return study
    read = load_study(asked["study"])
    same = fingerprint_without_seeds(read) == fingerprint_without_seeds(study)
    return read if same else study


def _beside(asked: Asked) -> Path:
    return Path(asked["study"]).parent


def note(baselines: Baselines, attempt: Attempt, *, event: str, verdict: str | None = None) -> None:
    """Add a line about an attempt to ``confirmations.jsonl``."""
    content = {
        "event": event,
        "attempt": attempt.number,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "generation": baselines.generation,
        "conditions": list(attempt.conditions),
        "seeds": [attempt.seeds[0], attempt.seeds[-1]],
        "verdict": verdict,
    }
    path = baselines.folder / "confirmations.jsonl"
    try:
        append_line(path, content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
