"""``personaagent eval``: every method on every task, with intervals and cost."""

from pathlib import Path
from typing import Annotated

import typer

from personaagent.cli.eval_options import (
    Against,
    Concurrency,
    Data,
    History,
    LangSmith,
    Limit,
    Names,
    Out,
    PriceTable,
    RetryFailed,
    Seed,
    Turns,
    Users,
    Workers,
)
from personaagent.cli.options import AsJson
from personaagent.cli.output import print_result
from personaagent.core.extras import check_installed
from personaagent.core.settings import load_settings

eval_app = typer.Typer(
    help="Measure: every method on every task, with intervals and cost.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@eval_app.command("run")
def run_command(
    tasks: Names,
    methods: Names,
    users: Users = None,
    limit: Limit = None,
    seed: Seed = 0,
    history: History = None,
    turns: Turns = None,
    concurrency: Concurrency = None,
    workers: Workers = None,
    data: Data = None,
    out: Out = None,
    retry_failed: RetryFailed = False,
    langsmith: LangSmith = None,
    prices: PriceTable = None,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Run methods on tasks; results that exist are not computed again."""
    from personaagent.cli import eval_runs
    from personaagent.eval.evaluation import RunSettings
    from personaagent.eval.run_record import EvalOptions
    from personaagent.eval.tasks.files import data_folder

    check_installed("jinja2", "eval", "`personaagent eval`")  # needed at the end, for the report
    options = EvalOptions(
        tasks=eval_runs.split_names(tasks),
        methods=eval_runs.split_names(methods),
        users=users,
        limit=limit,
        seed=seed,
        history=history,
        turns=turns,
    )
    eval_runs.check_rival(against, options)
    settings = load_settings()
    price_table = eval_runs.read_prices(prices, settings)
    concurrency = concurrency or settings.simulations_at_once
    run_settings = RunSettings(
        data or data_folder(), out, concurrency, retry_failed, langsmith, workers
    )
    folder = eval_runs.run_and_show_progress(options, settings, run_settings)
    eval_runs.show_report(folder, price_table, against, as_json)


@eval_app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run.")],
    prices: PriceTable = None,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Show the table of a run, and write its report (Markdown, HTML, JSON)."""
    from personaagent.cli import eval_runs

    price_table = eval_runs.read_prices(prices, load_settings())
    eval_runs.show_report(folder, price_table, against, as_json)


@eval_app.command("compare")
def compare_command(
    first: Annotated[Path, typer.Argument(metavar="A", help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The folder of another run.")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the questions that both answered."""
    from personaagent.cli.eval_views import comparison_view
    from personaagent.eval.comparison import compare_runs

    print_result(compare_runs(first, second), as_json, comparison_view)


@eval_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List all tasks and methods."""
    from personaagent.cli.eval_views import list_view
    from personaagent.eval.descriptions import describe_tasks_and_solvers

    print_result(describe_tasks_and_solvers(), as_json, list_view)


@eval_app.command("curve")
def curve_command(
    axis: Annotated[
        str,
        typer.Argument(metavar="AXIS", help="batch, rounds, memories, history, labels or model."),
    ],
    values: Annotated[
        str, typer.Option(metavar="A,B,...", help="The values, separated by commas.")
    ],
    tasks: Names,
    methods: Names,
    users: Users = None,
    limit: Limit = None,
    seed: Seed = 0,
    turns: Turns = None,
    concurrency: Concurrency = None,
    data: Data = None,
    out: Out = None,
    retry_failed: RetryFailed = False,
    prices: PriceTable = None,
    as_json: AsJson = False,
) -> None:
    """Run once for each value of one setting, and draw the curve."""
    from personaagent.cli import eval_runs
    from personaagent.cli.eval_views import curve_view
    from personaagent.eval.curve import AXES, curve_over
    from personaagent.eval.evaluation import RunSettings
    from personaagent.eval.report.curve_report import write_curve
    from personaagent.eval.run_record import EvalOptions
    from personaagent.eval.selection import select
    from personaagent.eval.tasks.files import data_folder

    select(AXES, [axis], "axis")
    options = EvalOptions(
        tasks=eval_runs.split_names(tasks),
        methods=eval_runs.split_names(methods),
        users=users,
        limit=limit,
        seed=seed,
        turns=turns,
    )
    settings = load_settings()
    price_table = eval_runs.read_prices(prices, settings)
    concurrency = concurrency or settings.simulations_at_once
    run_settings = RunSettings(data or data_folder(), None, concurrency, retry_failed)
    out = out or Path(f"eval-{axis}")
    folders = eval_runs.run_each_value(
        axis, eval_runs.split_names(values), options, settings, run_settings, out
    )
    curve = curve_over(axis, folders, price_table)
    eval_runs.notice_files(write_curve(curve, out))
    print_result(curve, as_json, curve_view)
