"""`make bench`: when it fails, and that the documents are made of what was measured."""

import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from measurement import Measurement  # noqa: E402
from page import benchmarks_page  # noqa: E402
from results import Result, read_results, write_results  # noqa: E402
from rows import ROWS, with_targets  # noqa: E402
from run_all import run, succeeded  # noqa: E402

ROW = next(row for row in ROWS if row.command == "eval_rate")


def measured(value: float) -> Result:
    """What the row's script says, with a target of its own that is easier to meet."""
    figures = [Measurement(ROW.name, value, least=0.1), Measurement("something else", 1.0)]
    return Result(ROW.command, "2026-11-28", "2 cores", with_targets(ROW.command, figures))


def test_the_target_of_the_row_counts_whatever_its_script_says() -> None:
    assert succeeded([measured(0.96)], [ROW])
    assert not succeeded([measured(0.94)], [ROW])


def test_a_row_that_nobody_measured_fails() -> None:
    skipped = Result(ROW.command, "2026-11-28", "2 cores", skipped="there is no data")
    assert succeeded([skipped], [])
    assert not succeeded([skipped], [ROW])
    assert not succeeded([], [ROW])
    nameless = replace(measured(0.96), measurements=[Measurement("something else", 1.0)])
    assert not succeeded([nameless], [ROW])


def test_a_missed_target_fails_also_where_no_row_asks_for_it() -> None:
    other = Result("index", "2026-11-28", "2 cores", [Measurement("a search", 4.0, "x", most=3)])
    assert not succeeded([measured(0.96), other], [ROW])


def test_a_benchmark_that_ends_with_an_error_or_not_at_all_fails(monkeypatch, tmp_path) -> None:
    script = tmp_path / "broken.py"
    monkeypatch.setattr("run_all.__file__", str(tmp_path / "run_all.py"))
    script.write_text("raise SystemExit(3)")
    assert run("broken", quick=False, limit=60).failed
    script.write_text("import time; time.sleep(600)")
    assert run("broken", quick=False, limit=1).failed
    script.write_text(
        'import sys; print(\'[{"name": "a", "value": 1}]\'); print(sys.argv, file=sys.stderr)'
    )
    assert run("broken --queue", quick=True, limit=60).measurements == [Measurement("a", 1)]


def test_results_are_kept_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    kept = [measured(0.96), Result("index", "2026-11-28", "2 cores", skipped="no", quick=True)]
    write_results(kept, file)
    assert [*read_results(file).values()] == kept


def test_the_page_shows_each_row_and_what_was_missed() -> None:
    text = benchmarks_page({ROW.command: measured(0.94)})
    assert f"|{ROW.what}|{ROW.baseline}|0.94|at least 0.95|missed|" in text
    assert text.count("|not measured|") == len(ROWS) - 1
