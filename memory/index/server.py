"""The index on a Qdrant server (or, in tests, in memory): one collection, a user is a tenant."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.memory.index.protocol import Entry, Hit, Ranking, SparseVector, point_id

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient
    from qdrant_client.models import Filter, ScoredPoint

BATCH = 256


class QdrantIndex:
    """An ``EpisodeIndex`` in ``collection`` of a Qdrant server, made at the first write.

    Args:
        client: an ``AsyncQdrantClient``, for a server or ``:memory:``.
        collection: its name; one for each embedding model.
    """

    def __init__(self, client: "AsyncQdrantClient", collection: str) -> None:
        self._client = client
        self._collection = collection
        self._ready = False
        self._making = asyncio.Lock()

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        from qdrant_client.models import PointStruct
        from qdrant_client.models import SparseVector as QdrantSparse

        if not entries:
            return
        async with _reachable():
            await self._make(len(entries[0].embedding.dense))
            for start in range(0, len(entries), BATCH):
                await self._client.upsert(
                    self._collection,
                    [
                        PointStruct(
                            id=point_id(user, entry.episode_id),
                            vector={
                                "dense": entry.embedding.dense,
                                "bm25": QdrantSparse(
                                    indices=entry.embedding.sparse.indices,
                                    values=entry.embedding.sparse.values,
                                ),
                            },
                            payload={"user": user, "episode": entry.episode_id, "at": entry.at},
                        )
                        for entry in entries[start : start + BATCH]
                    ],
                    wait=True,
                )

    async def search(
        self,
        user: str,
        *,
        dense: list[float] | None,
        bm25: SparseVector | None,
        limit: int,
        before: float | None = None,
    ) -> Ranking:
        from qdrant_client.models import IdfCorpusParams, QueryRequest, SearchParams
        from qdrant_client.models import SparseVector as QdrantSparse

        own = _own(user, before)
        requests = []
        if dense is not None:
            requests.append(
                QueryRequest(query=dense, using="dense", filter=own, limit=limit, with_payload=True)
            )
        if bm25 is not None:
            requests.append(
                QueryRequest(
                    query=QdrantSparse(indices=bm25.indices, values=bm25.values),
                    using="bm25",
                    filter=own,
                    limit=limit,
                    with_payload=True,
                    params=SearchParams(idf=IdfCorpusParams(corpus=own)),
                )
            )
        async with _reachable():
            if not await self._exists():
                return Ranking([], [])
            found = await self._client.query_batch_points(self._collection, requests)
        hits = [_hits(response.points) for response in found]
        return Ranking(
            dense=hits.pop(0) if dense is not None else [], bm25=hits.pop(0) if hits else []
        )

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        from qdrant_client.models import PointIdsList

        async with _reachable():
            if episode_ids and await self._exists():
                points = PointIdsList(points=[point_id(user, each) for each in episode_ids])
                await self._client.delete(self._collection, points, wait=True)

    async def clear(self, user: str) -> None:
        from qdrant_client.models import FilterSelector

        self._ready = False  # it is made anew where somebody has removed it
        async with _reachable():
            if await self._exists():
                await self._client.delete(
                    self._collection, FilterSelector(filter=_own(user)), wait=True
                )

    async def has_entries(self, user: str) -> bool:
        async with _reachable():
            if not await self._exists():
                return False
            points, _ = await self._client.scroll(self._collection, _own(user), limit=1)
            return bool(points)

    async def count(self, user: str) -> int:
        async with _reachable():
            if not await self._exists():
                return 0
            counted = await self._client.count(self._collection, count_filter=_own(user))
            return counted.count

    async def optimise(self) -> None:
        """Nothing to do: a server optimises by itself."""

    async def destroy(self) -> None:
        async with _reachable():
            await self._client.delete_collection(self._collection)
            self._ready = False

    async def aclose(self) -> None:
        await self._client.close()

    async def _exists(self) -> bool:
        if not self._ready:
            self._ready = await self._client.collection_exists(self._collection)
        return self._ready

    async def _make(self, size: int) -> None:
        from qdrant_client import models

        async with self._making:
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
                # No global graph: each tenant has a graph of its own, where it is large enough.
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            )
            await self._client.create_payload_index(
                self._collection,
                "user",
                models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
            )
            # A server in strict mode refuses to filter by what is not indexed.
            await self._client.create_payload_index(
                self._collection, "at", models.PayloadSchemaType.FLOAT
            )
            self._ready = True


def _own(user: str, before: float | None = None) -> "Filter":
    """What belongs to ``user``, and to a time ``before`` (Unix seconds)."""
    from qdrant_client.models import FieldCondition, Filter, MatchValue, Range

    own = [FieldCondition(key="user", match=MatchValue(value=user))]
    if before is not None:
        own.append(FieldCondition(key="at", range=Range(lt=before)))
    return Filter(must=[*own])


def _hits(points: Sequence["ScoredPoint"]) -> list[Hit]:
    return [
        Hit(point.payload["episode"], point.payload["at"], point.score)
        for point in points
        if point.payload
    ]


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    """Turn what a failing server gives into one sentence."""
    from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code == 404:
            raise IndexDamaged(
                "The Qdrant server has no such collection any more: "
                "run `personaagent memory reindex`."
            ) from error
        raise IndexUnavailable(
            f"The Qdrant server refused (HTTP {error.status_code}): "
            "check QDRANT_URL and QDRANT_API_KEY."
        ) from error
    except (ApiException, OSError) as error:
        raise IndexUnavailable(
            f"The Qdrant server does not answer as it should ({type(error).__name__}): "
            "check QDRANT_URL and QDRANT_API_KEY."
        ) from error
