"""Does a whole report still say what its records say, as far as this program can tell?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports.findings.analysis import Analysis
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
    """

    differing: list[str]
    notes: list[str]
    program: str | None
    files: int

    @property
    def whole(self) -> bool:
        """Whether words and figures were compared too: this very program wrote the report."""
        return self.program == report_program()

    @property
    def exit_code(self) -> int:
        """1 where something differs; 3 where words could not be compared; 0 before version 0.3."""
        if self.differing:
            return 1
        return 0 if self.whole or self.program is None else 3


def verified(analysis: Analysis, study: Study, folder: Path) -> Verified:
    """Compare the report in ``folder`` with the one that its records give."""
    files = report_files(sections(analysis, study))
    differing, program = differences(analysis, folder, files), written_by(folder)
    if program != report_program():
        return Verified(differing, [], program, len(files))
    known = {name.partition(":")[0] for name in differing}
    unlike, notes = unlike_rendered(analysis, study, folder, known)
    return Verified(differing + unlike, notes, program, len(files))
