"""Results of earlier versions: what they did not say of their study yet, said as studies say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.studies.study import Study
from harness.studies.study_files import shipped_study

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


def with_words(study: Study) -> Study:
    """Return the study of a results directory with the words that its study file has by now.

    Only a study that ships, and only where it is the same in all that its fingerprint covers.
    """
    if study.texts is not None or study.citation is not None:
        return study
    shipped = shipped_study(study.name)
    if shipped is None or shipped.fingerprint() != study.fingerprint():
        return study
    return study.model_copy(update={"texts": shipped.texts, "citation": shipped.citation})
