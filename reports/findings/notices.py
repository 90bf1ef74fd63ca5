"""What a reader must know before any number of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.findings.origins import mixed_seeds, seed_ranges
from reports.numbers.records import Record
from reports.numbers.words import listed

MOST_NAMED = 5
OTHER_DATA = "NOT THE CLAIM'S DATA SET"


def notices(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the notices that belong above a report on these records; usually there are none."""
    return (
        *_of_other_data(records),
        *_of_chance(records),
        *_of_emulation(records),
        *_of_mixture(records),
    )


def _of_other_data(records: Sequence[Record]) -> Iterator[str]:
    foreign = [
        record for record in records if record.get("provenance", {}).get("data_genuine") is False
    ]
    if foreign:
        checksums = sorted({str(record["provenance"].get("data"))[:16] for record in foreign})
        yield (
            f"{OTHER_DATA}. {len(foreign)} of {len(records)} cells were trained on other data than "
            f"the benchmark's own (checksum {', '.join(checksums)}): numbers and verdicts say "
            "nothing about the published ones."
        )


def _of_chance(records: Sequence[Record]) -> Iterator[str]:
    names = sorted(
        {
            record["condition"]
            for record in records
            if record.get("provenance", {}).get("deterministic") is False
        }
    )
    if names:
        yield (
            f"NOT DETERMINISTIC. In a trial before the run the same seed gave two values of "
            f"{_named(names)}: to run a cell again gives another number, and its seed does not say "
            "all that it depends on."
        )


def _named(names: Sequence[str]) -> str:
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return listed([*names[:MOST_NAMED], *more])


def _of_emulation(records: Sequence[Record]) -> Iterator[str]:
    rounded = [
        record for record in records if record.get("protocol", {}).get("precision") == "bf16"
    ]
    emulated = [
        record for record in rounded if record.get("provenance", {}).get("bfloat16") == "emulated"
    ]
    if emulated:
        yield (
            f"bfloat16 products were emulated in {len(emulated)} of {len(rounded)} cells that ask "
            "for them, on a processor that has none: numbers mean the same, times do not."
        )


def _of_mixture(records: Sequence[Record]) -> Iterator[str]:
    mixed = mixed_seeds(records)
    if mixed:
        names = sorted({name for of in mixed.values() for name in of})
        seeds, within = ("seeds", "them") if len(mixed) > 1 else ("seed", "it")
        yield (
            f"The cells of {seeds} {seed_ranges(list(mixed))} come from machines that round "
            f"differently (numerics {listed(names)}): within {within} a difference between "
            "conditions is also one between machines."
        )
