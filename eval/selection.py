"""Tasks and solvers by the names that a user gives."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from personaagent.core.errors import UsageError
from personaagent.eval.run_record import EvalOptions
from personaagent.eval.solvers.protocol import Solver
from personaagent.eval.solvers.registry import SOLVERS
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.prefeval import PrefEval
from personaagent.eval.tasks.protocol import Task

T = TypeVar("T")


def select_tasks(options: EvalOptions) -> dict[str, Task]:
    """The tasks of a run by name, configured as the options say.

    Raises:
        UsageError: there is no such task.
    """
    tasks = select(TASKS, options.tasks, "task")
    return {task.name: _configured(task, options) for task in tasks}


def select_solvers(options: EvalOptions) -> list[Solver]:
    """The solvers of a run.

    Raises:
        UsageError: there is no such solver.
    """
    return select(SOLVERS, options.methods, "method")


def select(available: Mapping[str, T], names: Sequence[str], kind: str) -> list[T]:
    """The entries with these names; ``kind`` names them in an error.

    Raises:
        UsageError: a name is unknown, or there is no name.
    """
    if not names:
        raise UsageError(f"Name at least one {kind}; there are {', '.join(available)}.")
    for name in names:
        if name not in available:
            raise UsageError(f"There is no {kind} {name!r}; there are {', '.join(available)}.")
    return [available[name] for name in names]


def _configured(task: Task, options: EvalOptions) -> Task:
    if options.turns is None or not isinstance(task, PrefEval):
        return task
    return cast(Task, replace(task, turns=options.turns))
