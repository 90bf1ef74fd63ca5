"""A table of published means as claims: one of kind "value" for each of them, and one family.

A source of published values may say ``judge``; what stands there is written out as claims before
anything else is checked, so that a study's results, its register and its fingerprint know claims
and families alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from harness.studies.chosen import Frozen, Positive, Share
from harness.studies.claims import Published

EDGE = 100.0
"""The accuracy that a published mean falls short of by its error, in %."""


class Judge(Frozen):
    """What is claimed of every mean of a source.

    Attributes
    ----------
    text : what the family of these claims says.
    share : a mean is the same within this share of its published error, 100 minus the mean; so a
        mean of 99.9% is not held to be found again by one of 99.4%.
    at_least : the smallest margin, in points.
    spread : whether the printed ± is compared too; the source then says the number of runs.
    plus_minus_is : with ``spread``, what the ± is, where the source or its program says so.
    """

    text: str
    share: Share
    at_least: Positive
    spread: bool = False
    plus_minus_is: Literal["standard deviation", "standard error"] | None = None

    def margin(self, accuracy: float) -> float:
        """Return the margin of a published mean in points, to two decimals."""
        return max(self.at_least, round(self.share * (EDGE - accuracy), 2))


def with_published_values(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study as it is written, every ``judge`` of its sources replaced by claims.

    The claims follow all others, so that the first one stays the study's main claim.

    Raises
    ------
    ValueError
        Where a ``judge`` has a key that is not known, or an impossible value.
    """
    sources = raw.get("published")
    if not isinstance(sources, list | tuple) or not any(map(_is_judged, sources)):
        return dict(raw)
    claims, families = raw.get("claims") or [], raw.get("families") or []
    made: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    left = []
    for source in sources:
        if _is_judged(source):
            judge = _judge(source)
            source = {name: value for name, value in source.items() if name != "judge"}
            own = _claims(source, judge)
            made += own
            if own:
                named = [claim["id"] for claim in own]
                groups.append({"id": source["id"], "text": judge.text, "claims": named})
        left.append(source)
    whole = {**raw, "published": left}
    if isinstance(claims, list | tuple) and isinstance(families, list | tuple):
        whole |= {"claims": [*claims, *made], "families": [*families, *groups]}
    return whole


def _is_judged(source: Any) -> bool:
    return isinstance(source, Mapping) and "judge" in source


def _judge(source: Mapping[str, Any]) -> Judge:
    """Return what is claimed of a source (ValueError: naming the source and the fault)."""
    try:
        return Judge.model_validate(source["judge"])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(["judge", *map(str, first["loc"])])
        takes = ", ".join(Judge.model_fields)
        raise ValueError(
            f"published '{source.get('id')}': {place}: {first['msg']}; judge takes {takes}"
        ) from None


def _claims(table: Mapping[str, Any], judge: Judge) -> list[dict[str, Any]]:
    """Return the claims on one source's means, condition by condition."""
    try:
        source = Published.model_validate(table)
    except ValidationError:
        return []  # the source's own check names the fault
    claims = []
    for name, means in source.accuracy.items():
        for number, (after, mean) in enumerate(zip(source.after_tasks, means, strict=True)):
            claim = {
                "id": f"{source.id}: {name}, {after} tasks",
                "text": f"{name} reaches {mean:g}% after {after} tasks",
                "source": source.source,
                "kind": "value",
                "metric": "accuracy-after-tasks",
                "tasks": after,
                "condition": name,
                "reported": mean,
                "margin": judge.margin(mean),
            }
            if judge.spread:
                if name not in source.runs or name not in source.plus_minus:
                    raise ValueError(
                        f"published '{source.id}': judge.spread: '{name}' has no plus_minus and "
                        "runs; add them, or remove spread"
                    )
                claim |= {"plus_minus": source.plus_minus[name][number], "runs": source.runs[name]}
                if judge.plus_minus_is is not None:
                    claim["plus_minus_is"] = judge.plus_minus_is
            claims.append(claim)
    return claims
