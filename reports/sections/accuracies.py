"""Accuracies beside the published ones, and what was learned and forgotten on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reports.figures.accuracies import (
    PublishedCurves,
    draw_curves,
    draw_matrices,
    draw_pairs,
    draw_tasks,
    seeds_of_a_task,
)
from reports.figures.theme import MOST_SEEDS, styles_of, which_seeds
from reports.findings.analysis import Analysis
from reports.numbers.intervals import FEWEST
from reports.numbers.metrics import Floats
from reports.numbers.study import Study
from reports.numbers.tables import published_by_tasks
from reports.numbers.words import between, listed, number
from reports.sections.section import Drawing, Section, Table

MOST = 12
"""How many conditions a figure shows at most; those of the claims come first."""


def accuracies_section(analysis: Analysis, study: Study, names: Sequence[str]) -> Section:
    """Return the section on accuracies and published values; ``names`` are the drawn conditions."""
    measured = analysis.measured
    summary, finals = measured.shown, measured.published
    published, source, errors = _published(study, analysis.tasks)
    header = ["condition", "accuracy (%)", "95% interval", "seeds", *finals]
    rows = [
        [
            row["condition"],
            number(row["final_accuracy"]),
            between(row["final_accuracy_low"], row["final_accuracy_high"], number),
            _cells(row["seeds"], row["diverged"]),
            *(number(values.get(row["condition"])) for values in finals.values()),
        ]
        for _, row in summary.iterrows()
    ]
    caption = "Mean accuracy over all tasks after the last" + ("; published beside" * bool(finals))
    table = Table(caption, header, rows, folded=len(rows) > MOST)
    title = "Published and ours" if finals or published else "Accuracies"
    if not measured.matrices:
        return Section("accuracies", title, ["No cell is done."], tables=[table])
    curves, style_of = measured.curves, styles_of(analysis)
    best = summary.iloc[int(summary["final_accuracy"].argmax())]
    alt = (
        "Accuracy after each task, mean over seeds. After the last, best: "
        f"{best['condition']}, {number(best['final_accuracy'])}%."
    )
    drawings = [
        Drawing(
            "curves",
            alt,
            partial(draw_curves, curves, names, style_of, published, source, errors),
            "Mean over seeds with 95% t intervals, cut where no accuracy can be."
            + (" Published: with the printed errors." if errors else ""),
        )
    ]
    if published:
        solid = "Solid: the variant of a pair; thin" if analysis.pairs else "Thin"
        drawings.append(
            Drawing(
                "pairs",
                "The same for each condition with its variants, with the published values.",
                partial(
                    draw_pairs, curves, names, style_of, analysis.pairs, published, source, errors
                ),
                f"{solid}: {_each_seed(measured.matrices, 'single seeds')}; crosses and stars: "
                f"published ({source}).",
            )
        )
    left = len(measured.matrices) - len(names)
    paragraphs = (
        [f"{left} more conditions are in the table and not in the figures."] if left > 0 else []
    )
    few = [row["condition"] for _, row in summary.iterrows() if 0 < row["seeds"] < FEWEST]
    if few:
        paragraphs.append(
            f"{listed(few)} {'has' if len(few) == 1 else 'have'} fewer than {FEWEST} seeds, and no "
            "interval: one seed shows no spread, and the 95% t interval of two is 12.7 times as "
            "wide as what lies between them."
        )
    return Section("accuracies", title, paragraphs, drawings, [table])


def _published(study: Study, tasks: int) -> tuple[PublishedCurves, str, PublishedCurves]:
    """Return of the first source with accuracies after several of the tasks what is drawn.

    That is its accuracies, its name, and its printed errors of those accuracies.
    """
    for source in study.published:
        if sum(after <= tasks for after in set(source.after_tasks)) > 1:
            errors = {
                name: dict(zip(source.after_tasks, values, strict=True))
                for name, values in source.plus_minus.items()
            }
            return published_by_tasks(source, tasks), source.id, errors
    return {}, "", {}


def learning_section(analysis: Analysis, names: Sequence[str]) -> Section | None:
    """Return the section on what the conditions learned and forgot; None where no cell is done."""
    matrices = {
        condition: stack
        for condition, stack in analysis.measured.matrices.items()
        if condition in names
    }
    if not matrices:
        return None
    summary = analysis.measured.shown
    rows = []
    for name in matrices:
        row = summary[summary["condition"] == name].iloc[0]
        cells = [name]
        for metric in ("learned_accuracy", "backward_transfer", "forgetting"):
            low, high = row[f"{metric}_low"], row[f"{metric}_high"]
            cells += [number(row[metric]), between(low, high, number)]
        rows.append(cells)
    header = ["condition", "learned (%)", "95% interval", "BWT (points)",
              "95% interval", "forgetting (points)", "95% interval"]  # fmt: skip
    paragraphs = [
        "Learned: accuracy on each task right after it was trained. Backward transfer: how much "
        "it changed since, over the earlier tasks (negative: forgotten). Forgetting: the drop from "
        "the best it ever was."
    ]
    alt = "Accuracy on each task as training goes on."
    transferred = [row for row in rows if row[3] != "-"]  # a single task has no earlier ones
    if transferred:
        worst = min(transferred, key=lambda row: float(row[3]))
        alt += f" Most is forgotten by {worst[0]}: {worst[3]}."
    of_a_task = seeds_of_a_task(next(iter(matrices.values())).shape[-1])
    drawings = [
        Drawing(
            "tasks",
            alt,
            partial(draw_tasks, matrices, _seeds(analysis)),
            f"Thick: mean over seeds; thin: {_each_seed(matrices, 'each seed', of_a_task)}.",
        ),
        Drawing(
            "matrices",
            "Mean accuracy on each task (columns) after training each task (rows), in %.",
            partial(draw_matrices, matrices),
            "Mean over seeds, %. All maps share one scale; dark is low.",
        ),
    ]
    table = Table("Learning and forgetting", header, rows, folded=len(rows) > MOST)
    return Section("learning", "Learning and forgetting", paragraphs, drawings, [table])


def _each_seed(matrices: Mapping[str, Floats], all_of_them: str, most: int = MOST_SEEDS) -> str:
    """Return in words which seeds are drawn one by one; ``all_of_them`` where none is left out."""
    count = max(len(stack) for stack in matrices.values())
    return all_of_them if count <= most else which_seeds(count, most)


def _seeds(analysis: Analysis) -> dict[str, list[int]]:
    """Return the seeds of each condition that are done, in rising order."""
    return {
        str(condition): sorted(map(int, seeds.unique()))
        for condition, seeds in analysis.measured.curves.groupby("condition")["seed"]
    }


def _cells(done: int, diverged: int) -> str:
    return f"{done} + {diverged} diverged" if diverged else str(done)
