"""Write down the keys of every shipped study: what must not change when code moves.

    python tests/pin_keys.py        rewrites tests/expected/keys.json

Run it only where a change of keys is meant, and say so in the commit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from harness.studies.condition import Cell, digest  # noqa: E402
from harness.studies.known_data import KNOWN_DATA  # noqa: E402
from harness.studies.study_files import load_study, shipped_studies  # noqa: E402

PINNED = HERE / "expected" / "keys.json"


def keys_of_shipped_studies() -> dict[str, Any]:
    """Return by study its fingerprint, the hash of all of its cells' keys, and some of the keys."""
    found = {}
    for name in shipped_studies():
        study = load_study(name)
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


if __name__ == "__main__":
    PINNED.write_text(json.dumps(keys_of_shipped_studies(), indent=1) + "\n", encoding="utf-8")
