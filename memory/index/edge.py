"""The embedded index: a Qdrant shard in the data folder, one process at a time."""

import asyncio
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.memory.index.protocol import Entry, Hit, Ranking, SparseVector, point_id

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, Filter

T = TypeVar("T")
BATCH = 500


class EdgeIndex:
    """An ``EpisodeIndex`` in ``folder``, opened (or, for the first write, made) when first used.

    No graph index is built: a search scans the vectors of one user, found through the tenant
    index, which is exact and fast for any one person's history. Deleting rewrites the segment,
    so that a deleted vector is gone from the disk and not merely marked.

    Args:
        folder: where the shard lives.
        wait: seconds to wait for another process that holds it.
    """

    def __init__(self, folder: Path, *, wait: float = 0.0) -> None:
        self._folder = folder
        self._wait = wait
        self._shard: EdgeShard | None = None
        self._opening = asyncio.Lock()

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        shard = await self._open(size=len(entries[0].embedding.dense))
        for start in range(0, len(entries), BATCH):
            await self._run(_upsert, shard, user, entries[start : start + BATCH])

    async def search(
        self, user: str, *, dense: list[float] | None, bm25: SparseVector | None, limit: int
    ) -> Ranking:
        shard = await self._open()
        if shard is None:
            return Ranking([], [])
        return await self._run(_search, shard, user, dense, bm25, limit)

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        shard = await self._open()
        if shard is not None and episode_ids:
            await self._run(_delete, shard, [point_id(user, each) for each in episode_ids])

    async def clear(self, user: str) -> None:
        shard = await self._open()
        if shard is not None:
            await self._run(_clear, shard, user)

    async def count(self, user: str) -> int:
        shard = await self._open()
        return 0 if shard is None else await self._run(_count, shard, user)

    async def settle(self) -> None:
        shard = await self._open()
        if shard is not None:
            await self._run(shard.optimize)
            await self._run(shard.flush)

    async def destroy(self) -> None:
        await self.aclose()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def aclose(self) -> None:
        if self._shard is not None:
            shard, self._shard = self._shard, None
            await self._run(_close, shard, self._folder)

    async def _open(self, size: int | None = None) -> Any:
        """The shard; None if it does not exist and no vector ``size`` says how to make it."""
        async with self._opening:
            if self._shard is None:
                self._shard = await self._hold(size)
            return self._shard

    async def _hold(self, size: int | None) -> "EdgeShard | None":
        """Open the shard, waiting a while for another process to let go of it."""
        held = AsyncRetrying(
            retry=retry_if_exception_type(_Held),
            stop=stop_after_delay(self._wait),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        try:
            return await held(asyncio.to_thread, _load_or_create, self._folder, size)
        except _Held as error:
            raise IndexUnavailable(
                f"The index is held by {error}: end it, or go on without recall."
            ) from error

    async def _run(self, call: Callable[..., T], *args: Any) -> T:
        try:
            return await asyncio.to_thread(call, *args)
        except Exception as error:  # the bindings raise bare Exception
            raise IndexDamaged(
                f"The index failed ({_first_line(error)}): run `personaagent memory reindex`."
            ) from error


class _Held(Exception):
    """Another process has the shard open; ``str()`` says which."""


def _holder(folder: Path) -> Path:
    return folder.with_suffix(".holder")


def _named_holder(folder: Path) -> str:
    try:
        return f"process {int(_holder(folder).read_text())}"
    except (OSError, ValueError):
        return "another process"


def _load_or_create(folder: Path, size: int | None) -> "EdgeShard | None":
    """The shard in ``folder``, marked as held by us; None if there is none and no ``size``."""
    exists = (folder / "edge_config.json").exists()
    if not exists and size is None:
        return None
    try:
        shard = _load(folder) if exists or size is None else _create(folder, size)
    except Exception as error:  # the bindings raise bare Exception
        if "WouldBlock" in str(error):
            raise _Held(_named_holder(folder)) from error
        raise IndexDamaged(
            f"The index cannot be opened ({_first_line(error)}): run `personaagent memory reindex`."
        ) from error
    _holder(folder).write_text(str(os.getpid()))
    return shard


def _load(folder: Path) -> "EdgeShard":
    from qdrant_edge import EdgeShard

    return EdgeShard.load(str(folder))


def _close(shard: "EdgeShard", folder: Path) -> None:
    shard.close()
    _holder(folder).unlink(missing_ok=True)


def _create(folder: Path, size: int) -> "EdgeShard":
    from qdrant_edge import (
        Distance,
        EdgeConfig,
        EdgeOptimizersConfig,
        EdgeShard,
        EdgeSparseVectorParams,
        EdgeVectorParams,
        HnswIndexConfig,
        KeywordIndexParams,
        Modifier,
        UpdateOperation,
    )

    folder.mkdir(parents=True, exist_ok=True)
    shard = EdgeShard.create(
        str(folder),
        EdgeConfig(
            vectors={"dense": EdgeVectorParams(size=size, distance=Distance.Cosine)},
            sparse_vectors={"bm25": EdgeSparseVectorParams(modifier=Modifier.Idf)},
            hnsw_config=HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10**9),
            optimizers=EdgeOptimizersConfig(
                deleted_threshold=1e-9, vacuum_min_vector_number=1, default_segment_number=1
            ),
        ),
    )
    shard.update(UpdateOperation.create_field_index("user", KeywordIndexParams(is_tenant=True)))
    return shard


def _upsert(shard: "EdgeShard", user: str, entries: Sequence[Entry]) -> None:
    from qdrant_edge import Point, UpdateOperation
    from qdrant_edge import SparseVector as EdgeSparse

    shard.update(
        UpdateOperation.upsert_points(
            [
                Point(
                    point_id(user, entry.episode_id),
                    {
                        "dense": entry.embedding.dense,
                        "bm25": EdgeSparse(
                            entry.embedding.sparse.indices, entry.embedding.sparse.values
                        ),
                    },
                    {"user": user, "episode": entry.episode_id, "at": entry.at},
                )
                for entry in entries
            ]
        )
    )


def _search(
    shard: "EdgeShard",
    user: str,
    dense: list[float] | None,
    bm25: SparseVector | None,
    limit: int,
) -> Ranking:
    from qdrant_edge import IdfParams, Query, QueryBatchRequest, QueryRequest, SearchParams
    from qdrant_edge import SparseVector as EdgeSparse

    own = _own(user)
    requests = []
    if dense is not None:
        nearest = Query.Nearest(dense, using="dense")
        requests.append(QueryRequest(limit, query=nearest, filter=own, with_payload=True))
    if bm25 is not None:
        nearest = Query.Nearest(EdgeSparse(bm25.indices, bm25.values), using="bm25")
        params = SearchParams(idf=IdfParams(corpus=own))
        requests.append(
            QueryRequest(limit, query=nearest, filter=own, with_payload=True, params=params)
        )
    found = [
        [Hit(point.payload["episode"], point.payload["at"]) for point in points if point.payload]
        for points in shard.query_batch(QueryBatchRequest(requests))
    ]
    return Ranking(
        dense=found.pop(0) if dense is not None else [], bm25=found.pop(0) if found else []
    )


def _delete(shard: "EdgeShard", points: list[str]) -> None:
    from qdrant_edge import UpdateOperation

    shard.update(UpdateOperation.delete_points(list(points)))
    shard.optimize()
    shard.flush()


def _clear(shard: "EdgeShard", user: str) -> None:
    from qdrant_edge import UpdateOperation

    shard.update(UpdateOperation.delete_points_by_filter(_own(user)))
    shard.optimize()
    shard.flush()


def _count(shard: "EdgeShard", user: str) -> int:
    from qdrant_edge import CountRequest

    return shard.count(CountRequest(exact=True, filter=_own(user)))


def _own(user: str) -> "Filter":
    from qdrant_edge import FieldCondition, Filter, MatchValue

    return Filter(must=[FieldCondition("user", match=MatchValue(user))])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
