"""Searching an index in a test, and its settings for a Qdrant server."""

from typing import TYPE_CHECKING

from personaagent.core.settings import Settings, load_settings
from personaagent.memory.index.protocol import EpisodeIndex, IndexQuery, Scores
from personaagent.memory.terms import terms
from tests.support.entries import EMBEDDER
from tests.support.qdrant_server import Server

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEY = "key-of-the-server"


def on_server(server: Server, key: str = KEY, **changes: object) -> Settings:
    """Settings for this server."""
    return load_settings(qdrant_url=server.url, qdrant_api_key=key, **changes)


Ranking = dict[str, float]
"""The scores of what was found, by episode, best first."""


async def found(
    index: EpisodeIndex, user: str, query: str, limit: int = 10, before: float | None = None
) -> tuple[Ranking, Ranking]:
    """What was found by meaning, and by word."""
    [dense] = await EMBEDDER.embed([query])
    scores = await index.search(user, IndexQuery(dense, terms(query), limit, before))
    assert scores.dense is not None
    assert scores.bm25 is not None
    by_word = ranking(scores, scores.bm25)
    return ranking(scores, scores.dense), {id: each for id, each in by_word.items() if each > 0}


def ranking(scores: Scores, column: "NDArray[np.float32]") -> Ranking:
    """A column of the scores by episode, best first."""
    pairs = zip(scores.episode_ids, column.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))
