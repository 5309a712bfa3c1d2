"""The agent on one machine: store, checkpoints and index in the user's data folder."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore
from pydantic import ValidationError

from personaagent.core.alignment import Alignment
from personaagent.core.alignment_state import AlignmentContext, alignment_thread
from personaagent.core.answer import Answer, ToolUse
from personaagent.core.errors import ModelUnavailable, UsageError
from personaagent.core.records import RoleUsage, Usage
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext
from personaagent.core.text import check_text
from personaagent.graphs.agent import NAME, TAGS, AgentGraph, build, recursion_limit
from personaagent.local.alignment import Approve, LocalAlignment, OnStep
from personaagent.local.files import Files, conversation, open_files
from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.summary import refresh_summary
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.remember import this_turn, tool_calls
from personaagent.nodes.background_tasks import Background
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.run_errors import run_errors

Graph = CompiledStateGraph[Any, AgentContext, Any, Any]
LONGEST_NAME = 128


@dataclass(frozen=True)
class Doing:
    """What the agent is doing now, for a display: the node that has finished, the tools asked for."""

    node: str
    tools: list[str] = field(default_factory=list)


class LocalAgent:
    """The agent with everything it needs, open; made by ``open_local``."""

    def __init__(self, deps: Dependencies, files: Files) -> None:
        self.deps = deps
        self._files = files
        self._store, self._saver = store, saver = files.store, files.saver
        builder = build(deps)
        self._graph = _compiled(builder, store, saver, deps.settings)
        self._incognito = _compiled(builder, store, InMemorySaver(), deps.settings)
        self._alignment = LocalAlignment(deps, files)
        self._aligning = Background[Alignment]("The alignment in the background")

    @property
    def store(self) -> BaseStore:
        """Where memory is kept."""
        return self._store

    def memory(self, user_id: str) -> UserMemory:
        """The memory of this one user.

        Raises:
            UsageError: the user id is not valid.
        """
        return self.deps.memory.of(self._store, user_id)

    async def ask(self, text: str, user_id: str, **options: Any) -> Answer:
        """One turn; options as of ``stream``."""
        async with aclosing(self.stream(text, user_id, **options)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise ModelUnavailable("The turn ended without an answer; try again.")

    async def stream(
        self,
        text: str,
        user_id: str,
        *,
        thread_id: str | None = None,
        task: str | None = None,
        top_k: int | None = None,
        incognito: bool = False,
    ) -> AsyncGenerator[str | Doing | Answer, None]:
        """One turn as it happens: pieces of the answer, what is being done, and last the ``Answer``.

        Args:
            thread_id: the conversation to go on with, by a name of the user's own; None for a new.
            task: a label of the kind of question, kept with the episode.
            top_k: episodes to recall; None for the setting.
            incognito: remember nothing: neither an episode nor a checkpoint is written.

        Raises:
            UsageError: the text, user, thread or task cannot be used; nothing was done.
            ServiceError, ConfigurationError, DataError: the turn failed; nothing of it was stored.
        """
        context = AgentContext(user_id=user_id, task=task, top_k=top_k, incognito=incognito)
        check_text(text, "message", self.deps.settings.max_query_chars)
        thread = check_text(thread_id or uuid4().hex, "thread", LONGEST_NAME)
        graph = self._incognito if incognito else self._graph
        config: RunnableConfig = {"configurable": {"thread_id": conversation(user_id, thread)}}
        started = time.monotonic()
        state: dict[str, Any] = {}
        with run_errors():
            turn: AsyncGenerator[tuple[str, Any], None] = graph.astream(  # type: ignore[assignment]
                {"messages": [HumanMessage(text)]},
                config,
                context=context,
                stream_mode=["messages", "updates", "values"],
                durability="exit",
            )
            async with aclosing(turn):  # broken off, it ends now, not when it is collected
                async for mode, part in turn:
                    if mode == "values":
                        state = part
                    elif mode == "updates":
                        for node, update in part.items():
                            yield _doing(node, update)
                    elif isinstance(part[0], AIMessageChunk) and part[0].text:
                        yield part[0].text
        yield _answer(state, user_id, thread, time.monotonic() - started)

    async def align(
        self,
        user_id: str,
        *,
        trigger: str = "library",
        approve: Approve | None = None,
        on_step: OnStep | None = None,
        **options: Any,
    ) -> Alignment:
        """Align the user's persona with what they wanted; a run that was killed is gone on with.

        Args:
            trigger: who asks for it, for the record.
            approve: asks the user before anything is published; None: they are not asked.
            on_step: told of every step that is done.
            options: as of ``AlignmentContext``; what is left out is as the settings say.

        Raises:
            UsageError: an option cannot be used; nothing was done.
            Conflict: the user is being aligned already; nothing was done.
            ServiceError, ConfigurationError, DataError: the run failed; nothing was changed, and
                what was finished of it is not done again.
        """
        context = self._alignment_context(user_id, approve=approve is not None, **options)
        return await self._alignment.align(
            context, trigger=trigger, approve=approve, on_step=on_step
        )

    def aligning(self, user_id: str) -> bool:
        """Whether an alignment of the user is going on beside the conversation."""
        return self._aligning.running(user_id)

    def align_in_background(self, user_id: str) -> asyncio.Task[Alignment]:
        """Begin an alignment beside the conversation, unless one is going on; returns that."""
        return self._aligning.begin(user_id, lambda: self.align(user_id, trigger="chat"))

    async def align_if_due(self, user_id: str) -> asyncio.Task[Alignment] | None:
        """The same, where there are as many new labels as the settings ask for, and none failed."""
        due = self._aligning.free(user_id) and await self.memory(user_id).unaligned.due(
            self.deps.settings.align_after
        )
        return self.align_in_background(user_id) if due else None

    async def users_to_align(self, after: int) -> list[str]:
        """Who has at least ``after`` labels that alignment has not seen: the operator's view."""
        users = await self._files.users_with_new_labels()
        return [each for each in users if await self.memory(each).unaligned.due(after)]

    async def refresh_profile(self, user_id: str) -> RoleUsage:
        """Bring the profile summary up to date now; returns the critic's calls and tokens."""
        return await refresh_summary(self.memory(user_id), await self.deps.models.chat("critic"))

    async def forget(self, user_id: str, episode_ids: list[str]) -> Receipt:
        """Forget these episodes, all that rested on them alone, and the threads that held them.

        An alignment in the background is broken off first.

        Raises:
            UnknownEpisode, IndexUnavailable: nothing was forgotten.
            Conflict: another process is aligning the user; nothing was forgotten.
        """
        await self._aligning.cancel(user_id)
        with self._files.alone(user_id):
            memory = self.memory(user_id)
            receipt = await forget(memory, episode_ids, self._files.delete_threads)
            # Its rules and facts rest on more than the episodes that it is known to hold.
            await self._files.delete_threads([alignment_thread(user_id)])
        await self._files.truncate_logs()
        return receipt

    async def forget_all(self, user_id: str) -> Receipt:
        """Forget everything of this user: nothing of theirs is left in the data folder.

        Raises:
            IndexUnavailable: nothing was forgotten.
            Conflict: another process is aligning the user; nothing was forgotten.
        """
        await self._aligning.cancel(user_id)
        with self._files.alone(user_id, leaving=True):
            threads = await self._files.threads(user_id)
            memory = self.memory(user_id)
            receipt = await forget_all(memory, threads, self._files.delete_threads)
            await self.deps.memory.drop_lock(user_id)
        await self._files.truncate_logs()
        return receipt

    async def aclose(self) -> None:
        """Finish or break off what goes on in the background, and let go of everything.

        A summary is waited for; an alignment is not: the next one goes on where it stood.
        """
        try:
            await self._aligning.cancel_all()
        finally:
            await self.deps.aclose()

    def _alignment_context(self, user_id: str, **options: Any) -> AlignmentContext:
        try:
            return AlignmentContext(user_id=user_id, **options)
        except ValidationError as error:
            wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
            raise UsageError(f"Alignment cannot be run like this: {wrong}.") from error


@asynccontextmanager
async def open_local(
    settings: Settings, deps: Dependencies | None = None
) -> AsyncIterator[LocalAgent]:
    """Open the agent on the data folder of ``settings``, which is made if need be (mode 0700).

    Two processes may have the same folder open: both write the store, the index is held by one.

    Raises:
        DataError: the folder or a database in it cannot be used.
    """
    async with AsyncExitStack() as stack:
        files = await stack.enter_async_context(open_files(settings.home))
        agent = LocalAgent(deps or Dependencies.make(settings), files)
        stack.push_async_callback(agent.aclose)
        yield agent


def _compiled(
    builder: AgentGraph, store: BaseStore, saver: BaseCheckpointSaver[Any], settings: Settings
) -> Graph:
    graph: Graph = builder.compile(store=store, checkpointer=saver, name=NAME)
    return graph.with_config(tags=TAGS, recursion_limit=recursion_limit(settings))


def _doing(node: str, update: dict[str, Any] | None) -> Doing:
    calls = [
        c["name"] for m in (update or {}).get("messages", []) for c in getattr(m, "tool_calls", [])
    ]
    return Doing(node, calls)


def _answer(state: dict[str, Any], user_id: str, thread: str, seconds: float) -> Answer:
    turn = this_turn(state["messages"])
    return Answer(
        reply=turn[-1].text,
        user_id=user_id,
        thread_id=thread,
        episode_id=state["episode_id"] or None,
        persona_version=state["persona"]["version"],
        recalled=[each["id"] for each in state["recalled"]],
        tool_calls=[ToolUse(name=call["name"], args=call["args"]) for call in tool_calls(turn)],
        usage=Usage.model_validate(state["usage"]).summed(),
        seconds=round(seconds, 3),
        warnings=state["warnings"],
    )
