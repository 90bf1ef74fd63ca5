"""The commands of the regression gate: accept results, check results against accepted ones.

What results say is judged by an object that ``run_all`` takes from the reports; this module reads,
trains and writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from harness.errors import InputError
from harness.keeping.acceptance import (
    accept,
    baseline_of,
    check_complete,
    fingerprints,
    orphans,
)
from harness.keeping.baselines import Baselines, ByMetric, read_baselines
from harness.keeping.records import Record
from harness.keeping.results import Results, read_results
from harness.screen.answer import Answer
from harness.screen.confirming import note, plan_attempt, train_attempt
from harness.studies.measured import Measure


class Judge(Protocol):
    """Judges results against accepted ones, and shows what it finds."""

    def check(  # noqa: D102
        self,
        records: Sequence[Mapping[str, Any]],
        baselines: Baselines,
        fingerprints: Mapping[tuple[str, int], str],
        *,
        orphaned: Sequence[str],
        margin: float | None,
        on_purpose: bool,
    ) -> Any: ...
    def in_alarm(self, found: Any) -> list[tuple[str, str]]: ...  # noqa: D102
    def confirmed(  # noqa: D102
        self,
        found: Any,
        fresh: Sequence[Mapping[str, Any]],
        accepted: Sequence[Mapping[str, Any]],
        measure: Measure,
        attempt: int,
        seeds: Sequence[int],
    ) -> Any: ...
    def margins(  # noqa: D102
        self,
        cells: Sequence[Mapping[str, Any]],
        measure: Measure,
        measured: Mapping[str, Mapping[str, Sequence[float]]],
    ) -> ByMetric: ...
    def metrics(  # noqa: D102
        self, cells: Sequence[Mapping[str, Any]], measure: Measure
    ) -> dict[str, dict[str, list[float | None]]]: ...
    def drift(  # noqa: D102
        self,
        new: Sequence[Mapping[str, Any]],
        accepted: Sequence[Mapping[str, Any]],
        measure: Measure,
    ) -> tuple[ByMetric, ByMetric]: ...
    def show(self, out: Console, found: Any, directory: str) -> None: ...  # noqa: D102
    def write(self, found: Any, directory: str, folder: Path) -> Path: ...  # noqa: D102
    def markdown(self, found: Any, directory: str) -> str: ...  # noqa: D102


def check_results(
    answer: Answer,
    judge: Judge,
    directory: Path,
    folder: Path,
    *,
    margin: float | None,
    confirm: bool,
    new_bits: bool,
    data_dir: Path,
    allow_other_data: bool,
) -> int:
    """Check results against the accepted ones; show and write the answer.

    Returns
    -------
    An exit code: 0 ok, 1 regression, 2 cells missing or extra, 3 inconclusive.

    Raises
    ------
    InputError
        Where nothing has been accepted, a file is damaged, or the margin cannot be resolved.
    """
    out = answer.out
    results = read_results(directory)
    baselines = read_baselines(folder, results.study.name)
    if not baselines.history:
        raise InputError(
            f"{baselines.folder} holds no accepted results of '{results.study.name}'; if these "
            f'are right: python run_all.py accept {directory} --baselines {folder} --reason "..."'
        )
    found = _judged(judge, results, baselines, margin=margin, on_purpose=new_bits)
    asked = judge.in_alarm(found)
    if confirm and asked:
        found = _confirmed(
            out, judge, found, asked, results, baselines, directory, data_dir, allow_other_data
        )
    judge.show(out, found, str(directory))
    try:
        page = judge.write(found, str(directory), directory / "gate")
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(judge.markdown(found, str(directory)))
    except OSError as error:
        raise InputError(
            f"cannot write the answer to {directory / 'gate'}: {error.strerror or error}; the "
            "records are safe"
        ) from None
    answer.add(study=results.study.name, verdict=str(found.verdict), page=str(page))
    out.print(f"page: {page}", highlight=False, soft_wrap=True)
    return int(found.verdict.exit_code)


def _judged(
    judge: Judge, results: Results, baselines: Baselines, *, margin: float | None, on_purpose: bool
) -> Any:
    now, before = results.study.measured, baselines.measure
    if now != before:
        raise InputError(
            f"study '{results.study.name}' measures {_described(now)}; the accepted results in "
            f"{baselines.folder} are {_described(before)}: accept new ones, with a reason"
        )
    try:
        return judge.check(
            results.records,
            baselines,
            fingerprints(results.records),
            orphaned=orphans(results),
            margin=margin,
            on_purpose=on_purpose,
        )
    except ValueError as error:
        raise InputError(f"{baselines.folder}: {error}") from None


def _described(measure: Measure) -> str:
    better = "more" if measure.higher_is_better else "less"
    return f"{measure.name} in '{measure.unit}', {better} is better"


def _confirmed(
    out: Console,
    judge: Judge,
    found: Any,
    asked: Sequence[tuple[str, str]],
    results: Results,
    baselines: Baselines,
    directory: Path,
    data_dir: Path,
    allow_other_data: bool,
) -> Any:
    conditions = list(dict.fromkeys(condition for condition, _ in asked))
    attempt = plan_attempt(baselines, results, conditions, directory)
    fresh: list[Record] = train_attempt(
        out, attempt, baselines, results, data_dir, allow_other_data=allow_other_data
    )
    cells = baselines.reference["cells"]
    decided = judge.confirmed(found, fresh, cells, baselines.measure, attempt.number, attempt.seeds)
    note(baselines, attempt, event="judged", verdict=str(decided.verdict))
    return decided


def accept_results(
    out: Console,
    judge: Judge,
    directory: Path,
    folder: Path,
    *,
    reason: str,
    new_environment: bool,
    replace: bool,
    restart: bool,
) -> int:
    """Accept results as a baseline.

    Returns
    -------
    An exit code: 0 accepted (or accepted already), 1 not equivalent to the accepted results.

    Raises
    ------
    InputError
        Where the results are not whole, or the way of accepting does not fit what is accepted.
    """
    results = read_results(directory)
    check_complete(results, directory)
    measure = results.study.measured
    baselines = read_baselines(folder, results.study.name)
    environment = next(iter(set(fingerprints(results.records).values())))
    known = baselines.history and environment in baselines.current
    drift: tuple[ByMetric, ByMetric] = ({}, {})
    if new_environment:
        if not baselines.history or known:
            state = "is accepted already" if known else "is the first"
            raise InputError(
                f"--new-environment: environment {environment} {state}; leave the option out"
            )
        found = _judged(judge, results, baselines, margin=None, on_purpose=False)
        if not found.equivalent:
            judge.show(out, found, str(directory))
            out.print("not accepted: not equivalent to the accepted results", style="bold red")
            return 1
        drift = judge.drift(results.records, baselines.reference["cells"], measure)
    elif baselines.history and not known and not replace:
        raise InputError(
            f"environment {environment} is new: --new-environment adds it to the accepted results "
            "if it is equivalent; --replace starts a new generation from it"
        )
    kind = "environment" if new_environment else "results"
    measured = baselines.measured_spread(measure=measure)
    for part, by_metric in drift[1].items():
        for metric, sd in by_metric.items():
            measured.setdefault(part, {}).setdefault(metric, []).append(sd)
    cells = baseline_of(
        results.records,
        study=results.study.name,
        study_fingerprint=results.study.fingerprint(),
        conditions=list(results.study.conditions),
        generation=baselines.generation,
        margins={},
        measure=measure,
    )["cells"]
    same = known and measure == baselines.measure
    if same and cells == baselines.current[environment]["cells"]:
        out.print("nothing to accept: these are the accepted results, bit for bit")
        return 0
    path, baseline = accept(
        results,
        baselines,
        kind=kind,  # type: ignore[arg-type]
        reason=reason,
        restart=restart,
        margins=judge.margins(cells, measure, measured),
        metrics=judge.metrics(cells, measure),
        drift=drift,
    )
    code = baseline["code"]
    out.print(
        f"accepted {len(cells)} cells of '{baseline['study']}' as generation "
        f"{baseline['generation']}, environment {environment}: {path}",
        highlight=False,
        soft_wrap=True,
    )
    if code.get("git_clean") is False:
        out.print(
            "the code had uncommitted changes: nobody can train these results again",
            style="yellow",
        )
    return 0
