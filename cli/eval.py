"""``personaagent eval``: every method on every task, with intervals and cost."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.eval_progress import EvalProgress
from personaagent.cli.output import AsJson, notice, show, waiting
from personaagent.cli.run import pull_needed
from personaagent.core.errors import UsageError
from personaagent.core.extras import check_installed
from personaagent.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from personaagent.eval.prices import Prices
    from personaagent.eval.run import Where
    from personaagent.eval.run_record import Options

eval_app = typer.Typer(
    help="Measure: every method on every task, with intervals and cost.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Names = Annotated[
    str, typer.Option(metavar="A,B,...", help="By name, with commas between; see eval list.")
]
Users = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Users a task, drawn by the seed.")
]
Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Questions a task, drawn by the seed.")
]
Seed = Annotated[int, typer.Option(help="Decides what is drawn and shuffled.")]
Turns = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="PrefEval: turns before its question.")
]
Concurrency = Annotated[
    int | None,
    typer.Option(min=1, metavar="C", help="Requests at once; 16, or 1 on the embedded model."),
]
Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="What holds lamp/, prefeval/ and locomo/."),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where it is kept; by default a folder in eval-runs/."),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run again what failed before.")]
LangSmith = Annotated[
    str | None, typer.Option(metavar="PROJECT", help="Send the run to LangSmith, too.")
]
PriceTable = Annotated[
    Path | None, typer.Option("--prices", metavar="FILE", help="Prices by model, as TOML.")
]
Against = Annotated[
    str | None,
    typer.Option(metavar="METHOD", help="Compare with this one, not with the best baseline."),
]


@eval_app.command("run")
def run_command(
    tasks: Names,
    methods: Names,
    users: Users = None,
    limit: Limit = None,
    seed: Seed = 0,
    history: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Keep of each history the newest N.")
    ] = None,
    turns: Turns = None,
    concurrency: Concurrency = None,
    data: Data = None,
    out: Out = None,
    retry_failed: RetryFailed = False,
    langsmith: LangSmith = None,
    prices: PriceTable = None,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Run methods on tasks; what was done before is not done again."""
    from personaagent.eval.run_record import Options

    options = Options(
        tasks=_names(tasks),
        methods=_names(methods),
        users=users,
        limit=limit,
        seed=seed,
        history=history,
        turns=turns,
    )
    _check_rival(against, options)
    settings = load_settings()
    table = _prices(prices, settings)
    where = _where(settings, data, out, concurrency, retry_failed, langsmith)
    folder = _run(options, settings, where)
    _report(folder, table, against, as_json)


@eval_app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What eval run wrote.")],
    prices: PriceTable = None,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """Show the table of a run, and write its report (Markdown, HTML, JSON)."""
    _report(folder, _prices(prices, load_settings()), against, as_json)


@eval_app.command("compare")
def compare_command(
    first: Annotated[Path, typer.Argument(metavar="A", help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="That of another.")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs, in pairs, on the questions that both have answered."""
    from personaagent.cli.eval_views import comparison_view
    from personaagent.eval.comparison import compare_runs

    show(compare_runs(first, second), as_json, comparison_view)


@eval_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """The tasks and the methods that there are."""
    from personaagent.cli.eval_views import list_view
    from personaagent.eval.catalogue import catalogue

    show(catalogue(), as_json, list_view)


@eval_app.command("curve")
def curve_command(
    axis: Annotated[
        str,
        typer.Argument(metavar="AXIS", help="batch, rounds, memories, history or model."),
    ],
    values: Annotated[
        str, typer.Option(metavar="A,B,...", help="The values, with commas between.")
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
    """A run for each value of one setting, and the curve over them."""
    from personaagent.cli.eval_views import curve_view
    from personaagent.eval.curve import AXES, changed, curve_of
    from personaagent.eval.report.curve import write_curve
    from personaagent.eval.run import named
    from personaagent.eval.run_record import Options

    named(AXES, [axis], "axis")
    options = Options(
        tasks=_names(tasks),
        methods=_names(methods),
        users=users,
        limit=limit,
        seed=seed,
        turns=turns,
    )
    settings = load_settings()
    table = _prices(prices, settings)
    where = _where(settings, data, out or Path(f"eval-{axis}"), concurrency, retry_failed, None)
    assert where.out is not None
    folders: dict[str, Path] = {}
    for value in _names(values):
        folder = where.out / f"{axis}-{value.replace('/', '-')}"
        their_options, their_settings = changed(axis, value, options, settings)
        folders[value] = _run(their_options, their_settings, replace(where, out=folder))
    curve = curve_of(axis, folders, table)
    for file in write_curve(curve, where.out):
        notice(f"Written: {file}")
    show(curve, as_json, curve_view)


def _names(given: str) -> list[str]:
    """The names between commas, none twice.

    Raises:
        UsageError: there is none.
    """
    names = [name.strip() for name in given.split(",") if name.strip()]
    if not names:
        raise UsageError("A list is empty: name at least one, with commas between.")
    return list(dict.fromkeys(names))


def _where(
    settings: Settings,
    data: Path | None,
    out: Path | None,
    concurrency: int | None,
    retry_failed: bool,
    langsmith: str | None,
) -> "Where":
    from personaagent.eval.run import Where
    from personaagent.eval.tasks.files import data_folder

    return Where(
        data=data or data_folder(),
        out=out,
        concurrency=concurrency or settings.simulations_at_once,
        retry_failed=retry_failed,
        langsmith=langsmith,
    )


def _check_rival(against: str | None, options: "Options") -> None:
    """See that the run has this method.

    Raises:
        UsageError: it has not.
    """
    if against is not None and against not in options.methods:
        raise UsageError(
            f"--against {against}: it is none of the run's methods ({', '.join(options.methods)})."
        )


def _prices(file: Path | None, settings: Settings) -> "Prices":
    from personaagent.eval.prices import Price, load_prices

    own = Price(input=settings.price_input, output=settings.price_output)
    return load_prices(file, own if own.input or own.output else None)


def _run(options: "Options", settings: Settings, where: "Where") -> Path:
    """Run what is left, and show how it gets on; the models are pulled first."""
    check_installed("jinja2", "eval", "`personaagent eval`")  # needed at the end, for the report

    async def work() -> Path:
        with waiting("Starting …"):
            from personaagent.eval.run import named, run, tasks_of
            from personaagent.eval.solvers.all import SOLVERS

            tasks_of(options)
            asking = any(each.asks for each in named(SOLVERS, options.methods, "method"))
        await pull_needed(settings, "all" if asking else None, embeddings=True)
        with EvalProgress() as progress:
            return await run(
                options, settings, where, on_begin=progress.begin, on_done=progress.done
            )

    return asyncio.run(work())


def _report(folder: Path, prices: "Prices", against: str | None, as_json: bool) -> None:
    from personaagent.cli.eval_views import summary_view
    from personaagent.eval.report.write import write_report
    from personaagent.eval.run import tasks_of
    from personaagent.eval.run_record import read_run
    from personaagent.eval.summary import summarise

    options = read_run(folder).made_with.options
    _check_rival(against, options)
    with waiting("Reading the samples …"):
        tasks = tasks_of(options)
        summary = summarise(folder, tasks, prices, against)
        files = write_report(summary, folder, tasks)
    for file in files:
        notice(f"Written: {file}")
    show(summary, as_json, summary_view)
