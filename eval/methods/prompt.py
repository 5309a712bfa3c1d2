"""``prompt``: the question alone; nothing of the user is known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.eval.case import Answered, Case, Question
from personaagent.eval.methods.ask import ask
from personaagent.eval.methods.lab import Lab
from personaagent.prompts import render


@dataclass(frozen=True)
class Prompt:
    """Asks the model as anybody would."""

    name: str = "prompt"
    asks: bool = True
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Case, lab: Lab) -> AsyncIterator["_Answerer"]:
        """Nothing is taken in."""
        yield _Answerer(lab)


@dataclass(frozen=True)
class _Answerer:
    lab: Lab
    learned: None = None

    async def answer(self, question: Question) -> Answered:
        return await ask(self.lab.models, render("plain"), question.query)
