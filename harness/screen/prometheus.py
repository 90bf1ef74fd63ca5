"""The state of a run as metrics in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.screen.messages import visible

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]


def metrics(state: Mapping[str, Any]) -> str:
    """Return the metrics of a state; what each means stands beside it."""
    return "".join(
        f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
        + "".join(f"{name}{_labels(labels)} {_number(value)}\n" for labels, value in samples)
        for name, kind, meaning, samples in _families(state)
    )


def _families(state: Mapping[str, Any]) -> Iterator[tuple[str, str, str, list[Sample]]]:
    blocks, left = state["blocks"], state["seconds_left"]
    yield "dhp_run_info", "gauge", "Which study runs; always 1.", [({"study": state["study"]}, 1)]
    yield (
        "dhp_cells", "gauge", "Cells of this run by status; missing ones are yet to end.",
        [({"status": status}, count) for status, count in state["cells"].items()],
    )  # fmt: skip
    yield (
        "dhp_cells_on_record_before", "gauge", "Cells that had a record when the run began.",
        [({}, state["cells_on_record_before"])],
    )  # fmt: skip
    yield (
        "dhp_records_written_total", "counter", "Cells whose record was written by this run.",
        [({}, state["records_written"])],
    )  # fmt: skip
    yield "dhp_blocks_running", "gauge", "Blocks at work.", [({}, blocks["running"])]
    yield (
        "dhp_blocks_lost_total", "counter", "Times that a block's worker was given up.",
        [({}, blocks["lost"])],
    )  # fmt: skip
    yield (
        "dhp_blocks_failed_total", "counter", "Blocks that failed and were given up.",
        [({}, blocks["failed"])],
    )  # fmt: skip
    yield (
        "dhp_cells_per_second", "gauge", "Pace since the first worker began; 0 before.",
        [({}, state["cells_per_second"])],
    )  # fmt: skip
    yield (
        "dhp_seconds_left", "gauge", "Estimate of the time left; NaN where unknown.",
        [({}, float("nan") if left is None else left)],
    )  # fmt: skip
    yield (
        "dhp_worker_blocks_total", "counter", "Blocks done, by kind of worker.",
        [
            ({name: worker[name] for name in ("device", "cpu", "numerics", "torch")},
             worker["blocks"])
            for worker in state["workers"]
        ],
    )  # fmt: skip
    yield (
        "dhp_condition_seeds", "gauge", "Seeds of a condition that are done.",
        [({"condition": row["condition"]}, row["seeds"]) for row in state["conditions"]],
    )  # fmt: skip
    measure, means = state["measure"], [r for r in state["conditions"] if r["mean"] is not None]
    if measure["is_accuracy"]:
        yield (
            "dhp_condition_accuracy_percent", "gauge", "Running mean accuracy after the last task.",
            [({"condition": row["condition"]}, row["mean"]) for row in means],
        )  # fmt: skip
    else:
        own = {"measure": measure["name"], "unit": measure["unit"]}
        yield (
            "dhp_condition_mean", "gauge", "Running mean of what the study measures.",
            [({"condition": row["condition"], **own}, row["mean"]) for row in means],
        )  # fmt: skip


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    """Escape a label's value; control characters that the format has no escape for are signs."""
    return visible(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    return repr(value)
