"""The agent on one machine: store, checkpoints and index in the user's data folder."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiosqlite
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.errors import NodeTimeoutError
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.core.errors import DataError, ModelUnavailable
from personaagent.core.files import make_private
from personaagent.core.records import Answer, RoleUsage, ToolUse, Usage, check_text, user_key
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext
from personaagent.graphs.agent import build, recursion_limit
from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.space import storage_errors
from personaagent.memory.summary import refresh_summary
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.remember import this_turn, tool_calls
from personaagent.nodes.parts import Parts

Graph = CompiledStateGraph[Any, AgentContext, Any, Any]
LONGEST_NAME = 128


@dataclass(frozen=True)
class Doing:
    """What the agent is doing now, for a display: the node that has finished, the tools asked for."""

    node: str
    tools: list[str] = field(default_factory=list)


class LocalAgent:
    """The agent with everything it needs, open; made by ``open_local``."""

    def __init__(self, parts: Parts, store: AsyncSqliteStore, saver: AsyncSqliteSaver) -> None:
        self.parts = parts
        self._store = store
        self._saver = saver
        builder = build(parts)
        self._graph = _compiled(builder.compile(store=store, checkpointer=saver), parts.settings)
        self._incognito = _compiled(
            builder.compile(store=store, checkpointer=InMemorySaver()), parts.settings
        )
        self._refreshing: dict[str, asyncio.Task[RoleUsage]] = {}

    def memory(self, user_id: str) -> UserMemory:
        """The memory of this one user.

        Raises:
            UsageError: the user id is not valid.
        """
        return self.parts.memory.of(self._store, user_id)

    async def ask(self, text: str, user_id: str, **options: Any) -> Answer:
        """One turn; options as of ``stream``."""
        async for event in self.stream(text, user_id, **options):
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
    ) -> AsyncIterator[str | Doing | Answer]:
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
        check_text(text, "message", self.parts.settings.max_query_chars)
        thread = check_text(thread_id or uuid4().hex, "thread", LONGEST_NAME)
        graph = self._incognito if incognito else self._graph
        config: RunnableConfig = {"configurable": {"thread_id": f"{user_key(user_id)}:{thread}"}}
        started = time.monotonic()
        state: dict[str, Any] = {}
        with _turn_errors():
            turn: AsyncIterator[tuple[str, Any]] = graph.astream(  # type: ignore[assignment]
                {"messages": [HumanMessage(text)]},
                config,
                context=context,
                stream_mode=["messages", "updates", "values"],
                durability="exit",
            )
            async for mode, part in turn:
                if mode == "values":
                    state = part
                elif mode == "updates":
                    for node, update in part.items():
                        yield _doing(node, update)
                elif isinstance(part[0], AIMessageChunk) and part[0].text:
                    yield part[0].text
        answer = _answer(state, user_id, thread, time.monotonic() - started)
        if not incognito:
            await self._refresh_if_due(user_id)
        yield answer

    async def refresh_profile(self, user_id: str) -> RoleUsage:
        """Bring the profile summary up to date now; returns the critic's calls and tokens."""
        return await refresh_summary(self.memory(user_id), await self.parts.models.chat("critic"))

    async def forget(self, user_id: str, episode_ids: list[str]) -> Receipt:
        """Forget these episodes, all that rested on them alone, and the conversations that held them.

        Raises:
            UnknownEpisode, IndexUnavailable: nothing was forgotten.
        """
        receipt = await forget(self.memory(user_id), episode_ids, self._delete_threads)
        await self._truncate_logs()
        return receipt

    async def forget_all(self, user_id: str) -> Receipt:
        """Forget everything of this user: nothing of theirs is left in the data folder.

        Raises:
            IndexUnavailable: nothing was forgotten.
        """
        threads = await self._threads(user_id)
        receipt = await forget_all(self.memory(user_id), threads, self._delete_threads)
        await self.parts.memory.drop_lock(user_id)
        await self._truncate_logs()
        return receipt

    async def aclose(self) -> None:
        """Finish what goes on in the background, and let go of everything."""
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)
        await self.parts.aclose()

    async def _threads(self, user_id: str) -> list[str]:
        """Every conversation of the user, also one that broke off before it was remembered."""
        first = f"{user_key(user_id)}:"
        with storage_errors():
            found = await self._saver.conn.execute_fetchall(
                "SELECT thread_id FROM checkpoints WHERE thread_id >= ? AND thread_id < ? UNION "
                "SELECT thread_id FROM writes WHERE thread_id >= ? AND thread_id < ?",
                (first, f"{first[:-1]};") * 2,
            )
        return [thread for (thread,) in found]

    async def _delete_threads(self, threads: Collection[str]) -> None:
        with storage_errors():
            for thread in threads:
                await self._saver.adelete_thread(thread)

    async def _truncate_logs(self) -> None:
        """Take what was deleted out of the write-ahead logs too."""
        with storage_errors():
            for connection in (self._store.conn, self._saver.conn):
                await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _refresh_if_due(self, user_id: str) -> None:
        """Begin a refresh of the summary beside the conversation, one a user at a time.

        One that failed is not begun again before the next start, to ask nobody in vain each turn.
        """
        begun = self._refreshing.get(user_id)
        if begun is not None and (not begun.done() or begun.exception()):
            return
        if await self.memory(user_id).profile.summary_due(self.parts.settings.summary_every):
            task = asyncio.create_task(self.refresh_profile(user_id))
            task.add_done_callback(_log_failure)
            self._refreshing[user_id] = task


@asynccontextmanager
async def open_local(settings: Settings, parts: Parts | None = None) -> AsyncIterator[LocalAgent]:
    """Open the agent on the data folder of ``settings``, which is made if need be (mode 0700).

    Two processes may have the same folder open: both write the store, the index is held by one.

    Raises:
        DataError: the folder or a database in it cannot be used.
    """
    home = settings.home
    async with AsyncExitStack() as stack:
        with _folder_errors(home), storage_errors():
            make_private(home)
            store = AsyncSqliteStore(
                await stack.enter_async_context(_database(home / "memory.sqlite"))
            )
            await store.setup()
            saver = AsyncSqliteSaver(
                await stack.enter_async_context(_database(home / "checkpoints.sqlite"))
            )
            await saver.setup()
        agent = LocalAgent(parts or Parts.make(settings), store, saver)
        stack.push_async_callback(agent.aclose)
        yield agent


@contextmanager
def _folder_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The data folder {home} cannot be used ({error.strerror}): "
            "mend that, or set PERSONAAGENT_HOME to another one."
        ) from error


@asynccontextmanager
async def _database(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """The database, shared with other processes; what is deleted is overwritten with zeros."""
    await asyncio.to_thread(path.touch, 0o600)
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        for pragma in (
            "busy_timeout=10000",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "secure_delete=ON",
        ):
            await connection.execute(f"PRAGMA {pragma}")
        yield connection


def _compiled(graph: Graph, settings: Settings) -> Graph:
    return graph.with_config(recursion_limit=recursion_limit(settings))


@contextmanager
def _turn_errors() -> Iterator[None]:
    """Turn what the graph's machinery raises into our own errors."""
    with storage_errors():
        try:
            yield
        except NodeTimeoutError as error:
            raise ModelUnavailable(
                f"The step '{error.node}' took over {error.timeout:g} s and was given up: try again, "
                "or raise PERSONAAGENT_MODEL_TIMEOUT (PERSONAAGENT_EMBEDDED_TIMEOUT)."
            ) from error


def _log_failure(task: asyncio.Task[RoleUsage]) -> None:
    """A refresh that failed stays due: nobody need be told now."""
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger(__name__).info("The profile summary was not refreshed: %s", error)


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
