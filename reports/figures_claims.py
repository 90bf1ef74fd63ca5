"""Figures of the claims: paired estimation and the forest of contrasts."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from reports.analysis import JudgedClaim
from reports.figures import colours


def draw_estimation(judged: JudgedClaim) -> Figure:
    """Draw each seed's two accuracies joined, and beside them the differences.

    The diamond is the mean difference with the interval that judged the claim; the dashed line
    the reported gain, the shaded band reported +- margin. Needs a comparison (ValueError).
    """
    pair, found, claim = judged.contrast, judged.judgement, judged.claim
    if pair.comparison is None or found is None:
        raise ValueError(f"the claim '{claim.id}' has no pair of seeds to draw")
    of = colours([pair.baseline, pair.treatment])
    a, b = np.array(pair.treated), np.array(pair.untreated)
    gains = a - b if claim.unit == "points" else 100 * (a - b) / b
    with sns.axes_style("whitegrid"), mpl.rc_context({"font.size": 9}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3.6), layout="constrained")
        for low, high in zip(b, a, strict=True):
            left.plot([0, 1], [low, high], "-", color=of[pair.treatment], alpha=0.6, lw=1)
        left.plot(np.zeros(len(b)), b, "s", color=of[pair.baseline], mfc="white", ms=5)
        left.plot(np.ones(len(a)), a, "o", color=of[pair.treatment], ms=5)
        left.set_xticks([0, 1], [pair.baseline, pair.treatment])
        left.set_xlim(-0.3, 1.3)
        left.set_ylabel("final accuracy (%)")
        right.axhspan(
            claim.reported - claim.margin,
            claim.reported + claim.margin,
            color="0.85",
            label="reported ± margin",
        )
        right.axhline(claim.reported, color="0.2", ls="--", lw=1.2, label="reported")
        right.axhline(0, color="0.2", lw=0.8)
        right.plot(np.linspace(-0.35, -0.1, len(gains)), gains, "o", color="0.4", ms=3.5)
        mean, ends = pair.comparison.mean, found.ci
        if np.isfinite([ends.low, ends.high]).all():
            right.plot([0.2, 0.2], [ends.low, ends.high], "-", color="black", lw=1.6)
        right.plot([0.2], [mean], "D", color="black", ms=6, label="mean and interval")
        right.set_xlim(-0.6, 0.6)
        right.set_xticks([])
        right.set_ylabel(f"difference ({claim.unit})")
        right.legend(fontsize=7, loc="best")
    return figure


def draw_forest(claims: Sequence[JudgedClaim]) -> Figure:
    """Draw every judged claim: mean difference, 95% interval, and the reported value as a cross."""
    drawn = [one for one in claims if one.contrast.comparison is not None]
    with sns.axes_style("whitegrid"), mpl.rc_context({"font.size": 9}):
        figure, axis = plt.subplots(figsize=(6, 1.3 + 0.4 * len(drawn)), layout="constrained")
        axis.axvline(0, color="0.2", lw=0.8)
        for row, one in enumerate(drawn):
            compared = one.contrast.comparison
            assert compared is not None
            first = "" if row == 0 else "_"
            ends = [compared.ci95.low, compared.ci95.high]
            if np.isfinite(ends).all():
                axis.plot(ends, [row, row], "-", color="black", lw=1.6)
            axis.plot([compared.mean], [row], "D", color="black", ms=5, label=f"{first}ours")
            axis.plot([one.claim.reported], [row], "x", color="0.4", ms=7, label=f"{first}reported")
        axis.set_yticks(range(len(drawn)), [f"{c.claim.id} ({c.claim.unit})" for c in drawn])
        axis.invert_yaxis()
        axis.set_xlabel("gain, with 95% t interval")
        axis.legend(fontsize=7)
    return figure
