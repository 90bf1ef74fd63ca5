"""Whatever validates can be trained, and whatever is refused is refused by the field's name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.benchmarks import split_digits
from harness.errors import InputError
from harness.keeping.store import Store
from harness.running.executors import InProcess
from harness.running.plan import estimate_paces, estimate_seconds, make_plan
from harness.running.runner import Run, Tally
from harness.studies.study import Study
from harness.studies.study_files import validate_study

DIGITS = split_digits(Path("unused"))
OF_CONSOLIDATION = {
    "none": (),
    "ewc": ("strength", "fisher", "importance_samples"),
    "online-ewc": ("strength", "gamma", "fisher", "importance_samples"),
    "si": ("strength", "xi"),
    "mas": ("strength", "importance_samples"),
}
ANY_FLOAT = st.sampled_from([5e-324, 1e-50, 1e-3, 0.5, 1.0, 30.0, 1e30, 1.7e308])
COUNTS = st.sampled_from([1, 2, 7, 64, 10**9])
SEEDS = st.sampled_from([0, 1, 2**32, 2**63 - 1])
PROTOCOL: dict[str, st.SearchStrategy[Any]] = {
    "input_scaling": st.sampled_from(["unit", "standardised"]),
    "validation_fraction": st.sampled_from(
        [0.0, 1e-300, 0.2, 0.99, 0.996, 0.997, 0.999, 1 - 1e-16]
    ),
    "hidden": st.lists(st.sampled_from([1, 2, 15, 16, 17]), min_size=1, max_size=4),
    "output_mask": st.sampled_from(["task", "all"]),
    "optimiser": st.sampled_from(["sgd", "momentum", "adam"]),
    "learning_rate": ANY_FLOAT,
    "batch_size": COUNTS,
    "precision": st.sampled_from(["float32", "float64"]),
    "seed_offset": st.sampled_from([0, 2**62 - 1]),
    "order_seed": SEEDS,
    "corrected_errors": COUNTS,
}
METHOD: dict[str, st.SearchStrategy[Any]] = {
    "head_init": st.sampled_from(["linear", "blog"]),
    "bias": st.booleans(),
    "eta": ANY_FLOAT,
    "alpha_scale": ANY_FLOAT,
    "strength": ANY_FLOAT,
    "gamma": ANY_FLOAT,
    "xi": ANY_FLOAT,
    "fisher": st.sampled_from(["exact", "sampled", "true"]),
    "importance_samples": COUNTS,
    "ablation": st.sampled_from(["trace-shuffled", "trace-reset", "self-labelled-test"]),
}


@st.composite
def methods(draw: st.DrawFn) -> dict[str, Any]:
    plasticity = draw(st.sampled_from(["off", "on", "frozen"]))
    consolidation = draw(st.sampled_from(sorted(OF_CONSOLIDATION)))
    names = ["head_init", "bias", *OF_CONSOLIDATION[consolidation]]
    names += {"off": [], "frozen": ["eta", "alpha_scale"]}.get(
        plasticity, ["eta", "alpha_scale", "ablation"]
    )
    optional = {name: METHOD[name] for name in names if name != "strength"}
    fields = draw(st.fixed_dictionaries({}, optional=optional))
    if "strength" in names:
        fields["strength"] = draw(ANY_FLOAT)
    return {"plasticity": plasticity, "consolidation": consolidation} | fields


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    protocol = draw(st.fixed_dictionaries({}, optional=PROTOCOL))
    protocol["benchmark"] = "split-digits"
    protocol["iterations_per_task"] = draw(st.integers(1, 3))
    raw: dict[str, Any] = {
        "name": "any",
        "seeds": [draw(SEEDS)],
        "protocol": protocol,
        "conditions": {"one": draw(methods())},
    }
    if draw(st.booleans()):
        fast = {"protocol": {"learning_rate": draw(ANY_FLOAT)}}
        raw["factors"] = {"rate": {"levels": {"slow": {}, "fast": fast}}}
    return raw


@settings(max_examples=60, derandomize=True, deadline=None)
@given(studies())
def test_a_study_is_trained_or_refused_by_the_fields_name(raw: dict[str, Any]) -> None:
    study = accepted(raw)
    if study is not None:
        train(study)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.data())
def test_any_name_is_taken_as_it_is_or_refused_in_one_line(data: st.DataObject) -> None:
    name = st.text(max_size=6) | st.text("aB0 +@:=._-", max_size=6)
    condition, factor, level = (data.draw(name) for _ in range(3))
    levels = {level: {}, "fast": {"protocol": {"learning_rate": 0.1}}}
    protocol = {"benchmark": "split-digits"}
    study = accepted({"name": "a", "seeds": 1, "protocol": protocol, "conditions": {condition: {}}})
    if study is not None:
        assert list(study.conditions) == [condition]
        assert study.choose([part.strip() for part in condition.split(",")], None) == study
    study = accepted(
        {"name": "a", "seeds": 1, "protocol": protocol, "factors": {factor: {"levels": levels}}}
    )
    if study is not None:
        assert list(study.conditions) == [f"{factor}={level}" for level in levels]


def accepted(raw: dict[str, Any]) -> Study | None:
    """Return the study; None where it is refused, by name."""
    try:
        return validate_study(raw, "any.toml")
    except InputError as error:
        for line in str(error).splitlines():
            place = line.removeprefix("any.toml: ")
            assert place.startswith(("protocol.", "conditions", "factors.")), line
        return None


def train(study: Study) -> None:
    """Train all of a study; no block may fail, whatever its numbers come to."""
    plan = make_plan(study, DIGITS.checksum(), [], workers=1, lanes=None, device="cpu")
    estimate = estimate_seconds(plan, estimate_paces(plan, DIGITS, "cpu"), 1)
    assert estimate is not None
    assert estimate >= 0
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        Run(plan, DIGITS, study.name, store, tally).execute(InProcess("cpu"), lambda event: None)
        assert not tally.failed, tally.failed[0].details
        assert len(store.read_all()[0]) == plan.missing == tally.done + tally.diverged
