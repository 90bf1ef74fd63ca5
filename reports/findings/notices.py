"""What a reader must know before any number of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.numbers.records import Record

OTHER_DATA = "NOT THE CLAIM'S DATA SET"


def notices(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the notices that belong above a report on these records; usually there are none."""
    return (*_of_other_data(records), *_of_emulation(records))


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
