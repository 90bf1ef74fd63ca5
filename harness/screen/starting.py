"""The two files that a new study starts with: they run as they are, and say what may be changed."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

STUDY = """\
# A study: what is compared, on how many seeds, and what is claimed.
#
#     python run_all.py run {name}.toml
#
# runs what is missing of it and writes results/{name}/report/index.html. Change something, and the
# same command runs again what that changes, and nothing else.

name = "{name}"
train = "{module}.py:train"     # the function, in the file beside this one
# Or any program that prints one JSON value last, such as 0.93:
# command = "./train.sh --seed {{seed}} --average {{average}}"
seeds = 20                      # how many repetitions: the seeds 0 to 19

# Each line is one condition: a name, and values of the function's parameters.
# What is left out has the function's default. Misspelt names are refused before anything runs.
[conditions]
plain = {{}}
average = {{ average = true }}

# What is claimed, and from when on a difference counts as none: fix both before you look.
[[claims]]
text = "averaging gains four points"
treatment = "average"
baseline = "plain"
reported = 4.0                  # treatment minus baseline
unit = "points"                 # of accuracy in %; or "relative %"
margin = 2.0                    # 2.0 to 6.0 counts as the same

# The number that is measured, where it is no accuracy from 0 to 1:
# [measure]
# name = "loss"
# unit = "nats"
# higher_is_better = false

# Values that make the function quick, for the trial before a long run:
# [preflight]
# epochs = 1
"""

FUNCTION = '''\
"""The function that {name}.toml trains with. Replace it by yours: any framework, any code."""

import numpy as np


def train(seed: int, streams, average: bool = False, epochs: int = 5, noise: float = 1.5) -> float:
    """Return the accuracy, from 0 to 1, of a perceptron that is trained on noisy labels.

    seed      which repetition this is: everything that is random must follow from it
    streams   streams("name") is a numpy random generator of this seed, one for each name. What two
              conditions draw from the same stream is the same, so that they can be compared seed by
              seed. Leave it out if your framework draws its own numbers, and seed that instead.
    the rest  is what {name}.toml may set, with these defaults
    A parameter "device" would get "cpu" or "cuda".

    Return a number, a list (a curve; its last number counts) or a mapping such as
    {{"accuracy": 0.9, "loss": 0.3}}. Whatever is raised here is recorded as this cell's failure.
    """
    truth = streams("truth").normal(size=10)
    x = streams("inputs").normal(size=(1200, 10))
    labels = np.where(x @ truth + noise * streams("noise").normal(size=1200) > 0, 1, -1)
    order = streams("order")
    weights, total = np.zeros(10), np.zeros(10)
    for _ in range(epochs):
        for row in order.permutation(200):  # the first 200 are for training
            if labels[row] * (weights @ x[row]) <= 0:
                weights = weights + labels[row] * x[row]
            total = total + weights
    used = total if average else weights
    return float(np.mean(np.sign(x[200:] @ used) == labels[200:]))
'''


def start(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a study and its function; returns their paths.

    Raises
    ------
    InputError
        Where the name is none, a file is there already, or the folder cannot be written.
    """
    if NAME.fullmatch(name) is None:
        raise InputError(
            f"init: '{name}' is no name of a study; use letters, digits, '-', '_' and '.'"
        )
    module = re.sub(r"\W", "_", name)
    if module[0].isdigit() or module in ("harness", "methods", "reports", "run_all"):
        module = f"train_{module}"
    study, function = folder / f"{name}.toml", folder / f"{module}.py"
    for path in (study, function):
        if path.exists():
            raise InputError(f"init: {path} is there already; choose another name, or remove it")
    for path, text in ((function, FUNCTION), (study, STUDY)):
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text.format(name=name, module=module))
        except OSError as error:
            raise InputError(f"init: cannot write {path}: {error.strerror or error}") from None
    return study, function
