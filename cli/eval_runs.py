"""Runs and reports evaluations for the ``personaagent eval`` commands."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from personaagent.cli.eval_progress import EvalProgress
from personaagent.cli.output import print_notice, print_result, spinner
from personaagent.cli.pull_models import pull_needed
from personaagent.core.errors import UsageError
from personaagent.core.settings import Settings

if TYPE_CHECKING:
    from personaagent.eval.evaluation import RunSettings
    from personaagent.eval.prices import Prices
    from personaagent.eval.run_record import EvalOptions


def split_names(text: str) -> list[str]:
    """The names between commas, without duplicates.

    Raises:
        UsageError: there is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("A list is empty: give at least one name, separated by commas.")
    return list(dict.fromkeys(names))


def check_rival(against: str | None, options: "EvalOptions") -> None:
    """Check that the run has the method to compare with.

    Raises:
        UsageError: the run does not have it.
    """
    if against is not None and against not in options.methods:
        raise UsageError(
            f"--against {against}: it is none of the run's methods ({', '.join(options.methods)})."
        )


def read_prices(file: Path | None, settings: Settings) -> "Prices":
    """The prices of the package, of ``file``, and of the settings for all other models.

    Raises:
        UsageError: the file is not a price table.
    """
    from personaagent.eval.prices import TokenPrice, load_prices

    default = TokenPrice(input=settings.price_input, output=settings.price_output)
    return load_prices(file, default if default.input or default.output else None)


def run_and_show_progress(
    options: "EvalOptions", settings: Settings, run_settings: "RunSettings"
) -> Path:
    """Pull the models that are needed, run what is left, and return the folder of the run."""

    async def run() -> Path:
        with spinner("Starting …"):
            from personaagent.eval.evaluation import run_evaluation
            from personaagent.eval.selection import select_solvers, select_tasks

            select_tasks(options)
            uses_model = any(solver.uses_model for solver in select_solvers(options))
        await pull_needed(settings, "all" if uses_model else None, embeddings=True)
        with EvalProgress() as progress:
            return await run_evaluation(
                options,
                settings,
                run_settings,
                on_begin=progress.begin,
                on_result=progress.add,
            )

    return asyncio.run(run())


def run_each_value(
    axis: str,
    values: list[str],
    options: "EvalOptions",
    settings: Settings,
    run_settings: "RunSettings",
    out: Path,
) -> dict[str, Path]:
    """Run the evaluation with each value of the axis; returns the folders in ``out`` by value."""
    from personaagent.eval.curve import apply_axis_value

    folders: dict[str, Path] = {}
    for value in values:
        folder = out / f"{axis}-{value.replace('/', '-')}"
        value_options, value_settings = apply_axis_value(axis, value, options, settings)
        folders[value] = run_and_show_progress(
            value_options, value_settings, replace(run_settings, out=folder)
        )
    return folders


def show_report(folder: Path, prices: "Prices", against: str | None, as_json: bool) -> None:
    """Write the report of a run, and show its table."""
    from personaagent.cli.eval_views import summary_view
    from personaagent.eval.report.report_files import write_report
    from personaagent.eval.run_record import read_run
    from personaagent.eval.selection import select_tasks
    from personaagent.eval.summary import summarise_run

    options = read_run(folder).made_with.options
    check_rival(against, options)
    with spinner("Reading the results …"):
        tasks = select_tasks(options)
        summary = summarise_run(folder, tasks, prices, against)
        files = write_report(summary, folder, tasks)
    notice_files(files)
    print_result(summary, as_json, summary_view)


def notice_files(files: list[Path]) -> None:
    """Say which files were written."""
    for file in files:
        print_notice(f"Written: {file}")
