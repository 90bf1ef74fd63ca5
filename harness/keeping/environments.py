"""The environment of a record, reduced to the facts that decide its bits.

Clock rates, host names, the number of cores and the build of a library (CPU or CUDA) are left out:
they change no bit, so records of two machines that differ in nothing else share a fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.studies.condition import digest

FACTS = ("device", "system", "torch", "products", "numerics")
"""Fields of a record's provenance; ``numerics`` is a hash of the bits of a small training."""


def facts_of(provenance: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the normalised facts of a record's environment; None where it does not tell."""
    facts = {name: provenance.get(name) for name in FACTS}
    if facts["torch"] is not None:
        facts["torch"] = facts["torch"].partition("+")[0]
    return facts


def fingerprint_of(facts: Mapping[str, str | None]) -> str:
    """Return the hash of an environment's facts: 16 hexadecimal digits."""
    return digest(dict(facts))[:16]
