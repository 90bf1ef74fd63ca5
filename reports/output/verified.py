"""Does a whole report still say what its records say, as far as this program can tell?"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from reports.findings.analysis import Analysis
from reports.findings.apart import Answer, answer_from
from reports.numbers.study import Study
from reports.output.page import report_files
from reports.output.program import report_program, written_by
from reports.output.rendered import unlike_rendered
from reports.output.verify import differences
from reports.sections.report import sections


@dataclass(frozen=True)
class Verified:
    """What a comparison of a report with its records found.

    Attributes
    ----------
    differing : the names of what differs.
    notes : how figures were compared, where a reader must know it.
    program : of the report: the hash of the sources that wrote it; None before version 0.3.
    files : number of files of such a report.
    unchecked : what was taken from the report as it says it, because the results of another study
        that told it tell something else by now, or are gone; None where there is no such thing.
    """

    differing: list[str]
    notes: list[str]
    program: str | None
    files: int
    unchecked: str | None = None

    @property
    def whole(self) -> bool:
        """Whether words and figures were compared too: this very program wrote the report."""
        return self.program == report_program()

    @property
    def exit_code(self) -> int:
        """1 where something differs; 3 where words could not be compared; 0 before version 0.3."""
        if self.differing:
            return 1
        if self.unchecked is not None:
            return 3
        return 0 if self.whole or self.program is None else 3


def verified(analysis: Analysis, study: Study, folder: Path, *, lean: bool = False) -> Verified:
    """Compare the report in ``folder`` with the one that its records give.

    What another study tells of a cause is not in these records. The report is compared with itself
    there, and ``Verified`` says where that study tells something else by now. A ``lean`` report has
    no files of figures.
    """
    now, program = analysis.answer, written_by(folder)
    own = now is not None and now.study is None
    told = now if own or program != report_program() else _told(folder)
    analysis = replace(analysis, answer=told)
    unchecked = None if told == now else _unchecked(told, now)
    files = report_files(sections(analysis, study), lean=lean)
    differing = differences(analysis, folder, files)
    if program != report_program():
        return Verified(differing, [], program, len(files))
    known = {name.partition(":")[0] for name in differing}
    unlike, notes = unlike_rendered(analysis, study, folder, known, lean=lean)
    if told is None and unchecked is not None:
        notes, unchecked = [*notes, unchecked], None
    return Verified(differing + unlike, notes, program, len(files), unchecked)


def _told(folder: Path) -> Answer | None:
    """Return the answer of another study that a report holds; None where it holds none."""
    try:
        content = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    answer = answer_from(content.get("cause") if isinstance(content, dict) else None)
    return None if answer is None or answer.study is None else answer


def _unchecked(told: Answer | None, now: Answer | None) -> str:
    """Return what a reader must know where a report and the other study's results differ."""
    if told is None and now is not None:
        return (
            f"only results beside these have changed: {now.directory} tells the cause by now, and "
            "this report does not say it yet; write it again to have it"
        )
    assert told is not None
    by_now = "they are gone" if now is None else f"{now.directory} tells something else by now"
    return (
        f"what the report says of the cause, by results of {told.study} in {told.directory}, was "
        f"NOT compared: {by_now}; write the report again"
    )
