"""The state of a run that is watched: what its events make of it, as data, in words, as metrics."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any, cast

import pytest
from commands import HERE
from scipy import stats

from harness.running.events import (
    BlockDone,
    BlockFailed,
    BlockLost,
    BlockProgress,
    Event,
    NotKept,
    NoWorker,
)
from harness.running.outcomes import Outcome
from harness.screen import messages
from harness.screen.prometheus import metrics
from harness.screen.watch_page import MOST_ROWS, Page, shown
from harness.screen.watching import LAST_EVENTS, Watched
from harness.studies.condition import Cell
from harness.studies.statements import Statement
from harness.studies.study import Study
from reports.findings.running import Estimator
from reports.numbers.sequential import ANYTIME
from reports.output import legible

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"><b a='",
    "{{ 7 * 7 }} {% raw %} {# x #} ${7*7} $(touch /tmp/x) `id` %s",
    '\\" } evil 1\ndhp_cells 99',
    "\u202egnp.exe \u2066 \u2069",
    "\x1b]0;owned\x07 \x9b31m \x00 \x7f \r",
    "日本語 é ] ]]> &amp; &lt;",
]
STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WORKER = {"device": "cpu", "cpu": "Some CPU", "numerics": "0123", "torch": "2.9"}


def study_of(text: str = "b beats a", claim: str = "gain", unit: str = "points") -> Study:
    return Study.model_validate(
        {
            "name": "hand", "description": text, "seeds": 9,
            "conditions": {"a": {}, "b": {"head_init": "blog"}},
            "claims": [
                {"id": claim, "text": text, "source": text, "treatment": "b", "baseline": "a",
                 "reported": 4.0, "unit": unit, "margin": 1.0}
            ],
        }
    )  # fmt: skip


STUDY = study_of()


def block(condition: str, *seeds: int, study: Study = STUDY) -> tuple[Cell, ...]:
    return tuple(Cell(condition=study.conditions[condition], seed=seed) for seed in seeds)


def done(condition: str, finals: Sequence[float | None], first: int = 0, **worker: str) -> Event:
    """A block whose cells have these accuracies after the last task; None: it diverged."""
    outcomes = [
        Outcome("diverged" if final is None else "done", [[1.0, None], [final, final]])
        for final in finals
    ]
    return BlockDone(
        block(condition, *range(first, first + len(finals))), outcomes, WORKER | worker
    )


def watched(*events: Event, study: Study = STUDY, missing: int = 18, **known: Any) -> Watched:
    found = Watched(study, Estimator(), **known)
    found.begin(missing, 0, {}, 60.0)
    for event in events:
        found.observe(event)
    return found


def test_cells_blocks_workers_and_words_follow_the_events() -> None:
    lost, failed, full = block("a", 6, 7), block("b", 6), block("b", 7, 8)
    state = watched(
        BlockProgress(block("a", 0, 1), 0.0),
        BlockProgress(lost, 0.5),
        done("a", [0.9, None]),
        done("b", [0.95, 0.96], numerics="other"),
        BlockLost(lost, "no sign of its worker for 600 s"),
        BlockFailed(failed, "ValueError: no", "Traceback"),
        NotKept(full, "No space left on device", "kept in /tmp/x"),
        NoWorker(90.0, "look there"),
        BlockProgress(lost, 0.25),
    ).state()
    assert state["cells"] == {"done": 3, "diverged": 1, "failed": 1, "not-kept": 2, "missing": 11}
    assert state["records_written"] == 4
    assert state["blocks"] == {"running": 1, "done": 2, "failed": 1, "lost": 1}
    assert state["share_done"] == pytest.approx((7 + 2 * 0.25) / 18)
    assert [worker["numerics"] for worker in state["workers"]] == ["0123", "other"]
    assert all(worker["blocks"] == 1 and worker["cells"] == 2 for worker in state["workers"])
    assert [event["text"] for event in state["events"]] == [
        "no worker has started for 1:30: look there",
        "b seeds 7, 8 could not be written (No space left on device), kept in /tmp/x. No further "
        "cells are started",
        "failed: b seed 6: ValueError: no",
        "no sign of its worker for 600 s: a seeds 6, 7 again",
        "done: b seeds 0, 1",
        "done: a seeds 0, 1",
        "18 cells to run, 0 on record",
    ]


def test_an_event_of_a_class_that_is_not_known_changes_nothing() -> None:
    @dataclasses.dataclass
    class Later:
        node: str

    found = watched(done("a", [0.9]))
    before = found.state()
    found.observe(cast(Event, Later("10.0.0.1")))
    after = found.state()
    for moving in ("time", "seconds_left", "cells_per_second"):
        del before[moving], after[moving]
    assert after == before


def test_only_the_last_events_are_told_the_newest_first() -> None:
    found = watched(*(NoWorker(60.0 * i, "wait") for i in range(LAST_EVENTS + 5)))
    texts = [event["text"] for event in found.state()["events"]]
    assert len(texts) == LAST_EVENTS
    assert texts[0].startswith(f"no worker has started for {LAST_EVENTS + 4}:00")


def test_intervals_are_students_t_from_three_seeds_on_and_pairs_are_paired() -> None:
    a, b = [0.90, 0.91, 0.89, 0.93], [0.95, 0.94, 0.96, None]
    found = watched(done("a", a[:2]), done("b", b[:2]))
    assert found.state()["conditions"][0]["low"] is None
    assert found.state()["claims"][0]["low"] is None
    assert found.state()["claims"][0]["mean"] == pytest.approx(4.0)
    found.observe(done("a", a[2:], first=2))
    found.observe(done("b", b[2:], first=2))
    state = found.state()
    values = [100 * final for final in a if final is not None]
    low, high = stats.t.interval(0.95, 3, sum(values) / 4, stats.sem(values))
    assert [state["conditions"][0][part] for part in ("seeds", "low", "high")] == [
        4, pytest.approx(low), pytest.approx(high),
    ]  # fmt: skip
    gains = [5.0, 3.0, 7.0]
    low, high = stats.t.interval(0.95, 2, 5.0, stats.sem(gains))
    (claim,) = state["claims"]
    assert [claim[part] for part in ("pairs", "mean", "low", "high")] == [
        3, pytest.approx(5.0), pytest.approx(low), pytest.approx(high),
    ]  # fmt: skip


def test_seeds_on_record_count_and_a_second_round_adds_to_the_first() -> None:
    found = Watched(STUDY, Estimator(ANYTIME), adaptive=True)
    assert found.state()["seconds_left"] is None
    a, b = [0.90, 0.92, 0.91, 0.90, 0.91], [0.95, 0.96, 0.96, 0.95, 0.95]
    found.begin(2, 10, {"a": dict(enumerate(a)), "b": dict(enumerate(b))}, 10.0)
    assert found.state()["seconds_left"] == pytest.approx(10.0)
    found.observe(done("a", [0.91], first=5))
    found.observe(done("b", [0.96], first=5))
    found.end()
    assert found.state()["phase"] == "ended"
    assert found.state()["seconds_left"] == 0
    found.begin(10, 12, {}, 50.0)
    state = found.state()
    assert state["cells_on_record_before"] == 10
    assert state["cells"]["missing"] == 10
    assert state["cells"]["done"] == 2
    (claim,) = state["claims"]
    assert claim["pairs"] == 6
    treated, untreated = [100 * x for x in (*b, 0.96)], [100 * x for x in (*a, 0.91)]
    fixed = Estimator().gain(treated, untreated, "points")
    assert fixed is not None
    assert fixed.low is not None
    assert claim["low"] < fixed.low, "what one may look at often is wider"


def test_estimates_say_nothing_that_they_cannot() -> None:
    estimator = Estimator()
    assert estimator.mean([]) is None
    assert estimator.gain([], [], "points") is None
    assert estimator.gain([50.0], [0.0], "relative %") is None
    equal = estimator.mean([90.0, 90.0, 90.0])
    assert equal is not None
    assert (equal.n, equal.mean, equal.low) == (3, 90.0, None)
    relative = estimator.gain([55.0, 66.0, 44.0], [50.0, 50.0, 50.0], "relative %")
    assert relative is not None
    assert relative.mean == pytest.approx(10.0)


# Text that wants to be more than text


class Elements(HTMLParser):
    """The elements of a page, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(text: str) -> dict[str, Any]:
    """The state of a run in which everything that may be any text is this text."""
    study = study_of(text, claim=" ".join(text.split()))
    error = BlockFailed(block("a", 6, study=study), text, text)
    kept = NotKept(block("b", 6, study=study), text, text)
    worker = dict.fromkeys(WORKER, text)
    events = (done("a", [0.9], 0, **worker), error, kept, NoWorker(30.0, text))
    return watched(*events, study=study).state() | {"study": text}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_an_element_of_the_page(text: str) -> None:
    page = Page()
    found, plain = (Elements(page.html(hostile(words))) for words in (text, "plain"))
    assert found.tags == plain.tags
    assert found.attributes == plain.attributes
    assert found.text.count(messages.visible(text).strip()) >= 5
    assert not STEERS.search(found.text)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_script_gets_nothing_but_text_and_numbers(text: str) -> None:
    """It sets strings as the text of elements; numbers and fixed words become attributes."""
    words = shown(json.loads(json.dumps(hostile(text))))
    assert not STEERS.search(json.dumps(words, ensure_ascii=False))
    for part in words["bar"]:
        assert part["kind"] in ("kept", "failed", "partly")
        assert all(isinstance(part[name], float) for name in ("start", "width"))
    source = Elements(Page().html(hostile("plain"))).text
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source
    assert "document.write" not in source


def test_a_table_of_the_page_is_cut_where_it_is_too_long_and_says_so() -> None:
    state = watched().state()
    row = {"condition": "a", "seeds": 1, "mean": 90.0, "low": None, "high": None}
    state["conditions"] = [row] * (MOST_ROWS + 7)
    table = shown(state)["tables"][0]
    assert len(table["rows"]) == MOST_ROWS
    assert table["note"].endswith("7 more rows are in state.json.")


def test_claims_that_only_the_report_judges_are_named() -> None:
    gain = STUDY.claims[0]
    others = [
        Statement(id=f"other-{i}", kind="better", text="t", source="s", treatment="b", baseline="a")
        for i in range(7)
    ]
    study = STUDY.model_copy(update={"claims": (gain, *others)})
    state = watched(study=study).state()
    note = shown(state)["tables"][1]["note"]
    assert state["other_claims"] == [one.id for one in others]
    assert "no gains in final accuracy: other-0, " in note
    assert "other-5, ..." in note
    assert "Not shown here" not in shown(watched().state())["tables"][1]["note"]


NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:\\[\\n"]|[^\\"\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
UNESCAPED = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}


def parsed(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Read Prometheus' text format 0.0.4, strictly: HELP, TYPE, then the samples of the name."""
    assert text.endswith("\n")
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    lines = text.split("\n")[:-1]
    current = ""
    while lines:
        line = lines.pop(0)
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert re.fullmatch(NAME, current)
            assert current not in found
            kind = lines.pop(0).split(" ")
            assert kind[:3] == ["#", "TYPE", current]
            assert kind[3] in ("gauge", "counter")
            assert (kind[3] == "counter") == current.endswith("_total")
            found[current] = []
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert sample[1] == current
        labels = {}
        for label in re.findall(LABEL, sample[2] or ""):
            name, _, value = label.partition("=")
            labels[name] = re.sub(r"\\.", lambda m: UNESCAPED[m[0]], value[1:-1])
        assert labels not in [other for other, _ in found[current]], "each sample once"
        found[current].append((labels, float(sample[3])))
    return found


def test_metrics_say_what_the_state_says() -> None:
    lost = BlockLost(block("b", 0), "its node left")
    found = parsed(metrics(watched(done("a", [0.9, None]), lost).state()))
    cells = {labels["status"]: count for labels, count in found["dhp_cells"]}
    assert cells == {"done": 1, "diverged": 1, "failed": 0, "not-kept": 0, "missing": 16}
    assert found["dhp_records_written_total"] == [({}, 2)]
    assert found["dhp_blocks_lost_total"] == [({}, 1)]
    assert found["dhp_blocks_running"] == [({}, 0)]
    assert found["dhp_seconds_left"][0][1] == pytest.approx(60.0)
    assert found["dhp_condition_accuracy_percent"] == [({"condition": "a"}, 90.0)]
    assert found["dhp_worker_blocks_total"] == [(WORKER, 1)]
    waiting = parsed(metrics(Watched(STUDY, Estimator()).state()))
    assert math.isnan(waiting["dhp_seconds_left"][0][1])


def test_the_documentation_names_every_metric_and_every_field() -> None:
    told = (HERE / "docs" / "watching.md").read_text(encoding="utf-8")
    state = watched(done("a", [0.9])).state()
    named = {
        name: set(filter(None, labels.strip("{}").split(",")))
        for name, labels in re.findall(r"^\| `(dhp_\w+)(\{[\w,]+\})?` \|", told, re.MULTILINE)
    }
    metric = parsed(metrics(state))
    assert named == {name: set(samples[0][0]) for name, samples in metric.items()}
    fields = set(state)
    for part in ("cells", "blocks"):
        fields |= set(state[part])
    for part in ("conditions", "claims", "workers", "events"):
        fields |= set(state[part][0])
    assert not {field for field in fields if f"`{field}`" not in told}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_metric(text: str) -> None:
    state = hostile(text)
    state["conditions"][0]["condition"] = text
    found = parsed(metrics(state))
    shown_as = messages.visible(text)
    assert found["dhp_run_info"] == [({"study": shown_as}, 1)]
    assert found["dhp_worker_blocks_total"] == [(dict.fromkeys(WORKER, shown_as), 1)]
    assert found["dhp_condition_seeds"][0] == ({"condition": shown_as}, 1)


def test_both_wings_have_the_same_signs_for_what_steers_a_terminal() -> None:
    assert messages.SIGNS == legible.VISIBLE
    for text in HOSTILE:
        assert not STEERS.search(messages.visible(text))


def test_the_means_of_another_measure_are_in_its_unit_and_a_fall_can_be_a_gain() -> None:
    loss = Study.model_validate(
        {
            "name": "hand", "seeds": 9,
            "measure": {"name": "loss", "unit": "nats", "higher_is_better": False},
            "conditions": {"a": {}, "b": {}},
            "claims": [
                {"treatment": "b", "baseline": "a", "text": "b loses less", "source": "none",
                 "reported": 0.25, "unit": "nats", "margin": 0.1}
            ],
        },
        context={"folder": HERE, "imported": range(9)},
    )  # fmt: skip
    found = Watched(loss, Estimator())
    found.begin(18, 0, {"a": {0: 1.5, 1: 1.25, 2: 1.0}, "b": {0: 1.25, 1: 0.75, 2: 1.0}}, 60.0)
    state = found.state()
    assert state["measure"] == {"name": "loss", "unit": "nats", "is_accuracy": False}
    assert [row["mean"] for row in state["conditions"]] == [1.25, 1.0]
    (claim,) = state["claims"]
    assert (claim["mean"], claim["pairs"]) == (0.25, 3)
    conditions, claims, _ = shown(state)["tables"]
    assert conditions["title"] == "Mean loss, nats"
    assert claims["rows"][0][2:4] == ["0.25 ± 0.1 nats", "+0.25"]
    assert 'dhp_condition_mean{condition="b",measure="loss",unit="nats"} 1.0' in metrics(state)
