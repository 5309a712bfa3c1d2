"""Moves into the data folder, once, what the development server kept in ``.langgraph_api`` before.

LangGraph's server loads those files anyway. What is moved is erased from them at once; a move that
is cut off begins anew at the next start.
"""

import logging
import shutil
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from uuid import uuid4

from langgraph.store.base import BaseStore, Item, PutOp

from personaagent.server.checkpoints import ServerSaver

log = logging.getLogger(__name__)

ALL = 10**9
WRITES_PER_BATCH = 500
PERSONA = ("persona", "news")
"""Versions and notices of one persona: two of them cannot be merged."""
LEFT_OUT = ("index", "spending")
"""What only the old store's own index, or its day, needs."""
KEPT = ".kept"
"""Ends the name of the old file where something in it could not be moved."""


async def adopt_memory(store: BaseStore) -> None:
    """Move every user's memory into ``store``; what the user has there stands.

    Of a user who has learned rules in both, the persona in ``store`` stands, and the old file is kept
    beside the new one.
    """
    from langgraph_runtime_inmem.store import STORE

    old: Any = STORE
    items = sorted(_items(old), key=lambda item: item.namespace)
    if not items:
        return
    kept = 0
    for user, of_user in groupby(items, key=lambda item: item.namespace[1]):
        kept += not await _adopt_user(store, user, [*of_user])
    file = old._data.filename
    if kept:
        shutil.copyfile(file, file + KEPT)
        log.warning(
            "%d users had learned rules both on this server and with the command: those of the "
            "command stand; the server's memory of before is kept in %s.",
            kept,
            file + KEPT,
        )
    old._data.clear()
    old._data.sync()
    log.info("The memory in %s was moved to the data folder.", file)


async def adopt_checkpoints(saver: ServerSaver) -> None:
    """Copy every thread's checkpoints into ``saver`` and erase the old ones."""
    from langgraph_runtime_inmem.checkpoint import Checkpointer

    old: Any = Checkpointer()
    found = [checkpoint async for checkpoint in old.alist(None)]
    for checkpoint in reversed(found):
        position: Any = checkpoint.config["configurable"]
        parent = (checkpoint.parent_config or {}).get("configurable", {}).get("checkpoint_id")
        place: Any = {"configurable": {**position, "checkpoint_id": parent}}
        await saver.aput(place, checkpoint.checkpoint, checkpoint.metadata, {})
        for task, channel, value in checkpoint.pending_writes or []:
            await saver.aput_writes(checkpoint.config, [(channel, value)], task)
    if found:
        for part in (old.storage, old.writes, old.blobs):
            part.clear()
            part.sync()


def _items(store: Any) -> Iterator[Item]:
    for namespace in store.list_namespaces(prefix=("users",), limit=ALL):
        yield from store.search(namespace, limit=ALL)


async def _adopt_user(store: BaseStore, user: str, items: list[Item]) -> bool:
    """Whether all of it was moved."""
    here = ("users", user)
    takes_persona = await store.aget((*here, "persona"), f"{2:06d}") is None
    missing = [
        item
        for item in items
        if item.namespace[2] not in LEFT_OUT
        and (takes_persona if item.namespace[2] in PERSONA else await _is_missing(store, item))
    ]
    puts = [PutOp(item.namespace, item.key, item.value, index=False) for item in missing]
    puts += [
        PutOp((*here, "unindexed"), item.key, {}, index=False)
        for item in missing
        if item.namespace[2] == "episodes"
    ]
    puts.append(PutOp((*here, "profile"), "labels", {"revision": uuid4().hex}, index=False))
    for start in range(0, len(puts), WRITES_PER_BATCH):
        await store.abatch(puts[start : start + WRITES_PER_BATCH])
    learned = any(item.namespace[2:] == ("persona",) and item.key == "000002" for item in items)
    return takes_persona or not learned


async def _is_missing(store: BaseStore, item: Item) -> bool:
    return await store.aget(item.namespace, item.key) is None
