"""Does a whole report still say what its records say, as far as this program can tell?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reports.findings.analysis import Analysis
from reports.findings.apart import Answer, answer_from, answers_of
from reports.numbers.study import Study
from reports.numbers.words import listed
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
    now, program = analysis.answers, written_by(folder)
    own = next((answer for answer in now if answer.study is None), None)
    told = now if program != report_program() else answers_of(own, _told(folder))
    analysis = replace(analysis, answers=told)
    unchecked, unsaid = _unchecked(told, now), _unsaid(told, now)
    files = report_files(sections(analysis, study), lean=lean)
    differing = differences(analysis, folder, files)
    if program != report_program():
        return Verified(differing, [], program, len(files))
    known = {name.partition(":")[0] for name in differing}
    unlike, notes = unlike_rendered(analysis, study, folder, known, lean=lean)
    if unsaid is not None:
        notes = [*notes, unsaid]
    return Verified(differing + unlike, notes, program, len(files), unchecked)


def _told(folder: Path) -> list[Answer]:
    """Return the answers of other studies that a report holds."""
    try:
        content = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(content, dict):
        return []
    others = content.get("other_causes", [])
    held = [content.get("cause"), *(others if isinstance(others, list) else ())]
    answers = [answer for answer in map(answer_from, held) if answer is not None]
    return [answer for answer in answers if answer.study is not None]


def _unsaid(told: Sequence[Answer], now: Sequence[Answer]) -> str | None:
    """Return what other studies tell by now of claims of which a report tells no cause."""
    said = {answer.claim for answer in told}
    by = list(dict.fromkeys(str(one.directory) for one in now if one.claim not in said))
    if not by:
        return None
    return (
        f"only results beside these have changed: {listed(by)} {_verb('tell', by)} the cause by "
        "now, and this report does not say it yet; write it again to have it"
    )


def _unchecked(told: Sequence[Answer], now: Sequence[Answer]) -> str | None:
    """Return what a report says of causes that the results of other studies do not say by now."""
    by_now = {answer.claim: answer for answer in now}
    changed = [answer for answer in told if by_now.get(answer.claim) != answer]
    if not changed:
        return None
    gone = [one for one in changed if one.claim not in by_now]
    there = list(dict.fromkeys(f"{one.study} in {one.directory}" for one in changed))
    others = list(dict.fromkeys(str(by_now[o.claim].directory) for o in changed if o not in gone))
    why = ["they are gone"] if gone else []
    why += [f"{listed(others)} {_verb('tell', others)} something else by now"] if others else []
    return (
        f"what the report says of the cause, by results of {listed(there)}, was NOT compared: "
        f"{' and '.join(why)}; write the report again"
    )


def _verb(verb: str, subjects: Sequence[str]) -> str:
    return f"{verb}s" if len(subjects) == 1 else verb
