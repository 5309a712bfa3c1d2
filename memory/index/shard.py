"""Operations on one embedded Qdrant shard. All of them block."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from personaagent.core.errors import IndexDamaged
from personaagent.core.files import make_private
from personaagent.memory.index.protocol import Entry, Hit, Ranking, SparseVector, point_id

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, Filter, Point

BATCH = 500


class ShardInUse(Exception):
    """Another process has the shard open; ``str()`` says which."""


def holder_file(folder: Path) -> Path:
    """The file that names the process which has the shard in ``folder`` open."""
    return folder.with_suffix(".holder")


def describe_holder(folder: Path) -> str:
    """The process that has the shard open, for an error message."""
    try:
        return f"process {int(holder_file(folder).read_text())}"
    except (OSError, ValueError):
        return "another process"


def load_or_create(folder: Path, size: int | None) -> "EdgeShard | None":
    """The shard in ``folder``, with this process as its holder; None if there is none and no ``size``."""
    exists = (folder / "edge_config.json").exists()
    if not exists and size is None:
        return None
    try:
        shard = _load(folder) if exists or size is None else _create(folder, size)
    except Exception as error:  # the bindings raise bare Exception
        raise IndexDamaged(
            f"The index cannot be opened ({first_line(error)}): run `personaagent memory reindex`."
        ) from error
    holder_file(folder).write_text(str(os.getpid()))
    return shard


def _load(folder: Path) -> "EdgeShard":
    from qdrant_edge import EdgeShard

    return EdgeShard.load(str(folder))


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
        Memory,
        Modifier,
        UpdateOperation,
        VectorStorageDatatype,
    )

    make_private(folder)
    shard = EdgeShard.create(
        str(folder),
        EdgeConfig(
            # Half precision, and read from the file as needed: a search reads the vectors of one user.
            vectors={
                "dense": EdgeVectorParams(
                    size=size,
                    distance=Distance.Cosine,
                    datatype=VectorStorageDatatype.Float16,
                    memory=Memory.Cold,
                )
            },
            sparse_vectors={"bm25": EdgeSparseVectorParams(modifier=Modifier.Idf)},
            hnsw_config=HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10**9),
            optimizers=EdgeOptimizersConfig(
                deleted_threshold=1e-9, vacuum_min_vector_number=1, default_segment_number=1
            ),
        ),
    )
    shard.update(UpdateOperation.create_field_index("user", KeywordIndexParams(is_tenant=True)))
    return shard


def upsert(shard: "EdgeShard", user: str, entries: Sequence[Entry]) -> None:
    """Add the entries of ``user``, replacing those of the same episodes."""
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


def search(
    shard: "EdgeShard",
    user: str,
    dense: list[float] | None,
    bm25: SparseVector | None,
    limit: int,
    before: float | None,
) -> Ranking:
    """The nearest entries of ``user`` (and of a time ``before``), with term statistics of only those."""
    from qdrant_edge import IdfParams, Query, QueryBatchRequest, QueryRequest, SearchParams
    from qdrant_edge import SparseVector as EdgeSparse

    own_entries = user_filter(user, before)
    requests = []
    if dense is not None:
        nearest = Query.Nearest(dense, using="dense")
        requests.append(QueryRequest(limit, query=nearest, filter=own_entries, with_payload=True))
    if bm25 is not None:
        nearest = Query.Nearest(EdgeSparse(bm25.indices, bm25.values), using="bm25")
        params = SearchParams(idf=IdfParams(corpus=own_entries))
        requests.append(
            QueryRequest(limit, query=nearest, filter=own_entries, with_payload=True, params=params)
        )
    rankings = [
        [
            Hit(point.payload["episode"], point.payload["at"], point.score)
            for point in points
            if point.payload
        ]
        for points in shard.query_batch(QueryBatchRequest(requests))
    ]
    return Ranking(
        dense=rankings.pop(0) if dense is not None else [], bm25=rankings.pop(0) if rankings else []
    )


def copy_to(folder: Path, shard: "EdgeShard") -> None:
    """Write all points of ``shard``, if there are any, to a new shard in ``folder``."""
    from qdrant_edge import UpdateOperation

    copy: EdgeShard | None = None
    for points in _pages(shard):
        copy = copy or _create(folder, _size(points[0]))
        copy.update(UpdateOperation.upsert_points(points))
    if copy is not None:
        copy.close()


def _size(point: "Point") -> int:
    vectors = point.vector
    assert isinstance(vectors, dict)
    dense = vectors["dense"]
    assert isinstance(dense, list)
    return len(dense)


def _pages(shard: "EdgeShard") -> "Iterator[list[Point]]":
    from qdrant_edge import Point, ScrollRequest

    offset = None
    while True:
        records, offset = shard.scroll(
            ScrollRequest(limit=BATCH, offset=offset, with_payload=True, with_vector=True)
        )
        if records:
            yield [Point(record.id, record.vector or {}, record.payload) for record in records]
        if offset is None:
            return


def optimise(shard: "EdgeShard") -> None:
    """Merge and vacuum the segments, and flush everything to the disk."""
    shard.optimize()
    shard.flush()


def has_entries(shard: "EdgeShard", user: str) -> bool:
    """Whether ``user`` has any entry."""
    from qdrant_edge import ScrollRequest

    points, _ = shard.scroll(ScrollRequest(limit=1, filter=user_filter(user)))
    return bool(points)


def count(shard: "EdgeShard", user: str) -> int:
    """How many entries ``user`` has."""
    from qdrant_edge import CountRequest

    return shard.count(CountRequest(exact=True, filter=user_filter(user)))


def user_filter(user: str, before: float | None = None) -> "Filter":
    """Matches the entries of ``user``, of a time ``before`` (Unix seconds)."""
    from qdrant_edge import FieldCondition, Filter, MatchValue, RangeFloat

    conditions = [FieldCondition("user", match=MatchValue(user))]
    if before is not None:
        conditions.append(FieldCondition("at", range=RangeFloat(lt=before)))
    return Filter(must=[*conditions])


def first_line(error: Exception) -> str:
    """The message of the bindings, without the backtrace."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
