"""The results as tables: on the terminal, and as ``docs/benchmarks.md`` and ``docs/scale.md``."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from doc_tables import Cells, table
from measurement import Measurement, print_progress
from results import Result, read_results
from rich.console import Console
from rich.table import Table
from rows import ROWS, Row
from scale import scale_page
from scale_figures import NotMeasured

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"


def print_tables(results: Sequence[Result]) -> None:
    """Print every figure, then the rows that were to be measured."""
    by_command = {each.command: each for each in results}
    figures = Table("Benchmark", "Measured", "Target", "", title="Figures")
    for result in results:
        figures.add_section()
        for cells in _figures(result):
            figures.add_row(*cells)
    rows = Table("What", "Against", "Measured", "Target", "", title="What we hold ourselves to")
    for row in ROWS:
        if row.command in by_command:
            rows.add_row(*_cells(row, by_command[row.command]))
    Console().print(figures, rows)


def write_pages() -> None:
    """Write the documents from ``measured.json``; says so if a figure for one of them is missing."""
    results = read_results()
    for name, page in PAGES.items():
        try:
            (DOCS / name).write_text(page(results), "utf-8")
        except NotMeasured as missing:
            print_progress(f"docs/{name} is not written: {missing}")


def benchmarks_page(results: Mapping[str, Result]) -> str:
    """The text of ``docs/benchmarks.md``."""
    head = ("What", "Against", "Measured", "Target", "")
    rows = table(head, [_cells(row, results.get(row.command)) for row in ROWS])
    sections = "\n".join(map(_section, results.values()))
    template = (HERE / "benchmarks.template.md").read_text("utf-8")
    return template.replace("{rows}", rows).replace("{figures}", sections)


def _cells(row: Row, result: Result | None) -> Cells:
    measurement = row.of(result.measurements) if result else None
    if measurement is None:
        return (row.what, row.baseline, "", row.target_text, "not measured")
    sizes = " (smaller sizes)" if result and result.quick else ""
    return (
        row.what,
        row.baseline,
        measurement.value_text + sizes,
        measurement.target_text,
        _verdict(measurement),
    )


def _figures(result: Result) -> list[Cells]:
    if not result.measurements:
        return [(result.command, "", "", result.skipped or "failed, see above")]
    return [
        (each.name, each.value_text, each.target_text, _verdict(each))
        for each in result.measurements
    ]


def _verdict(measurement: Measurement) -> str:
    if not measurement.target_text:
        return ""
    return "pass" if measurement.passed else "missed"


def _section(result: Result) -> str:
    """A command, the script that says how it measures, and its figures."""
    script = f"{result.command.split()[0]}.py"
    heading = f"### {result.command}\n\n[How](../benchmarks/{script}). {result.day}, "
    if not result.measurements:
        return f"{heading}not measured: {result.skipped}\n"
    figures = table(("What", "Measured", "Target", ""), _figures(result))
    sizes = ", smaller sizes" if result.quick else ""
    return f"{heading}{result.machine}{sizes}.\n\n{figures}\n"


PAGES: dict[str, Callable[[Mapping[str, Result]], str]] = {
    "benchmarks.md": benchmarks_page,
    "scale.md": scale_page,
}
"""The documents that are made of results, by their names in ``docs/``."""
