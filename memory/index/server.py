"""The index on a Qdrant server (or, in tests, in memory): one collection, each user a tenant."""

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
    """An ``EpisodeIndex`` in ``collection`` of a Qdrant server, created by the first write.

    Args:
        client: an ``AsyncQdrantClient``, for a server or ``:memory:``.
        collection: its name; each embedding model has its own.
    """

    def __init__(self, client: "AsyncQdrantClient", collection: str) -> None:
        self._client = client
        self._collection = collection
        self._ready = False
        self._creating = asyncio.Lock()

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        from qdrant_client.models import PointStruct
        from qdrant_client.models import SparseVector as QdrantSparse

        if not entries:
            return
        async with _reachable():
            await self._create(len(entries[0].embedding.dense))
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

        own_entries = _user_filter(user, before)
        requests = []
        if dense is not None:
            requests.append(
                QueryRequest(
                    query=dense, using="dense", filter=own_entries, limit=limit, with_payload=True
                )
            )
        if bm25 is not None:
            requests.append(
                QueryRequest(
                    query=QdrantSparse(indices=bm25.indices, values=bm25.values),
                    using="bm25",
                    filter=own_entries,
                    limit=limit,
                    with_payload=True,
                    params=SearchParams(idf=IdfCorpusParams(corpus=own_entries)),
                )
            )
        async with _reachable():
            if not await self._exists():
                return Ranking([], [])
            responses = await self._client.query_batch_points(self._collection, requests)
        hits = [_hits(response.points) for response in responses]
        return Ranking(
            dense=hits.pop(0) if dense is not None else [], bm25=hits.pop(0) if hits else []
        )

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        from qdrant_client.models import PointIdsList

        async with _reachable():
            if episode_ids and await self._exists():
                points = PointIdsList(points=[point_id(user, id) for id in episode_ids])
                await self._client.delete(self._collection, points, wait=True)

    async def clear(self, user: str) -> None:
        from qdrant_client.models import FilterSelector

        self._ready = False  # somebody may have removed it: check again
        async with _reachable():
            if await self._exists():
                await self._client.delete(
                    self._collection, FilterSelector(filter=_user_filter(user)), wait=True
                )

    async def has_entries(self, user: str) -> bool:
        async with _reachable():
            if not await self._exists():
                return False
            points, _ = await self._client.scroll(self._collection, _user_filter(user), limit=1)
            return bool(points)

    async def count(self, user: str) -> int:
        async with _reachable():
            if not await self._exists():
                return 0
            result = await self._client.count(self._collection, count_filter=_user_filter(user))
            return result.count

    async def optimise(self) -> None:
        """Does nothing: a server optimises by itself."""

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
            await self._client.create_payload_index(
                self._collection,
                "user",
                models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
            )
            # A server in strict mode refuses to filter by a field that is not indexed.
            await self._client.create_payload_index(
                self._collection, "at", models.PayloadSchemaType.FLOAT
            )
            self._ready = True


def _user_filter(user: str, before: float | None = None) -> "Filter":
    """Matches the entries of ``user``, of a time ``before`` (Unix seconds)."""
    from qdrant_client.models import FieldCondition, Filter, MatchValue, Range

    conditions = [FieldCondition(key="user", match=MatchValue(value=user))]
    if before is not None:
        conditions.append(FieldCondition(key="at", range=Range(lt=before)))
    return Filter(must=[*conditions])


def _hits(points: Sequence["ScoredPoint"]) -> list[Hit]:
    return [
        Hit(point.payload["episode"], point.payload["at"], point.score)
        for point in points
        if point.payload
    ]


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
