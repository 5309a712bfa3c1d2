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
    ShardInUse,
    copy_to,
    count,
    describe_holder,
    first_line,
    has_entries,
    holder_file,
    load_or_create,
    optimise,
    search,
    upsert,
    user_filter,
)

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, UpdateOperation

T = TypeVar("T")


class EdgeIndex:
    """An ``EpisodeIndex`` in ``folder``, opened on first use and created by the first write.

    There is no graph index: a search scans the vectors of one user, found through the tenant
    index. That is exact, and fast for the history of one person. Deleting rewrites the segments
    and starts a new log, so that a deleted vector is gone from the disk and not only marked.

    All calls run in one thread, in order, so that none meets a shard that another has closed.

    Args:
        folder: the folder of the shard.
        wait: seconds to wait for another process that has the shard open.
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

        points: list[Any] = [point_id(user, id) for id in episode_ids]
        if points:
            await self._run(self._erase, UpdateOperation.delete_points(points))

    async def clear(self, user: str) -> None:
        from qdrant_edge import UpdateOperation

        await self._run(self._erase, UpdateOperation.delete_points_by_filter(user_filter(user)))

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
        """``call`` with the shard; opens it first, and waits a while if another process has it.

        Returns None if there is no shard, and no vector ``size`` to create one with.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ShardInUse),
            stop=stop_after_delay(self._wait),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        try:
            return await retrying(self._call, self._with_shard, size, call, *args)
        except ShardInUse as error:
            raise IndexUnavailable(
                f"The index is held by {error}: nothing can be recalled until that ends."
            ) from error

    async def _call(self, call: Callable[..., T], *args: Any) -> T:
        """``call`` in the thread of the index."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(call, *args))
        except (ShardInUse, IndexUnavailable):
            raise
        except Exception as error:  # the bindings raise bare Exception
            raise IndexDamaged(
                f"The index failed ({first_line(error)}): run `personaagent memory reindex`."
            ) from error

    def _with_shard(self, size: int | None, call: Callable[..., T], *args: Any) -> T | None:
        if self._shard is None and (size is not None or self._folder.exists()):
            self._shard = self._open(size)
        return None if self._shard is None else call(self._shard, *args)

    def _open(self, size: int | None) -> "EdgeShard | None":
        """Open or create the shard, and hold a lock while this process uses it: the bindings' own
        lock guards neither the creation of a shard nor its replacement."""
        make_private(self._folder.parent)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise ShardInUse(describe_holder(self._folder)) from error
        shard = None
        try:
            shard = load_or_create(self._folder, size)
        finally:
            if shard is None:
                self._lock.release()
        return shard

    def _erase(self, shard: "EdgeShard", deletion: "UpdateOperation") -> None:
        """Delete for good: move what is left to a new shard, because the log and the segments of
        the old one still contain what was deleted."""
        new_folder = self._folder.with_suffix(".new")
        shutil.rmtree(new_folder, ignore_errors=True)
        shard.update(deletion)
        copy_to(new_folder, shard)
        shard.close()
        self._shard = None
        shutil.rmtree(self._folder)
        if new_folder.exists():
            new_folder.rename(self._folder)
            self._shard = load_or_create(self._folder, None)
        if self._shard is None:
            self._release()

    def _close(self) -> None:
        shard, self._shard = self._shard, None
        if shard is not None:
            try:
                shard.close()
            finally:
                self._release()

    def _release(self) -> None:
        holder_file(self._folder).unlink(missing_ok=True)
        self._lock.release()
