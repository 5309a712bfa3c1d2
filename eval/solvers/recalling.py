"""Methods that show the model some of the user's episodes and ask it once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.core.records import Episode
from personaagent.eval.samples import Answered, Query, Sample, TrainingResult
from personaagent.eval.solvers.ask import ask, with_memories
from personaagent.eval.solvers.environment import EvalEnvironment, Remembered
from personaagent.eval.solvers.summarise import summarise
from personaagent.memory.format import format_summary

MOST_RECALLED = 50
"""Episodes given where a task only recalls; its metric cuts them at its own k."""

Recall = Callable[[str, int], Awaitable[list[Episode]]]
"""The episodes that come to mind for a query, best first, at most so many."""
Recalling = Callable[[Sample, EvalEnvironment, Remembered], Awaitable[Recall]]
"""How a method comes to its ``Recall``, once for a case."""


@dataclass(frozen=True)
class Showing:
    """Shows ``top_k`` episodes, as many as the budget has room for, in the prompt of that name.

    With ``summary`` the critic first writes a summary of the user, which the prompt shows too.
    """

    name: str
    prompt: str
    recalling: Recalling
    summary: bool = False
    asks: bool = True

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Answerer"]:
        """Take in the history, and summarise it if that is wanted."""
        async with lab.remembered(case) as remembered:
            recall = await self.recalling(case, lab, remembered)
            if not self.summary:
                yield _Answerer(lab, recall, self.prompt, {})
                return
            learned = await summarise(remembered)
            known = await remembered.memory.profile.read()
            shown = {"summary": format_summary(known.summary)}
            yield _Answerer(lab, recall, self.prompt, shown, learned)

    @asynccontextmanager
    async def recalls(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Recaller"]:
        """Take in the history; no model is asked."""
        async with lab.remembered(case) as remembered:
            yield _Recaller(await self.recalling(case, lab, remembered))


@dataclass(frozen=True)
class _Answerer:
    lab: EvalEnvironment
    recall: Recall
    prompt: str
    variables: dict[str, str]
    learned: TrainingResult | None = None

    async def answer(self, question: Query) -> Answered:
        settings = self.lab.settings
        recalled = await self.recall(question.query, settings.top_k)
        system, shown = with_memories(self.prompt, recalled, settings, **self.variables)
        return await ask(self.lab.models, system, question.query, shown)


@dataclass(frozen=True)
class _Recaller:
    recall: Recall
    learned: None = None

    async def answer(self, question: Query) -> Answered:
        recalled = await self.recall(question.query, MOST_RECALLED)
        return Answered(text=None, recalled=[each.id for each in recalled])


async def nearest(case: Sample, lab: EvalEnvironment, remembered: Remembered) -> Recall:
    """Those nearest to the query, by the agent's own recall."""
    return remembered.recall


async def latest(case: Sample, lab: EvalEnvironment, remembered: Remembered) -> Recall:
    """The latest, whatever the query."""

    async def recall(query: str, k: int) -> list[Episode]:
        return await remembered.memory.episodes.newest(k)

    return recall


RECENCY = Showing("recency", "eval_recency", latest)
RAG = Showing("rag", "plain_rag", nearest)
PAG = Showing("pag", "eval_summary", nearest, summary=True)
"""Source: Richardson et al. 2023, arXiv 2310.20081."""
