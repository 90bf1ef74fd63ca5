"""A headless Chromium, where one is found: what a page's own script finds in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


def dumped(address: str, profile: Path, width: int, *flags: str) -> str:
    """Return the page at an address as a browser holds it after some seconds of its own time."""
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu",
         "--allow-file-access-from-files", *flags, f"--user-data-dir={profile}",
         f"--window-size={width},900", "--virtual-time-budget=5000", "--dump-dom", address],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def found_by(probe: Path, width: int, *flags: str) -> Any:
    """Return the JSON that the script of a page leaves as the page's body."""
    page = dumped(probe.as_uri(), probe.parent / "profile", width, *flags)
    body = re.search(r"<body[^>]*>(\{.*\})", page)
    assert body, page[-2000:]
    return json.loads(body[1])
