"""Figures of the claims: paired estimation and the forest of contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reports.figures.theme import (
    INK,
    MUTED,
    PAPER,
    SHADE,
    Style,
    drawing,
    drawn_seeds,
    lettered,
    which_seeds,
    wrapped,
)
from reports.findings.contrasts import Contrast, JudgedClaim
from reports.findings.statements import JudgedStatement
from reports.numbers.intervals import Interval
from reports.numbers.paired import paired_gains
from reports.numbers.verdict import SIGNS


def draw_estimation(
    judged: JudgedClaim,
    style_of: Mapping[str, Style],
    label: str = "accuracy after the last task (%)",
) -> Figure:
    """Draw each seed's two accuracies joined, and beside them the differences.

    The diamond is the mean difference, with the two intervals that decided the verdict (the thick
    one is that of equivalence). The dashed line is the reported gain, and the shaded band is
    reported +- margin. Of more than ``theme.MOST_SEEDS`` seeds so many are drawn.

    Raises
    ------
    ValueError
        Where the claim has no pair of seeds.
    """
    pair, judgement, claim = judged.contrast, judged.judgement, judged.claim
    if pair.comparison is None or judgement is None:
        raise ValueError(f"the claim '{claim.id}' has no pair of seeds to draw")
    plain, treated = style_of[pair.baseline], style_of[pair.treatment]
    drawn = drawn_seeds(len(pair.seeds))
    with_treatment, without = np.array(pair.treated)[drawn], np.array(pair.untreated)[drawn]
    gains = paired_gains(with_treatment, without, claim.unit)
    with drawing():
        figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.6), layout="constrained")
        for low, high in zip(without, with_treatment, strict=True):
            left.plot([0, 1], [low, high], "-", color=treated.colour, alpha=0.55, lw=1)
        left.plot(
            np.zeros(len(without)), without, plain.marker, color=plain.colour, mfc=PAPER, ms=5
        )
        left.plot(
            np.ones(len(with_treatment)), with_treatment, treated.marker, color=treated.colour, ms=5
        )
        left.set_xticks([0, 1], [wrapped(pair.baseline, 16), wrapped(pair.treatment, 16)])
        left.set_xlim(-0.35, 1.35)
        left.set_ylabel(label)
        left.set_title(f"{which_seeds(len(pair.seeds))}, each a line")
        right.axhspan(
            claim.reported - claim.margin,
            claim.reported + claim.margin,
            color=SHADE,
            zorder=0,
            label="reported ± margin",
        )
        right.axhline(claim.reported, color=INK, ls="--", lw=1.2, label="reported")
        right.axhline(0, color=INK, lw=0.8)
        spread = np.linspace(-0.4, -0.05, len(gains)) if len(gains) > 1 else np.array([-0.2])
        right.plot(spread, gains, treated.marker, color=treated.colour, ms=4, alpha=0.8)
        _interval(right, 0.25, judgement.ci, 1.4)
        _interval(right, 0.25, judgement.ci_equivalence, 3.2)
        right.plot([0.25], [pair.comparison.mean], "D", color=INK, ms=6, label="mean and intervals")
        right.set_xlim(-0.6, 0.6)
        right.set_xticks([])
        right.set_ylabel(f"difference ({claim.unit})")
        right.set_title("treatment minus baseline")
        figure.legend(
            *right.get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=3
        )
    return figure


def draw_forest(
    claims: Sequence[JudgedClaim],
    statements: Sequence[JudgedStatement] = (),
    others: Sequence[Contrast] = (),
) -> Figure:
    """Draw every claim's gain with its intervals, its verdict and the reported gain.

    Parameters
    ----------
    statements : claims of other kinds about one number in points, drawn below the gains with their
        intervals and verdicts. Those that have none are left out.
    others : contrasts without a reported gain, drawn below the claims.

    Raises
    ------
    ValueError
        Where no contrast has a pair of seeds.
    """
    drawn = [judged for judged in claims if judged.contrast.comparison and judged.judgement]
    ruled = [(one.claim, one.ruling) for one in statements if one.ruling]
    rest = [contrast for contrast in others if contrast.comparison]
    count = len(drawn) + len(ruled) + len(rest)
    if not count:
        raise ValueError("no contrast has a pair of seeds to draw")
    labels = [lettered(f"{judged.claim.id} ({judged.claim.unit})") for judged in drawn]
    labels += [lettered(f"{claim.id} ({claim.kind})") for claim, _ in ruled]
    labels += [wrapped(f"{contrast.treatment} minus {contrast.baseline}", 40) for contrast in rest]
    with drawing():
        figure, axis = plt.subplots(figsize=(7.4, 1.3 + 0.42 * count), layout="constrained")
        axis.axvline(0, color=INK, lw=0.8)
        for row, judged in enumerate(drawn):
            compared, judgement, claim = judged.contrast.comparison, judged.judgement, judged.claim
            assert compared is not None
            assert judgement is not None
            first = "" if row == 0 else "_"
            corner = (claim.reported - claim.margin, row - 0.3)
            label = f"{first}reported ± margin"
            axis.add_patch(Rectangle(corner, 2 * claim.margin, 0.6, color=SHADE, lw=0, label=label))
            axis.plot(
                [claim.reported] * 2, [row - 0.3, row + 0.3], color=MUTED, lw=2, ls=(0, (2, 1)),
                label=f"{first}reported",
            )  # fmt: skip
            _interval(axis, row, judgement.ci, 1.4, across=True)
            _interval(axis, row, judgement.ci_equivalence, 3.2, across=True)
            axis.plot([compared.mean], [row], "D", color=INK, ms=5, label=f"{first}ours")
            _beside(axis, row, f"{SIGNS[judgement.verdict]} {judgement.verdict}")
        for row, (_, ruling) in enumerate(ruled, start=len(drawn)):
            _interval(axis, row, ruling.ci, 1.4, across=True)
            _interval(axis, row, ruling.ci_equivalence, 3.2, across=True)
            label = "ours" if row == 0 else "_ours"
            axis.plot([ruling.estimate], [row], "D", color=INK, ms=5, label=label)
            _beside(axis, row, ruling.label)
        for row, pair in enumerate(rest, start=len(drawn) + len(ruled)):
            assert pair.comparison is not None
            _interval(axis, row, pair.comparison.ci95, 1.4, across=True)
            _interval(axis, row, pair.comparison.ci90, 3.2, across=True)
            label = "" if row == 0 else "_"
            axis.plot([pair.comparison.mean], [row], "D", color=INK, ms=5, label=f"{label}ours")
        axis.set_yticks(range(count), labels)
        axis.set_ylim(count - 0.5, -0.5)
        axis.grid(visible=False, axis="y")
        what = "gain or difference" if ruled else "gain"
        axis.set_xlabel(f"{what}, with the intervals that decide (thin) and of equivalence (thick)")
        figure.legend(
            *axis.get_legend_handles_labels(), fontsize=8, loc="outside upper center", ncols=3
        )
    return figure


def _beside(axis: Axes, row: int, verdict: str) -> None:
    """Write a verdict to the right of the axes, at its row."""
    axis.annotate(
        verdict,
        (1.01, row),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8,
        annotation_clip=False,
    )


def _interval(
    axis: Axes, place: float, ends: Interval, width: float, *, across: bool = False
) -> None:
    """Draw a finite interval: upright at x = ``place``, or across at y = ``place``."""
    if not np.isfinite([ends.low, ends.high]).all():
        return
    along, beside = [ends.low, ends.high], [place, place]
    x, y = (along, beside) if across else (beside, along)
    axis.plot(x, y, "-", color=INK, lw=width, solid_capstyle="butt")
