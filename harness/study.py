"""Studies: what is run, frozen and validated.

A study file is TOML: a protocol (how everything is trained), conditions (what is compared),
seeds, the published values and the claims that they are judged against. Conditions are written
out, or arise as the crossings of factors, or both. Unknown keys and impossible values are refused
by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from harness.claims import Claim, Curve, Published
from harness.condition import Condition, Frozen, Protocol, Seed, digest
from harness.errors import InputError
from harness.factors import Factor, check_level, crossings


def parse_seeds(text: object) -> object:
    """Read seeds: a number n for the seeds 0 to n-1, or a list such as "0-9,20".

    Raises
    ------
    ValueError
        Where the text is neither.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        return text
    try:
        if text.strip().isdecimal():
            chosen = list(range(int(text)))
        else:
            chosen = []
            for part in text.split(","):
                first, dash, last = part.strip().partition("-")
                if not first.isdecimal() or (dash and not last.isdecimal()):
                    raise ValueError
                chosen += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        raise ValueError(
            f"'{text}' is no choice of seeds; write a number (10: the seeds 0 to 9) or a list "
            "(0-9,20)"
        ) from None
    if not chosen:
        raise ValueError(f"'{text}' chooses no seed")
    if len(chosen) > 1_000_000 or max(chosen) >= 2**63:
        raise ValueError(f"'{text}' is out of range (at most a million seeds, below 2^63)")
    return tuple(dict.fromkeys(chosen))


class Study(Frozen):
    """Conditions x seeds under a protocol, with the published values they answer to.

    Attributes
    ----------
    factors : choices whose crossings are conditions, beside those that are written out.
    curves : gains to be shown under every crossing.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(parse_seeds), Field(min_length=1)]
    protocol: Protocol = Protocol()
    factors: dict[str, Factor] = Field(default_factory=dict)
    conditions: Annotated[
        dict[str, Condition], Field(min_length=1, validate_default=True, default_factory=dict)
    ]
    published: tuple[Published, ...] = ()
    claims: tuple[Claim, ...] = ()
    curves: tuple[Curve, ...] = ()

    @field_validator("conditions", mode="before")
    @classmethod
    def _resolve(cls, tables: Any, study: ValidationInfo) -> Any:
        """Cross the factors, and turn each condition's table into a Condition."""
        if not isinstance(tables, dict) or not {"protocol", "factors"} <= study.data.keys():
            return tables
        shared = study.data["protocol"].model_dump(exclude_none=True)
        resolved: dict[str, Any] = {}
        for name, levels, table in crossings(study.data["factors"]):
            if name not in tables:  # else it comes from study.json, resolved
                resolved[name] = _condition(name, table, shared) | {"levels": levels}
        for name, table in tables.items():
            if isinstance(table, dict) and "method" not in table:
                table = _condition(name, table, shared)
            resolved[name] = table
        return resolved

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (
            ("published", [n for p in self.published for n in p.accuracy]),
            ("claims", [n for c in self.claims for n in (c.treatment, c.baseline)]),
        ):
            for name in names:
                if name not in self.conditions:
                    raise ValueError(
                        f"{what} names the condition '{name}', which the study does not have; "
                        f"it has {', '.join(self.conditions)}"
                    )
        for claim in self.claims:
            if claim.reported == 0:
                raise ValueError(
                    f"claim '{claim.id}' reports a gain of 0: there is nothing to judge"
                )
        ids = [claim.id for claim in self.claims] + [curve.id for curve in self.curves]
        if len(set(ids)) < len(ids):
            raise ValueError("two claims or curves have the same id")
        for curve in self.curves:
            for levels in (curve.treatment, curve.baseline):
                for factor, level in levels.items():
                    check_level(self.factors, factor, level, f"curve '{curve.id}'")
        if len({c.protocol.benchmark for c in self.conditions.values()}) > 1:
            raise ValueError("all conditions of a study share one benchmark")
        return self

    @property
    def benchmark(self) -> str:
        """The benchmark that all conditions share."""
        return next(iter(self.conditions.values())).protocol.benchmark

    def fingerprint(self) -> str:
        """Return a hash of everything in the study, margins of the claims included."""
        return digest(self.model_dump(mode="json"))

    def choose(self, conditions: Sequence[str] | None, seeds: str | None) -> Study:
        """Return the study cut down to some conditions, or with other seeds.

        Raises
        ------
        InputError
            Where a condition is unknown or the seeds cannot be read.
        """
        changes: dict[str, Any] = {}
        if seeds is not None:
            try:
                changes["seeds"] = parse_seeds(seeds)
            except ValueError as error:
                raise InputError(f"--seeds: {error}") from None
        if conditions is not None:
            unknown = [name for name in conditions if name not in self.conditions]
            if unknown or not conditions:
                raise InputError(
                    f"--conditions: study '{self.name}' has no condition "
                    f"'{', '.join(unknown)}'; it has {', '.join(self.conditions)}"
                )
            changes["conditions"] = {
                name: c for name, c in self.conditions.items() if name in conditions
            }
        return self.model_copy(update=changes)


def _condition(name: str, table: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Turn a table of method fields, with protocol fields in one of their own, into a Condition's.

    What is no table where one belongs is left for the model to refuse.
    """
    method = dict(table)
    own = method.pop("protocol", {})
    protocol = own
    if isinstance(own, dict):
        protocol = {k: v for k, v in shared.items() if not _replaced(k, own)} | own
    return {"name": name, "method": method, "protocol": protocol}


def _replaced(key: str, own: Mapping[str, Any]) -> bool:
    """Tell whether a condition's own protocol fields put a shared one out of force."""
    lengths = {"epochs", "iterations_per_task"}
    if key in lengths and lengths & own.keys():
        return True
    return key == "momentum" and own.get("optimiser", "momentum") != "momentum"
