"""What a method is: it takes in a case, then answers its questions."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from personaagent.eval.samples import Answered, Query, Sample, TrainingResult
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.tasks.protocol import Task


class Answerer(Protocol):
    """A method that has taken in one case. ``learned`` is None where nothing is learned."""

    @property
    def learned(self) -> TrainingResult | None: ...

    async def answer(self, question: Query) -> Answered:
        """The answer; questions are asked in any order, also side by side, and none is remembered.

        Raises:
            ServiceError, ConfigurationError, DataError: there is no answer.
        """
        ...


Opening = Callable[[Sample, EvalEnvironment], AbstractAsyncContextManager[Answerer]]


class Solver(Protocol):
    """One method. ``asks`` says whether it asks a model at all.

    ``recalls`` is how it is made ready for a task that only recalls (``Task.answers`` False): like
    ``ready``, but no model is asked, and ``Answered.text`` is None. It is None for a method that
    cannot: that one is not run on such a task.
    """

    @property
    def name(self) -> str: ...

    @property
    def asks(self) -> bool: ...

    @property
    def recalls(self) -> Opening | None: ...

    def ready(self, case: Sample, lab: EvalEnvironment) -> AbstractAsyncContextManager[Answerer]:
        """The method, ready for the questions of ``case``; what it kept is dropped at the end.

        Raises:
            ServiceError, ConfigurationError, DataError: it could not be made ready.
        """
        ...


def fits(method: Solver, task: Task) -> bool:
    """Whether the method can do the task: not all can only recall."""
    return task.answers or method.recalls is not None
