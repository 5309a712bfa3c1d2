"""Solvers that show the model some of the user's episodes and call it once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.core.records import Episode
from personaagent.eval.samples import Query, Sample, SolverOutput, TrainingResult
from personaagent.eval.solvers.actor_call import ask_actor, fit_memories
from personaagent.eval.solvers.environment import EvalEnvironment, SampleMemory
from personaagent.eval.solvers.user_summary import summarise_user
from personaagent.memory.format import format_summary

MAX_RECALLED = 50
"""Episodes recalled for a task that only recalls; its metrics cut them at their own k."""

Recall = Callable[[str, int], Awaitable[list[Episode]]]
"""Takes a query and k; returns at most k episodes, best first."""
MakeRecall = Callable[[Sample, EvalEnvironment, SampleMemory], Awaitable[Recall]]
"""Makes the recall of a solver, once for each sample."""


@dataclass(frozen=True)
class EpisodePrompt:
    """Shows at most ``top_k`` episodes, as many as the token budget allows.

    Args:
        prompt: the name of the prompt file.
        make_recall: decides which episodes are shown.
        summary: whether the critic first writes a summary of the user, which the prompt shows too.
    """

    name: str
    prompt: str
    make_recall: MakeRecall
    summary: bool = False
    uses_model: bool = True

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Answerer"]:
        """Remember the history, and summarise it if the prompt shows a summary."""
        async with environment.remember_sample(sample) as sample_memory:
            recall = await self.make_recall(sample, environment, sample_memory)
            if not self.summary:
                yield _Answerer(environment, recall, self.prompt, {})
                return
            training_result = await summarise_user(sample_memory)
            profile = await sample_memory.memory.profile.read()
            variables = {"summary": format_summary(profile.summary)}
            yield _Answerer(environment, recall, self.prompt, variables, training_result)

    @asynccontextmanager
    async def prepare_recall(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Recaller"]:
        """Remember the history; no model is called."""
        async with environment.remember_sample(sample) as sample_memory:
            yield _Recaller(await self.make_recall(sample, environment, sample_memory))


@dataclass(frozen=True)
class _Answerer:
    environment: EvalEnvironment
    recall: Recall
    prompt: str
    variables: dict[str, str]
    training_result: TrainingResult | None = None

    async def answer(self, query: Query) -> SolverOutput:
        settings = self.environment.settings
        recalled = await self.recall(query.text, settings.top_k)
        system, shown = fit_memories(self.prompt, recalled, settings, **self.variables)
        return await ask_actor(self.environment.models, system, query.text, shown)


@dataclass(frozen=True)
class _Recaller:
    recall: Recall
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        recalled = await self.recall(query.text, MAX_RECALLED)
        return SolverOutput(text=None, recalled=[episode.id for episode in recalled])


async def recall_nearest(
    sample: Sample, environment: EvalEnvironment, sample_memory: SampleMemory
) -> Recall:
    """Recall the episodes nearest to the query, as the agent does."""
    return sample_memory.recall


async def recall_latest(
    sample: Sample, environment: EvalEnvironment, sample_memory: SampleMemory
) -> Recall:
    """Recall the latest episodes, whatever the query."""

    async def recall(query: str, k: int) -> list[Episode]:
        return await sample_memory.memory.episodes.newest(k)

    return recall


RECENCY = EpisodePrompt("recency", "eval_recency", recall_latest)
RAG = EpisodePrompt("rag", "plain_rag", recall_nearest)
PAG = EpisodePrompt("pag", "eval_summary", recall_nearest, summary=True)
"""Source: Richardson et al. 2023, arXiv 2310.20081."""
