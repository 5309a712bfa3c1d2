"""``majority`` and ``similar``: solvers that call no language model."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.core.records import Episode
from personaagent.eval.samples import NO_ANSWER, Query, Sample, SolverOutput
from personaagent.eval.solvers.environment import EvalEnvironment, SampleMemory
from personaagent.models.embeddings import Embedder


@dataclass(frozen=True)
class MajorityLabel:
    """The user's most frequent label, the latest in a tie; without labels, the first option."""

    name: str = "majority"
    uses_model: bool = False
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_MajorityAnswerer"]:
        """Count the labels."""
        newest_first = Counter(reversed(labels(sample.history)))
        yield _MajorityAnswerer([label for label, _ in newest_first.most_common(1)])


@dataclass(frozen=True)
class _MajorityAnswerer:
    label: Sequence[str]
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        return SolverOutput(text=next(iter([*self.label, *query.options]), NO_ANSWER))


@dataclass(frozen=True)
class SimilarEpisode:
    """The label of the most similar labelled episode.

    If the labels are positions, which mean something else in every query: the option most similar
    to any of the user's earlier queries.
    """

    name: str = "similar"
    uses_model: bool = False
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_SimilarAnswerer"]:
        """Remember the history."""
        async with environment.remember_sample(sample) as sample_memory:
            yield _SimilarAnswerer(sample, environment, sample_memory)


@dataclass(frozen=True)
class _SimilarAnswerer:
    sample: Sample
    environment: EvalEnvironment
    sample_memory: SampleMemory
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        labels_are_positions = {*labels(self.sample.history)}.isdisjoint(query.options)
        if query.options and labels_are_positions:
            return SolverOutput(text=await self._most_similar_option(query.options))
        k = max(1, self.environment.settings.top_k)
        recalled = await self.sample_memory.recall(query.text, k)
        nearest = [episode for episode in recalled if episode.ground_truth is not None][:1]
        return SolverOutput(
            text=next(iter(labels(nearest)), NO_ANSWER),
            recalled=[episode.id for episode in nearest],
        )

    async def _most_similar_option(self, options: Sequence[str]) -> str:
        queries = [episode.query for episode in self.sample.history]
        return await nearest_option(options, queries, self.environment.embedder)


def labels(history: Sequence[Episode]) -> list[str]:
    """The ground truths of the labelled episodes."""
    return [episode.ground_truth for episode in history if episode.ground_truth is not None]


async def nearest_option(options: Sequence[str], texts: Sequence[str], embedder: Embedder) -> str:
    """The option whose embedding is nearest to that of any of the texts, by cosine."""
    import numpy as np

    if not texts:
        return NO_ANSWER
    option_vectors = np.asarray(await embedder.embed(options))
    similarity = option_vectors @ np.asarray(await embedder.embed(texts)).T
    return options[int(similarity.max(axis=1).argmax())]
