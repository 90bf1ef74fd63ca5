"""One quantity at every site and over all of them: a claim's gain, or a condition's accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reports.findings.contrasts import contrast, judge_claim
from reports.findings.looks import earlier_looks
from reports.findings.pool.sites import Site, numerics_of, share_out
from reports.numbers.intervals import FIXED, Interval, has_spread, mean_interval
from reports.numbers.paired import paired_gains
from reports.numbers.pooling import Difference, Pooled, Sample, difference, pool
from reports.numbers.records import Record, final_accuracy, is_done
from reports.numbers.sequential import ANYTIME
from reports.numbers.study import Claim
from reports.numbers.verdict import Verdict, decide

Values = Mapping[int, tuple[float, str]]
"""By seed: the value, and the numerics class that it was made in."""


class Matters(StrEnum):
    """Whether two numerics classes give different values."""

    NO = "NO"
    YES = "YES"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class SiteValue:
    """A quantity at one site.

    Attributes
    ----------
    n, mean, ci95 : over all of the site's seeds, as if it were the only one; mean and interval are
        None without a seed.
    verdict : on the claim, from this site alone; None for an accuracy, or without a pair.
    counted : the seeds that count for this site in the pooled mean.
    counted_mean, counted_ci95 : over these seeds.
    left_out : why the site is not in the pooled mean; None where it is.
    """

    site: str
    n: int
    mean: float | None
    ci95: Interval | None
    verdict: Verdict | None
    counted: tuple[int, ...]
    counted_mean: float | None
    counted_ci95: Interval | None
    left_out: str | None


@dataclass(frozen=True)
class ClassValue:
    """A quantity in one numerics class, over the seeds that count.

    Attributes
    ----------
    sites : names of those where the class is.
    against : the class with the most seeds; None for that class itself.
    difference, ci95, p : this class minus that one (Welch); None where one has no spread.
    matters : whether the difference is surely negligible, surely not, or neither.
    """

    numerics: str
    sites: tuple[str, ...]
    n: int
    mean: float
    against: str | None
    difference: float | None
    ci95: Interval | None
    p: float | None
    matters: Matters | None


@dataclass(frozen=True)
class Reported:
    """What a claim reports, and which gains count as equal to it; in its unit."""

    id: str
    text: str
    reported: float
    margin: float
    alpha: float


@dataclass(frozen=True)
class Quantity:
    """A claim's gain or a condition's final accuracy, at every site and over all of them.

    Attributes
    ----------
    name : of the claim or the condition.
    negligible : the difference that counts as none, in ``unit``.
    pooled : None where fewer than two sites have a spread.
    verdict : on the claim, from the pooled mean's intervals; None for an accuracy.
    classes : one entry for each numerics class, the one with the most seeds first.
    """

    name: str
    unit: str
    negligible: float
    claim: Reported | None
    sites: tuple[SiteValue, ...]
    pooled: Pooled | None
    verdict: Verdict | None
    classes: tuple[ClassValue, ...]


def gain(claim: Claim, sites: Sequence[Site]) -> Quantity:
    """Return the gain of a claim, with the verdict on it."""
    by_site = [_by_cell(site) for site in sites]
    values, verdicts = [], []
    for site, records in zip(sites, by_site, strict=True):
        seeds = sorted({seed for _, seed in records})
        judged = judge_claim(records, claim, seeds, ANYTIME if site.adaptive else FIXED)
        if not site.adaptive and earlier_looks(site.looks, judged.contrast):
            judged = judge_claim(records, claim, seeds, ANYTIME)
        verdicts.append(None if judged.judgement is None else judged.judgement.verdict)
        values.append(_gains(claim, records, seeds))
    reported = Reported(claim.id, claim.text, claim.reported, claim.margin, claim.alpha)
    return _quantity(claim.id, claim.unit, claim.negligible, reported, sites, values, verdicts)


def accuracy(condition: str, sites: Sequence[Site], negligible: float) -> Quantity:
    """Return the final accuracy of a condition, in %."""
    values = [
        {
            record["seed"]: (final_accuracy(record), numerics_of([record]))
            for record in site.records
            if record["condition"] == condition and is_done(record)
        }
        for site in sites
    ]
    return _quantity(condition, "%", negligible, None, sites, values, [None] * len(sites))


def _by_cell(site: Site) -> dict[tuple[str, int], Record]:
    return {(record["condition"], record["seed"]): record for record in site.records}


def _gains(
    claim: Claim, records: dict[tuple[str, int], Record], seeds: Sequence[int]
) -> dict[int, tuple[float, str]]:
    pair = contrast(records, claim.treatment, claim.baseline, seeds, claim.unit)
    if not pair.seeds:
        return {}
    gains = paired_gains(pair.treated, pair.untreated, claim.unit)
    return {
        seed: (
            float(value),
            numerics_of([records[claim.treatment, seed], records[claim.baseline, seed]]),
        )
        for seed, value in zip(pair.seeds, gains, strict=True)
    }


def _quantity(
    name: str,
    unit: str,
    negligible: float,
    claim: Reported | None,
    sites: Sequence[Site],
    values: Sequence[Values],
    verdicts: Sequence[Verdict | None],
) -> Quantity:
    counted = share_out(values)
    samples = [
        _sample([of_site[seed][0] for seed in seeds])
        for of_site, seeds in zip(values, counted, strict=True)
    ]
    usable = [sample for sample in samples if sample is not None]
    pooled = pool(usable) if len(usable) > 1 else None
    verdict = None
    if pooled is not None and claim is not None:
        ci, narrow = (pooled.interval(1 - times * claim.alpha) for times in (1, 2))
        verdict = decide(ci, narrow, claim.reported, claim.margin, negligible)
    return Quantity(
        name,
        unit,
        negligible,
        claim,
        tuple(
            _site_value(*row) for row in zip(sites, values, verdicts, counted, samples, strict=True)
        ),
        pooled,
        verdict,
        _classes(sites, values, counted, negligible),
    )


def _site_value(
    site: Site,
    values: Values,
    verdict: Verdict | None,
    counted: tuple[int, ...],
    sample: Sample | None,
) -> SiteValue:
    every = [value for value, _ in values.values()]
    chosen = [values[seed][0] for seed in counted]
    left_out = None
    if not values:
        left_out = "no seed is done"
    elif not counted:
        left_out = "other sites have all of its seeds"
    elif sample is None:
        left_out = "one seed shows no spread" if len(counted) == 1 else "all values are equal"
    return SiteValue(
        site.name,
        len(every),
        _mean(every),
        _ci95(every),
        verdict,
        counted,
        _mean(chosen),
        _ci95(chosen),
        left_out,
    )


def _sample(values: Sequence[float]) -> Sample | None:
    """Return the summary of values; None where they show no spread."""
    if len(values) < 2 or not has_spread(values):
        return None
    return Sample(len(values), float(np.mean(values)), float(np.std(values, ddof=1)))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _ci95(values: Sequence[float]) -> Interval | None:
    sample = _sample(values)
    return None if sample is None else mean_interval(sample.n, sample.mean, sample.sd, 0.95)


def _classes(
    sites: Sequence[Site],
    values: Sequence[Values],
    counted: Sequence[Sequence[int]],
    negligible: float,
) -> tuple[ClassValue, ...]:
    by_class: dict[str, list[float]] = {}
    where: dict[str, dict[str, None]] = {}
    for site, of_site, seeds in zip(sites, values, counted, strict=True):
        for seed in seeds:
            value, numerics = of_site[seed]
            by_class.setdefault(numerics, []).append(value)
            where.setdefault(numerics, {})[site.name] = None
    names = sorted(by_class, key=lambda name: (-len(by_class[name]), name))
    found: list[ClassValue] = []
    for numerics in names:
        each = by_class[numerics]
        first, own = _sample(by_class[names[0]]), _sample(each)
        against = None if numerics == names[0] else names[0]
        compared = difference(first, own) if against and first and own else None
        found.append(
            ClassValue(
                numerics,
                tuple(where[numerics]),
                len(each),
                float(np.mean(each)),
                against,
                None if compared is None else compared.mean,
                None if compared is None else compared.ci95,
                None if compared is None else compared.p,
                None if against is None else _matters(compared, negligible),
            )
        )
    return tuple(found)


def _matters(compared: Difference | None, negligible: float) -> Matters:
    if compared is None:
        return Matters.UNDECIDED
    if compared.ci90.inside(Interval(-negligible, negligible)):
        return Matters.NO
    surely = compared.ci90.low > negligible or compared.ci90.high < -negligible
    return Matters.YES if surely else Matters.UNDECIDED
