"""Baselines: accepted results, which later results are compared with.

A folder of baselines holds, for each study,

    STUDY/FINGERPRINT.json     the results of one environment, one line for each cell
    STUDY/history.jsonl        one line for each acceptance, the first one first
    STUDY/confirmations.jsonl  one line for each attempt to confirm an alarm
    STUDY/waivers.toml         alarms that are known and excused until a date

A baseline is written by ``accept`` and by nothing else: its content has a hash, and the history
lists the hash. Acceptances are counted in generations. Results that replace the accepted ones start
a new generation; another environment joins the present one. A baseline of an earlier generation is
kept, but results are no longer compared with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NotRequired, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from harness.errors import InputError
from harness.keeping.environments import fingerprint_of
from harness.keeping.records import content_hash
from harness.keeping.waivers import Waiver, read_waivers
from harness.studies.measured import Measure
from harness.studies.study_files import read_text

SCHEMA = 1
"""Version of the format of baselines and of their history."""

CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)
RESTORE = "restore it from version control, or accept results anew"

Kind = Literal["results", "environment"]
ByMetric = dict[str, dict[str, float]]
"""Numbers by condition and metric."""


@with_config(ConfigDict(strict=True, extra="forbid"))
class BaselineCell(TypedDict):
    """The accepted result of one cell; fields as in a record."""

    condition: str
    seed: int
    key: str
    status: str
    accuracy: list[list[float | None]]
    telemetry: list[dict[str, Any]]
    values: NotRequired[dict[str, float | None]]
    curves: NotRequired[dict[str, list[float | None]]]


@with_config(ConfigDict(strict=True, extra="forbid"))
class Measured(TypedDict):
    """What the study measures, where that is not named an accuracy; see ``Measure``."""

    name: str
    unit: str
    higher_is_better: bool


@with_config(ConfigDict(strict=True, extra="forbid"))
class Baseline(TypedDict):
    """The accepted results of one environment.

    Attributes
    ----------
    fingerprint, environment : of the numerics, and the facts behind it.
    generation : which accepted results these are, from 1.
    code, versions : the project's version and commit, and the packages of the records.
    settings : by condition, its protocol and method.
    margins : by condition and metric, how much worse counts as the same; these follow from the
        cells by a rule (``reports.numbers.margins``).
    measure : of the study; left out for accuracies.
    not_deterministic : conditions that did not give the same for the same seed; left out where
        there are none.
    sha256 : hash of all other fields.
    """

    schema: int
    study: str
    study_fingerprint: str
    fingerprint: str
    environment: dict[str, str | None]
    generation: int
    code: dict[str, Any]
    versions: dict[str, str]
    settings: dict[str, dict[str, Any]]
    margins: ByMetric
    cells: list[BaselineCell]
    measure: NotRequired[Measured]
    not_deterministic: NotRequired[list[str]]
    sha256: NotRequired[str]


@with_config(ConfigDict(strict=True, extra="forbid"))
class Acceptance(TypedDict):
    """One line of the history.

    Attributes
    ----------
    kind : "results" starts a generation; "environment" adds another environment to it.
    date, who, reason : when (ISO 8601), by whom and why.
    restart : whether drift is measured from here on.
    sha256 : of the baseline.
    seeds, metrics : the seeds, and for each condition and metric the value of each seed (None
        where it diverged).
    measure : as of ``Baseline``.
    drift_mean, drift_sd : of the paired differences to the generation's first environment, by
        condition and metric; empty where the acceptance starts a generation.
    """

    schema: int
    kind: Kind
    generation: int
    date: str
    who: str
    reason: str
    restart: bool
    fingerprint: str
    study_fingerprint: str
    sha256: str
    code: dict[str, Any]
    versions: dict[str, str]
    seeds: list[int]
    metrics: dict[str, dict[str, list[float | None]]]
    drift_mean: ByMetric
    drift_sd: ByMetric
    measure: NotRequired[Measured]


_BASELINE, _ACCEPTANCE = TypeAdapter(Baseline), TypeAdapter(Acceptance)


@dataclass(frozen=True)
class Baselines:
    """All that a folder of baselines holds of one study; from ``read_baselines``.

    Attributes
    ----------
    folder : where it is, whether it exists or not.
    files : every baseline, by fingerprint.
    history : acceptances, the first one first.
    attempts : earlier attempts to confirm an alarm.
    """

    study: str
    folder: Path
    files: Mapping[str, Baseline]
    history: Sequence[Acceptance]
    attempts: Sequence[dict[str, Any]] = ()
    waivers: Sequence[Waiver] = field(default_factory=tuple)

    @property
    def generation(self) -> int:
        """The present generation; 0 where nothing has been accepted."""
        return max((line["generation"] for line in self.history), default=0)

    @property
    def current(self) -> dict[str, Baseline]:
        """Baselines of the present generation by fingerprint, in the order of acceptance."""
        lines = [line for line in self.history if line["generation"] == self.generation]
        return {line["fingerprint"]: self.files[line["fingerprint"]] for line in lines}

    @property
    def reference(self) -> Baseline:
        """The first baseline of the present generation: the partner of unknown environments."""
        return next(iter(self.current.values()))

    @property
    def measure(self) -> Measure:
        """What the accepted results of the present generation measured, if there are any."""
        return Measure.model_validate(self.reference.get("measure", {}) if self.history else {})

    @property
    def newest(self) -> Baseline:
        """The baseline that was accepted last in the present generation: its margins hold."""
        return list(self.current.values())[-1]

    def measured_spread(
        self, up_to: str | None = None, measure: Measure | None = None
    ) -> dict[str, dict[str, list[float]]]:
        """Return the spreads of paired differences that acceptances of environments measured.

        Parameters
        ----------
        up_to : the hash of a baseline: count the history up to its line; None for all of it.
        measure : count acceptances of it only; of that of the present generation if None.
        """
        spreads: dict[str, dict[str, list[float]]] = {}
        measure = measure or self.measure
        for line in self.history:
            of_measure = Measure.model_validate(line.get("measure", {})) == measure
            for condition, by_metric in line["drift_sd"].items() if of_measure else ():
                for metric, sd in by_metric.items():
                    spreads.setdefault(condition, {}).setdefault(metric, []).append(sd)
            if line["sha256"] == up_to:
                break
        return spreads


def read_baselines(root: Path, study: str) -> Baselines:
    """Read what a folder of baselines holds of a study; it may hold nothing.

    Raises
    ------
    InputError
        Where a file is damaged or was changed by hand; names the file, the fault and the remedy.
    """
    folder = root / study
    lines = [_acceptance(line, place) for line, place in _lines(folder / "history.jsonl")]
    files: dict[str, Baseline] = {}
    for path in sorted(folder.glob("*.json")):
        files[path.stem] = _read_baseline(path, study, lines)
    for line in lines:
        if line["fingerprint"] not in files:
            raise InputError(
                f"{folder / line['fingerprint']}.json is missing, and history.jsonl lists it; "
                f"{RESTORE}"
            )
    attempts: list[dict[str, Any]] = []
    for attempt, place in _lines(folder / "confirmations.jsonl"):
        if not isinstance(attempt, dict):
            raise InputError(f"{place} is no attempt; restore it from version control")
        attempts.append(attempt)
    waivers = read_waivers(folder / "waivers.toml")
    return Baselines(study, folder, files, lines, attempts, waivers)


def _read_baseline(path: Path, study: str, history: Sequence[Acceptance]) -> Baseline:
    def damaged(fault: str) -> InputError:
        return InputError(f"baseline {path} {fault}; {RESTORE}")

    content = _json(_text(path), str(path))
    if not isinstance(content, dict):
        raise damaged("is no baseline")
    if content.get("schema") != SCHEMA:
        raise damaged(f"has schema {content.get('schema')!r}, this version reads {SCHEMA}")
    try:
        intact = content.get("sha256") == content_hash(content)
    except ValueError:
        intact = False
    if not intact:
        raise damaged("was changed by hand (its content does not match its own hash)")
    try:
        baseline = cast(Baseline, {**_BASELINE.validate_python(content)})
    except ValidationError as error:
        first = error.errors()[0]
        raise damaged(f"has no valid {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if baseline["study"] != study:
        raise damaged(f"is of the study '{baseline['study']}', not of '{study}'")
    facts = fingerprint_of(baseline["environment"])
    if not path.stem == baseline["fingerprint"] == facts:
        raise damaged(f"is of the environment {facts}, not of {path.stem}")
    counted: set[tuple[str, int]] = set()
    for cell in baseline["cells"]:
        name = (cell["condition"], cell["seed"])
        if name in counted:
            raise damaged(f"has the cell {name[0]}, seed {name[1]} twice")
        counted.add(name)
    listed = [line["sha256"] for line in history if line["fingerprint"] == path.stem]
    if not listed or listed[-1] != content["sha256"]:
        raise damaged("is not the one that history.jsonl lists last")
    return baseline


def _acceptance(content: Any, place: str) -> Acceptance:
    try:
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise ValueError(f"no acceptance in schema {SCHEMA}")
        return _ACCEPTANCE.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        fault = f"no valid {'.'.join(map(str, first['loc']))}: {first['msg']}"
    except ValueError as error:
        fault = str(error)
    raise InputError(f"{place} is damaged ({fault}); restore it from version control")


def _lines(path: Path) -> Iterable[tuple[Any, str]]:
    """Yield each line of a file of JSON lines with its place; none where there is no file."""
    if path.is_file():
        for number, line in enumerate(_text(path).splitlines(), start=1):
            if line.strip():
                place = f"{path} line {number}"
                yield _json(line, place), place


def _text(path: Path) -> str:
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); {RESTORE}") from None
    if CONFLICT.search(text):
        raise InputError(f"{path} holds unresolved merge-conflict markers; resolve them: {RESTORE}")
    return text


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} cannot be read as JSON ({error}); {RESTORE}") from None
