"""What a Qdrant server is told, and what its answers mean: points, filters, requests and scores."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from personaagent.memory.index.protocol import PARTS, Entry, Scores
from personaagent.memory.index.rows import thread_number

if TYPE_CHECKING:
    from qdrant_client.models import Filter, PointStruct, QueryRequest, ScoredPoint

K1, B, LENGTH = 1.2, 0.4, 24
"""Of BM25 (Robertson and Zaragoza 2009). A server cannot know the average length of each user's
passages, so it is that of a question (terms)."""


def points_of(user: str, entry: Entry) -> "list[PointStruct]":
    """A point for each passage. Its id is a UUID of user, episode and number: no two users share one."""
    from qdrant_client.models import PointStruct, SparseVector

    episode = uuid5(uuid5(NAMESPACE_OID, user), entry.episode_id)
    return [
        PointStruct(
            id=str(uuid5(episode, str(number)) if number else episode),
            vector={
                "bm25": SparseVector(
                    indices=[*passage.terms], values=_document_weights(passage.terms)
                ),
                **({} if passage.dense is None else {"dense": passage.dense}),
            },
            payload={
                "user": user,
                "episode": entry.episode_id,
                "first": number == 0,
                "at": entry.at,
                "thread": thread_number(entry.thread),
                "span": [PARTS.index(passage.part), passage.start, passage.end],
            },
        )
        for number, passage in enumerate(entry.passages)
    ]


def _document_weights(terms: dict[int, float]) -> list[float]:
    length = sum(terms.values()) / LENGTH
    return [count * (K1 + 1) / (count + K1 * (1 - B + B * length)) for count in terms.values()]


def user_filter(
    user: str,
    before: float | None = None,
    hidden: Collection[str] = (),
    *,
    only: Collection[str] | None = None,
    first: bool = False,
) -> "Filter":
    """Matches the passages of ``user``: of a time ``before`` (Unix seconds), not of ``hidden``
    episodes, ``only`` of these, only the ``first`` of each episode."""
    from qdrant_client.models import FieldCondition, Filter, MatchAny, MatchValue, Range

    conditions = [FieldCondition(key="user", match=MatchValue(value=user))]
    if before is not None:
        conditions.append(FieldCondition(key="at", range=Range(lt=before)))
    if only is not None:
        conditions.append(FieldCondition(key="episode", match=MatchAny(any=[*only])))
    if first:
        conditions.append(FieldCondition(key="first", match=MatchValue(value=True)))
    others = FieldCondition(key="episode", match=MatchAny(any=[*hidden])) if hidden else None
    return Filter(must=[*conditions], must_not=None if others is None else [others])


def dense_request(vector: list[float], own: "Filter", limit: int) -> "QueryRequest":
    """Ask for the passages nearest by embedding."""
    from qdrant_client.models import QueryRequest

    return QueryRequest(query=vector, using="dense", filter=own, limit=limit, with_payload=True)


def bm25_request(terms: dict[int, float], own: "Filter", limit: int) -> "QueryRequest":
    """Ask for the passages nearest by BM25, with the document frequencies of the user's own."""
    from qdrant_client.models import IdfCorpusParams, QueryRequest, SearchParams, SparseVector

    return QueryRequest(
        query=SparseVector(indices=[*terms], values=[*terms.values()]),
        using="bm25",
        filter=own,
        limit=limit,
        with_payload=True,
        params=SearchParams(idf=IdfCorpusParams(corpus=own)),
    )


def scores_of(
    dense: "Sequence[ScoredPoint] | None", bm25: "Sequence[ScoredPoint] | None"
) -> Scores:
    """The scores of the episodes that either search found; None for a search that was not made.

    An episode that one of them did not find has the lowest dense score, or 0 by BM25.
    """
    import numpy as np

    points: dict[str, ScoredPoint] = {}
    best_dense, best_bm25 = _best(dense or [], points), _best(bm25 or [], points)
    lowest = min(best_dense.values(), default=0.0)
    payloads = [point.payload or {} for point in points.values()]
    return Scores(
        episode_ids=np.array([*points], dtype=object),
        at=np.array([payload["at"] for payload in payloads], dtype=np.float64),
        thread=np.array([payload["thread"] for payload in payloads], dtype=np.int64),
        dense=None
        if dense is None
        else np.array([best_dense.get(id, lowest) for id in points], dtype=np.float32),
        bm25=None
        if bm25 is None
        else np.array([best_bm25.get(id, 0.0) for id in points], dtype=np.float32),
        passages=np.array([payload["span"] for payload in payloads], dtype=np.int32).reshape(-1, 3),
    )


def _best(hits: "Sequence[ScoredPoint]", points: "dict[str, ScoredPoint]") -> dict[str, float]:
    """The highest score of each episode; its point goes into ``points`` if it has none yet."""
    scores: dict[str, float] = {}
    for hit in hits:  # best first
        episode = (hit.payload or {})["episode"]
        scores.setdefault(episode, hit.score)
        points.setdefault(episode, hit)
    return scores
