"""Studies: what is accepted, and what the error says about what is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.condition import Cell
from harness.errors import InputError
from harness.study import Study, parse_seeds
from harness.study_files import load_study, shipped_studies, validate_study

GOOD = """
name = "mine"
seeds = "0-2,7"
[protocol]
benchmark = "split-digits"
epochs = 2
[conditions]
finetune = {}
"dhp+si" = { plasticity = "on", head_init = "blog", consolidation = "si", strength = 1 }
fast = { protocol = { learning_rate = 0.1, iterations_per_task = 5 } }
"""


def load(text: str, folder: Path) -> Study:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(str(path))


def test_a_study_file_becomes_resolved_conditions(tmp_path: Path) -> None:
    study = load(GOOD, tmp_path)
    assert study.seeds == (0, 1, 2, 7)
    assert list(study.conditions) == ["finetune", "dhp+si", "fast"]
    si = study.conditions["dhp+si"].method
    assert (si.eta, si.alpha_scale, si.xi, si.gamma) == (0.001, 0.01, 0.001, None)
    assert study.conditions["finetune"].protocol.epochs == 2
    fast = study.conditions["fast"].protocol
    assert (fast.epochs, fast.iterations_per_task, fast.learning_rate) == (None, 5, 0.1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("epochs = 2", "epochs = 0", "protocol.epochs: Input should be greater than"),
        ("epochs = 2", "epochs = true", "protocol.epochs"),
        ("epochs = 2", "epoch = 2", "protocol.epoch: unknown key; known here: benchmark"),
        ("epochs = 2", "epochs = 2\nlearning_rate = nan", "protocol.learning_rate"),
        ("epochs = 2", "epochs = 2\nlearning_rate = -1", "protocol.learning_rate"),
        ("epochs = 2", "epochs = 2\nhidden = []", "protocol.hidden"),
        ("epochs = 2", "epochs = 2\nmomentum = 0.5", "momentum has no effect"),
        ("epochs = 2", "epochs = 2\niterations_per_task = 3", "not both"),
        ('"split-digits"', '"cifar"', "protocol.benchmark: Input should be 'split-mnist'"),
        ('plasticity = "on"', 'plasticity = "maybe"', "conditions.dhp+si.plasticity: Input should"),
        ("strength = 1", "strength = -1", "conditions.dhp+si.strength"),
        (", strength = 1 }", " }", "needs a strength"),
        ("finetune = {}", "finetune = { eta = 0.1 }", "eta has no effect"),
        ("finetune = {}", "finetune = { strenght = 1 }", "unknown key; known here: plasticity"),
        ('seeds = "0-2,7"', 'seeds = "x"', "seeds: 'x' is no choice of seeds"),
        ('seeds = "0-2,7"', "seeds = 0", "chooses no seed"),
        ('seeds = "0-2,7"', "seeds = [-1]", "seeds"),
        ('name = "mine"', 'name = "../up"', "name"),
        ('name = "mine"', "", "name: Field required"),
        ("finetune = {}", '"a,b" = {}', "conditions.a,b.name: String should match"),
        ("[conditions]", "[condition]", "conditions: Dictionary should have at least 1 item"),
        ("[protocol]", "[protocol", "cannot be read as TOML"),
    ],
)
def test_bad_studies_are_refused_with_file_key_and_remedy(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        load(GOOD.replace(old, new, 1), tmp_path)
    assert says in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_an_unknown_study_is_answered_with_those_that_ship() -> None:
    with pytest.raises(InputError, match="dhp-split-mnist"):
        load_study("dhp-split-minst")


@pytest.mark.parametrize("name", shipped_studies())
def test_every_shipped_study_is_valid_and_named_like_its_file(name: str) -> None:
    assert load_study(name).name == name


def test_a_study_survives_its_own_dump() -> None:
    study = load_study("dhp-split-mnist")
    again = validate_study(study.model_dump(mode="json", exclude_none=True), "dump")
    assert again == study
    assert again.fingerprint() == study.fingerprint()


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", (0, 1, 2)), (2, (0, 1)), ("4-6", (4, 5, 6)), ("5,1-2,5", (5, 1, 2)), ("7-7", (7,))],
)
def test_seeds_are_a_count_or_a_list(text: object, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "a", "1-", "-1", "3-1", "1,,2", "1.5", True])
def test_impossible_seeds_are_refused(text: object) -> None:
    if text is True:  # left for the type check that follows
        assert parse_seeds(text) is True
    else:
        with pytest.raises(ValueError, match="seed"):
            parse_seeds(text)


def test_a_key_depends_on_what_can_change_numbers_and_on_nothing_else(tmp_path: Path) -> None:
    def keys(text: str, checksum: str = "data", seed: int = 0) -> list[str]:
        conditions = load(text, tmp_path).conditions.values()
        return [Cell(condition=c, seed=seed).key(checksum) for c in conditions]

    base = keys(GOOD)
    assert len(set(base)) == 3
    assert keys(GOOD.replace('name = "mine"', 'name = "other"')) == base
    assert keys(GOOD.replace("finetune = {}", "plain = {}")) == base
    assert keys(GOOD.replace("epochs = 2", "epochs = 2\nbatch_size = 64")) == base
    assert not set(keys(GOOD, checksum="other")) & set(base)
    assert not set(keys(GOOD, seed=1)) & set(base)
    changed = keys(GOOD.replace("strength = 1", "strength = 2"))
    assert [a == b for a, b in zip(changed, base, strict=True)] == [True, False, True]


FACTORS = """
name = "mine"
seeds = 2
[protocol]
benchmark = "split-digits"
epochs = 2
[factors.plasticity.levels]
off = {}
on = { plasticity = "on" }
[factors.rate.levels]
slow = {}
fast = { protocol = { learning_rate = 0.1 } }
[factors.eta]
when = { plasticity = "on" }
levels = { small = { eta = 0.001 }, large = { eta = 0.1 } }
[conditions]
apart = { protocol = { seed_offset = 7 } }
[[curves]]
id = "gain"
text = "t"
treatment = { plasticity = "on" }
baseline = { plasticity = "off" }
reported = 4.69
margin = 1.56
"""


def test_factors_cross_to_conditions_and_a_choice_that_does_not_arise_is_left_out(
    tmp_path: Path,
) -> None:
    study = load(FACTORS, tmp_path)
    assert list(study.conditions) == [
        "plasticity=off rate=slow",
        "plasticity=off rate=fast",
        "plasticity=on rate=slow eta=small",
        "plasticity=on rate=slow eta=large",
        "plasticity=on rate=fast eta=small",
        "plasticity=on rate=fast eta=large",
        "apart",
    ]
    last = study.conditions["plasticity=on rate=fast eta=large"]
    assert last.levels == {"plasticity": "on", "rate": "fast", "eta": "large"}
    assert (last.method.eta, last.protocol.learning_rate) == (0.1, 0.1)
    assert validate_study(study.model_dump(mode="json", exclude_none=True), "dump") == study


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("fast = { protocol", "fast = { metod", "unknown key"),
        ("learning_rate", "learning_rat", "unknown key"),
        ("large = { eta = 0.1 }", "large = { plasticity = 'on' }", "set by another factor"),
        (", large = { eta = 0.1 }", "", "factors.eta.levels: Dictionary should have at least 2"),
        ('when = { plasticity = "on" }', 'when = { plasticity = "of" }', "has no level 'of'"),
        ('when = { plasticity = "on" }', 'when = { plastic = "on" }', "no factor 'plastic'"),
        ('baseline = { plasticity = "off" }', 'baseline = { eta = "huge" }', "no level 'huge'"),
        ('when = { plasticity = "on" }', "whenever = {}", "factors.eta.whenever: unknown key"),
    ],
)
def test_faults_of_factors_are_named(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in FACTORS
    with pytest.raises(InputError, match=re.escape(says)):
        load(FACTORS.replace(old, new), tmp_path)
