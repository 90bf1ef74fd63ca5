"""Figures of the claims: paired estimation and the forest of contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reports.figures.rows import (
    draw_interval,
    draw_mean,
    label_rows,
    row_height,
    write_beside,
)
from reports.figures.sheet import WHOLE, Sheet
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
)
from reports.findings.contrasts import Contrast, JudgedClaim
from reports.findings.statements import JudgedStatement
from reports.numbers.intervals import FEWEST
from reports.numbers.paired import paired_gains
from reports.numbers.verdict import SIGNS


def draw_estimation(
    judged: JudgedClaim,
    style_of: Mapping[str, Style],
    label: str = "accuracy after the last task (%)",
) -> Figure:
    """Draw each seed's two accuracies joined, and beside them the differences.

    The diamond is the mean difference, with the two intervals that decided the verdict (the thick
    one is that of equivalence); fewer than three seeds have none. The dashed line is the reported
    gain, and the shaded band is reported +- margin. Of more than ``theme.MOST_SEEDS`` seeds so many
    are drawn.

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
    seeds = [f"seed {pair.seeds[place]}" for place in drawn]
    with drawing():
        sheet = Sheet(2, WHOLE, 2.9, 2)
        left, right = sheet.panels
        lines = LineCollection(
            [[(0, low), (1, high)] for low, high in zip(without, with_treatment, strict=True)],
            colors=[treated.colour], lw=0.8,
        )  # fmt: skip
        left.add_collection(lines)
        values = zip(seeds, without, with_treatment, strict=True)
        sheet.tell(lines, [f"{seed}: {low:.2f} to {high:.2f}" for seed, low, high in values])
        for place, accuracies, style in ((0, without, plain), (1, with_treatment, treated)):
            (marks,) = left.plot(
                np.full(len(accuracies), place), accuracies, style.marker, color=style.colour,
                mfc=style.colour if place else PAPER, ms=5,
            )  # fmt: skip
            sheet.tell(marks, [f"{s}: {v:.2f}" for s, v in zip(seeds, accuracies, strict=True)])
        left.set_xticks([0, 1], [lettered(pair.baseline, 16), lettered(pair.treatment, 16)])
        left.set_xlim(-0.35, 1.35)
        left.set_ylabel(label)
        count = len(pair.seeds)
        left.set_title(which_seeds(count) + (", each a line" if count > 1 else ""))
        low, high = claim.reported - claim.margin, claim.reported + claim.margin
        band = right.axhspan(low, high, fc=SHADE, ec=MUTED, lw=0.8, zorder=0)
        reported = right.axhline(claim.reported, color=INK, ls="--", lw=1.2)
        right.axhline(0, color=INK, lw=0.8)
        spread = np.linspace(-0.4, -0.05, len(gains)) if len(gains) > 1 else np.array([-0.2])
        (marks,) = right.plot(spread, gains, treated.marker, color=treated.colour, ms=4)
        sheet.tell(marks, [f"{s}: {v:+.2f}" for s, v in zip(seeds, gains, strict=True)])
        (mean,) = right.plot(
            [0.25], [pair.comparison.mean], "D", color=INK, mfc=PAPER, ms=8,
            label="mean and intervals",
        )  # fmt: skip
        sheet.tell(mean, [f"mean: {pair.comparison.mean:+.2f} {claim.unit}"])
        if count >= FEWEST:
            draw_interval(right, 0.25, judgement.ci, 1.4)
            draw_interval(right, 0.25, judgement.ci_equivalence, 3.2)
        right.set_xlim(-0.6, 0.6)
        right.set_xticks([])
        right.set_ylabel(f"difference ({claim.unit})")
        right.set_title("treatment minus baseline")
        named = "mean and intervals" if count >= FEWEST else "mean"
        sheet.key([band, reported, mean], ["reported ± margin", "reported", named])
        return sheet.finish()


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
    labels = [lettered(f"{judged.claim.id} ({judged.claim.unit})", 33) for judged in drawn]
    labels += [lettered(f"{claim.id} ({claim.kind})", 33) for claim, _ in ruled]
    labels += [lettered(f"{contrast.treatment} minus {contrast.baseline}", 44) for contrast in rest]
    with drawing():
        sheet = Sheet(1, WHOLE, row_height(labels) * count, 1)
        (axis,) = sheet.panels
        axis.axvline(0, color=INK, lw=0.8)
        signs: dict[str, Any] = {}
        for row, judged in enumerate(drawn):
            compared, judgement, claim = judged.contrast.comparison, judged.judgement, judged.claim
            assert compared is not None
            assert judgement is not None
            corner = (claim.reported - claim.margin, row - 0.2)
            band = Rectangle(corner, 2 * claim.margin, 0.4, fc=SHADE, ec=MUTED, lw=0.8, zorder=1)
            signs.setdefault("reported ± margin", axis.add_patch(band))
            (line,) = axis.plot(
                [claim.reported] * 2, [row - 0.2, row + 0.2], color=MUTED, lw=2, ls=(0, (2, 1)),
            )  # fmt: skip
            signs.setdefault("reported", line)
            ends = (judgement.ci, judgement.ci_equivalence) if compared.n >= FEWEST else ()
            signs["ours"] = draw_mean(sheet, axis, row, compared.mean, claim.id, ends)
            write_beside(axis, row, f"{SIGNS[judgement.verdict]} {judgement.verdict}")
        for row, (stated, ruling) in enumerate(ruled, start=len(drawn)):
            both = (ruling.ci, ruling.ci_equivalence)
            signs["ours"] = draw_mean(sheet, axis, row, ruling.estimate, stated.id, both)
            write_beside(axis, row, ruling.label)
        for row, pair in enumerate(rest, start=len(drawn) + len(ruled)):
            assert pair.comparison is not None
            compared, name = pair.comparison, f"{pair.treatment} minus {pair.baseline}"
            ends = (compared.ci95, compared.ci90) if compared.n >= FEWEST else ()
            signs["ours"] = draw_mean(sheet, axis, row, compared.mean, name, ends)
        label_rows(axis, labels)
        what = "gain or difference" if ruled else "gain"
        axis.set_xlabel(f"{what}; thin: the interval that decides,\nthick: of equivalence")
        sheet.key(signs.values(), signs)
        return sheet.finish()
