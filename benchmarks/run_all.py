"""Every benchmark in a process of its own, and a table of what they found: ``make bench``."""

import json
import subprocess
import sys
from pathlib import Path

from measured import SKIPPED, Measured
from rich.console import Console
from rich.table import Table

SCRIPTS = (
    "startup",
    "import_rate",
    "footprint",
    "recall",
    "overhead",
    "locomo",
    "eval_rate",
    "alignment_round",
    "alignment_users",
    "alignment_history",
    "alignment_cost",
)


def main() -> None:
    table = Table("Benchmark", "Measured", "Target", "", title="Benchmarks")
    missed = 0
    for script in SCRIPTS:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name(f"{script}.py")), "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        table.add_section()
        if done.returncode == SKIPPED:
            table.add_row(script, "skipped", done.stdout.strip(), "")
            continue
        found = [Measured(**each) for each in json.loads(done.stdout or "[]")]
        missed += done.returncode != 0
        for each in found:
            verdict = ("[green]pass" if each.passed else "[red]FAIL") if each.target else ""
            table.add_row(each.name, each.shown, each.target, verdict)
        if not found:
            table.add_row(script, "", "", "[red]it failed, see above")
    Console().print(table)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
