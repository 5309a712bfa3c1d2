"""What a turn costs beside the model: this agent against ``langchain.agents.create_agent``.

Both have the same two tools, a SQLite checkpointer and the same endpoint, which answers at once,
over HTTP, and both stream tokens, node updates and values. Ours also recalls (with the local
embedding model) from 10,000 episodes of this user among 100,000, injects the persona and
remembers. A new thread a turn; they take turns. Measured where the model answers at once, and
where it first calls ``recall_episodes``, the only way for the other agent to know its user.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from statistics import median
from uuid import uuid4

import aiosqlite
from endpoint import LOOK_UP, endpoint
from measured import Measured, finish, say
from world import real_embedder, sentence, world

USERS = {"user0": 10_000} | {f"user{number}": 1_000 for number in range(1, 91)}
Turn = Callable[[str], Awaitable[None]]
WARM_UP = 10
TURNS = 60


async def measure() -> list[Measured]:
    from langchain.agents import create_agent
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.store.sqlite import AsyncSqliteStore

    from personaagent.core.states import AgentContext
    from personaagent.local.agent import open_local
    from personaagent.nodes.dependencies import Dependencies

    chance = random.Random("turns")
    async with AsyncExitStack() as stack:
        url = stack.enter_context(endpoint())
        settings = await stack.enter_async_context(
            world(USERS, openai_base_url=url, openai_api_key="none", model="any")
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        ours = await stack.enter_async_context(open_local(settings, deps))
        database = await stack.enter_async_context(
            aiosqlite.connect(settings.home / "theirs.sqlite", isolation_level=None)
        )
        await database.execute("PRAGMA synchronous=NORMAL")  # as ours: no fsync a commit
        store = await stack.enter_async_context(
            AsyncSqliteStore.from_conn_string(str(settings.home / "memory.sqlite"))
        )
        theirs = create_agent(
            await deps.models.chat("actor"),
            deps.tools,
            system_prompt="You are a helpful assistant.",
            checkpointer=AsyncSqliteSaver(database),
            store=store,
            context_schema=AgentContext,
        )

        async def our_turn(text: str) -> None:
            answer = await ours.ask(text, "user0")
            assert answer.recalled, answer.warnings

        async def their_turn(text: str) -> None:
            async for _ in theirs.astream(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": uuid4().hex}},
                context=AgentContext(user_id="user0"),
                stream_mode=["messages", "updates", "values"],
            ):
                pass

        say(f"{TURNS} turns of each, answered at once, then with a tool ...")
        at_once = await _pairs(our_turn, their_turn, lambda: sentence(chance))
        with_tool = await _pairs(our_turn, their_turn, lambda: LOOK_UP + sentence(chance))
    return [
        *_measured("a turn", at_once, most=2),
        *_measured("a turn with recall_episodes", with_tool),
    ]


async def _pairs(ours: Turn, theirs: Turn, text: Callable[[], str]) -> list[tuple[float, float]]:
    """Seconds of our turn and of theirs on the same text, who goes first changing."""
    pairs = []
    for turn in range(WARM_UP + TURNS):
        said = text()
        first, second = (ours, theirs) if turn % 2 else (theirs, ours)
        seconds = {each: await _timed(each, said) for each in (first, second)}
        pairs.append((seconds[ours], seconds[theirs]))
    return pairs[WARM_UP:]


def _measured(
    what: str, pairs: list[tuple[float, float]], most: float | None = None
) -> list[Measured]:
    return [
        Measured(f"{what}, this agent (median)", 1000 * median(our for our, _ in pairs), " ms"),
        Measured(f"{what}, create_agent (median)", 1000 * median(th for _, th in pairs), " ms"),
        Measured(f"overhead of {what}", median(our / th for our, th in pairs), "x", most=most),
    ]


async def _timed(turn: Turn, text: str) -> float:
    started = time.perf_counter()
    await turn(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    finish(asyncio.run(measure()))
