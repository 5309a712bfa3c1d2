"""The index on a Qdrant server (or, in tests, in memory): one collection, each user a tenant."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.memory.index.points import (
    bm25_request,
    dense_request,
    points_of,
    scores_of,
    user_filter,
)
from personaagent.memory.index.protocol import Entry, IndexQuery, Scores

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient
    from qdrant_client.models import Filter, QueryRequest, ScoredPoint

BATCH = 256


class QdrantIndex:
    """An ``EpisodeIndex`` in ``collection`` of a Qdrant server, created by the first write.

    Args:
        client: an ``AsyncQdrantClient``, for a server or ``:memory:``.
        collection: its name; each embedding model has its own.
    """

    kind = "qdrant"

    def __init__(self, client: "AsyncQdrantClient", collection: str) -> None:
        self._client = client
        self._collection = collection
        self._ready = False
        self._creating = asyncio.Lock()

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        points = [point for entry in entries for point in points_of(user, entry)]
        if not points:
            return
        await self.delete(user, [entry.episode_id for entry in entries])
        vectors = [passage.dense for entry in entries for passage in entry.passages]
        async with _reachable():
            await self._create(next(len(vector) for vector in vectors if vector is not None))
            for start in range(0, len(points), BATCH):
                batch = points[start : start + BATCH]
                await self._client.upsert(self._collection, batch, wait=True)

    async def search(self, user: str, query: IndexQuery) -> Scores:
        dense, terms, limit = query.dense, query.terms, query.limit
        own = user_filter(user, query.before, query.hidden)
        wider = limit + 1  # of passages with the same score, the server returns an arbitrary choice
        while True:
            requests = [] if dense is None else [dense_request(dense, own, wider)]
            requests += [bm25_request(terms, own, wider)] if terms else []
            found = await self._query(requests)
            if not any(_cut_among_equals(hits, limit, wider) for hits in found):
                break
            wider *= 2
        by_vector = found.pop(0) if found and dense is not None else []
        by_terms = found.pop(0) if found else []
        return scores_of(None if dense is None else by_vector, None if terms is None else by_terms)

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        if episode_ids:
            await self._delete(user_filter(user, only=episode_ids))

    async def clear(self, user: str) -> None:
        self._ready = False  # somebody may have removed it: check again
        await self._delete(user_filter(user))

    async def has_entries(self, user: str) -> bool:
        async with _reachable():
            if not await self._exists():
                return False
            points, _ = await self._client.scroll(self._collection, user_filter(user), limit=1)
            return bool(points)

    async def count(self, user: str) -> int:
        return await self._count(user_filter(user, first=True))

    async def count_of(self, user: str, episode_ids: Collection[str]) -> int:
        return await self._count(user_filter(user, only=episode_ids, first=True))

    async def aclose(self) -> None:
        await self._client.close()

    async def _query(self, requests: "list[QueryRequest]") -> "list[list[ScoredPoint]]":
        """The hits of each request; nothing if there is no collection."""
        async with _reachable():
            if not (requests and await self._exists()):
                return []
            responses = await self._client.query_batch_points(self._collection, requests)
        return [response.points for response in responses]

    async def _delete(self, points: "Filter") -> None:
        from qdrant_client.models import FilterSelector

        async with _reachable():
            if await self._exists():
                await self._client.delete(
                    self._collection, FilterSelector(filter=points), wait=True
                )

    async def _count(self, points: "Filter") -> int:
        async with _reachable():
            if not await self._exists():
                return 0
            result = await self._client.count(self._collection, count_filter=points)
            return result.count

    async def _exists(self) -> bool:
        if not self._ready and await self._client.collection_exists(self._collection):
            await self._index_fields()
            self._ready = True
        return self._ready

    async def _create(self, size: int) -> None:
        from qdrant_client import models

        async with self._creating:
            if await self._exists():
                return
            await self._client.create_collection(
                self._collection,
                vectors_config={
                    "dense": models.VectorParams(size=size, distance=models.Distance.COSINE)
                },
                sparse_vectors_config={
                    "bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)
                },
                # No global graph: each tenant that is large enough has its own.
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            )
            await self._index_fields()
            self._ready = True

    async def _index_fields(self) -> None:
        """Index the fields that filters name: a server in strict mode refuses others. A collection of
        version 0.1 lacks some of them."""
        from qdrant_client.models import KeywordIndexParams, KeywordIndexType, PayloadSchemaType

        tenant = KeywordIndexParams(type=KeywordIndexType.KEYWORD, is_tenant=True)
        await self._client.create_payload_index(self._collection, "user", tenant)
        for field, schema in (
            ("at", PayloadSchemaType.FLOAT),
            ("episode", PayloadSchemaType.KEYWORD),
            ("first", PayloadSchemaType.BOOL),
        ):
            await self._client.create_payload_index(self._collection, field, schema)


def _cut_among_equals(hits: "list[ScoredPoint]", limit: int, wider: int) -> bool:
    """Whether hits with the score of the last one that counts may be missing."""
    return len(hits) == wider and hits[-1].score == hits[limit - 1].score


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    """Turn the errors of a failing server into ``IndexUnavailable`` with one sentence."""
    from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code == 404:
            raise IndexDamaged(
                "The Qdrant server no longer has this collection: "
                "run `personaagent memory reindex`."
            ) from error
        raise IndexUnavailable(
            f"The Qdrant server refused the request (HTTP {error.status_code}): "
            "check QDRANT_URL and QDRANT_API_KEY."
        ) from error
    except (ApiException, OSError) as error:
        raise IndexUnavailable(
            f"The Qdrant server does not answer as it should ({type(error).__name__}): "
            "check QDRANT_URL and QDRANT_API_KEY."
        ) from error
