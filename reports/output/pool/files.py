"""Several sites together as a folder: a page, Markdown, JSON and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.findings.pool.pool import Pool
from reports.output.encoding import as_json
from reports.output.markdown import markdown
from reports.output.page import draw, figure_files, page_text
from reports.output.replacing import replaced
from reports.sections.pool import headline, pool_sections


def pool_document(pool: Pool) -> dict[str, Any]:
    """Return what ``pool.json`` holds: every field of ``Pool``, and the sentence of its lead."""
    fields: dict[str, Any] = as_json(pool)
    return {"headline": headline(pool), "findings": len(pool.findings), **fields}


def write_pool(pool: Pool, folder: Path) -> Path:
    """Write all files to ``folder``, or none; returns the path of the page.

    The same records give the same bytes. Files of the folder that are not of such a page stay.

    Raises
    ------
    OSError
        Where the folder cannot be written; it then stays unchanged.
    """
    shown = pool_sections(pool)
    title = f"{pool.study}, {len(pool.sites)} sites"
    verdict = pool.claims[0].verdict if pool.claims else None
    with replaced(folder, lambda path: not _is_of_pool(path.name)) as new:
        text = json.dumps(pool_document(pool), indent=1, allow_nan=False)
        (new / "pool.json").write_text(text + "\n", encoding="utf-8")
        (new / "pool.md").write_text(markdown(title, shown, pool.notices), encoding="utf-8")
        page = page_text(
            title,
            shown,
            draw(shown, new),
            verdict=None if verdict is None else str(verdict),
            lead=headline(pool),
            notices=pool.notices,
            tone="OPEN" if pool.claims and pool.claims[0].name in pool.late else None,
            files={"pool.json", "pool.md", *figure_files(shown)},
        )
        (new / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _is_of_pool(name: str) -> bool:
    return name in ("pool.json", "pool.md", "index.html") or (
        name.startswith("sites-") and name.endswith((".svg", ".png"))
    )
