"""Runs every benchmark in its own process, and prints a table of all measurements: ``make bench``."""

import json
import subprocess
import sys
from pathlib import Path

from measurement import SKIPPED, Measurement
from rich.console import Console
from rich.table import Table

SCRIPTS = (
    "startup",
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
)


def main() -> None:
    """Run all; exit with 1 if a target is missed or a benchmark fails."""
    table = Table("Benchmark", "Measured", "Target", "", title="Benchmarks")
    succeeded = [run_script(script, table) for script in SCRIPTS]
    Console().print(table)
    sys.exit(not all(succeeded))


def run_script(script: str, table: Table) -> bool:
    """Run one benchmark and add its measurements to the table; whether it met its targets."""
    process = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(f"{script}.py")), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    table.add_section()
    if process.returncode == SKIPPED:
        table.add_row(script, "skipped", process.stdout.strip(), "")
        return True
    measurements = [Measurement(**fields) for fields in json.loads(process.stdout or "[]")]
    for each in measurements:
        verdict = ("[green]pass" if each.passed else "[red]FAIL") if each.target_text else ""
        table.add_row(each.name, each.value_text, each.target_text, verdict)
    if not measurements:
        table.add_row(script, "", "", "[red]failed, see above")
    return process.returncode == 0


if __name__ == "__main__":
    main()
