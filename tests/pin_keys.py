"""Write down the keys of every shipped study: what must not change when code moves.

    python tests/pin_keys.py        rewrites tests/expected/keys.json

Run it only where a change of keys is meant, and say so in the commit.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from harness.studies.condition import Cell, digest  # noqa: E402
from harness.studies.known_data import KNOWN_DATA  # noqa: E402
from harness.studies.study import Study  # noqa: E402
from harness.studies.study_files import (  # noqa: E402
    load_study,
    search_study,
    shipped_studies,
    study_path,
)

PINNED = HERE / "expected" / "keys.json"


def keys_of_shipped_studies() -> dict[str, Any]:
    """Return by study its fingerprint, the hash of all of its cells' keys, and some of the keys.

    The searches of settings are studies too.
    """
    found = {}
    for study in studies_and_searches():
        name = study.name
        checksum = KNOWN_DATA[study.benchmark].checksum
        keys = {
            condition: [Cell(condition=of, seed=seed).key(checksum) for seed in study.seeds]
            for condition, of in study.conditions.items()
        }
        found[name] = {
            "fingerprint": study.fingerprint(),
            "all_keys": digest(keys),
            "first_keys": {condition: own[0] for condition, own in keys.items()},
        }
    return found


def studies_and_searches() -> Iterator[Study]:
    """Yield the studies that ship, then the search of each that has one, as far as its grid."""
    studies = [*map(load_study, shipped_studies())]
    yield from studies
    for study in studies:
        if study.search is not None:
            grids = {name: space.grid() for name, space in study.search.spaces.items()}
            yield search_study(study, grids, study_path(study.name))


if __name__ == "__main__":
    PINNED.write_text(json.dumps(keys_of_shipped_studies(), indent=1) + "\n", encoding="utf-8")
