"""What the reports do for the command line: judge results, write them, show them, compare them.

The command line hands an object of this class to the harness, which reads results and decides what
is done with them, and knows no report. What is slow to import is imported when it is needed, so
that an answer to bad input does not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from rich.console import Console

if TYPE_CHECKING:
    from reports.findings.analysis import Analysis
    from reports.findings.apart import Answer
    from reports.findings.fixing import Standing
    from reports.findings.overview import Overview, Told
    from reports.numbers.study import Study


class Results(Protocol):
    """Results of a study as a store has read them; see ``reports.findings.analysis.analyse``."""

    @property
    def study(self) -> Study: ...  # noqa: D102
    @property
    def records(self) -> Sequence[Mapping[str, Any]]: ...  # noqa: D102
    @property
    def elsewhere(self) -> Sequence[Mapping[str, Any]]: ...  # noqa: D102
    @property
    def adaptive(self) -> bool: ...  # noqa: D102
    @property
    def looks(self) -> Sequence[tuple[str, str, tuple[int, ...]]]: ...  # noqa: D102
    @property
    def commands(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def standings(self) -> Sequence[Standing]: ...  # noqa: D102
    @property
    def packed(self) -> bool: ...  # noqa: D102


class Reporter:
    """Judges results, and writes, shows and compares what they say."""

    def analyse(self, results: Results, answers: Sequence[Answer] = ()) -> Analysis:
        """Return all that a report says of results; ``answers`` is what others tell."""
        from reports.findings.analysis import analyse
        from reports.findings.looks import Look
        from reports.numbers.intervals import FIXED
        from reports.numbers.records import as_records
        from reports.numbers.sequential import ANYTIME

        return analyse(
            as_records(results.records),
            results.study,
            ANYTIME if results.adaptive else FIXED,
            as_records(results.elsewhere),
            results.commands,
            [Look(*look) for look in results.looks],
            results.standings,
            answers=answers,
        )

    def causes(self, results: Results, theirs: Results, place: Path) -> list[Answer]:
        """Return what the results at ``place``, beside others, tell of causes of their claims."""
        from reports.findings.apart import told_elsewhere
        from reports.numbers.records import as_records

        page = place / "report" / "index.html"
        link = f"../../{quote(place.name)}/report/index.html" if page.is_file() else None
        records, other = as_records(results.records), as_records(theirs.records)
        own = results.study
        return told_elsewhere(own.gains, records, own, other, theirs.study, place.name, link)

    def open_claims(self, analysis: Analysis) -> tuple[int, int, list[str], list[str]]:
        """Return the numbers of seeds and claims, and which are undecided, and undecidable."""
        from reports.findings.contrasts import undecidable, undecided
        from reports.findings.statements import unsettled

        claims, statements = analysis.claims, analysis.statements
        open_ones = [*undecided(claims), *unsettled(statements)]
        return len(analysis.seeds), len(analysis.judged), open_ones, undecidable(claims)

    def looks(self, analysis: Analysis) -> list[tuple[str, str, tuple[int, ...]]]:
        """Return which conditions are judged on which seeds."""
        from reports.findings.looks import present_looks

        seen = present_looks(analysis.claims, [one.look for one in analysis.statements])
        return [(look.treatment, look.baseline, look.seeds) for look in seen]

    def write(self, analysis: Analysis, results: Results, folder: Path) -> Path:
        """Write a report and return its page (OSError where it cannot be written)."""
        from reports.output import page

        return page.write_report(analysis, results.study, folder, lean=results.packed)

    def is_current(self, analysis: Analysis, folder: Path) -> bool:
        """Tell whether a report is of these records, and of this program."""
        from reports.output.page import is_current

        return is_current(analysis, folder)

    def facts(self, analysis: Analysis) -> dict[str, Any]:
        """Return what a report says in short, as JSON has it."""
        from reports.output.short import in_short

        return in_short(analysis)

    def show(self, out: Console, analysis: Analysis, study: Study) -> None:
        """Print what a report says in short."""
        from reports.output.terminal import show

        show(out, analysis, study)

    def unmet(
        self, analysis: Analysis, required: tuple[str, ...] | None
    ) -> tuple[list[str], list[str], bool]:
        """Return what a caller and the study require and is not so, and if a control failed."""
        from reports.findings.requirements import reservations, unmet, unmet_demands

        reserved = reservations(analysis.complete, analysis.fixed)
        missed = [] if required is None else unmet(analysis.judged, required, reserved)
        failed = any(one.as_expected is False for one in analysis.judged)
        return missed, unmet_demands(analysis.judged, reserved), failed

    def verified(self, analysis: Analysis, results: Results, folder: Path) -> Any:
        """Return how a report differs from its records: ``reports.output.verified.Verified``."""
        from reports.output.verified import verified

        return verified(analysis, results.study, folder, lean=results.packed)

    def told(self, place: Path, analysis: Analysis, study: Study) -> Told:
        """Return what results tell the page over a folder of them."""
        from reports.sections.overview import told

        there = (place / "report" / "index.html").is_file()
        page = f"{quote(os.fsencode(place.name))}/report/index.html" if there else None
        return told(analysis, study, _legible(place.name), page)

    def overview(self, told: list[Told], left_out: Iterable[tuple[str, str, bool]]) -> Overview:
        """Return what is told together; of what was left out its name, why, and if it is damage."""
        from reports.findings.overview import LeftOut, together

        rest = [LeftOut(_legible(name), reason, damaged) for name, reason, damaged in left_out]
        return together(told, rest)

    def write_overview(self, overview: Overview, folder: Path) -> Path:
        """Write the page over a folder of results (OSError where it cannot be written)."""
        from reports.output.overview.files import write_overview

        return write_overview(overview, folder)

    def show_overview(self, out: Console, overview: Overview) -> None:
        """Print what the page over a folder of results says."""
        from reports.output.overview.terminal import show_overview

        show_overview(out, overview)

    def overview_differs(self, overview: Overview, folder: Path) -> tuple[list[str], bool]:
        """Return what of that page differs, and whether its words could be compared."""
        from reports.output.overview.files import overview_differs

        return overview_differs(overview, folder)


def _legible(name: str) -> str:
    """Return the name of a file as a text that can be written; not every name is UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
