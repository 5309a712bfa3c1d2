"""Which episodes stay out of a recall: the user said that they did not bear on a question like it.

Nothing else of such an episode changes: it is recalled for other questions, counted and learned from
as before. A question is like one that was marked if it asks the same; or if it is near to it in
meaning, nearer than to the episode itself, and has no word of the episode that the other lacks. What
all questions have in common is taken away before they are compared (as in
``nodes/agent/relevance.py``), so ``LEAST_LIKE`` holds for other embedding models, too. It was chosen
so that paraphrases pass, and questions about another thing of the same kind do not.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from personaagent.core.errors import ConfigurationError, DataError, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Episode
from personaagent.memory.passages import nearest_text
from personaagent.memory.ranking import same_query
from personaagent.memory.relevance_background import QUESTIONS
from personaagent.memory.terms import terms
from personaagent.memory.text_vectors import TextVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_LIKE = 0.65
"""The cosine of two questions that are alike, at least."""


async def without_irrelevant(
    episodes: Sequence[Episode],
    query: str,
    vectors: TextVectors | None,
    *,
    differing: Callable[[str], str],
    seconds: float,
) -> list[Episode]:
    """The recalled episodes, less those that were marked as irrelevant to a question like ``query``.

    The rest comes without its marks: these are words of other conversations. If the questions cannot
    be compared in so many seconds, or there are no ``vectors``, only the same question counts.

    Args:
        episodes: best first.
        query: what is asked.
        vectors: of the texts.
        differing: what differs in a query from others of its task.
        seconds: to embed the marked questions.
    """
    marked = [each for each in episodes if each.irrelevant_to]
    if not marked:
        return [*episodes]
    left_out = {each.id for each in marked if _asks_the_same(each, query, differing)}
    others = [each for each in marked if each.id not in left_out]
    if vectors is not None and others:
        try:
            async with asyncio.timeout(seconds):
                left_out |= await _marked_for_like(others, query, vectors, differing)
        except (TimeoutError, ServiceError, ConfigurationError, DataError) as error:
            count_failure(error)
    staying = [each for each in episodes if each.id not in left_out]
    return [each.model_copy(update={"irrelevant_to": []}) for each in staying]


def _asks_the_same(episode: Episode, query: str, differing: Callable[[str], str]) -> bool:
    return any(same_query(query, each, differing) for each in episode.irrelevant_to)


async def _marked_for_like(
    episodes: Sequence[Episode],
    query: str,
    vectors: TextVectors,
    differing: Callable[[str], str],
) -> set[str]:
    """The ids of those that were marked for a question which is near to the query."""
    asked = differing(query)
    marks = [differing(each) for episode in episodes for each in episode.irrelevant_to]
    own = [nearest_text(each) for each in episodes]
    common = (await vectors.of(QUESTIONS)).mean(axis=0)
    [direction] = _less(await vectors.of([asked]), common)
    likeness = iter((_less(await vectors.of(marks), common) @ direction).tolist())
    nearness = (_less(await vectors.of(own), common) @ direction).tolist()
    left_out = set()
    for episode, text, near in zip(episodes, own, nearness, strict=True):
        for mark in map(differing, episode.irrelevant_to):
            like = next(likeness)
            if like >= LEAST_LIKE and like > near and not _tells_more(text, asked, mark):
                left_out.add(episode.id)
    return left_out


def _tells_more(text: str, asked: str, marked: str) -> bool:
    """Whether the text has a word of what is asked that the marked question lacks: "cat", where that
    was about a dog."""
    return bool((terms(asked).keys() - terms(marked).keys()) & terms(text).keys())


def _less(vectors: "NDArray[np.float32]", common: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The vectors (n x d) without what is ``common`` to all, at length 1."""
    import numpy as np

    rest = vectors - common
    return np.asarray(rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9))
