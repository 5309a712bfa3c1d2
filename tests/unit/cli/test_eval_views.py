"""What the tables of the evaluation look like on a terminal of 80 columns, and in a pipe."""

from typing import Any

from rich.cells import cell_len
from rich.console import Console, RenderableType

from personaagent.cli.eval_tables import NamedRows
from personaagent.cli.eval_views import comparison_view, curve_view, summary_view
from personaagent.eval.comparison import ComparedMetric, RunComparison
from personaagent.eval.curve import Curve, CurveLine
from personaagent.eval.estimate import Difference
from personaagent.eval.query_draw import QueryDraw
from personaagent.eval.run_record import EvalOptions, MadeWith
from personaagent.eval.solver_summary import SolverDifference, SolverSummary
from personaagent.eval.solvers.registry import SOLVERS
from personaagent.eval.summary import MetricColumn, Summary, TaskSummary
from personaagent.scorecard.estimate import Estimate

METRICS = (
    "accuracy",
    "macro-F1",
    "exact accuracy",
    "ECE",
    "faithfulness",
    "accuracy of both orders",
)
MEAN = Estimate(mean=0.512, low=0.43, high=0.594)
DIFFERENCE = Difference(mean=-0.041, low=-0.123, high=0.051, p=0.0012)


def lines(view: RenderableType, width: int = 80, *, terminal: bool = True) -> list[str]:
    console = Console(width=width, force_terminal=terminal, color_system=None)
    with console.capture() as capture:
        console.print(view)
    return [line.rstrip() for line in capture.get().splitlines()]


def method(**fields: Any) -> SolverSummary:
    """One that has every metric but ECE."""
    values: dict[str, Any] = {
        "answered": 60,
        "failed": 0,
        "metrics": {name: MEAN for name in METRICS if name != "ECE"},
        "against": {"rag": SolverDifference(questions=60, metrics={"accuracy": DIFFERENCE})},
        "no_answer": 0.0,
        "unparsable": 0.0,
        "agreement": None,
        "seconds": 5.72,
        "usage": {"llm_calls": 3, "input_tokens": 13_579, "output_tokens": 357, "by_role": {}},
        "price": 0.0,
        "judge": {},
        "learning": None,
    }
    return SolverSummary.model_validate(values | fields)


def summary(methods: dict[str, SolverSummary], **task: Any) -> Summary:
    values: dict[str, Any] = {
        "users": 30,
        "questions": 60,
        "metrics": [MetricColumn(name=name, higher=name != "ECE") for name in METRICS],
        "rival": "rag",
        "methods": methods,
    }
    made = MadeWith(
        options=EvalOptions(tasks=["LaMP_2M_style"], methods=[*methods]),
        drawn={"LaMP_2M_style": QueryDraw(users=30, cases=30, questions=60, sha256="")},
        models={"actor": "scripted"},
        prompts={},
        settings={},
    )
    tasks = {"LaMP_2M_style": TaskSummary.model_validate(values | task)}
    return Summary(made_with=made, commit=None, tasks=tasks, price=None, done=60, total=60)


def test_a_report_fits_80_columns_with_every_interval_in_one_piece() -> None:
    shown = lines(summary_view(summary({name: method(failed=1) for name in SOLVERS})))
    assert max(map(cell_len, shown)) <= 80
    assert "…" not in "".join(shown)
    assert "    ".join(shown).count("0.512 [0.430, 0.594]") == len(SOLVERS)
    assert "    ".join(shown).count("-0.041 [-0.123, +0.051] p 0.0012") == len(SOLVERS)
    headers = "  ".join(line for line in shown if line.startswith("  "))
    assert all(f"{name} ↑" in headers for name in METRICS if name != "ECE")


def test_a_wide_terminal_has_all_columns_beside_each_other() -> None:
    shown = lines(summary_view(summary({"rag": method(failed=1)})), width=200)
    assert shown[1].split()[0] == "accuracy"
    assert shown[1].endswith("failed")
    assert sum(line.startswith("rag") for line in shown) == 2, "answers, and their cost"


def test_a_pipe_gets_the_table_of_80_columns() -> None:
    view = summary_view(summary({"persona-no-alignment": method()}))
    assert lines(view, width=10_000, terminal=False) == lines(view)


def test_a_column_without_content_is_left_out() -> None:
    shown = " ".join(lines(summary_view(summary({"rag": method()}))))
    assert not any(name in shown for name in ("ECE", "failed", "unparsable", "no answer", "agree"))
    silent = method(no_answer=1.0, unparsable=None)
    shown = " ".join(lines(summary_view(summary({"rag": method(), "majority": silent}))))
    assert "no answer" in shown
    assert "unparsable" not in shown


def test_one_of_something_is_not_called_many() -> None:
    title = lines(summary_view(summary({"rag": method()}, users=1, questions=1)))[0]
    assert title == "LaMP_2M_style: 1 user, 1 question"


def test_a_column_wider_than_the_terminal_is_folded_and_not_cut() -> None:
    table = NamedRows("", ["persona"], {"accuracy": ["0.512 [0.430, 0.594]"]})
    shown = "".join("".join(lines(table, width=20)).split())
    assert "[0.430,0.594]" in shown


def test_a_comparison_fits_80_columns() -> None:
    def row(task: str, name: str, metric: str) -> ComparedMetric:
        return ComparedMetric(
            task=task,
            method=name,
            metric=metric,
            questions=1,
            first=0.5,
            second=0.459,
            difference=DIFFERENCE,
        )

    tasks = ("LaMP_2M_style", "persistbench_sycophancy")
    rows = [row(task, name, metric) for task in tasks for name in SOLVERS for metric in METRICS]
    shown = lines(comparison_view(RunComparison(rows=rows, differs=[], not_compared=["tags rag"])))
    assert max(map(cell_len, shown)) <= 80
    assert "persona-no-alignment (1)" in shown
    assert shown[-2:] == [
        "Without a question that both answered: tags rag.",
        "The runs differ in: nothing.",
    ]
    figures = [line for line in shown if line.endswith("-0.041 [-0.123, +0.051] p 0.0012")]
    assert len(figures) == len(rows)


def test_a_curve_of_many_values_fits_80_columns() -> None:
    values = ["0", "5", "10", "20", "40"]
    lines_of_curve = [
        CurveLine(
            task="LaMP_2M_style",
            method=name,
            metric="accuracy",
            higher=True,
            estimates=[*([MEAN] * 4), None],
            tokens=[None] * 5,
        )
        for name in ("rag", "persona-no-alignment")
    ]
    curve = Curve(axis="labels", values=values, lines=lines_of_curve)
    shown = lines(curve_view(curve))
    assert max(map(cell_len, shown)) <= 80
    assert "\n".join(shown).count("0.512 [0.430, 0.594]") == 8
    assert shown[0] == "LaMP_2M_style: accuracy"
