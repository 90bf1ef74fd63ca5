"""A source in words: authors, year, title and place, read from its BibTeX entry."""

from __future__ import annotations

import re

from reports.numbers.words import listed

ENTRY = re.compile(r"@\w+\s*\{\s*[^,\s]*\s*,")
FIELD = re.compile(r"\s*,?\s*([A-Za-z][\w-]*)\s*=\s*")
PLACES = ("booktitle", "journal", "howpublished", "publisher", "school", "institution")
LINKS = ("doi", "url", "eprint")


def references(bibtex: str) -> list[str]:
    """Return each entry in one line; an entry without a field that is known is left out."""
    starts = list(ENTRY.finditer(bibtex))
    ends = [*(entry.start() for entry in starts[1:]), len(bibtex)]
    told = (
        _told(_fields(bibtex[entry.end() : end])) for entry, end in zip(starts, ends, strict=False)
    )
    return [line for line in told if line]


def _told(fields: dict[str, str]) -> str:
    authors = re.split(r"\s+and\s+", fields["author"]) if fields.get("author") else []
    families = [name.partition(",")[0] if "," in name else name.split()[-1] for name in authors]
    who = " ".join(filter(None, [listed(families), fields.get("year", "")]))
    where = next((fields[name] for name in PLACES if fields.get(name)), "")
    links = [fields[name] for name in LINKS if fields.get(name)]
    return ". ".join(filter(None, [who, fields.get("title", ""), where, *links]))


def _fields(body: str) -> dict[str, str]:
    """Return the fields of an entry by their names in small letters, without their braces."""
    fields: dict[str, str] = {}
    place = 0
    while found := FIELD.match(body, place):
        value, place = _value(body, found.end())
        fields[found[1].lower()] = " ".join(value.replace("{", "").replace("}", "").split())
    return fields


def _value(body: str, start: int) -> tuple[str, int]:
    """Return a value in braces, quotation marks or neither, and the place after it."""
    if start < len(body) and body[start] == "{":
        depth = 0
        for place in range(start, len(body)):
            depth += {"{": 1, "}": -1}.get(body[place], 0)
            if depth == 0:
                return body[start + 1 : place], place + 1
        return body[start + 1 :], len(body)
    if start < len(body) and body[start] == '"':
        end = body.find('"', start + 1)
        return (body[start + 1 :], len(body)) if end < 0 else (body[start + 1 : end], end + 1)
    found = re.compile(r"[^,}\n]*").match(body, start)
    assert found is not None, "it matches anything"
    return found[0], found.end()
