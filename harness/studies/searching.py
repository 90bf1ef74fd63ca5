"""A search as a study of its own: each setting of each condition is one of its conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import InputError
from harness.studies.search import Setting
from harness.studies.strengths import given, short
from harness.studies.study import Study

NOTICE = (
    "A SEARCH, NO RESULT. Accuracies are on data that were held out of the training set; the test "
    "set is not read"
)


def search_name(study: Study) -> str:
    """Return the name of the search of a study's settings."""
    return f"tune-{study.name}"[:100]


def names_of(settings: Mapping[str, Sequence[Setting]]) -> dict[str, tuple[str, Setting]]:
    """Return by its name in the search each condition and setting.

    Raises
    ------
    InputError
        Where two values cannot be told apart by name.
    """
    found: dict[str, tuple[str, Setting]] = {}
    for condition, tried in settings.items():
        for setting in tried:
            one = next(iter(setting.values()))
            said = " ".join(f"{name}={short(value)}" for name, value in setting.items())
            name = f"{condition}@{short(one) if len(setting) == 1 else said}"
            name = re.sub(r"[^A-Za-z0-9 +@:=._-]", "-", name)
            if name in found:
                raise InputError(f"search.{condition}: two settings have the same name '{name}'")
            found[name] = (condition, setting)
    return found


def raw_search(study: Study, settings: Mapping[str, Sequence[Setting]]) -> dict[str, Any]:
    """Return the study that tries some settings of each condition, ready to be validated.

    Everything that is about results is left out of it: claims, published values, factors.

    Raises
    ------
    InputError
        Where the study searches nothing, or a training function has no data to hold out.
    """
    search = study.search
    assert search is not None
    texts = {} if study.texts is None else study.texts.model_dump(mode="json", exclude_none=True)
    raw: dict[str, Any] = {
        "name": search_name(study),
        "description": f"The search for the settings of {study.name}, on held-out training data.",
        "seeds": list(search.seeds),
        "conditions": {},
        "texts": {
            **{name: texts[name] for name in ("data", "network", "training") if name in texts},
            "notice": NOTICE,
        },
        "searched": {"study": study.name, "search": search.model_dump(mode="json"), "tried": {}},
    }
    for name in ("measure", "isolation", "preflight"):
        value = getattr(study, name)
        if value is not None:
            raw[name] = value if name != "measure" else value.model_dump(mode="json")
    raw["protocol"] = None
    if study.protocol is not None and any(c.function is None for c in study.ours.values()):
        shared = _told(study.protocol.model_dump(mode="json", exclude_none=True))
        raw["protocol"] = shared | {"validation_fraction": search.validation_fraction}
    for name, (condition, setting) in names_of(settings).items():
        raw["conditions"][name] = _condition(study, name, condition, setting)
        tried = {"condition": condition, "setting": setting}
        raw["searched"]["tried"][name] = tried
    return raw


def _condition(study: Study, name: str, condition: str, setting: Setting) -> dict[str, Any]:
    search, of = study.search, study.ours[condition]
    assert search is not None
    settings = of.settings()
    method, protocol = _told(settings["method"]), _told(settings["protocol"])
    if of.function is None or of.protocol.benchmark is not None:
        protocol["validation_fraction"] = search.validation_fraction
    elif search.held_out:
        method |= search.held_out
    else:
        raise InputError(
            f"search: '{condition}' is trained by '{of.function.place}', which takes no tasks, so "
            "that nothing can be held out for it; let it take tasks, or say by which of its "
            'parameters it measures on held-out training data: held_out = { split = "validation" }'
        )
    table = given({**method, "protocol": protocol}, setting)
    return {"name": name, "method": _without(table), "protocol": table["protocol"]}


def _without(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "protocol"}


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields without the hashes of the user's own files, which are read anew."""
    return {key: value for key, value in fields.items() if not key.endswith("_source")}
