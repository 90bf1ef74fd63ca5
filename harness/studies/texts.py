"""What a study says of itself in words, for people who read its reports.

No result and no verdict depends on these words, so they have no part in a study's fingerprint, and
may be written or mended after a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from harness.studies.chosen import Frozen

Words = Annotated[str, Field(pattern=r"\S", max_length=2000)]


class Texts(Frozen):
    """Words for what a study is made of; a report leaves out what is not given.

    Attributes
    ----------
    notice : what a reader must know before any number, such as that the data are not the claim's.
    data, network, training : what they are, beside the settings, which a report says itself.
    margin : how the margins of the claims were set.
    conditions : by condition, what it is in one line.
    factors : by factor, or by setting in which conditions differ, what it changes, without an
        article: "initialisation of the output layer".
    levels : by factor and level, what the level is.
    quotes : by claim, the words of the source.
    notes : by claim, what a reader must know of the words, such as a unit that they leave out.
    """

    notice: Words | None = None
    data: Words | None = None
    network: Words | None = None
    training: Words | None = None
    margin: Words | None = None
    conditions: dict[str, Words] = Field(default_factory=dict)
    factors: dict[str, Words] = Field(default_factory=dict)
    levels: dict[str, dict[str, Words]] = Field(default_factory=dict)
    quotes: dict[str, Words] = Field(default_factory=dict)
    notes: dict[str, Words] = Field(default_factory=dict)

    def check(
        self,
        conditions: Iterable[str],
        settings: Iterable[str],
        factors: Mapping[str, Iterable[str]],
        claims: Iterable[str],
    ) -> None:
        """Raise ValueError where a text is about something that the study does not have.

        Parameters
        ----------
        conditions, settings, claims : their names.
        factors : by name, the names of the levels.
        """
        places: list[tuple[str, Mapping[str, object], Iterable[str]]] = [
            ("conditions", self.conditions, conditions),
            ("factors", self.factors, (*factors, *settings)),
            ("levels", self.levels, factors),
            ("quotes", self.quotes, claims),
            ("notes", self.notes, claims),
        ]
        for name, levels in self.levels.items():
            places.append((f"levels.{name}", levels, factors.get(name, ())))
        for place, named, known in places:
            has = list(known)
            for name in named:
                if name not in has:
                    raise ValueError(
                        f"texts.{place}: the study has no '{name}'; it has "
                        f"{', '.join(has) or 'none'}"
                    )


def _bibtex(text: str) -> str:
    """Return the text of an entry; ValueError where it is none."""
    depth = 0
    for letter in text:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth < 0:
            break
    if not text.strip().startswith("@") or depth != 0:
        raise ValueError("no BibTeX entry: it starts with @ and closes every brace that it opens")
    return text.strip()


BibTeX = Annotated[str, Field(max_length=20_000), AfterValidator(_bibtex)]
"""One or more entries, as a list of references takes them."""
