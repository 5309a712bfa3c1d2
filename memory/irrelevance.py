"""Which episodes stay out of a recall: the user said that they did not bear on a question like it.

Nothing else of such an episode changes: it is recalled for other questions, counted and learned from
as before. A question is like one that was marked if it asks the same, or if it is nearer in meaning
to it than to the episode itself, and near enough: what all questions have in common is taken away
before (as in ``nodes/agent/relevance.py``), so ``LEAST_LIKE`` holds for other embedding models, too.
It was chosen so that paraphrases pass, and questions about another thing of the same kind do not.
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
    questions = [differing(each) for episode in episodes for each in episode.irrelevant_to]
    own = [nearest_text(each) for each in episodes]
    common = (await vectors.of(QUESTIONS)).mean(axis=0)
    [asked] = _less(await vectors.of([differing(query)]), common)
    to_questions = iter((_less(await vectors.of(questions), common) @ asked).tolist())
    to_own = (_less(await vectors.of(own), common) @ asked).tolist()
    left_out = set()
    for episode, itself in zip(episodes, to_own, strict=True):
        nearest = max(next(to_questions) for _ in episode.irrelevant_to)
        if nearest >= LEAST_LIKE and nearest > itself:
            left_out.add(episode.id)
    return left_out


def _less(vectors: "NDArray[np.float32]", common: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The vectors (n x d) without what is ``common`` to all, at length 1."""
    import numpy as np

    rest = vectors - common
    return np.asarray(rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9))
