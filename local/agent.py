"""The agent on one machine: its store, checkpoints and index are in the user's data folder."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, aclosing, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langgraph.store.base import BaseStore
from pydantic import ValidationError

from personaagent.core.alignment import Alignment
from personaagent.core.alignment_state import AlignmentContext, alignment_thread
from personaagent.core.answer import Answer
from personaagent.core.errors import ModelUnavailable, UsageError
from personaagent.core.ids import match_prefix, may_be_prefix
from personaagent.core.settings import Settings
from personaagent.local.turn import TurnRunner, last_answer
from personaagent.local.turn_events import TurnEvent
from personaagent.memory.data_folder import Files, conversation_thread, open_files
from personaagent.memory.derived import Derived
from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.forget_statement import forget_statement
from personaagent.memory.spending import delete_accounts
from personaagent.memory.summary import Progress, SummaryRefresh, refresh_summary
from personaagent.memory.undo import Undoable, undo
from personaagent.memory.user import UserMemory
from personaagent.models.metering import metered
from personaagent.nodes.background_tasks import BackgroundTasks
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.user_meter import summary_meter

if TYPE_CHECKING:
    from personaagent.local.alignment import AlignmentRunner, Approve, OnStep


class LocalAgent:
    """The agent with everything it needs, open; ``open_local`` makes it."""

    def __init__(self, deps: Dependencies, files: Files) -> None:
        self.deps = deps
        self._files = files
        self._turns = TurnRunner.over(deps, files)
        self._background = BackgroundTasks[Alignment]("The alignment in the background")

    @cached_property
    def _alignments(self) -> "AlignmentRunner":
        """Made at its first use: its graph is a fifth of what there is to import."""
        from personaagent.local.alignment import AlignmentRunner

        return AlignmentRunner.over(self.deps, self._files)

    @property
    def store(self) -> BaseStore:
        """The store that holds what is remembered."""
        return self._files.store

    def memory(self, user_id: str) -> UserMemory:
        """The memory of this one user.

        Raises:
            UsageError: the user id is not valid.
        """
        return self.deps.memory.of(self.store, user_id)

    async def conversation_named(self, user_id: str, name: str) -> str:
        """The user's conversation of that name, or the one with a generated name that begins so;
        else ``name``, which starts one.

        Raises:
            UsageError: several begin so, or the user id is not valid.
        """
        if not may_be_prefix(name):
            return name
        prefix = conversation_thread(user_id, "")
        names = [thread.removeprefix(prefix) for thread in await self._files.threads(user_id)]
        return name if name in names else match_prefix(name, names) or name

    async def ask(self, text: str, user_id: str, **options: Any) -> Answer:
        """Run one turn and return its answer; options and errors as of ``stream``."""
        async with aclosing(self.stream(text, user_id, **options)) as events:
            answer = await last_answer(events)
        if answer is None:
            raise ModelUnavailable("The turn ended without an answer: try again.")
        return answer

    def stream(self, text: str, user_id: str, **options: Any) -> AsyncGenerator[TurnEvent, None]:
        """Run one turn and yield what happens; options and errors as of ``TurnRunner.stream``."""
        return self._turns.stream(text, user_id, **options)

    async def align(
        self,
        user_id: str,
        *,
        trigger: str = "library",
        approve: "Approve | None" = None,
        on_step: "OnStep | None" = None,
        **options: Any,
    ) -> Alignment:
        """Align the user's persona with what they wanted; a run that was killed is resumed.

        Args:
            user_id: whose persona.
            trigger: who starts the run, for the record.
            approve: asks the user before anything is published; None publishes without asking.
            on_step: called after every step.
            options: the fields of ``AlignmentContext``; the settings fill in the rest.

        Raises:
            UsageError: an option is not valid; nothing was done.
            Conflict: another alignment of the user is running; nothing was done.
            ServiceError, ConfigurationError, DataError: the run failed. Nothing was changed, and the
                next run does not repeat the steps that were finished.
        """
        context = _alignment_context(user_id, approve=approve is not None, **options)
        return await self._alignments.align(
            context, trigger=trigger, approve=approve, on_step=on_step
        )

    async def last_alignment(self, user_id: str) -> Alignment | None:
        """What the user's last alignment came to; None if there is none, or if it did not end."""
        return await self._alignments.last(user_id)

    def aligning(self, user_id: str) -> bool:
        """Whether an alignment of the user is running in the background."""
        return self._background.is_running(user_id)

    def align_in_background(self, user_id: str) -> asyncio.Task[Alignment]:
        """Start an alignment beside the conversation, or return the one that is running."""
        return self._background.start(user_id, lambda: self.align(user_id, trigger="chat"))

    async def align_if_due(self, user_id: str) -> asyncio.Task[Alignment] | None:
        """Start one if there are as many new labels as the settings ask for and none failed lately."""
        if not self._background.may_start(user_id):
            return None
        due = await self.memory(user_id).unaligned.due(self.deps.settings.align_after)
        return self.align_in_background(user_id) if due else None

    async def labels_missing(self, user_id: str) -> int:
        """How many labels are missing until ``align_if_due`` starts an alignment; 0 if it never does."""
        return await self.memory(user_id).unaligned.missing(self.deps.settings.align_after)

    async def users_to_align(self, after: int) -> list[str]:
        """The users with at least ``after`` labels that alignment has not seen; for the operator."""
        users = await self._files.users_with_new_labels()
        return [user for user in users if await self.memory(user).unaligned.due(after)]

    async def refresh_profile(
        self, user_id: str, progress: Progress | None = None
    ) -> SummaryRefresh:
        """Bring the profile summary up to date, oldest episodes first, as far as one refresh goes.

        Args:
            user_id: whose.
            progress: told, after each call of the critic, how many episodes of how many were read.
        """
        settings = self.deps.settings
        memory = self.memory(user_id)
        with metered(summary_meter(memory, settings)):
            return await refresh_summary(
                memory,
                await self.deps.models.chat("critic"),
                max_calls=settings.summary_calls,
                zone=settings.zone,
                progress=progress,
            )

    async def forget(
        self, user_id: str, episode_ids: list[str], *, derived: Derived = "blank"
    ) -> Receipt:
        """Forget these episodes, all that rested on them alone, and the threads that held them.

        ``derived`` says what becomes of answers that were drawn from them.
        An alignment that is running in the background is cancelled first.

        Raises:
            UnknownEpisode, IndexUnavailable: nothing was forgotten.
            Conflict: another process is aligning the user; nothing was forgotten.
        """
        await self._background.cancel(user_id)
        async with self._forgetting(user_id) as memory:
            delete_threads = self._files.delete_threads
            receipt = await forget(memory, episode_ids, delete_threads, derived=derived)
            # Its rules and facts rest on more episodes than the ones noted with the thread.
            await self._files.delete_threads([alignment_thread(user_id)])
        await self._files.erase_deleted()
        return receipt

    async def forget_statement(self, user_id: str, statement_id: str) -> Receipt:
        """Forget a statement of the profile for good, and the threads that held its text.

        An alignment that is running in the background is cancelled first.

        Raises:
            Unknown: there is no such statement; nothing was forgotten.
            Conflict: another process is aligning the user; nothing was forgotten.
        """
        await self._background.cancel(user_id)
        async with self._forgetting(user_id) as memory:
            delete_threads = self._files.delete_threads
            receipt = await forget_statement(memory, statement_id, delete_threads)
            await delete_threads([alignment_thread(user_id)])
        await self._files.erase_deleted()
        return receipt

    async def forget_all(self, user_id: str, *, keep_tombstones: bool = False) -> Receipt:
        """Forget everything about this user: nothing of theirs stays in the data folder, unless
        ``keep_tombstones`` leaves what recognises episodes and statements that were forgotten before.

        Raises:
            IndexUnavailable: nothing was forgotten.
            Conflict: another process is aligning the user; nothing was forgotten.
        """
        await self._background.cancel(user_id)
        async with self._forgetting(user_id, remove_locks=True) as memory:
            on_servers = await memory.conversations.threads()
            threads = {*await self._files.threads(user_id), *on_servers}
            receipt = await forget_all(
                memory, threads, self._files.delete_threads, keep_tombstones=keep_tombstones
            )
            await delete_accounts(memory.store)
        await self._files.erase_deleted()
        return receipt

    @asynccontextmanager
    async def _forgetting(
        self, user_id: str, *, remove_locks: bool = False
    ) -> AsyncIterator[UserMemory]:
        """The user's memory, after other forgettings of theirs, and with alignments kept out."""
        memory = self.memory(user_id)
        async with memory.forgetting():
            with self._files.exclusive(user_id, remove_lock=remove_locks):
                yield memory
                if remove_locks:
                    await self.deps.memory.drop_lock(user_id)

    def exclusive(self, user_id: str) -> AbstractContextManager[None]:
        """Keep out alignments of the user, in any process, while the block runs.

        Raises:
            Conflict: an alignment of the user, or a forgetting, is running.
        """
        return self._files.exclusive(user_id)

    async def pack(self) -> None:
        """Pack the data folder: nothing of what was deleted stays, however large the files are."""
        await self._files.erase_deleted(pack=True)

    async def undo(self, user_id: str, change: Undoable) -> Undoable:
        """Take back this change, which ``last_change`` returned.

        Raises:
            Conflict: what it changed has changed since, or another process is aligning the user;
                nothing was undone.
        """
        await self._background.cancel(user_id)
        async with self._forgetting(user_id) as memory:
            undone = await undo(memory, change, self._files.delete_threads)
        if change.kind == "import":
            await self._files.erase_deleted()
        return undone

    async def aclose(self) -> None:
        """Wait for summaries, cancel alignments (the next run resumes them), close everything."""
        try:
            await self._background.cancel_all()
        finally:
            await self.deps.aclose()


def _alignment_context(user_id: str, **options: Any) -> AlignmentContext:
    try:
        return AlignmentContext(user_id=user_id, **options)
    except ValidationError as error:
        invalid = "; ".join(f"{field['loc'][0]}: {field['msg']}" for field in error.errors())
        raise UsageError(f"These options of the alignment are not valid: {invalid}.") from error


@asynccontextmanager
async def open_local(
    settings: Settings, deps: Dependencies | None = None
) -> AsyncIterator[LocalAgent]:
    """Open the agent on the data folder of ``settings``; the folder is made if need be (mode 0700).

    Two processes may open the same folder: both read and write it. Whoever is cancelled (Ctrl-C) does not
    wait for a summary in the background: it stays due.

    Raises:
        DataError: the folder or a database in it cannot be used.
    """
    async with AsyncExitStack() as stack:
        files = await stack.enter_async_context(open_files(settings.home))
        agent = LocalAgent(deps or Dependencies.from_settings(settings), files)
        stack.push_async_callback(agent.aclose)
        try:
            yield agent
        except asyncio.CancelledError:
            await agent.deps.refreshing.cancel_all()
            raise
