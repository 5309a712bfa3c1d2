"""`make bench`: when it fails, and that the documents are made of what was measured."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from personaagent.core.settings import Settings

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from measurement import Measurement  # noqa: E402
from page import PAGES, benchmarks_page  # noqa: E402
from peak import processes_needed  # noqa: E402
from results import Result, read_results, write_results  # noqa: E402
from rows import ROWS, with_targets  # noqa: E402
from run_all import COMMANDS, run, succeeded  # noqa: E402
from scale import ALIGN_AFTER, ALIGN_ROUNDS, NIGHTLY_RUNS, scale_page  # noqa: E402
from scale_figures import NotMeasured  # noqa: E402

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
    nothing = Result("a", "2026-11-28", "2 cores", [Measurement("episodes lost", 0.0, most=0)])
    kept = [
        nothing,
        measured(0.96),
        Result("index", "2026-11-28", "2 cores", skipped="no", quick=True),
    ]
    write_results(kept, file)
    assert [*read_results(file).values()] == kept


def test_every_row_is_measured_by_one_of_the_commands() -> None:
    commands = {*COMMANDS}
    assert {row.command for row in ROWS} <= commands
    scripts = {command.split()[0] for command in commands}
    assert {name for name in scripts if not (ROOT / "benchmarks" / f"{name}.py").exists()} == set()


def test_the_page_shows_each_row_and_what_was_missed() -> None:
    text = benchmarks_page({ROW.command: measured(0.94)})
    assert f"|{ROW.what}|{ROW.baseline}|0.94|at least 0.95|missed|" in text
    assert text.count("|not measured|") == len(ROWS) - 1


@pytest.mark.parametrize("name", PAGES)
def test_the_documents_are_made_of_what_was_measured(name: str) -> None:
    text = PAGES[name](read_results())
    assert (ROOT / "docs" / name).read_text("utf-8") == text, "make bench BENCH=--write"


def test_scale_says_which_figure_is_missing() -> None:
    results = read_results()
    del results["server_storage"]
    with pytest.raises(NotMeasured, match="server_storage has not measured: a turn in Postgres"):
        scale_page(results)


def test_what_breaks_first_follows_from_the_figures() -> None:
    results = read_results()
    slow = [
        replace(each, value=1000 * each.value)
        for each in results["server_load --queue"].measurements
    ]
    results["server_load --queue"] = replace(results["server_load --queue"], measurements=slow)
    assert "**One server process at half load** breaks first" in scale_page(results)


def test_scale_is_computed_with_the_defaults_of_the_settings() -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert (
        defaults["align_after"],
        defaults["align_rounds"],
        defaults["align_nightly_runs"],
    ) == (ALIGN_AFTER, ALIGN_ROUNDS, NIGHTLY_RUNS)


def test_the_busiest_hour_needs_more_processes_than_it_keeps_busy() -> None:
    assert processes_needed(0.01, 0.1) == 1
    assert 10 < processes_needed(100, 0.1) < 20
