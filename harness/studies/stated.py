"""What a study states: its fields, and what follows from each of them alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from harness.studies.chosen import Frozen, Seed
from harness.studies.claims import Claim, Comparisons, Curve, Published
from harness.studies.condition import Condition, Protocol
from harness.studies.factors import Factor, Name
from harness.studies.known_data import KNOWN_DATA
from harness.studies.measured import ImportedCondition, Measure, is_of_import
from harness.studies.search import Search, Searched
from harness.studies.seeds import MOST_SEEDS, distinct, parse_seeds
from harness.studies.statements import AnyClaim, Family, Statement
from harness.studies.strengths import Strengths
from harness.studies.texts import BibTeX, Texts

AnyCondition = Annotated[
    Annotated[Condition, Tag("trained")] | Annotated[ImportedCondition, Tag("imported")],
    Discriminator(lambda table: "imported" if is_of_import(table) else "trained"),
]


def _listed(given: object) -> object:
    """Return what may stand alone or in a list, as a list."""
    return [given] if isinstance(given, str) else given


class Stated(Frozen):
    """Conditions x seeds under a protocol, with the published values to compare them with.

    Attributes
    ----------
    measure : the number that is measured on each seed; None for the accuracies of our stack.
    protocol : None where no condition is trained under one.
    train, command : the user's own function, or program, that trains every condition which names
        no other one; see ``harness.studies.trained``.
    isolation : "process" for a fresh process for each cell of such a function; "none" for
        functions that are known to leave nothing behind.
    preflight : parameters that make such a function cheap, for its trial before the run.
    factors : choices whose crossings are conditions, in addition to the conditions that are
        written out.
    claims : of every kind, the main claim first.
    families : claims that stand or fall together.
    curves : gains that reports show under every crossing.
    pairs : by condition, the other one that it is a variant of; figures show them together.
    comparisons : of such pairs, which make one statement together.
    causes : names of the studies that take the differences between this one's conditions apart,
        that of the main claim first; one name may stand without a list.
    citation : of the source of the claims, in BibTeX.
    texts : what it is all about, in words.
    search : how settings of its conditions are searched.
    searched : which study's settings this one searches; None for every other study.
    strengths : what a search chose for its conditions, whose file it includes; of a search, what
        it chose itself.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    description: str = ""
    seeds: Annotated[
        tuple[Seed, ...],
        BeforeValidator(parse_seeds),
        AfterValidator(distinct),
        Field(min_length=1, max_length=MOST_SEEDS),
    ]
    measure: Measure | None = None
    protocol: Annotated[Protocol | None, Field(default_factory=Protocol)]
    train: str | None = None
    command: str | None = None
    isolation: Literal["process", "none"] | None = None
    preflight: dict[str, Any] | None = None
    factors: dict[Name, Factor] = Field(default_factory=dict)
    conditions: Annotated[
        dict[str, AnyCondition], Field(min_length=1, validate_default=True, default_factory=dict)
    ]
    published: tuple[Published, ...] = ()
    claims: tuple[AnyClaim, ...] = ()
    families: tuple[Family, ...] | None = None
    curves: tuple[Curve, ...] = ()
    pairs: dict[str, str] = Field(default_factory=dict)
    comparisons: tuple[Comparisons, ...] = ()
    causes: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    citation: BibTeX | None = None
    texts: Texts | None = None
    search: Search | None = None
    searched: Searched | None = None
    strengths: Strengths | None = None

    @property
    def gains(self) -> tuple[Claim, ...]:
        """The claims that one condition gains final accuracy over another, paired by seed."""
        return tuple(claim for claim in self.claims if isinstance(claim, Claim))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All other claims."""
        return tuple(claim for claim in self.claims if isinstance(claim, Statement))

    @property
    def ours(self) -> dict[str, Condition]:
        """The conditions that can be trained here, by name."""
        return {name: c for name, c in self.conditions.items() if isinstance(c, Condition)}

    @property
    def imported(self) -> tuple[str, ...]:
        """The names of the conditions whose results come from tables that exist already."""
        conditions = self.conditions.values()
        return tuple(c.name for c in conditions if isinstance(c, ImportedCondition))

    @property
    def measured(self) -> Measure:
        """The number that is measured on each seed."""
        return self.measure or Measure()

    @property
    def benchmark(self) -> str:
        """The benchmark that all conditions share; empty where the study names none."""
        if not self.ours and self.protocol is not None:
            return self.protocol.benchmark
        named = (condition.protocol.benchmark for condition in self.ours.values())
        return next((benchmark for benchmark in named if benchmark is not None), "")

    @property
    def chance(self) -> float | None:
        """The accuracy after the last task, a fraction, of a network that guesses among the classes
        of each task; None for data that are not known.
        """
        known = KNOWN_DATA.get(self.benchmark)
        return None if known is None else known.chance
