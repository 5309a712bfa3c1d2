"""Runs the benchmarks, each in its own process, and prints all figures with their targets: ``make bench``.

Exits with 1 if a target is missed, a benchmark fails, or a row of ``rows.py`` was not measured. Names of
commands run only those. ``--quick`` takes smaller sizes; ``--write`` keeps the results in ``measured.json``
and writes ``docs/benchmarks.md`` and ``docs/scale.md`` from them.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from measurement import SKIPPED, Measurement, print_progress
from page import print_tables, write_pages
from results import Result, read_results, write_results
from rows import ROWS, Row, with_targets

COMMANDS = (
    "startup",
    "demo_answer",
    "embedding_speed",
    "import_rate",
    "footprint",
    "index",
    "many_users",
    "turn_overhead",
    "locomo_recall",
    "similar_labels",
    "persistbench_shown",
    "eval_rate",
    "alignment_round",
    "alignment_users",
    "alignment_history",
    "alignment_cost",
    "server_load --queue",
    "server_load",
    "server_storage",
    "qdrant_points",
    "nightly_sweep",
)
LIMIT = 3600.0
"""Seconds that one command may take."""


def main() -> None:
    """Run what is asked for, and say with the exit code whether every target was met."""
    arguments = _arguments()
    commands = [each for each in COMMANDS if not arguments.commands or each in arguments.commands]
    results = []
    for command in commands:
        results.append(run(command, arguments.quick, arguments.limit))
        if arguments.write:  # what was measured is kept, also if a later command is stopped
            latest = read_results() | {each.command: each for each in results if not each.failed}
            write_results(latest.values())
    print_tables(results)
    if arguments.write:
        write_pages()
    rows = [row for row in ROWS if not arguments.commands or row.command in commands]
    sys.exit(not succeeded(results, rows))


def run(command: str, quick: bool, limit: float) -> Result:
    """Run one command, to its end or for ``limit`` seconds."""
    script, *options = command.split()
    options += ["--json", *(["--quick"] if quick else [])]
    print_progress(f"== {command}")
    started, machine = datetime.now(UTC), _machine()
    try:
        process = subprocess.run(
            [sys.executable, str(Path(__file__).with_name(f"{script}.py")), *options],
            stdout=subprocess.PIPE,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        print_progress(f"{command} was ended after {limit:g} s")
        return Result(command, f"{started:%Y-%m-%d}", machine, quick=quick)
    skipped = process.returncode == SKIPPED
    figures = [] if skipped else json.loads(process.stdout or "[]")
    return Result(
        command,
        f"{started:%Y-%m-%d}",
        machine,
        with_targets(command, [Measurement(**each) for each in figures]),
        process.stdout.strip() if skipped else "",
        quick,
    )


def succeeded(results: Sequence[Result], rows: Sequence[Row]) -> bool:
    """Whether nothing failed, every target was met, and each of the rows was measured.

    A benchmark that was skipped fails only if a row needs it.
    """
    by_command = {each.command: each.measurements for each in results}
    of_rows = [row.of(by_command.get(row.command, [])) for row in rows]
    return (
        not any(each.failed for each in results)
        and all(each is not None and each.passed for each in of_rows)
        and all(each.passed for measurements in by_command.values() for each in measurements)
    )


def _machine() -> str:
    load, memory = os.getloadavg()[0], os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {memory / 1e9:.0f} GB, load {load:.0f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument(
        "--write", action="store_true", help="keep the results, write the documents"
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for one command")
    arguments = parser.parse_args()
    if unknown := {*arguments.commands} - {*COMMANDS}:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    main()
