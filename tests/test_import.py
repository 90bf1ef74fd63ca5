"""Results that exist already: a table becomes sealed records, or one line says why not."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import HERE, run
from scipy import stats
from typer.testing import CliRunner

from harness.errors import InputError
from harness.keeping.records import checked
from harness.keeping.store import Store
from harness.screen.importing import import_results
from reports.output.console import Terminal
from run_all import app

NAMES = """
name = "mine"
[conditions]
plain = {}
trick = {}
"""
CLAIM = """
[[claims]]
text = "the trick gains 4.7 points"
treatment = "trick"
baseline = "plain"
reported = 4.7
unit = "points"
margin = 1.5
"""
LOSS = '[measure]\nname = "loss"\nunit = "nats"\nhigher_is_better = false\n'
TABLE = "condition,seed,value\nplain,0,0.5\nplain,1,0.6\ntrick,0,0.7\ntrick,1,0.75\n"


def write(folder: Path, table: str = TABLE, study: str = NAMES + CLAIM) -> tuple[Path, Path]:
    (folder / "results.csv").write_text(table, encoding="utf-8")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder / "results.csv", folder / "study.toml"


def bring_in(folder: Path, *texts: str) -> list[Any]:
    """Import a table, and return the records that are there then, in order."""
    table, study = write(folder, *texts)
    import_results(Terminal(), table, str(study), folder / "out")
    return in_order(folder)


def in_order(folder: Path) -> list[Any]:
    records, damaged = Store(folder / "out").read_all()
    assert not damaged
    return sorted(records, key=lambda record: (record["condition"], record["seed"]))


def test_a_table_becomes_sealed_records_that_name_it(tmp_path: Path) -> None:
    records = bring_in(tmp_path)
    assert [(r["condition"], r["seed"], r["accuracy"]) for r in records] == [
        ("plain", 0, [[0.5]]),
        ("plain", 1, [[0.6]]),
        ("trick", 0, [[0.7]]),
        ("trick", 1, [[0.75]]),
    ]
    assert [r["values"] for r in records] == [{"accuracy": r["accuracy"][0][0]} for r in records]
    sha = hashlib.sha256(TABLE.encode()).hexdigest()
    for record in records:
        assert checked(dict(record)) == record
        assert record["status"] == "done"
        assert record["provenance"]["imported"] == {"file": "results.csv", "sha256": sha}
        assert record["provenance"]["pairing"] == "seed number"
    assert len({record["key"] for record in records}) == 4


def test_a_measure_of_its_own_and_further_columns_that_claims_name(tmp_path: Path) -> None:
    table = "seed;condition;value;note;accuracy\n0;plain;35000;x;0.9\n0;trick;-2e3;y;0.95\n"
    better = '[[claims]]\ntext = "t"\nkind = "better"\nmetric = "accuracy"\nunit = "of 1"\n'
    better += 'higher_is_better = true\ntreatment = "trick"\nbaseline = "plain"\n'
    records = bring_in(tmp_path, table, NAMES.replace("[cond", LOSS + "[cond") + better)
    assert [r["accuracy"] for r in records] == [[], []]
    assert [r["values"] for r in records] == [
        {"loss": 35000.0, "accuracy": 0.9},
        {"loss": -2000.0, "accuracy": 0.95},
    ]


def test_accuracies_by_task_become_a_matrix_and_steps_a_curve(tmp_path: Path) -> None:
    rows = [(1, 1, 0.9), (2, 1, 0.7), (2, 2, 0.8), (1, 2, 0.5)]
    cells = [("plain", 3), ("trick", 3)]
    lines = [f"{c},{s},{after},{task},{v}" for c, s in cells for after, task, v in rows]
    header = "condition,seed,after_task,task,value"
    (tmp_path / "matrix").mkdir()
    records = bring_in(tmp_path / "matrix", "\n".join([header, *lines]), NAMES)
    assert [r["accuracy"] for r in records] == [[[0.9, None], [0.7, 0.8]]] * 2
    assert records[0]["values"] == {"accuracy": pytest.approx(0.75)}

    lines = [f"{c},{s},{step},{0.1 * step}" for c, s in cells for step in (3, 1, 2)]
    records = bring_in(tmp_path, "\n".join(["condition,seed,step,value", *lines]), NAMES)
    assert records[0]["curves"] == {"accuracy": [pytest.approx(0.1 * s) for s in (1, 2, 3)]}
    assert records[0]["accuracy"] == [[pytest.approx(0.3)]]


def test_parquet_says_what_csv_says(tmp_path: Path) -> None:
    table, study = write(tmp_path)
    pd.read_csv(table).to_parquet(tmp_path / "results.parquet")
    import_results(Terminal(), table, str(study), tmp_path / "csv")
    import_results(Terminal(), tmp_path / "results.parquet", str(study), tmp_path / "parquet")
    one, other = (Store(tmp_path / name).read_all()[0] for name in ("csv", "parquet"))
    assert [(r["key"], r["accuracy"]) for r in one] == [(r["key"], r["accuracy"]) for r in other]


def test_nan_is_a_run_that_diverged(tmp_path: Path) -> None:
    records = bring_in(tmp_path, TABLE.replace("0.75", "nan").replace("0.6", "inf"))
    assert [r["status"] for r in records] == ["done", "diverged", "done", "diverged"]
    assert records[1]["accuracy"] == [[None]]
    assert records[1]["values"] == {"accuracy": None}


def test_importing_again_changes_nothing_and_more_rows_are_added(tmp_path: Path) -> None:
    before = bring_in(tmp_path)
    assert bring_in(tmp_path) == before
    after = bring_in(tmp_path, TABLE + "plain,2,0.5\ntrick,2,0.5\n")
    assert len(after) == 6
    assert [record for record in after if record["seed"] < 2] == before
    changed = (NAMES + CLAIM).replace("reported = 4.7", "reported = 5.0")
    assert bring_in(tmp_path, TABLE, changed) == after
    assert Store(tmp_path / "out").study().gains[0].reported == 5.0


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("condition,seed,value\n", "results.csv: the table has no row"),
        ("", "results.csv: the table has no row"),
        (TABLE.replace("value", "acc"), "no column 'value'; it has condition, seed, acc"),
        (TABLE.replace("seed", "seeds"), "no column 'seed' (did you mean 'seeds'?)"),
        (TABLE.replace("seed", "value"), "two columns are named 'value'"),
        (TABLE.replace("0.7\n", "high\n"), "line 4: value = 'high' is no number"),
        (TABLE.replace("0.7\n", "70%\n"), "value = '70%' is no number; write a fraction"),
        (TABLE.replace("0.7\n", "\n"), "line 4: value is empty; write nan"),
        (
            TABLE.replace("0.7\n", "70\n"),
            "line 4: condition 'trick', seed 0: accuracy = 70 is no fraction from 0 to 1; it looks "
            "like a percentage: divide by 100",
        ),
        (TABLE.replace("0.7\n", "-0.7\n"), "accuracy = -0.7 is no fraction from 0 to 1\n"),
        (TABLE.replace("trick,1", "trick,0"), "line 5: a second value of condition 'trick', seed 0;"
         ),
        (TABLE.replace("trick,1", "trik,1"), "no condition 'trik' (did you mean 'trick'?)"),
        (TABLE.replace("trick,1", "trick,1.5"), "seed = '1.5' is no whole number"),
        (TABLE.replace("trick,1", "trick,-1"), "seed = '-1' is no whole number"),
        (TABLE.replace("trick,1", "trick,1,2"), "line 5: 4 cells under 3 columns"),
        ("condition,seed,task,value\nplain,0,1,0.5\n", "needs one named 'after_task' beside it"),
        ("condition,seed,after_task,task,value\nplain,0,2,2,0.5\n",
         "has a value after task 2, and none of task 1 after task 1"),
        ("condition,seed,after_task,task,value\nplain,0,1,1,0.5\nplain,1,1,1,0.5\nplain,1,2,1,0.5\n"
         "plain,1,2,2,0.5\n", "seed 0 has 1 tasks, condition 'plain', seed 1 has 2"),
        ('condition,seed,value\nplain,0,"0.5\n', "cannot be read as a table"),
    ],
)  # fmt: skip
def test_a_table_that_is_not_as_it_should_be_has_one_line_and_nothing_is_written(
    table: str, says: str, tmp_path: Path
) -> None:
    path, study = write(tmp_path, table)
    command = ["import", str(path), "--study", str(study), "--out", str(tmp_path / "out")]
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert says in f"{caught.value}\n"
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("study", "says"),
    [
        (NAMES + "[protocol]\nepochs = 1\n", "says how its conditions are trained"),
        (
            NAMES.replace("[cond", LOSS + "[cond") + CLAIM,
            "unit = 'points', but loss is measured in",
        ),
        (NAMES + CLAIM.replace("unit", 'metric = "loss"\nunit'), "needs unit and higher_is_better"),
        (NAMES + CLAIM + "sources = 1", "unknown key (did you mean 'source'?)"),
        (NAMES.replace("[cond", "[measure]\nunits = 's'\n[cond"), "measure.units: unknown key"),
    ],
)
def test_a_study_that_does_not_fit_is_refused(study: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        bring_in(tmp_path, TABLE, study)
    assert says in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_other_results_of_a_cell_that_is_there_are_refused(tmp_path: Path) -> None:
    before = bring_in(tmp_path)
    with pytest.raises(
        InputError, match=r"another result of condition 'trick', seed 1 is in .* alr"
    ):
        bring_in(tmp_path, TABLE.replace("0.75", "0.76") + "plain,2,0.5\n")
    assert in_order(tmp_path) == before
    trained = tmp_path / "trained"
    shutil.copytree(HERE / "tests" / "expected" / "results", trained)
    _, study = write(tmp_path, TABLE, NAMES.replace("mine", Store(trained).study().name))
    with pytest.raises(InputError, match="holds results that were trained"):
        import_results(Terminal(), tmp_path / "results.csv", str(study), trained)


def test_nothing_trains_an_imported_study(tmp_path: Path) -> None:
    bring_in(tmp_path)
    for named in (tmp_path / "out", tmp_path / "study.toml"):
        for command in (["run", str(named)], ["run", str(named), "--dry-run"]):
            with pytest.raises(InputError, match=r"nothing can train 'plain': .* import TABLE"):
                CliRunner().invoke(app, command, catch_exceptions=False)


def test_a_pool_says_that_it_compares_accuracies(tmp_path: Path) -> None:
    bring_in(tmp_path, TABLE, NAMES.replace("[cond", LOSS + "[cond"))
    out = str(tmp_path / "out")
    shutil.copytree(out, tmp_path / "site")
    with pytest.raises(InputError, match="compares accuracies, and study 'mine' measures loss"):
        CliRunner().invoke(app, ["pool", out, str(tmp_path / "site")], catch_exceptions=False)


def test_results_that_were_imported_can_be_accepted_and_checked(tmp_path: Path) -> None:
    bring_in(tmp_path, TABLE, NAMES.replace("[cond", LOSS + "[cond"))
    out, baselines = str(tmp_path / "out"), ["--baselines", str(tmp_path / "baselines")]
    accepted = CliRunner().invoke(app, ["accept", out, "--reason", "r", *baselines])
    assert accepted.exit_code == 0, accepted.output
    checked = CliRunner().invoke(app, ["check", out, *baselines])
    assert checked.exit_code == 0, checked.output
    assert "OK: every value is the accepted one" in checked.output
    assert "None" not in checked.output


def test_claims_have_the_ids_that_they_leave_out_and_all_kinds_can_be_claimed(
    tmp_path: Path,
) -> None:
    kinds = ["gain", "better", "at-least", "equal", "gain"]
    terms = {
        "gain": "reported = 0.1\nmargin = 0.05",
        "at-least": "margin = 0.1",
        "equal": "margin = 0.1",
    }
    claims = [
        f'[[claims]]\ntext = "t"\nkind = "{kind}"\ntreatment = "trick"\nbaseline = "plain"\n'
        f"{terms.get(kind, '')}\n"
        for kind in kinds
    ]
    claims.append('[[claims]]\ntext = "t"\nkind = "value"\ncondition = "plain"\nreported = 0.5\n'
                  "margin = 0.1\n")  # fmt: skip
    claims.append('[[claims]]\ntext = "t"\nkind = "rank"\norder = ["trick", "plain"]\n')
    bring_in(tmp_path, TABLE, NAMES.replace("[cond", LOSS + "[cond") + "".join(claims))
    study = Store(tmp_path / "out").study()
    assert [claim.id for claim in study.claims] == [
        "trick over plain",
        "better trick over plain",
        "at-least trick over plain",
        "equal trick over plain",
        "trick over plain (2)",
        "value plain",
        "rank trick, plain",
    ]
    assert not study.gains
    for claim in study.statements:
        assert (claim.metric, claim.field) == ("record", "values.loss")
        assert (claim.unit, claim.higher_is_better) == ("nats", False)
    assert study.statements[0].negligible == pytest.approx(0.01)


@pytest.mark.slow
def test_the_example_is_imported_reported_and_verified(tmp_path: Path) -> None:
    shutil.copytree(HERE / "examples", tmp_path / "mine")
    table, study = tmp_path / "mine" / "results.csv", tmp_path / "mine" / "imported.toml"
    out = tmp_path / "out"
    done = run("import", table, "--study", study, "--out", out, cwd=tmp_path, timeout=1200)
    assert done.returncode == 0, done.stderr
    document = json.loads((out / "report" / "verdict.json").read_text("utf-8"))
    lower, accuracy = document["claims"]
    results = pd.read_csv(table)
    plain, averaged = (results[results["condition"] == c] for c in ("plain", "averaged"))
    for claim, column, sign in ((lower, "value", -1), (accuracy, "accuracy", 1)):
        a, b = (sign * one[column].to_numpy(np.float64) for one in (averaged, plain))
        paired = stats.ttest_rel(a, b)
        ends = paired.confidence_interval(0.95)
        assert claim["estimate"] == pytest.approx(
            sign * (averaged[column].mean() - plain[column].mean())
        )
        np.testing.assert_allclose(claim["ci"], [ends.low, ends.high], rtol=1e-7)
    assert (lower["verdict"], accuracy["verdict"]) == ("CONTRADICTED", "BETTER")

    page = (out / "report" / "index.html").read_text("utf-8")
    body = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "\n", body)
    everything = text + (out / "report" / "report.md").read_text("utf-8") + done.stdout
    for word in ("dhp", "mnist", "task", "forget", "points", "transfer", "hebb"):
        assert word not in everything.lower(), word
    assert hashlib.sha256(table.read_bytes()).hexdigest() in text
    for says in ("Paired by seed number only", "+0.65", "nats", "lower is better"):
        assert says in text, says
    tidy = pd.read_parquet(out / "report" / "table.parquet")
    assert len(tidy) == 80
    done = run("verify", out, cwd=tmp_path, timeout=1200)
    assert done.returncode == 0, done.stderr
