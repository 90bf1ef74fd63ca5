"""What was asked of a results directory, and the commands that ask for the same again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from harness.studies.study import Study


UNKNOWN, ANOTHER = "DIRECTORY", "ANOTHER"
"""Stand for the directory of results that do not say where they were written, and for a new one."""


class Asked(TypedDict):
    """The last run that was asked for, as it was typed; None for what was left out.

    Attributes
    ----------
    study : name or file.
    seeds, conditions : in the notation of the command line.
    out : the results directory.
    """

    study: str
    seeds: str | None
    conditions: str | None
    out: str


def asked_of(content: object) -> Asked | None:
    """Return what a ``study.json`` says was asked; None where it does not, or not so."""
    if not isinstance(content, dict) or content.keys() != Asked.__annotations__.keys():
        return None
    texts = [content["study"], content["out"]]
    parts = [content["seeds"], content["conditions"]]
    if not all(isinstance(text, str) for text in texts + [p for p in parts if p is not None]):
        return None
    return Asked(study=texts[0], seeds=parts[0], conditions=parts[1], out=texts[1])


def command_of(
    asked: Asked, study: Study, records: Sequence[Mapping[str, Any]], *, adaptive: bool
) -> str:
    """Return the command that makes these records anew, on any machine that has the study.

    Seeds and conditions are named where they are not those that the study asks for.
    """
    parts = ["python", "run_all.py", "run", asked["study"]]
    seeds = sorted({record["seed"] for record in records})
    names = {record["condition"] for record in records}
    if adaptive:
        parts.append("--adaptive")
    elif asked["seeds"] is not None or set(seeds) - set(study.seeds):
        parts += ["--seeds", seeds_written(seeds)]
    if len(names) < len(study.conditions):
        parts += ["--conditions", ",".join(name for name in study.conditions if name in names)]
    return shlex.join([*parts, "--out", asked["out"]])


def commands_of(
    asked: Asked | None,
    study: Study,
    records: Sequence[Mapping[str, Any]],
    *,
    adaptive: bool,
    shipped: Callable[[str], Study | None],
) -> dict[str, str]:
    """Return the commands that make records, report and answers anew, by what they do.

    "again" is left out where neither the directory nor a study that ships says how it was run,
    "causes" where no study takes the differences between conditions apart. Of several such studies
    the first has that name, and another "causes NAME".

    Parameters
    ----------
    shipped : returns the study that ships under a name; None where none does.
    """
    same = shipped(study.name)
    if asked is None and same is not None and same.fingerprint() == study.fingerprint():
        asked = Asked(study=study.name, seeds=None, conditions=None, out=f"results/{study.name}")
    out = UNKNOWN if asked is None else asked["out"]
    another = ANOTHER if asked is None else f"{out.rstrip('/')}-again"
    found = {} if asked is None else {
        "again": command_of(asked, study, records, adaptive=adaptive)
    }  # fmt: skip
    if asked is not None and study.searched is not None:
        found["again"] = _command("tune", asked["study"], "--out", out)
    found["here"] = _command("run", out, "--out", another)
    found["report"], found["verify"] = _command("report", out), _command("verify", out)
    for other in study.causes:
        beside, name = PurePath(out).with_name(other), other
        if asked is not None and shipped(name) is None:
            name = str(PurePath(asked["study"]).with_name(f"{name}.toml"))
        place = () if beside == PurePath("results") / name or asked is None else ("--out", beside)
        title = "causes" if other == study.causes[0] else f"causes {other}"
        found[title] = _command("run", name, *place)
    return found


def _command(*arguments: object) -> str:
    return shlex.join(["python", "run_all.py", *map(str, arguments)])


def seeds_written(seeds: Sequence[int]) -> str:
    """Return rising seeds as the command line reads them: 20, or 0-4,7."""
    if list(seeds) == list(range(len(seeds))):
        return str(len(seeds))
    spans = [[seeds[0], seeds[0]]]
    for before, seed in pairwise(seeds):
        if seed == before + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    written = [str(a) if a == b else f"{a}-{b}" for a, b in spans]
    # A number alone would be read as how many.
    return f"{written[0]}-{written[0]}" if len(seeds) == 1 else ",".join(written)
