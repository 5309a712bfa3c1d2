"""``majority`` and ``similar``: what can be had without a model."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from personaagent.core.records import Episode
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.solvers.environment import EvalEnvironment, Remembered
from personaagent.models.embeddings import Embedder

NO_ANSWER = ""
"""Where the history gives none: no task can read it."""


@dataclass(frozen=True)
class Majority:
    """The user's most frequent label, the latest of several; without labels the first option."""

    name: str = "majority"
    asks: bool = False
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_MajorityAnswerer"]:
        """Count the labels."""
        newest_first = Counter(reversed(labels(case.history)))
        yield _MajorityAnswerer([label for label, _ in newest_first.most_common(1)])


@dataclass(frozen=True)
class _MajorityAnswerer:
    label: Sequence[str]
    learned: None = None

    async def answer(self, question: Query) -> Answered:
        return Answered(text=next(iter([*self.label, *question.options]), NO_ANSWER))


@dataclass(frozen=True)
class Similar:
    """The label of the most similar labelled episode.

    Where labels are positions, which say nothing of another question, the option that is most
    similar to any of the user's queries.
    """

    name: str = "similar"
    asks: bool = False
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_SimilarAnswerer"]:
        """Take in the history."""
        async with lab.remembered(case) as remembered:
            yield _SimilarAnswerer(case, lab, remembered)


@dataclass(frozen=True)
class _SimilarAnswerer:
    case: Sample
    lab: EvalEnvironment
    remembered: Remembered
    learned: None = None

    async def answer(self, question: Query) -> Answered:
        known = {*labels(self.case.history)}
        if question.options and known.isdisjoint(question.options):
            queries = [each.query for each in self.case.history]
            return Answered(text=await nearest(question.options, queries, self.lab.embedder))
        recalled = await self.remembered.recall(question.query, max(1, self.lab.settings.top_k))
        found = [each for each in recalled if each.ground_truth is not None][:1]
        return Answered(
            text=next(iter(labels(found)), NO_ANSWER), recalled=[each.id for each in found]
        )


def labels(history: Sequence[Episode]) -> list[str]:
    """What the user wanted, in each episode where they said so."""
    return [each.ground_truth for each in history if each.ground_truth is not None]


async def nearest(options: Sequence[str], texts: Sequence[str], embedder: Embedder) -> str:
    """The option whose embedding is nearest to that of any of ``texts`` (cosine)."""
    import numpy as np

    if not texts:
        return NO_ANSWER
    likeness = np.asarray(await embedder.embed(options)) @ np.asarray(await embedder.embed(texts)).T
    return options[int(likeness.max(axis=1).argmax())]
