"""``prompt``: the query alone, without anything about the user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.solvers.actor_call import ask_actor
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.prompts.render import render


@dataclass(frozen=True)
class PromptSolver:
    """Asks the bare model."""

    name: str = "prompt"
    uses_model: bool = True
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Answerer"]:
        """Ignore the history."""
        yield _Answerer(environment)


@dataclass(frozen=True)
class _Answerer:
    environment: EvalEnvironment
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        return await ask_actor(self.environment.models, render("plain"), query.text)
