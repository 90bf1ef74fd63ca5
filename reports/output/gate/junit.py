"""The gate's answer as JUnit XML, which every CI system shows."""

from __future__ import annotations

from xml.etree import ElementTree

from reports.findings.gate.check import Check
from reports.findings.gate.shifts import Outcome, Shift
from reports.output.legible import visible
from reports.sections.gate import headline, incomplete
from reports.sections.gate_amounts import moved


def junit(check: Check) -> str:
    """Return one test case for each condition's bits and for each metric that was compared.

    An alarm or an undecided metric is a failure, a waived one is skipped, and cells that are
    missing, extra or orphaned are an error.
    """
    suite = ElementTree.Element("testsuite", name=visible(f"results of {check.study}"))
    if check.exact is not None:
        for condition in dict.fromkeys(sight.condition for sight in check.sights):
            case = _case(suite, check, condition, "bits")
            found = [d for d in check.exact.differences if d.condition == condition]
            if found and condition in check.waived_bits:
                _add(case, "skipped", check.waived_bits[condition])
            elif found and not check.on_purpose:
                _add(case, "failure", "; ".join(difference.sentence() for difference in found))
    for shift in check.deciding:
        _add_shift(_case(suite, check, shift.condition, shift.metric), shift)
    for shift in check.drift:
        _add_shift(_case(suite, check, shift.condition, f"{shift.metric} since the first"), shift)
    for fault in incomplete(check):
        _add(_case(suite, check, "cells", fault.partition(":")[0]), "error", fault)
    for waiver in check.expired:
        _add(_case(suite, check, "waivers", waiver.partition(":")[0]), "failure", waiver)
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for attribute, tag in kinds.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    out = ElementTree.SubElement(suite, "system-out")
    out.text = visible(headline(check))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(
    suite: ElementTree.Element, check: Check, condition: str, name: str
) -> ElementTree.Element:
    group = visible(f"{check.study}.{condition}")
    return ElementTree.SubElement(suite, "testcase", classname=group, name=visible(name))


def _add_shift(case: ElementTree.Element, shift: Shift) -> None:
    if shift.waived:
        _add(case, "skipped", shift.waived)
    elif shift.outcome.alarm or shift.outcome is Outcome.INCONCLUSIVE:
        _add(case, "failure", f"{shift.outcome}: {moved(shift)}")


def _add(case: ElementTree.Element, tag: str, message: str) -> None:
    element = ElementTree.SubElement(case, tag, message=visible(message))
    element.text = visible(message)
