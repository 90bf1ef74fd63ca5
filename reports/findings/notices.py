"""What a reader must know before any number of a report."""

from __future__ import annotations

from collections.abc import Sequence

from reports.numbers.records import Record

OTHER_DATA = "NOT THE CLAIM'S DATA SET"


def notices(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the notices that belong above a report made from these records, most often none."""
    other = [r for r in records if r.get("provenance", {}).get("data_genuine") is False]
    if not other:
        return ()
    checksums = sorted({str(record["provenance"].get("data"))[:16] for record in other})
    return (
        f"{OTHER_DATA}. {len(other)} of {len(records)} cells were trained on other data than the "
        f"benchmark's own (checksum {', '.join(checksums)}): numbers and verdicts say nothing "
        "about the published ones.",
    )
