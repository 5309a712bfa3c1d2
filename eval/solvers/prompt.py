"""``prompt``: the question alone; nothing of the user is known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.solvers.ask import ask
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.prompts.render import render


@dataclass(frozen=True)
class Prompt:
    """Asks the model as anybody would."""

    name: str = "prompt"
    asks: bool = True
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Answerer"]:
        """Nothing is taken in."""
        yield _Answerer(lab)


@dataclass(frozen=True)
class _Answerer:
    lab: EvalEnvironment
    learned: None = None

    async def answer(self, question: Query) -> Answered:
        return await ask(self.lab.models, render("plain"), question.query)
