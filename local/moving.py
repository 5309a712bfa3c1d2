"""Restore on one machine."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from personaagent.local.agent import LocalAgent
from personaagent.memory.archive.reader import open_archive
from personaagent.memory.archive.restore import Restored, restore
from personaagent.memory.exchange.importer import ImportProgress, no_progress


async def restore_user(
    agent: LocalAgent,
    path: Path,
    user_id: str | None = None,
    *,
    passphrase: str | None = None,
    replace: bool = False,
    progress: ImportProgress = no_progress,
) -> Restored:
    """Bring back what an archive holds, once all of it was checked.

    Args:
        agent: the open agent.
        path: the archive.
        user_id: whose memory it becomes; None: the user's whose it was.
        passphrase: that of an encrypted archive.
        replace: forget everything about the user first; otherwise what is there stays. What was
            forgotten here before does not come back either way.
        progress: shows the steps.

    Raises:
        Unreadable, DataError: the archive cannot be used; nothing was changed.
        UsageError: the archive is encrypted, or the user id is not valid; nothing was changed.
        Conflict: the user's persona is being aligned; nothing was changed.
    """
    with ExitStack() as stack:
        archive = await asyncio.to_thread(stack.enter_context, open_archive(path, passphrase))
        user = user_id or archive.manifest.user
        if replace and await agent.memory(user).exists():
            await agent.forget_all(user, keep_tombstones=True)
        with agent.exclusive(user):  # what is restored begins after that
            return await restore(agent.memory(user), archive, agent.deps.settings, progress)
