"""The embedded index: a Qdrant shard in the data folder, one process at a time."""

import asyncio
import shutil
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.core.files import make_private
from personaagent.memory.index.protocol import Entry, Ranking, SparseVector, point_id
from personaagent.memory.index.shard import (
    BATCH,
    Held,
    copy_to,
    count,
    first_line,
    has_entries,
    holder_file,
    load_or_create,
    named_holder,
    optimise,
    own_filter,
    search,
    upsert,
)

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, UpdateOperation

T = TypeVar("T")


class EdgeIndex:
    """An ``EpisodeIndex`` in ``folder``, opened (or, for the first write, made) when first used.

    No graph index is built: a search scans the vectors of one user, found through the tenant
    index, which is exact and fast for any one person's history. Deleting rewrites the segment
    and begins the log anew, so that a deleted vector is gone from the disk, not merely marked.

    All is done in one thread, in order: no call meets a shard that another has closed.

    Args:
        folder: where the shard lives.
        wait: seconds to wait for another process that holds it.
    """

    def __init__(self, folder: Path, *, wait: float = 0.0) -> None:
        self._folder = folder
        self._wait = wait
        self._shard: EdgeShard | None = None
        self._lock = FileLock(folder.with_suffix(".lock"), timeout=0)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")

    async def upsert(self, user: str, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), BATCH):
            await self._run(
                upsert,
                user,
                entries[start : start + BATCH],
                size=len(entries[0].embedding.dense),
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
        return await self._run(search, user, dense, bm25, limit, before) or Ranking([], [])

    async def delete(self, user: str, episode_ids: Collection[str]) -> None:
        from qdrant_edge import UpdateOperation

        points: list[Any] = [point_id(user, each) for each in episode_ids]
        if points:
            await self._run(self._erase, UpdateOperation.delete_points(points))

    async def clear(self, user: str) -> None:
        from qdrant_edge import UpdateOperation

        await self._run(self._erase, UpdateOperation.delete_points_by_filter(own_filter(user)))

    async def has_entries(self, user: str) -> bool:
        return await self._run(has_entries, user) or False

    async def count(self, user: str) -> int:
        return await self._run(count, user) or 0

    async def optimise(self) -> None:
        await self._run(optimise)

    async def destroy(self) -> None:
        with suppress(IndexDamaged):
            await self.aclose()
        await self._call(shutil.rmtree, self._folder, True)

    async def aclose(self) -> None:
        if self._shard is not None:
            await self._call(self._close)

    async def _run(self, call: "Callable[..., T]", *args: Any, size: int | None = None) -> T | None:
        """``call`` with the shard, opened if need be, waiting a while for one that holds it.

        None if there is no shard and no vector ``size`` says how to make it.
        """
        held = AsyncRetrying(
            retry=retry_if_exception_type(Held),
            stop=stop_after_delay(self._wait),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        try:
            return await held(self._call, self._with_shard, size, call, *args)
        except Held as error:
            raise IndexUnavailable(
                f"The index is held by {error}: nothing can be recalled until that ends."
            ) from error

    async def _call(self, call: Callable[..., T], *args: Any) -> T:
        """``call`` in the one thread."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(call, *args))
        except (Held, IndexUnavailable):
            raise
        except Exception as error:  # the bindings raise bare Exception
            raise IndexDamaged(
                f"The index failed ({first_line(error)}): run `personaagent memory reindex`."
            ) from error

    def _with_shard(self, size: int | None, call: Callable[..., T], *args: Any) -> T | None:
        if self._shard is None and (size is not None or self._folder.exists()):
            self._shard = self._hold(size)
        return None if self._shard is None else call(self._shard, *args)

    def _hold(self, size: int | None) -> "EdgeShard | None":
        """Open or make the shard. The bindings' own lock guards neither the making of a shard
        nor its replacement, so that another one is held as long as this process uses it."""
        make_private(self._folder.parent)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise Held(named_holder(self._folder)) from error
        shard = None
        try:
            shard = load_or_create(self._folder, size)
        finally:
            if shard is None:
                self._lock.release()
        return shard

    def _erase(self, shard: "EdgeShard", deletion: "UpdateOperation") -> None:
        """Delete for good: what is left moves to a new shard, as the old one's log and segments
        still hold what they once held."""
        fresh = self._folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        shard.update(deletion)
        copy_to(fresh, shard)
        shard.close()
        self._shard = None
        shutil.rmtree(self._folder)
        if fresh.exists():
            fresh.rename(self._folder)
            self._shard = load_or_create(self._folder, None)
        if self._shard is None:
            self._let_go()

    def _close(self) -> None:
        shard, self._shard = self._shard, None
        if shard is not None:
            try:
                shard.close()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        holder_file(self._folder).unlink(missing_ok=True)
        self._lock.release()
