"""Studies: what is accepted, and what the error says about what is not."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.studies.condition import Cell
from harness.studies.seeds import parse_seeds
from harness.studies.study import Study
from harness.studies.study_files import load_study, shipped_studies, validate_study

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
    si = study.ours["dhp+si"].method
    found = [si.get(name) for name in ("eta", "alpha_scale", "xi", "gamma")]
    assert found == [0.001, 0.01, 0.001, None]
    assert study.ours["finetune"].stack_protocol.epochs == 2
    fast = study.ours["fast"].stack_protocol
    assert (fast.epochs, fast.iterations_per_task, fast.get("learning_rate")) == (None, 5, 0.1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("epochs = 2", "epochs = 0", "protocol.epochs: Input should be greater than"),
        ("epochs = 2", "epochs = true", "protocol.epochs"),
        (
            "epochs = 2",
            "epoch = 2",
            "protocol.epoch: unknown key (did you mean 'epochs'?); known here: benchmark",
        ),
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
        (
            "finetune = {}",
            "finetune = { strenght = 1 }",
            "unknown key (did you mean 'strength'?); known here: plasticity",
        ),
        ('seeds = "0-2,7"', 'seeds = "x"', "seeds: 'x' is no choice of seeds"),
        ('seeds = "0-2,7"', "seeds = 0", "chooses no seed"),
        ('seeds = "0-2,7"', "seeds = [-1]", "seeds"),
        ('name = "mine"', 'name = "../up"', "name"),
        ('name = "mine"', "", "name: Field required"),
        ("finetune = {}", '"a,b" = {}', "conditions.a,b.name: String should match"),
        ("[conditions]", "[condition]", "conditions: Dictionary should have at least 1 item"),
        ("[protocol]", "[protocol", "cannot be read as TOML"),
        ("epochs = 2", "epochs = 2000000000", "protocol.epochs: Input should be less than"),
        ("epochs = 2", f"epochs = {2**70}", "protocol.epochs"),
        ("epochs = 2", f"epochs = 2\nbatch_size = {10**30}", "protocol.batch_size"),
        ("epochs = 2", "epochs = 2\nhidden = [100000, 100000]", "protocol.hidden: 100"),
        ("epochs = 2", "epochs = 2\nvalidation_fraction = 0.999", "validation_fraction: 0.999"),
        ("epochs = 2", "epochs = 2\nvalidation_fraction = '0.1'", "protocol.validation_fraction"),
        ('seeds = "0-2,7"', "seeds = [0, 0, 1]", "seeds: seed 0 is there twice"),
        ('seeds = "0-2,7"', 'seeds = "0-3,2"', "seeds: seed 2 is there twice"),
        ('seeds = "0-2,7"', f"seeds = {2**70}", "seeds: '1180591620717411303424' is out of range"),
        ('seeds = "0-2,7"', f"seeds = [{2**70}]", "seeds.0"),
        ('seeds = "0-2,7"', "seeds = " + "9" * 5000, "cannot be read as TOML"),
        ('name = "mine"', f"name = '{'n' * 101}'", "name: String should have at most 100"),
        ("finetune = {}", '"a " = {}', "conditions.a .name: String should match"),
        ("finetune = {}", '"a\\nb" = {}', "conditions.a\\nb.name: String should match"),
        ("finetune = {}", "finetune = { name = 'a', method = {}, protocol = {} }", "name: is 'a'"),
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


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_byte_order_mark_and_any_ends_of_lines_are_read(ends: str, tmp_path: Path) -> None:
    marked = tmp_path / "marked.toml"
    marked.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", ends).encode())
    assert load_study(str(marked)) == load(GOOD, tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD.encode("utf-16"), "it is saved as UTF-16; save it as UTF-8"),
        (GOOD.encode("utf-16-be"), "zero bytes, as UTF-16 does; save it as UTF-8"),
        (GOOD.encode("utf-32"), "it is saved as UTF-32; save it as UTF-8"),
        ((GOOD + "# caf\u00e9").encode("latin-1"), "line 11 is not in UTF-8; save it as UTF-8"),
        (b"a = " + b"[" * 100_000, "too deeply nested"),
    ],
)
def test_another_encoding_is_named_with_the_remedy(
    content: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"mine.toml: cannot be read as TOML: .*{says}"):
        load_study(str(path))


@pytest.mark.parametrize("name", [pytest.param("n" * 5000, id="long"), "a\0b", ""])
def test_a_name_that_no_file_can_have_is_answered_like_any(name: str) -> None:
    with pytest.raises(InputError, match="neither a file nor one of the studies that ship"):
        load_study(name)


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
    [("3", (0, 1, 2)), (2, (0, 1)), ("4-6", (4, 5, 6)), ("5,1-2", (5, 1, 2)), ("7-7", (7,))],
)
def test_seeds_are_a_count_or_a_list(text: object, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "a", "1-", "-1", "3-1", "3-1,7", "1,,2", "1.5", "0-3,2", "7,7", "1234567890"),
        *("0-99999999999999999999", "99999999999999999999", str(2**63), 2**70, True),
        pytest.param("9" * 5000, id="5000 digits"),
    ],
)
def test_impossible_seeds_are_refused(text: object) -> None:
    if text is True:  # left for the type check that follows
        assert parse_seeds(text) is True
    else:
        with pytest.raises(ValueError, match="seed"):
            parse_seeds(text)


def test_the_last_seed_that_there_is_can_be_chosen() -> None:
    assert parse_seeds(f"{2**63 - 2}-{2**63 - 1}") == (2**63 - 2, 2**63 - 1)


def test_a_choice_of_too_many_seeds_is_refused_before_they_are_listed() -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match="out of range"):
        parse_seeds(300_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


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
    last = study.ours["plasticity=on rate=fast eta=large"]
    assert last.levels == {"plasticity": "on", "rate": "fast", "eta": "large"}
    assert (last.method.get("eta"), last.protocol.get("learning_rate")) == (0.1, 0.1)
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


def test_a_choice_arises_only_where_the_one_it_depends_on_does(tmp_path: Path) -> None:
    deeper = FACTORS.replace(
        "[conditions]",
        '[factors.alpha]\nwhen = { eta = "large" }\n'
        "levels = { low = { alpha_scale = 0.01 }, high = { alpha_scale = 1.0 } }\n[conditions]",
    )
    levels = [c.levels for c in load(deeper, tmp_path).conditions.values()]
    assert [own for own in levels if "alpha" in own and own.get("eta") != "large"] == []
    assert sum("alpha" in own for own in levels) == 4


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[factors.rate.levels]", '[factors."r t".levels]', "factors.r t.[key]: String should"),
        ("fast = {", '"a=b" = {', "factors.rate.levels.a=b.[key]: String should match"),
        ("fast = {", '"" = {', "factors.rate.levels..[key]: String should match"),
        ("slow = {}", "slow = { protocol = 3 }", "slow.protocol: not a table"),
        ('when = { plasticity = "on" }', 'when = { eta = "large" }', "goes round in a circle"),
        ("apart =", '"plasticity=on rate=slow eta=small" =', "the name of a crossing"),
        (
            "apart = {",
            "apart = { levels = { eta = 'small' }, name = 'apart', method = {}, ",
            "apart.levels: it is no crossing",
        ),
        ('baseline = { plasticity = "off" }', 'baseline = { plasticity = "on" }', "with itself"),
        ('id = "gain"', 'id = "a/b"', "curves.'a/b'.id: String should match"),
        ('id = "gain"', 'id = ""', "curves.0.id: String should match"),
        ("reported = 4.69", "reported = 1e300", "curves.'gain'.reported"),
        ("margin = 1.56", "margin = 1.56\nalpha = 1e-300", "curves.'gain'.alpha"),
    ],
)
def test_more_faults_of_factors_are_named(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in FACTORS
    with pytest.raises(InputError, match=re.escape(says)):
        load(FACTORS.replace(old, new), tmp_path)


def test_more_crossings_than_can_be_run_are_refused_before_they_are_made() -> None:
    levels: dict[str, dict[str, str]] = {str(level): {} for level in range(10)}
    factors = {f"f{number}": {"levels": levels} for number in range(12)}
    with pytest.raises(InputError, match="1000000000000 crossings; at most 10000"):
        validate_study({"name": "mine", "seeds": 1, "factors": factors}, "mine.toml")


CLAIMED = (
    GOOD
    + """
twin = { protocol = { learning_rate = 0.01 } }
[[published]]
id = "poster"
source = "s"
after_tasks = [5, 2]
accuracy = { finetune = [92.0, 97.0] }
[[claims]]
id = "gain"
text = "t"
source = "s"
treatment = "dhp+si"
baseline = "finetune"
reported = 4.69
unit = "points"
margin = 1.56
"""
)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('treatment = "dhp+si"', 'treatment = "finetune"', "'gain' compares the condition 'finet"),
        ('treatment = "dhp+si"', 'treatment = "twin"', "the same program under two names"),
        ('treatment = "dhp+si"', 'treatment = "dph+si"', "claim 'gain' names the condition 'dph"),
        (
            "after_tasks = [5, 2]",
            "after_tasks = [5, 5]",
            "published.'poster': after_tasks names 5 twice",
        ),
        ("after_tasks = [5, 2]", "after_tasks = [6, 2]", "'poster': after_tasks has 6, split-digi"),
        ("{ finetune = [92.0, 97.0] }", "{ tune = [92.0, 97.0] }", "published 'poster' names the"),
        ("{ finetune = [92.0, 97.0] }", "{ finetune = [92.0, nan] }", "accuracy.finetune.1"),
        (
            "[[claims]]",
            "plus_minus = { twin = [1, 1] }\n[[claims]]",
            "plus_minus of 'twin', which has no accuracy here",
        ),
        (
            "[[claims]]",
            "[[published]]\nid = 'poster'\nsource = ''\nafter_tasks = [5]\naccuracy = {}\n"
            "[[claims]]",
            "two sources of published values have the same id 'poster'",
        ),
        ('id = "poster"', 'id = ""', "published.0.id: String should match"),
        ('id = "gain"', 'id = "a\\nb"', "claims.'a\\nb'.id: String should match"),
    ],
)
def test_faults_of_claims_and_sources_are_named(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    assert old in CLAIMED
    load(CLAIMED, tmp_path)
    with pytest.raises(InputError, match=re.escape(says)):
        load(CLAIMED.replace(old, new), tmp_path)


def test_a_program_may_be_compared_with_itself_under_other_seeds(tmp_path: Path) -> None:
    apart = CLAIMED.replace("learning_rate = 0.01 }", "learning_rate = 0.01, seed_offset = 9 }")
    study = load(apart.replace('treatment = "dhp+si"', 'treatment = "twin"'), tmp_path)
    assert study.claims[0].treatment == "twin"
