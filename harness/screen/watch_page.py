"""The state of a run in words: what the page for watching shows, with script or without.

Whatever a name, a text or an error holds is shown as it is: the template escapes it, the script
sets it as the text of elements that it makes, and control characters are visible signs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from harness.screen.messages import visible
from harness.screen.progress import clock

MOST_ROWS = 60
"""Number of rows that a table of the page shows; the data have them all."""
MOST_NAMED = 6
"""Number of claims of other kinds that the page names."""
REFRESH_S = 2
MANY_COLUMNS = 4
"""A table of more columns becomes a list on a narrow screen; the script has this number too."""
TITLE = "Mean accuracy after the last task, %"
NO_VERDICT = "Looked at while it runs, so these are no verdict: the report judges."
ANYTIME = (
    "The intervals hold however often one looks, as those of the report do, which alone judges."
)


def shown(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a state; all leaves are text or numbers for the bar."""
    cells = state["cells"]
    total = sum(cells.values())
    ended = total - cells["missing"]
    faults = cells["failed"] + cells["not-kept"]
    share = 100 * state["share_done"]
    kept = 100 * (ended - faults) / total if total else 0.0
    failed = 100 * faults / total if total else 0.0
    heading = f"{state['study']}: {ended} of {total} cells"
    left = state["seconds_left"]
    rate = state["cells_per_second"]
    facts = [
        ["done", str(cells["done"])],
        ["failed", str(cells["failed"])],
        ["missing", str(cells["missing"])],
        ["time left", "not known yet" if left is None else f"about {clock(left)}"],
        ["pace", "not known yet" if rate == 0 else f"{60 * rate:.3g} cells a minute"],
        ["at work", _count(state["blocks"]["running"], "block")],
        ["on record before", str(state["cells_on_record_before"])],
    ]
    for name, label in (("diverged", "diverged"), ("not-kept", "could not be written")):
        if cells[name]:
            facts.insert(2, [label, str(cells[name])])
    if state["blocks"]["lost"]:
        facts.append(["ran again", _count(state["blocks"]["lost"], "lost block")])
    words: dict[str, Any] = _visible(
        {
            "title": f"{share:.0f}% of {state['study']}",
            "study": state["study"],
            "heading": heading,
            "phase": f"{state['phase']}, as of {_time(state['time'])} UTC",
            "percent": f"{share:.0f}",
            "bar": [
                {"kind": "kept", "start": 0.0, "width": round(kept, 3)},
                {"kind": "failed", "start": round(kept, 3), "width": round(failed, 3)},
                {
                    "kind": "partly",
                    "start": round(kept + failed, 3),
                    "width": round(max(0.0, share - kept - failed), 3),
                },
            ],
            "facts": facts,
            "tables": [_conditions(state), _claims(state), _workers(state)],
            "events": [[_time(event["time"]), event["text"]] for event in state["events"]],
        }
    )
    return words


def _claims(state: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for claim in state["claims"]:
        own = state["measure"]["unit"] if _is_own(state) else ""
        unit = "" if claim["unit"] == "points" else f" {own}" if own else " rel. %"
        two = ".4g" if own else ".2f"
        rows.append(
            [
                claim["id"],
                f"{claim['treatment']} over {claim['baseline']}",
                f"{claim['reported']:{two}} ± {claim['margin']:{two}}{unit}",
                _number(claim["mean"], f"+{two}"),
                _interval(claim, two),
                str(claim["pairs"]),
                claim["text"],
            ]
        )
    note = ANYTIME if state["adaptive"] else NO_VERDICT
    others = state["other_claims"]
    if others:
        named = ", ".join(others[:MOST_NAMED]) + ", ..." * (len(others) > MOST_NAMED)
        note += f" Not shown here, because they are no gains in {_measured(state)}: {named}."
    return _table(
        "Claims: running paired difference",
        note,
        ["claim", "gain of", "reported", "so far", "95% interval", "pairs", "text"],
        rows,
        numeric=(2, 3, 4, 5),
    )


def _conditions(state: Mapping[str, Any]) -> dict[str, Any]:
    form = ".4g" if _is_own(state) else ".2f"
    rows = [
        [row["condition"], _number(row["mean"], form), _interval(row, form), str(row["seeds"])]
        for row in state["conditions"]
    ]
    own, measure = _is_own(state), state["measure"]
    return _table(
        f"Mean {measure['name']}, {measure['unit']}" if own else TITLE,
        "With its 95% t interval over seeds, from three seeds on.",
        ["condition", measure["name"] if own else "accuracy", "95% interval", "seeds"],
        rows,
        numeric=(1, 2, 3),
    )


def _is_own(state: Mapping[str, Any]) -> bool:
    """Tell whether something else than an accuracy is measured."""
    return not state["measure"]["is_accuracy"]


def _measured(state: Mapping[str, Any]) -> str:
    return str(state["measure"]["name"]) if _is_own(state) else "final accuracy"


def _workers(state: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [
            worker["cpu"] if worker["device"] == "cpu" else worker["device"],
            worker["numerics"],
            worker["torch"],
            str(worker["blocks"]),
            str(worker["cells"]),
        ]
        for worker in state["workers"]
    ]
    return _table(
        "Workers",
        "By kind, from the blocks that are done. Numerics: machines with the same one round alike.",
        ["processor", "numerics", "torch", "blocks", "cells"],
        rows,
        numeric=(3, 4),
    )


def _table(
    title: str,
    note: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[int],
) -> dict[str, Any]:
    more = len(rows) - MOST_ROWS
    return {
        "title": title,
        "note": f"{note} {more} more rows are in state.json." if more > 0 else note,
        "head": list(head),
        "numeric": [column in numeric for column in range(len(head))],
        "rows": [list(row) for row in rows[:MOST_ROWS]],
    }


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _interval(row: Mapping[str, Any], form: str) -> str:
    return "-" if row["low"] is None else f"{row['low']:{form}} to {row['high']:{form}}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _time(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%H:%M:%S}"


def _visible(value: Any) -> Any:
    match value:
        case str():
            return visible(value)
        case dict():
            return {name: _visible(item) for name, item in value.items()}
        case list():
            return [_visible(item) for item in value]
    return value


class Page:
    """The page, and the policy that lets a browser run its own script and no other."""

    def __init__(self) -> None:
        file = resources.files("harness") / "screen" / "templates" / "watch.html.j2"
        source = file.read_text(encoding="utf-8")
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._template = environment.from_string(source)
        style, script = (_hash_of(tag, source) for tag in ("style", "script"))
        self.policy = (
            f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def html(self, state: Mapping[str, Any]) -> str:
        """Return the page as it is before its script has run."""
        return self._template.render(shown(state), refresh=REFRESH_S, many=MANY_COLUMNS)


def _hash_of(tag: str, source: str) -> str:
    """Return the hash, as a policy writes it, of the one element of this tag in the template."""
    (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", source, flags=re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
