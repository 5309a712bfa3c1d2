"""What a solver is: it prepares for one sample, then answers the sample's queries."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from personaagent.eval.samples import Query, Sample, SolverOutput, TrainingResult
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.tasks.protocol import Task


class Answerer(Protocol):
    """A solver that is prepared for one sample.

    ``training_result`` is what it learned from the history; None if it learns nothing.
    """

    @property
    def training_result(self) -> TrainingResult | None: ...

    async def answer(self, query: Query) -> SolverOutput:
        """Answer the query. Queries come in any order, also concurrently; none is remembered.

        Raises:
            ServiceError, ConfigurationError, DataError: there is no answer.
        """
        ...


Prepare = Callable[[Sample, EvalEnvironment], AbstractAsyncContextManager[Answerer]]


class Solver(Protocol):
    """One way to answer queries; users know solvers as methods.

    Args:
        uses_model: whether the solver calls a language model at all.
        prepare_recall: prepares the solver for a task that only recalls (``Task.answers`` is False):
            no model is called, and ``SolverOutput.text`` is None. None if the solver cannot do this;
            it does not run on such tasks.
    """

    @property
    def name(self) -> str: ...

    @property
    def uses_model(self) -> bool: ...

    @property
    def prepare_recall(self) -> Prepare | None: ...

    def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AbstractAsyncContextManager[Answerer]:
        """Prepare for the queries of the sample; everything stored is dropped at the end.

        Raises:
            ServiceError, ConfigurationError, DataError: the solver cannot be prepared.
        """
        ...


def can_solve(solver: Solver, task: Task) -> bool:
    """Whether the solver can solve the task: not every solver can only recall."""
    return task.answers or solver.prepare_recall is not None
