"""The commands that report on results and verify reports, of one directory or a folder of several.

What results say is judged and written by an object that ``run_all`` takes from the reports; this
module reads results, decides what is done with them, and says what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from harness.errors import InputError, Interrupted
from harness.keeping.beside import results_beside
from harness.keeping.folder import Unread, directories_in, read_each
from harness.keeping.looks import LEDGER, Looked, add_looks
from harness.keeping.results import Results, read_results
from harness.running.adaptive import Look
from harness.screen.answer import Answer
from harness.screen.messages import say_what_is_left_out, warn
from harness.studies.study import Study

MOST_NAMED = 10


class Reporter(Protocol):
    """Judges results, and writes, shows and compares what they say."""

    def analyse(self, results: Results, answers: Sequence[Any] = ()) -> Any: ...  # noqa: D102
    def causes(  # noqa: D102
        self, results: Results, theirs: Results, place: Path
    ) -> Sequence[Any]: ...
    def open_claims(self, analysis: Any) -> tuple[int, int, list[str], list[str]]: ...  # noqa: D102
    def looks(self, analysis: Any) -> list[Looked]: ...  # noqa: D102
    def write(self, analysis: Any, results: Results, folder: Path) -> Path: ...  # noqa: D102
    def is_current(self, analysis: Any, folder: Path) -> bool: ...  # noqa: D102
    def facts(self, analysis: Any) -> Mapping[str, Any]: ...  # noqa: D102
    def show(self, out: Console, analysis: Any, study: Study) -> None: ...  # noqa: D102
    def unmet(  # noqa: D102
        self, analysis: Any, required: tuple[str, ...] | None
    ) -> tuple[list[str], list[str], bool]: ...
    def verified(self, analysis: Any, results: Results, folder: Path) -> Any: ...  # noqa: D102
    def told(self, place: Path, analysis: Any, study: Study) -> Any: ...  # noqa: D102
    def overview(  # noqa: D102
        self, told: list[Any], left_out: Iterable[tuple[str, str, bool]]
    ) -> Any: ...
    def write_overview(self, overview: Any, folder: Path) -> Path: ...  # noqa: D102
    def show_overview(self, out: Console, overview: Any) -> None: ...  # noqa: D102
    def overview_differs(self, overview: Any, folder: Path) -> tuple[list[str], bool]: ...  # noqa: D102


def judged(reporter: Reporter, results: Results, directory: Path) -> Any:
    """Return what results say, with what results beside their directory tell of causes."""
    study = results.study
    answers: list[Any] = []
    for name in study.causes if study.gains else ():
        beside = results_beside(directory, name, study.name)
        if beside is not None:
            place, theirs = beside
            answers += reporter.causes(results, theirs, place)
    return reporter.analyse(results, answers)


def look_at(reporter: Reporter, directory: Path) -> Look:
    """Return which claims are undecided, on all seeds on record."""
    return Look(*reporter.open_claims(reporter.analyse(read_results(directory, by_index=True))))


def report_on(
    answer: Answer, reporter: Reporter, directory: Path, required: tuple[str, ...] | None = None
) -> int:
    """Write the report of a results directory, and show what it says in short.

    Returns
    -------
    An exit code: 0 done, 1 a control failed, a record is damaged, or a verdict is not as required.
    """
    results = read_results(directory, by_index=True)
    analysis = judged(reporter, results, directory)
    _remember(reporter, directory, analysis)
    answer.note("writing the report: figures, tables, page ...")
    page = _write(reporter, directory, results, analysis)
    answer.add(study=results.study.name, directory=str(directory), report=str(page))
    answer.add(**reporter.facts(analysis))
    for notice in analysis.notices if answer.quiet else ():
        warn(notice)
    reporter.show(answer.out, analysis, results.study)
    say_what_is_left_out(answer.out, results)
    answer.out.print(f"report: {page}", highlight=False, soft_wrap=True)
    return 1 if results.damaged or _not_as_required(reporter, analysis, required) else 0


def report_on_folder(
    answer: Answer, reporter: Reporter, folder: Path, required: tuple[str, ...] | None = None
) -> int:
    """Write the page over several results directories, and what is missing of their reports.

    One that is shipped as records alone stays so: the page over all tells its verdicts.
    """
    places, left_out = directories_in(folder)
    told, shorts, code = [], [], 0
    for place, found in read_each(places, by_index=True):
        if isinstance(found, Unread):
            left_out.append(found)
            continue
        answer.note(f"{place}: reading what its records say ...")
        analysis = judged(reporter, found, place)
        _remember(reporter, place, analysis)
        written = not (_is_bare(found, place) or reporter.is_current(analysis, place / "report"))
        if written:
            there = (place / "report" / "index.html").exists()
            why = "its report was of other records or another program" if there else "it had none"
            answer.note(f"{place}: writing its report; {why} ...")
            _write(reporter, place, found, analysis)
        told.append(reporter.told(place, analysis, found.study))
        shorts.append({"directory": place.name, "written": written} | {**reporter.facts(analysis)})
        for bad in found.damaged:
            warn(f"{place.name}: damaged record {bad.path.name}: {bad.reason}; left out")
        if found.damaged or _not_as_required(reporter, analysis, required, f"{place.name}: "):
            code = 1
    overview = reporter.overview(told, _as_told(left_out))
    try:
        page = reporter.write_overview(overview, folder)
    except OSError as error:
        raise InputError(
            f"cannot write to {folder} ({error.strerror or error}); the reports in it are written"
        ) from None
    answer.add(overview=str(page), directories=shorts)
    answer.add(left_out=[{"directory": one.name, "reason": one.reason} for one in left_out])
    for one in left_out if answer.quiet else ():
        if one.damaged:
            warn(f"left out: {one.name}: {one.reason}")
    reporter.show_overview(answer.out, overview)
    answer.out.print(f"overview: {page}", highlight=False, soft_wrap=True)
    return 1 if any(one.damaged for one in left_out) else code


def verify_report(answer: Answer, reporter: Reporter, directory: Path) -> int:
    """Make a report again from its records and say what differs; returns the exit code."""
    results = read_results(directory)
    if not (directory / "report").is_dir():
        raise InputError(
            f"{directory} has no report to verify; write it: python run_all.py report {directory}"
        )
    answer.note("making the report again from the records ...")
    return _verify(answer, reporter, directory, results, judged(reporter, results, directory))


def verify_folder(answer: Answer, reporter: Reporter, folder: Path) -> int:
    """Compare every report of a folder of results, and the page over them, with the records.

    Of one that is shipped as records alone the page over all is what is compared.
    """
    places, left_out = directories_in(folder)
    told, codes, wrong = [], [0], []
    for place, found in read_each(places):
        if isinstance(found, Unread):
            left_out.append(found)
            if found.damaged:
                wrong.append(f"{found.name}: {found.reason}")
            continue
        answer.note(f"{place}: making its report again from the records ...")
        analysis = judged(reporter, found, place)
        told.append(reporter.told(place, analysis, found.study))
        if _is_bare(found, place):  # the overview has its verdicts
            faults = [f"{place.name}: {fault}" for fault in _faults(found, place)]
            for fault in faults:
                warn(f"differs: {fault}")
            wrong += faults
            continue
        if not (place / "report").is_dir():
            wrong.append(f"{place.name}: it has no report")
            continue
        codes.append(_verify(answer, reporter, place, found, analysis, f"{place.name}: "))
        wrong += [f"{place.name}: {name}" for name in answer.facts["differing"]]
    overview = reporter.overview(told, _as_told(left_out))
    differing, whole = reporter.overview_differs(overview, folder)
    wrong += differing
    answer.add(differing=wrong, whole=whole and 3 not in codes)
    for name in differing:
        warn(f"differs: {name}; write it again: python run_all.py report {folder}")
    if not whole:
        warn(
            "another state of the program wrote the overview: its verdicts and numbers were "
            f"compared, its words were NOT; write it again: python run_all.py report {folder}"
        )
    if not wrong and whole:
        answer.out.print(f"the overview of {len(told)} directories agrees", highlight=False)
    return 1 if wrong or 1 in codes else max(*codes, 0 if whole else 3)


def _is_bare(results: Results, place: Path) -> bool:
    """Tell whether a directory is shipped without a report, to be small; ``report`` writes it."""
    return results.packed and not (place / "report").exists()


def _write(reporter: Reporter, directory: Path, results: Results, analysis: Any) -> Path:
    folder = directory / "report"
    try:
        return reporter.write(analysis, results, folder)
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise InputError(
            f"cannot write the report to {folder} ({reason}); the records are safe. Make room, "
            f"then: python run_all.py report {directory}"
        ) from None
    except KeyboardInterrupt:
        raise Interrupted(
            f"the records are safe; write the report: python run_all.py report {directory}"
        ) from None


def _not_as_required(
    reporter: Reporter, analysis: Any, required: tuple[str, ...] | None, where: str = ""
) -> bool:
    """Say which verdicts are not those that are required; tell whether any is, or a control."""
    missed, demanded, failed = reporter.unmet(analysis, required)
    if missed:
        warn(f"{where}--require {','.join(required or ())}: not met, {'; '.join(missed)}")
    if demanded:
        warn(f"{where}the study requires another verdict: {'; '.join(demanded)}")
    return bool(failed or missed or demanded)


def _verify(
    answer: Answer,
    reporter: Reporter,
    directory: Path,
    results: Results,
    analysis: Any,
    where: str = "",
) -> int:
    for notice in analysis.notices:
        warn(f"{where}{notice}")
    found = reporter.verified(analysis, results, directory / "report")
    damaged = _faults(results, directory)
    differing = [*damaged, *found.differing]
    answer.add(differing=differing, whole=found.whole)
    for name in differing[:MOST_NAMED]:
        warn(f"differs: {where}{name}")
    if len(differing) > MOST_NAMED:
        warn(f"differs: {where}and {len(differing) - MOST_NAMED} more")
    for note in found.notes:
        answer.out.print(f"{where}{note}", highlight=False)
    if not found.whole:
        warn(
            f"{where}another state of the program wrote this report: its verdicts and numbers were "
            "compared, its words and figures were NOT; write it again to compare them: "
            f"python run_all.py report {directory}"
        )
    if found.unchecked is not None:
        warn(f"{where}{found.unchecked}")
    if found.whole and not differing:
        answer.out.print(
            f"{where}{len(analysis.records)} records and all {found.files} files of the report "
            "agree",
            highlight=False,
        )
    return 1 if damaged else int(found.exit_code)


def _faults(results: Results, directory: Path) -> list[str]:
    """Return what is wrong with results whatever a report says of them."""
    from harness.keeping.tuned import differing  # needs numpy, which is slow

    damaged = [f"damaged record {bad.path.name}: {bad.reason}" for bad in results.damaged]
    return damaged + differing(results.study, results.records, directory)


def _as_told(left_out: Sequence[Unread]) -> list[tuple[str, str, bool]]:
    return [(one.name, one.reason, one.damaged) for one in left_out]


def _remember(reporter: Reporter, directory: Path, analysis: Any) -> None:
    """Write down which seeds a report is about to judge, before it shows anything of them."""
    try:
        add_looks(directory, reporter.looks(analysis))
    except OSError as error:
        warn(
            f"{directory / LEDGER} cannot be written ({error.strerror or error}): nobody will know "
            "that these results were judged at this number of seeds; make it writable before seeds "
            "are added"
        )
