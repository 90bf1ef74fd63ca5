"""Results of versions before 0.3: what names of conditions meant then, said as studies say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PLAIN = ("ewc", "online-ewc", "si", "mas")
CAUSES = "dhp-attribution"


def with_what_names_meant(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the study of a results directory with pairs and comparisons that it did not say.

    Versions before 0.3 knew by name that ``dhp+ewc`` is ``ewc`` with DHP.
    """
    if "pairs" in study:
        return dict(study)
    names = study.get("conditions", ())
    treatments = [f"dhp+{base}" for base in PLAIN if {base, f"dhp+{base}"} <= set(names)]
    pairs = {treatment: treatment.removeprefix("dhp+") for treatment in treatments}
    if {"finetune", "dhp"} <= set(names):
        pairs["dhp"] = "finetune"
    said: dict[str, Any] = {"pairs": pairs}
    if treatments:
        text = "DHP improves every consolidation"
        said["comparisons"] = [{"text": text, "treatments": treatments}]
    if pairs:
        said["causes"] = CAUSES
    return dict(study) | said
