"""The command that searches settings: runs a search as a study, round by round, and keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from harness.errors import InputError
from harness.keeping.asking import Asked
from harness.screen.answer import Answer
from harness.screen.messages import warn
from harness.screen.request import Request
from harness.studies.search import Setting
from harness.studies.strengths import Strengths, best_of, chosen_of, strengths_text, worded
from harness.studies.study import Study
from harness.studies.study_files import load_study, search_study, study_path


def tune(answer: Answer, request: Request, copy: Path | None = None) -> tuple[int, Path]:
    """Search the settings of a study, and write what was chosen.

    Each round is an ordinary run of the settings that are missing, so that what is finished is kept
    and an interrupted search goes on. A further round follows while a best setting lies at an edge
    and its condition has budget left.

    Parameters
    ----------
    copy : where to write the file of strengths in addition to the results directory.

    Returns
    -------
    An exit code (0 where every condition has a choice), and the results directory.

    Raises
    ------
    InputError
        Where the study searches nothing, or anything of it or of the data is wrong.
    """
    path = study_path(request.study)
    study = load_study(request.study, tuning=True)
    if study.search is None:
        raise InputError(
            f"{path}: study '{study.name}' says nothing of what to search; add for example "
            f'[search] seeds = "1000-1004" and [search.{next(iter(study.conditions))}] strength = '
            "[0.1, 1.0, 10.0]"
        )
    if copy is not None and (not copy.parent.is_dir() or copy.is_dir()):
        raise InputError(f"--to {copy}: is no file in a folder that exists")
    request.options.check()
    tried = {name: space.grid() for name, space in study.search.spaces.items()}
    generated = search_study(study, tried, path)
    root = request.root or Path("results") / generated.name
    asked = Asked(study=request.study, seeds=None, conditions=None, out=str(root))

    # What follows imports torch and reads the data, which takes seconds.
    from harness.keeping.tuned import FILE, beyond, chosen, points, records_so_far
    from harness.running.session import Session
    from harness.screen.run import show_plan, show_run

    answer.note(f"{generated.name}: reading the data and what is on record in {root} ...")
    answer.add(study=study.name, directory=str(root))
    higher = study.measured.higher_is_better
    while True:
        searched = generated.searched
        assert searched is not None
        records = records_so_far(generated, root)
        found = points(generated, records)
        if len(found) == len(generated.conditions):
            further = _possible(study, beyond(searched, found, higher=higher), path)
            if not further:
                break
            tried = _joined(study, tried, further)
            generated = search_study(study, tried, path)
            continue
        session = Session(
            generated,
            generated,
            request.data_dir,
            root,
            request.options,
            allow_other_data=request.allow_other_data,
            asked=asked,
        )
        if request.dry_run:
            show_plan(answer, session)
            return 0, root
        show_run(answer, session)
        done = len(points(generated, records_so_far(generated, root)))
        if done < len(generated.conditions):
            left = len(generated.conditions) - done
            warn(f"{left} settings have no result on every seed, so nothing was chosen")
            return 1, root
    strengths = chosen(generated, records)
    _keep(generated, strengths, root, asked)
    command = f"python run_all.py tune {request.study}"
    for file in (root / FILE, *([] if copy is None else [copy])):
        _write(file, strengths_text(strengths, command))
    answer.out.print(_table(strengths, list(study.search.spaces)))
    answer.add(chosen=strengths.chosen, fingerprint=strengths.fingerprint)
    file = copy or root / FILE
    answer.out.print(f"strengths: {file}", highlight=False, soft_wrap=True)
    answer.out.print(
        'a study includes them by strengths = "FILE", as seen from the folder of its own file',
        highlight=False,
        soft_wrap=True,
    )
    without = [name for name in study.search.spaces if name not in strengths.chosen]
    for name in without:
        warn(f"{name}: a seed diverged in every setting; search smaller ones, or other fields")
    return (1 if without else 0), root


def _possible(
    study: Study, further: Mapping[str, Sequence[Setting]], path: Path
) -> dict[str, list[Setting]]:
    """Return the settings that are none outside the limits of their fields."""
    found: dict[str, list[Setting]] = {}
    for name, settings in further.items():
        for setting in settings:
            try:
                search_study(study, {name: [setting]}, path)
            except InputError:
                continue
            found.setdefault(name, []).append(setting)
    return found


def _joined(
    study: Study, tried: Mapping[str, list[Setting]], further: Mapping[str, list[Setting]]
) -> dict[str, list[Setting]]:
    assert study.search is not None
    spaces = study.search.spaces
    return {
        name: spaces[name].in_order([*settings, *further.get(name, [])])
        for name, settings in tried.items()
    }


def _keep(generated: Study, strengths: Strengths, root: Path, asked: Asked) -> None:
    """Write down in the results directory which settings were tried and chosen."""
    from harness.keeping.store import Store

    Store(root).open_for(generated.model_copy(update={"strengths": strengths}), asked=asked)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write {file}: {error.strerror or error}; the search is kept, so the same "
            "command writes it once that is mended"
        ) from None


def _table(found: Strengths, names: Sequence[str]) -> Table:
    """Return what was chosen, and what each condition was given for it."""
    unit = "%" if found.unit == "points" else found.unit
    title = f"chosen on held-out training data; {found.measure} in {unit}, ± a standard error"
    table = Table("condition", "chosen", found.measure, "tried", "compute", title=title,
                  title_justify="left")  # fmt: skip
    for name in names:
        own = found.points(name)
        chosen = chosen_of(own, higher=found.higher_is_better)
        best = best_of(own, higher=found.higher_is_better)
        said, measured = "-", "-"
        if chosen is not None and best is not None:
            said = worded(chosen.setting)
            measured = f"{chosen.mean:.2f} ± {chosen.standard_error:.2f}"
            if best != chosen:
                measured += f" (best, {worded(best.setting)}: {best.mean:.2f})"
        diverged = sum(point.diverged > 0 for point in own)
        tried = f"{len(own)}, {diverged} diverged" if diverged else str(len(own))
        table.add_row(name, said, measured, tried, f"{sum(p.seconds for p in own):.0f} s")
    return table
