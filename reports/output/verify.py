"""Do the files of a report still say what the records say?"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports.findings.analysis import Analysis
from reports.output.document import verdict_document
from reports.output.tables import (
    TABLE,
    TELEMETRY,
    complete_parts,
    read_table,
    same_parquet,
    summary_text,
)

VALUES = ("id", "verdict", "estimate", "sd", "ci95", "ci90", "n", "reported", "unit", "margin")
"""What is compared of each claim where another state of the program wrote the report."""
SHOWN = 3  # how many accuracies of one record are named at most
Reasons = dict[str, list[str]]
"""What is wrong with a record, by its key."""


def differences(
    analysis: Analysis, folder: Path, files: Collection[str] | None = None
) -> list[str]:
    """Return the names of what differs between a report's files and what the records give.

    The list starts with the records from which the report was not made: ``record finetune seed 4
    (KEY): accuracy[4][1] is 0.82, table.parquet has 0.81``. Then come the values that follow from
    the records: ``verdict.json: claims[0].estimate``, ``summary.csv: [1].final_accuracy`` with rows
    counted from 0. A file is named alone where it is missing, cannot be read, or has other columns.
    The list ends with files that are missing, empty, or not part of such a report.

    The store finds a record whose content does not match its own hash; here such a record counts as
    missing. A record with a new hash is found by the hash in ``verdict.json``, and by
    ``table.parquet`` where an accuracy changed.

    Parameters
    ----------
    folder : the folder of the report.
    files : names of all files of the report, from ``reports.output.page.report_files``.

    Of a report that another state of the program wrote, only values are compared: records, tables,
    and of each claim its verdict and the number behind it.
    """
    # The detour through text makes tuples and lists equal; it keeps floats exactly.
    expected = json.loads(json.dumps(verdict_document(analysis)))
    measured, summary = analysis.measured, summary_text(analysis.measured)
    reasons: Reasons = {}
    derived: list[str] = []
    try:
        written = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        if isinstance(written, dict) and isinstance(written.get("records"), dict):
            _compare_hashes(written.pop("records"), expected.pop("records"), reasons)
            if written.get("program") != expected["program"]:
                written, expected = _values(written), _values(expected)
                files = None
        derived += _within("verdict.json", _compare(written, expected, ""))
    except (OSError, ValueError):
        derived.append("verdict.json")
    try:
        # Reading bytes keeps the line ends as they are.
        table = (folder / "summary.csv").read_bytes().decode("utf-8")
        if table != summary:
            derived += _within("summary.csv", _compare(_rows(table), _rows(summary), ""))
    except (OSError, ValueError, csv.Error):
        derived.append("summary.csv")
    same, names = same_parquet(folder / TABLE, complete_parts(measured)), {}
    if reasons or not same:
        tidy = measured.tidy.whole()
        names = _names(tidy)
        try:
            _compare_tables(read_table(folder / TABLE), tidy, names, reasons)
        except (OSError, ValueError):
            derived.append(TABLE)
    if files is not None and not reasons:
        if not same and TABLE not in derived:
            derived.append(TABLE)
        if not same_parquet(folder / TELEMETRY, measured.telemetry.parts()):
            derived.append(TELEMETRY)
    named = [f"{names.get(key, f'record {key}')}: {', '.join(reasons[key])}" for key in reasons]
    read = {"verdict.json", "summary.csv", TABLE, TELEMETRY}
    return sorted(named) + derived + _compare_files(folder, files, read)


def grouped(names: Sequence[str], most: int = 10) -> list[str]:
    """Return the first ``most`` names, followed by "and N more" where there are more.

    ValueError where ``most`` is below 1, because no name would be shown.
    """
    if most < 1:
        raise ValueError(f"{most} names are none; show 1 or more")
    more = len(names) - most
    return [*names[:most], f"and {more} more"] if more > 0 else list(names)


def _compare_files(folder: Path, files: Collection[str] | None, read: set[str]) -> list[str]:
    """Name the files that are missing, empty or foreign, except those that were read before."""
    if files is None:
        return []
    there = {path.name: path for path in folder.iterdir() if not path.name.startswith(".")}
    wrong = [f"{name}: missing" for name in sorted(set(files) - there.keys() - read)]
    wrong += [
        f"{name}: empty"
        for name in sorted((set(files) & there.keys()) - read)
        if not there[name].stat().st_size
    ]
    return wrong + [f"{name}: not a file of this report" for name in sorted(there.keys() - files)]


def _within(file: str, names: Sequence[str]) -> list[str]:
    """Return each name with its file; only the file where it differs as a whole."""
    return [f"{file}: {name}" if name else file for name in names]


def _name(row: Mapping[str, Any]) -> str:
    return f"record {row['condition']} seed {row['seed']} ({row['key']})"


def _names(tidy: pd.DataFrame) -> dict[str, str]:
    """Return by key the name of each record of a tidy table."""
    once = tidy.drop_duplicates("key")
    columns = [once[name].tolist() for name in ("condition", "seed", "key")]
    return {
        str(key): _name({"condition": condition, "seed": seed, "key": key})
        for condition, seed, key in zip(*columns, strict=True)
    }


def _compare_hashes(
    written: Mapping[str, str | None], expected: Mapping[str, str | None], reasons: Reasons
) -> None:
    for key in written.keys() | expected.keys():
        if key not in expected:
            reasons[key] = ["in the report, not among the records"]
        elif key not in written:
            reasons[key] = ["not in the report"]
        elif written[key] != expected[key]:
            reasons[key] = ["not the content that the report was made from"]


def _compare_tables(
    written: pd.DataFrame, expected: pd.DataFrame, names: dict[str, str], reasons: Reasons
) -> None:
    """Add to ``reasons`` where two tidy tables differ, and to ``names`` the records concerned.

    ValueError where the columns differ or a row occurs twice.
    """
    if written.equals(expected):  # nearly always, and much quicker than row by row
        return
    was, now = _by_place(written), _by_place(expected)
    if list(written.columns) != list(expected.columns) or len(was) != len(written):
        raise ValueError("not a table of this form")
    changed: Reasons = {}
    for place in sorted(was.keys() | now.keys()):
        old, new = was.get(place), now.get(place)
        if old != new:
            row = new or old or {}
            names.setdefault(str(row["key"]), _name(row))
            changed.setdefault(str(row["key"]), []).append(_change(old, new))
    for key, changes in changed.items():
        reasons.setdefault(key, []).extend(grouped(list(dict.fromkeys(changes)), SHOWN))


def _by_place(table: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows by the columns that identify them; empty where such a column is missing."""
    place = ["condition", "seed", "key", "after_task", "task"]
    if not set(place) <= set(table.columns):
        return {}
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    return {tuple(row[name] for name in place): row for row in rows}


def _change(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    row = new or old or {}
    name = f"accuracy[{row['after_task'] - 1}][{row['task'] - 1}]"
    if old is None:
        return f"{name} is not in table.parquet"
    if new is None:
        return f"{name} is in table.parquet only"
    field = next(field for field in old if old[field] != new[field])
    name = name if field == "accuracy" else field
    return f"{name} is {new[field]}, table.parquet has {old[field]}"


def _values(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what reports of every version say in the same way: the number behind each verdict."""
    claims = document.get("claims")
    return {
        "study": document.get("study"),
        "claims": [
            {name: claim.get(name) for name in VALUES} if isinstance(claim, dict) else claim
            for claim in (claims if isinstance(claims, list) else [])
        ],
    }


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _compare(written: Any, expected: Any, name: str) -> list[str]:
    if isinstance(written, dict) and isinstance(expected, dict):
        missing = object()
        return [
            differing
            for key in sorted(written.keys() | expected.keys())
            for differing in _compare(
                written.get(key, missing), expected.get(key, missing), f"{name}.{key}".lstrip(".")
            )
        ]
    if isinstance(written, list) and isinstance(expected, list) and len(written) == len(expected):
        pairs = enumerate(zip(written, expected, strict=True))
        return [
            differing
            for place, (was, now) in pairs
            for differing in _compare(was, now, f"{name}[{place}]")
        ]
    same = type(written) is type(expected) and written == expected
    return [] if same else [name]
