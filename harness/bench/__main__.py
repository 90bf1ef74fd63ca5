"""Ratios measured in one run: where the time goes, and what the stack saves.

    make bench                               about four minutes on two cores
    python -m harness.bench --minutes 2      fewer rounds
    python -m harness.bench --products       only the libraries of matrix products
    python -m harness.bench --profile        only where the time of a step goes
    python -m harness.bench --cells 1000     only what a cell of a training function costs beside it

Programs take turns, a few steps each, and every figure is a median over the rounds of ratios taken
in one round, in processor time: a slow or busy machine slows both sides. What concerns several
workers is measured by the clock. Each figure is printed as soon as it is there; Ctrl-C ends the
benchmark with those that are. A benchmark prints; no figure makes it fail.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import track

from harness.bench.cells import overheads
from harness.bench.importances import (
    race_of_importances,
    ratios_of_importances,
    seconds_of_a_cell,
)
from harness.bench.race import Ratio
from harness.bench.steps import (
    Trained,
    cell_steps,
    lanes_side_by_side,
    products_of_a_step,
    race_of_products,
    race_of_steps,
    ratios_of_steps,
    ratios_to_users,
    whole_tasks,
)
from harness.bench.workers import peak_memory, print_own_peak, ratios_of_workers
from harness.data.benchmarks import Dataset, split_mnist
from harness.data.tasks import Task
from harness.running.plan import CPU_LANES
from harness.running.provenance import environment
from harness.running.training import use_one_thread
from harness.studies.study_files import load_study
from methods.products import libraries

WORKERS_MINUTES = 1.5
"""Approximate time of the runs with workers, which does not depend on the budget."""
err = Console(stderr=True, highlight=False, soft_wrap=True)


def measure(data: Dataset, data_dir: Path, minutes: float) -> Iterator[Ratio]:
    """Take all measurements within about ``minutes``, and yield each as soon as it is complete."""
    seconds = 60 * max(0.2, minutes - WORKERS_MINUTES)
    tasks = whole_tasks(data)
    err.print("[dim]training steps of all conditions, products, the user's programs ...[/]")
    steps = race_of_steps(data, data_dir, tasks, 0.65 * seconds)
    yield from ratios_of_steps(steps)
    err.print("[dim]importances ...[/]")
    importances = race_of_importances(data, tasks, 0.2 * seconds)
    yield from ratios_of_importances(importances)
    yield from ratios_to_users(steps, seconds_of_a_cell(importances, data), cell_steps(data))
    err.print("[dim]lanes ...[/]")
    yield from lanes_side_by_side(data, tasks, 0.15 * seconds)
    yield Ratio(
        "one finetune cell, one core", steps.seconds("finetune") * cell_steps(data), "", "s"
    )
    if find_spec("ray"):
        err.print("[dim]workers, on Ray and in process ...[/]")
        yield from ratios_of_workers(data)
    else:
        err.print("workers: not measured, because Ray is not installed")
    yield peak_memory(data_dir)


def print_products() -> None:
    """Print the speed of every library for the matrix products of a step."""
    race = race_of_products()
    for _ in track(range(10), "products", console=err, transient=True):
        race.run(1.0, min_rounds=0)
    names = list(libraries())
    print(f"{'GFLOP/s of one core':28}" + "".join(f"{name:>10}" for name in names))
    for product in products_of_a_step(1):
        speeds = [product.flops / race.seconds(f"{name}: {product.name}") / 1e9 for name in names]
        print(f"{product.name:28}" + "".join(f"{speed:10.0f}" for speed in speeds))


def print_overheads(count: int) -> None:
    """Print what a cell of a training function costs that returns at once."""
    print(f"{'milliseconds a cell':32}{'workers':>8}{'elapsed':>10}{'processor':>10}")
    for one in overheads(count):
        busy = "" if one.busy is None else f"{1e3 * one.busy:.1f}"
        print(f"{one.name:32}{one.workers:8}{1e3 * one.elapsed:10.1f}{busy:>10}", flush=True)


def print_profile(data: Dataset, tasks: Sequence[Task]) -> None:
    """Print, for some conditions, the operators that take the most time of a training step."""
    from torch.profiler import ProfilerActivity, profile

    steps = 200
    for name in ("finetune", "dhp", "online-ewc", "si"):
        program = Trained(load_study("dhp-split-mnist"), name, data, tasks, CPU_LANES)
        program.seconds()
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            for _ in range(steps):
                program.step()
        events = profiler.key_averages()
        total = sum(event.self_cpu_time_total for event in events)
        print(f"{name}: {total / steps:.0f} us in torch's operators a step of {CPU_LANES} lanes")
        for event in sorted(events, key=lambda event: -event.self_cpu_time_total)[:10]:
            share = 100 * event.self_cpu_time_total / total
            print(f"  {share:5.1f}%  {event.count / steps:5.1f} calls  {event.key}")


def main() -> None:
    """Print each figure to standard error, and all as JSON to standard output at the end."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path(os.environ.get("REPRO_DATA_DIR") or "data")
    )
    parser.add_argument("--minutes", type=float, default=4.0, help="about how long (default: 4)")
    parser.add_argument("--products", action="store_true", help="the matrix products alone")
    parser.add_argument("--profile", action="store_true", help="where a step's time goes")
    parser.add_argument("--cells", type=int, metavar="N", help="N cells that return at once")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    use_one_thread()
    if arguments.products:
        print_products()
        return
    if arguments.cells is not None:
        print_overheads(max(2, arguments.cells))
        return
    data = split_mnist(arguments.data_dir)
    if arguments.memory:
        print_own_peak(data)
    elif arguments.profile:
        print_profile(data, whole_tasks(data))
    else:
        sys.exit(_print_all(data, arguments.data_dir, arguments.minutes))


def _print_all(data: Dataset, data_dir: Path, minutes: float) -> int:
    """Print every figure as soon as it is measured; return the exit code."""
    machine = environment("cpu")
    err.print(
        f"{machine['cpu']}, products by {machine['products']}, bfloat16 {machine['bfloat16']}"
    )
    started, ratios, exit_code = time.monotonic(), list[Ratio](), 0
    try:
        for ratio in measure(data, data_dir, minutes):
            ratios.append(ratio)
            target = f"  aim {ratio.target}" if ratio.target else ""
            mark = {True: "  met", False: "  [bold]NOT MET[/]", None: ""}[ratio.met]
            err.print(f"{ratio.name:<66} {ratio.value:7.2f} {ratio.unit}{target}{mark}")
    except KeyboardInterrupt:
        err.print("interrupted: what was measured by now follows")
        exit_code = 130
    err.print(f"[dim]{(time.monotonic() - started) / 60:.1f} minutes[/]")
    print(json.dumps([asdict(ratio) | {"met": ratio.met} for ratio in ratios], indent=1))
    return exit_code


if __name__ == "__main__":
    main()
