"""What a turn costs beside the model: this agent against ``langchain.agents.create_agent``.

Both have the same two tools, a SQLite checkpointer and the same endpoint, which answers immediately over
HTTP, and both stream tokens, node updates and values. Ours also recalls (with the local embedding model)
from 10,000 episodes of this user among 100,000, injects the persona and remembers the turn. Each turn
is a new thread, and the agents take turns. Measured if the model answers immediately, and if it first
calls ``recall_episodes``, the only way for the other agent to know its user.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from statistics import median
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiosqlite
from filled_home import filled_home, random_sentence, real_embedder
from instant_endpoint import LOOK_UP, instant_endpoint
from measurement import Measurement, print_progress, report_and_exit

if TYPE_CHECKING:
    from personaagent.core.settings import Settings
    from personaagent.nodes.dependencies import Dependencies

USER = "user0"
USERS = {USER: 10_000} | {f"user{number}": 1_000 for number in range(1, 91)}
Turn = Callable[[str], Awaitable[None]]
WARM_UP = 10
TURNS = 60


async def measure() -> list[Measurement]:
    from personaagent.local.agent import open_local
    from personaagent.nodes.dependencies import Dependencies

    rng = random.Random("turns")
    async with AsyncExitStack() as stack:
        url = stack.enter_context(instant_endpoint())
        settings = await stack.enter_async_context(
            filled_home(USERS, openai_base_url=url, openai_api_key="none", model="any")
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))

        async def our_turn(text: str) -> None:
            answer = await agent.ask(text, USER)
            assert answer.recalled, answer.warnings

        their_turn = await _open_create_agent(stack, settings, deps)
        print_progress(f"{TURNS} turns of each, answered at once, then with a tool ...")
        at_once = await _time_turns(our_turn, their_turn, lambda: random_sentence(rng))
        with_tool = await _time_turns(our_turn, their_turn, lambda: LOOK_UP + random_sentence(rng))
    return [
        *_measurements("a turn", at_once, most=2),
        *_measurements("a turn with recall_episodes", with_tool),
    ]


async def _open_create_agent(
    stack: AsyncExitStack, settings: "Settings", deps: "Dependencies"
) -> Turn:
    """A turn of LangChain's agent, on the same memory and with a checkpointer of its own."""
    from langchain.agents import create_agent
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.store.sqlite import AsyncSqliteStore

    from personaagent.core.states import AgentContext

    database = await stack.enter_async_context(
        aiosqlite.connect(settings.home / "theirs.sqlite", isolation_level=None)
    )
    await database.execute("PRAGMA synchronous=NORMAL")  # as ours: no fsync per commit
    store = await stack.enter_async_context(
        AsyncSqliteStore.from_conn_string(str(settings.home / "memory.sqlite"))
    )
    agent = create_agent(
        await deps.models.chat("actor"),
        deps.tools,
        system_prompt="You are a helpful assistant.",
        checkpointer=AsyncSqliteSaver(database),
        store=store,
        context_schema=AgentContext,
    )

    async def turn(text: str) -> None:
        said: Any = {"messages": [("user", text)]}
        async for _ in agent.astream(
            said,
            {"configurable": {"thread_id": uuid4().hex}},
            context=AgentContext(user_id=USER),
            stream_mode=["messages", "updates", "values"],
        ):
            pass

    return turn


async def _time_turns(
    ours: Turn, theirs: Turn, make_text: Callable[[], str]
) -> list[tuple[float, float]]:
    """Seconds of our turn and of theirs on the same text; they take turns in going first."""
    pairs = []
    for turn in range(WARM_UP + TURNS):
        text = make_text()
        first, second = (ours, theirs) if turn % 2 else (theirs, ours)
        seconds = {agent: await _timed(agent, text) for agent in (first, second)}
        pairs.append((seconds[ours], seconds[theirs]))
    return pairs[WARM_UP:]


def _measurements(
    what: str, pairs: list[tuple[float, float]], most: float | None = None
) -> list[Measurement]:
    return [
        Measurement(
            f"{what}, this agent (median)", 1000 * median(ours for ours, _ in pairs), " ms"
        ),
        Measurement(
            f"{what}, create_agent (median)", 1000 * median(theirs for _, theirs in pairs), " ms"
        ),
        Measurement(
            f"overhead of {what}", median(ours / theirs for ours, theirs in pairs), "x", most=most
        ),
    ]


async def _timed(turn: Turn, text: str) -> float:
    started = time.perf_counter()
    await turn(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
