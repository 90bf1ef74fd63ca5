"""The tables of other authors: the studies say their settings and numbers as the sources do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.studies.study import Study
from harness.studies.study_files import load_study

SCHEDULE = {  # scripts/split_MNIST_incremental_task.sh and dataloaders/base.py of Hsu et al.
    "benchmark": "split-mnist",
    "input_border": 2,
    "input_scaling": "standardised",
    "hidden": [400, 400],
    "output_mask": "task",
    "optimiser": "adam",
    "learning_rate": 0.001,
    "batch_size": 128,
    "epochs": 4,
}
HSU: dict[str, tuple[float, float, dict[str, Any]]] = {
    "adam": (93.46, 2.01, {}),
    "sgd": (97.98, 0.09, {}),
    "ewc": (97.7, 0.81, {"strength": 100, "fisher": "predicted"}),
    "online-ewc": (98.04, 1.1, {"strength": 400, "fisher": "predicted", "gamma": 1}),
    "si": (98.56, 0.49, {"strength": 300, "xi": 0.1, "negative_importance": "kept"}),
    "mas": (
        99.22,
        0.21,
        {"strength": 1, "importance_batch": 128, "squared_outputs": "mean"},
    ),
    "l2": (98.18, 0.96, {"strength": 0.01}),
}


def protocol_of(study: Study, condition: str) -> dict[str, Any]:
    return study.ours[condition].settings()["protocol"]  # type: ignore[no-any-return]


def test_hsu_et_al_are_judged_in_their_setting_by_their_numbers() -> None:
    study = load_study("hsu-split-mnist")
    assert len(study.seeds) == 10
    assert study.conditions.keys() == HSU.keys()
    values = {c.condition: c for c in study.claims if c.kind == "value"}
    for name, (mean, plus_minus, own) in HSU.items():
        asked = SCHEDULE | ({"optimiser": "sgd", "learning_rate": 0.01} if name == "sgd" else {})
        assert protocol_of(study, name).items() >= asked.items()
        assert not {"each_task", "later_rate"} & protocol_of(study, name).keys()
        method = study.ours[name].stack_method
        assert method.consolidation == (name if own else "none")
        assert {key: method.get(key) for key in own} == own
        assert method.get("importance_samples") is None, "all samples of a task"
        claim = values[name]
        assert (claim.reported, claim.plus_minus, claim.runs) == (mean, plus_minus, 10)
        assert claim.plus_minus_is == "standard deviation"
        assert claim.margin == pytest.approx(max(0.1, (100 - mean) / 3), abs=0.006)


@pytest.mark.parametrize(("name", "gains"), [("hsu-split-mnist", 6), ("hsu-rerun-split-mnist", 2)])
def test_gains_are_differences_of_the_table_and_their_margins_a_third(
    name: str, gains: int
) -> None:
    study = load_study(name)
    (source,) = study.published
    claims = [c for c in study.claims if c.kind == "gain"]
    assert len(claims) == gains
    for claim in claims:
        assert claim.treatment is not None
        assert claim.baseline is not None
        assert claim.reported is not None
        (high,), (low,) = (source.accuracy[c] for c in (claim.treatment, claim.baseline))
        assert claim.reported == pytest.approx(high - low, abs=0.001)
        assert claim.margin == pytest.approx(max(0.5, claim.reported / 3), abs=0.006)


def test_the_baselines_are_judged_as_avalanche_computes_si() -> None:
    study = load_study("baselines-split-mnist")
    asked = {"hidden": [256, 256], "batch_size": 64, "epochs": 10, "each_task": "fresh"}
    asked |= {"optimiser": "adam", "learning_rate": 0.001, "input_scaling": "standardised"}
    for name in study.conditions:
        assert protocol_of(study, name).items() >= asked.items()
    for name, xi in (("si-avalanche", 0.1), ("si-eps-0.001", 0.001)):
        method = study.ours[name].stack_method
        assert method.get("strength") == 1 / 2, "lambda 1, with their factor 1/2"
        assert method.get("xi") == xi
        told = ("path_loss", "importance_ceiling", "negative_importance")
        assert [method.get(key) for key in told] == ["penalised", 0.001, "kept"]
    targets = [c for c in study.claims if c.kind == "value"]
    assert {(c.reported, c.margin) for c in targets} == {(97.0, 1.0)}


def test_the_rerun_differs_from_its_source_in_the_rate_alone() -> None:
    rerun, source = load_study("hsu-rerun-split-mnist"), load_study("hsu-split-mnist")
    for name in ("adam", "sgd"):
        assert protocol_of(rerun, name) == protocol_of(source, name) | {"later_rate": 0.1}
    assert protocol_of(rerun, "adagrad")["learning_rate"] == 0.01


def test_the_rerun_is_judged_by_each_of_its_ten_runs() -> None:
    """The logs print mean and numpy's standard deviation of the runs that they list."""
    study = load_study("hsu-rerun-split-mnist")
    (source,) = study.published
    claims = {str(c.condition): c for c in study.claims if c.kind == "value"}
    assert claims.keys() == study.conditions.keys()
    for name, claim in claims.items():
        runs = claim.others
        assert runs is not None
        assert len(runs) == source.runs[name] == 10
        (mean,), (deviation,) = source.accuracy[name], source.plus_minus[name]
        assert np.mean(runs) == pytest.approx(mean, abs=6e-4)
        assert np.std(runs) == pytest.approx(deviation, abs=6e-4)
        assert claim.margin == pytest.approx(max(0.1, (100 - mean) / 3), abs=0.006)


def test_each_convention_is_exchanged_alone() -> None:
    study, source = load_study("hsu-conventions"), load_study("hsu-split-mnist")
    changed = {}
    for name, whole in study.pairs.items():
        assert study.ours[whole].settings() == source.ours[whole].settings()
        one, other = (
            {**of["protocol"], **of["method"]}
            for of in (study.ours[name].settings(), study.ours[whole].settings())
        )
        changed[name] = {k for k in one.keys() | other.keys() if one.get(k) != other.get(k)}
    assert changed == {
        "adam-no-border": {"input_border"},
        "adam-fresh": {"each_task"},
        "adam-later-rate": {"later_rate"},
        "ewc-exact": {"fisher"},
        "si-maximum": {"negative_importance"},
        "mas-samples": {"importance_batch"},
    }
