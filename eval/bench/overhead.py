"""What a turn costs beside the model: this agent against ``langchain.agents.create_agent``.

Both have the same two tools, a SQLite checkpointer and the same endpoint, which answers at once,
over HTTP, and both stream tokens, node updates and values. Ours also recalls (with the local
embedding model) from 10,000 episodes of this user among 100,000, injects the persona and
remembers. A new thread a turn; they take turns.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from statistics import median
from uuid import uuid4

import aiosqlite
from endpoint import endpoint
from measured import Measured, finish, say
from world import real_embedder, sentence, world

USERS = {"user0": 10_000} | {f"user{number}": 1_000 for number in range(1, 91)}
Turn = Callable[[str], Awaitable[None]]
WARM_UP = 10
TURNS = 80


async def measure() -> list[Measured]:
    from langchain.agents import create_agent
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    from personaagent.graphs.local import open_local
    from personaagent.nodes.parts import Parts

    chance = random.Random("turns")
    async with AsyncExitStack() as stack:
        url = stack.enter_context(endpoint())
        settings = await stack.enter_async_context(
            world(USERS, openai_base_url=url, openai_api_key="none", model="any")
        )
        parts = Parts.make(settings, real_embedder())
        ours = await stack.enter_async_context(open_local(settings, parts))
        database = await stack.enter_async_context(
            aiosqlite.connect(settings.home / "theirs.sqlite", isolation_level=None)
        )
        await database.execute("PRAGMA synchronous=NORMAL")  # as ours: no fsync a commit
        theirs = create_agent(
            await parts.models.chat("actor"),
            parts.tools,
            system_prompt="You are a helpful assistant.",
            checkpointer=AsyncSqliteSaver(database),
        )

        async def our_turn(text: str) -> None:
            answer = await ours.ask(text, "user0")
            assert answer.recalled, answer.warnings

        async def their_turn(text: str) -> None:
            async for _ in theirs.astream(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": uuid4().hex}},
                stream_mode=["messages", "updates", "values"],
            ):
                pass

        say(f"{TURNS} turns of each ...")
        pairs = []
        for turn in range(WARM_UP + TURNS):
            text = sentence(chance)
            first, second = (our_turn, their_turn) if turn % 2 else (their_turn, our_turn)
            seconds = {each: await _timed(each, text) for each in (first, second)}
            pairs.append((seconds[our_turn], seconds[their_turn]))
        pairs = pairs[WARM_UP:]
    return [
        Measured("a turn, this agent (median)", 1000 * median(our for our, _ in pairs), " ms"),
        Measured(
            "a turn, create_agent (median)", 1000 * median(their for _, their in pairs), " ms"
        ),
        Measured("overhead of a turn", median(our / their for our, their in pairs), "x", most=2),
    ]


async def _timed(turn: Turn, text: str) -> float:
    started = time.perf_counter()
    await turn(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    finish(asyncio.run(measure()))
