"""What a method is: it takes in a case, then answers its questions."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from personaagent.eval.case import Answered, Case, Learned, Question
from personaagent.eval.methods.lab import Lab


class Answerer(Protocol):
    """A method that has taken in one case. ``learned`` is None where nothing is learned."""

    learned: Learned | None

    async def answer(self, question: Question) -> Answered:
        """The answer; questions are asked in any order, also side by side, and none is remembered.

        Raises:
            ServiceError, ConfigurationError: there is no answer.
        """
        ...


class Method(Protocol):
    """One method. ``asks`` says whether it asks a model at all."""

    name: str
    asks: bool

    def ready(self, case: Case, lab: Lab) -> AbstractAsyncContextManager[Answerer]:
        """The method, ready for the questions of ``case``; what it kept is dropped at the end."""
        ...
