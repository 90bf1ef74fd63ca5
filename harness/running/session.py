"""One run of a study, from what was asked for to the executor that does it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import torch

from harness.data.benchmarks import BENCHMARKS
from harness.data.no_data import no_data
from harness.data.own_tasks import Data, make_own_tasks
from harness.errors import InputError
from harness.keeping.asking import Asked
from harness.keeping.entering import enter, restore
from harness.keeping.register import read_register
from harness.keeping.selection import refuse_to_hide
from harness.keeping.store import Damaged, Store
from harness.keeping.survey import survey
from harness.running.cores import cores_here
from harness.running.deadline import Deadline, seconds_left
from harness.running.events import BlockDone, Bridging, Event
from harness.running.executors import Executor, InProcess, placed
from harness.running.functions.of_study import Functions
from harness.running.functions.preflight import try_functions
from harness.running.interruption import held
from harness.running.journal import Journal
from harness.running.on_ray.executor import BLOCK_TIMEOUT_S, OnRay
from harness.running.options import Options
from harness.running.plan import Plan, estimate_paces, estimate_seconds, make_plan
from harness.running.prediction import Cluster, Prediction, predict
from harness.running.runner import Run, Tally
from harness.running.trial import try_own_classes
from harness.studies.condition import cell_key
from harness.studies.consistency import check_sizes
from harness.studies.study import Study
from methods.products import multiplies_bfloat16

RAY_PAYS_AFTER_S = 20.0
"""Starting Ray takes seconds; a shorter job runs in this process unless asked otherwise."""


class Session:
    """What a run needs: data, store, plan, executor.

    Parameters
    ----------
    study : the whole study, which the results directory belongs to.
    chosen : the part of it to run now.
    root : the results directory.
    allow_other_data : train on data that are not the benchmark's own; everything then says so.
    asked : the run as it was typed, which the results directory keeps.
    came_from : the results directory that the study was read from; None for a study file.

    Raises
    ------
    InputError
        Where the data are not there, the directory's records are of another study, of other data
        or of conditions that have changed since, or the options contradict each other or this
        machine.
    """

    def __init__(
        self,
        study: Study,
        chosen: Study,
        data_dir: Path,
        root: Path,
        options: Options | None,
        *,
        allow_other_data: bool = False,
        asked: Asked | None = None,
        came_from: Path | None = None,
    ) -> None:
        study.check_trainable()
        self._came_from = came_from
        self.study = study
        self.chosen = chosen
        self.options = options or Options()
        self.options.check()
        seconds_left(self.options.deadline)
        self.asked = asked
        self.device = self._device()
        self.store = Store(root)
        self.store.refuse_other_study(study)
        self.functions = Functions(study, self.chosen, self.options.cell_timeout)
        named = (c.protocol for c in study.ours.values() if c.protocol.benchmark is not None)
        protocol = next(named, None)
        own = protocol.code_of("benchmark") if protocol is not None else None
        self.data: Data = no_data()
        if protocol is not None and own is not None:
            self.data = make_own_tasks(own, data_dir, protocol.of_benchmark())
        elif study.benchmark:
            self.data = BENCHMARKS[study.benchmark](data_dir, allow_other=allow_other_data)
        if own is not None or not self.data.genuine:  # else checked when the study was read
            self._check_data()
        try_own_classes([*self.chosen.ours.values()], self.data)
        self._survey = survey(self.store)
        self._damaged = self._survey.damaged
        if self._survey.keys:
            before = self.store.study_so_far()
            refuse_to_hide(self._survey.trained, before, study, self.data.checksum(), root)
        self._survey.keep_index()
        # A cluster says itself how many workers it has room for.
        self._executor: Executor | None = None
        if self.options.address is not None:
            self._executor = self._on_ray(self.options.workers)
        self.workers = self._executor.workers if self._executor else self._local_workers()

    def _check_data(self) -> None:
        try:
            check_sizes(self.chosen, self.data.class_sizes())
        except ValueError as error:
            raise InputError(f"{self.study.name}: {error}") from None

    def _device(self) -> str:
        wanted = self.options.device
        if wanted == "cuda" and not torch.cuda.is_available() and self.options.address is None:
            raise InputError("--device cuda: no CUDA device here; use --device cpu")
        if wanted == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return wanted

    def _local_workers(self) -> int:
        if self.options.executor == "in-process" and not self.functions.conditions:
            return 1
        available = torch.cuda.device_count() if self.device == "cuda" else cores_here()
        return self.options.workers or available

    def open_store(self, adaptive_seeds: int | None = None) -> list[tuple[Damaged, Path]]:
        """Claim the results directory; returns the damaged records that were set aside.

        What the study claims is in the register of claims before anything else is written.

        ``adaptive_seeds`` is as for ``Store.open_for``.

        Raises
        ------
        InputError
            Where the directory belongs to another study or cannot be written, or its register of
            claims is damaged.
        """
        with held():
            enter(self.store, self.study, self.data.checksum(), came_from=self._came_from)
            self._registered = read_register(self.store.root)
            self.store.open_for(self.study, adaptive_seeds=adaptive_seeds, asked=self.asked)
        try:
            return [(bad, self.store.set_aside(bad)) for bad in self._damaged]
        except OSError as error:
            raise InputError(
                f"{self.store.root} holds damaged records ({self._damaged[0].path.name}: "
                f"{self._damaged[0].reason}), and they cannot be moved away "
                f"({error.strerror or error}); make the directory writable"
            ) from None

    @cached_property
    def plan(self) -> Plan:
        """The cells that are missing, in blocks."""
        return self._plan_for(self.workers)

    def _plan_for(self, workers: int) -> Plan:
        return make_plan(
            self.chosen,
            self.data.checksum(),
            self._keys(),
            workers=workers,
            lanes=self.options.lanes,
            device=self.device,
        )

    def _keys(self) -> Collection[str]:
        return self._survey.keys

    def predicted(self, cluster: Cluster) -> tuple[Plan, Prediction]:
        """Return the plan for another cluster, and what a simulation says of it.

        Raises
        ------
        InputError
            Where a function of the user's own has not run yet, so that nobody knows its time.
        """
        plan = self._plan_for(cluster.workers)
        for block in plan.blocks:
            if block[0].condition.structure() not in self._paces:
                name, seed = block[0].condition.name, block[0].seed
                raise InputError(
                    f"--nodes: nobody knows how long a cell of '{name}' takes before one has run; "
                    f"run one here first: --conditions {name} --seeds {seed}-{seed}"
                )
        return plan, predict(plan.blocks, self._paces, cluster)

    @cached_property
    def estimated_seconds(self) -> float | None:
        """Estimate the time of the plan by a short trial.

        None where a function of the user's own has not run yet, so that nobody knows.
        """
        return estimate_seconds(self.plan, self._paces, self.workers)

    @cached_property
    def _paces(self) -> dict[str, float]:
        paces, checksum = estimate_paces(self.plan, self.data, self.device), self.data.checksum()
        return paces | self.functions.paces(self.store, set(self._keys()), self.chosen, checksum)

    def preflight(self) -> list[str]:
        """Try the user's own functions before the run; returns what is to be said of them.

        Raises
        ------
        InputError
            Where one is not here as it was, or fails in every run of its trial.
        """
        if not self.functions.are_in(self.plan):
            return []
        folders = (Path(), *([Path(self.asked["study"]).parent] if self.asked else ()))
        self.plan = self.functions.at_hand(self.plan, folders)
        if self.device == "cuda" and not torch.cuda.is_available():
            return ["the functions are not tried before the run: this machine has no GPU"]
        found = try_functions(
            self.chosen,
            self.functions.conditions,
            self.data,
            self.device,
            self.functions.terms,
            max(1, min(self.workers, cores_here())),
            self.store.root,
        )
        planned = set(self.plan.blocks)
        kept = [placed(event, self.device) for event in found.done if event.block in planned]
        found.done = [event for event in kept if isinstance(event, BlockDone)]
        self.functions.preflight = found
        return found.lines

    def executor(self) -> Executor:
        """Return the executor that the options ask for, started."""
        if self._executor is not None:
            return self._executor
        wanted = self.options.executor
        if wanted == "auto":
            seconds = self.estimated_seconds
            # Functions have processes of their own, with Ray or without.
            stacked = any(block[0].condition.function is None for block in self.plan.blocks)
            pays = find_spec("ray") is not None and (
                stacked
                and self.workers > 1
                and len(self.plan.blocks) > 1
                and (seconds is None or seconds > RAY_PAYS_AFTER_S)
            )
            wanted = "ray" if pays else "in-process"
        if wanted == "in-process":
            return InProcess(self.device, self.functions.terms, self.workers)
        return self._on_ray(self.workers)

    def _bridge(self, executor: OnRay, observe: Callable[[Event], None], tally: Tally) -> None:
        """Train the first seeds again, each in another class of the cluster than it has."""
        targets: dict[str, list[int]] = {}
        for seed in self.chosen.seeds[: self.options.bridge]:
            others = sorted(executor.classes - {executor.bound.get(seed, "")})
            if seed in executor.bound and others:
                targets.setdefault(others[0], []).append(seed)
        if not targets:
            tally.unbridged = "all nodes that were used round alike"
        for numerics, seeds in targets.items():
            store = Store(self.store.root / "bridge" / numerics)
            part = self.chosen.model_copy(update={"seeds": tuple(seeds)})
            plan = make_plan(
                part,
                self.data.checksum(),
                [path.stem for path in store.records.glob("*.json")],
                workers=self.workers,
                lanes=self.options.lanes,
                device=self.device,
            )
            observe(Bridging(plan.missing, numerics))
            executor.bound = dict.fromkeys(seeds, numerics)
            self._run(plan, store, tally).execute(executor, observe)

    def _run(self, plan: Plan, store: Store, tally: Tally) -> Run:
        run = Run(plan, self.data, self.study.name, store, tally, self._deadline())
        run.deterministic = self.functions.preflight.deterministic
        return run

    def _look_for_vanished(self, tally: Tally) -> None:
        """Count the cells that this run recorded in a directory that somebody then removed."""
        if (self.store.root / "study.json").exists():
            return
        with suppress(InputError):
            restore(self.store.root, self._registered)
            self.store.open_for(self.study, asked=self.asked)
        checksum = self.data.checksum()
        cells = (cell for block in self.plan.blocks for cell in block)
        present = sum(cell.key(checksum) in self.store for cell in cells)
        recorded = tally.done + tally.diverged - len(tally.unwritten)
        tally.vanished = max(0, recorded - present)

    def _deadline(self) -> Deadline | None:
        left = seconds_left(self.options.deadline)
        return None if left is None else Deadline(left, self._paces)

    def _on_ray(self, workers: int | None) -> OnRay:
        timeout = self.options.block_timeout or BLOCK_TIMEOUT_S
        log = self.store.root / "ray.log"
        address = self.options.address
        bound = self._bound()
        return OnRay(
            self.device, workers, address, timeout, bound, terms=self.functions.terms, log=log
        )

    def _bound(self) -> dict[int, str]:
        """Return the numerics class of the seeds that have cells on record.

        A seed that is on record in several classes, whose pairs are mixed already, is in none.
        """
        numerics, checksum = self._survey.numerics(), self.data.checksum()
        programs = [c.program(checksum) for c in self.chosen.ours.values()] if numerics else []
        bound: dict[int, str] = {}
        for seed in self.chosen.seeds if programs else ():
            keys = (cell_key(program, seed) for program in programs)
            classes = {numerics[key] for key in keys if key in numerics}
            if len(classes) == 1:
                bound[seed] = classes.pop()
        return bound

    @property
    def emulates_bfloat16(self) -> bool:
        """Whether cells of the plan ask for bfloat16 products, which are not to be had here."""
        asked = any(b[0].condition.protocol.get("precision") == "bf16" for b in self.plan.blocks)
        return asked and not multiplies_bfloat16(self.device)

    def finals_on_record(self) -> dict[str, dict[int, float]]:
        """Return the mean accuracies after the last task that are on record, as fractions.

        Or what else the study measures; by condition and seed.
        """
        checksum = self.data.checksum()
        measure = self.study.measured
        if not measure.is_accuracy:  # the index of what is on record knows accuracies alone
            found: dict[str, dict[int, float]] = {name: {} for name in self.chosen.conditions}
            names = {c.program(checksum): name for name, c in self.chosen.conditions.items()}
            for key in self._survey.keys:
                record = self.store.read(self.store.path(key))
                if isinstance(record, Damaged) or record["program"] not in names:
                    continue
                value = record.get("values", {}).get(measure.name)
                if value is not None:
                    found[names[record["program"]]][record["seed"]] = value
            return found
        return {
            name: self._survey.finals(condition.program(checksum))
            for name, condition in self.chosen.conditions.items()
        }

    def execute(self, executor: Executor, observe: Callable[[Event], None], tally: Tally) -> None:
        """Run the plan and keep a journal; see ``harness.running.runner.Run``."""
        journal = Journal(self.store.root)

        def both(event: Event) -> None:
            journal.observe(event)
            observe(event)

        journal.add("run-started", missing=self.plan.missing, workers=executor.workers)
        try:
            run = self._run(self.plan, self.store, tally)
            run.again, run.ready = self._survey.failed, self.functions.preflight.done
            run.execute(executor, both)
            if self.options.bridge is not None and isinstance(executor, OnRay):
                self._bridge(executor, both, tally)
        finally:
            self._look_for_vanished(tally)
            recorded = tally.done + tally.diverged - len(tally.unwritten)
            journal.add("run-ended", recorded=recorded, failed=len(tally.failed))
