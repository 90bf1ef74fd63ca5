"""Faults at random moments, over and over: python tests/fault_rounds.py --rounds 50 --seed 1

Each round takes one of the faults of ``tests/faults.py`` and a moment, injects it into a real run,
and holds the records against those of an undisturbed one. It prints a line a round, and ends with
exit code 1 at the first that lost, changed or left something; --seed and --only repeat it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from faults import AT_ONCE, FAULTS, STUDY, Run, random_moment, results, suffer


def main() -> int:
    """Run the rounds; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="names of faults, separated by commas")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(FAULTS)
    folder = Path(tempfile.mkdtemp(prefix="fault-rounds-"))
    study = folder / "faults.toml"
    study.write_text(STUDY)
    plain = Run(study, folder / "undisturbed", *AT_ONCE)
    assert plain.end() == 0, plain.said
    undisturbed = results(folder / "undisturbed")
    print(f"seed {options.seed}; {len(undisturbed)} cells; folder {folder}", flush=True)
    draw = random.Random(options.seed)
    for number in range(1, options.rounds + 1):
        fault, moment = FAULTS[names[(number - 1) % len(names)]], random_moment(draw)
        began = time.monotonic()
        out = folder / f"round-{number}"
        try:
            said = suffer(fault, study, out, undisturbed, moment)
        except AssertionError as error:
            print(f"{number:3}  {fault.name} after {moment:.2f} s: FAILED: {error}", flush=True)
            return 1
        lost = said.count("runs again") + said.count("Ray is lost")
        took = time.monotonic() - began
        print(
            f"{number:3}  {fault.name} after {moment:.2f} s: same bits, nothing left; "
            f"{lost} lines about it; {took:.0f} s",
            flush=True,
        )
        shutil.rmtree(out)
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
