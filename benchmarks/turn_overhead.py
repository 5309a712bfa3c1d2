"""What a turn costs beside the model: this agent whole, against LangChain's stock agent.

The stock agent is pinned: ``create_agent`` as it comes, with a ``ChatOpenAI`` of its own, the same two
tools, and an ``AsyncSqliteSaver`` whose database has the settings of ours. Both ask the same endpoint,
which answers at once over HTTP on loopback, and stream tokens, node updates and values. The stock agent
writes a checkpoint after each step, which is LangGraph's default, and ours at the end; it is measured once
more with checkpoints as rare as ours (``durability="exit"``). Ours also recalls with the local embedding
model, injects the persona, and remembers the turn. Each turn is a new thread. The agents take turns, and
each ratio is the median of rounds.

The user has 10,000 episodes of 100,000, then 1,000. With a tool the model first calls
``recall_episodes``, the only way for the other agent to know its user. ``--quick`` leaves out the
episodes of others.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import aiosqlite
from counting import Counts, Spent, counted, timed
from filled_home import filled_home, random_sentence, real_embedder
from instant_endpoint import LOOK_UP, instant_endpoint
from measurement import Measurement, print_progress, report_and_exit

if TYPE_CHECKING:
    from personaagent.core.settings import Settings
    from personaagent.local.agent import LocalAgent

LARGE, SMALL = "user0", "user1"
USERS = {LARGE: 10_000, SMALL: 1_000}
OTHERS = {f"user{number}": 1_000 for number in range(2, 91)}
PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON")
"""As of our own databases."""
Ask = Callable[[str, str], Awaitable[None]]
"""Runs a turn: the message, and the user."""
WARM_UP = 10
TURNS = 60
COUNTED = 5


class Agents(NamedTuple):
    """A turn of ours, of the stock agent, and of the stock agent with one checkpoint; and the databases
    of the stores that they use."""

    ours: Ask
    theirs: Ask
    at_the_end: Ask
    our_store: aiosqlite.Connection
    their_store: aiosqlite.Connection


async def measure() -> list[Measurement]:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(instant_endpoint())
        users = USERS if "--quick" in sys.argv else USERS | OTHERS
        settings = await stack.enter_async_context(
            filled_home(users, openai_base_url=url, openai_api_key="none", model="any")
        )
        agents = await _open_agents(stack, settings, url)
        rows = await _compare("a turn, 10,000 episodes", agents, LARGE, most=1.6)
        rows += await _compare("a turn, 1,000 episodes", agents, SMALL, most=1.4)
        rows += await _compare("a turn with a tool", agents, LARGE, LOOK_UP, most=1.1)
    return rows


async def _open_agents(stack: AsyncExitStack, settings: "Settings", url: str) -> Agents:
    from personaagent.local.agent import open_local
    from personaagent.memory.data_folder import open_store
    from personaagent.nodes.dependencies import Dependencies

    deps = Dependencies.from_settings(settings, real_embedder())
    agent = await stack.enter_async_context(open_local(settings, deps))
    store = await stack.enter_async_context(open_store(settings.home))
    stock = await _stock_agent(stack, settings, url, deps.tools, store)

    async def ours(text: str, user: str) -> None:
        answer = await agent.ask(text, user)
        assert answer.recalled, answer.warnings

    each_step, at_the_end = (partial(_their_turn, stock, each) for each in ("async", "exit"))
    return Agents(ours, each_step, at_the_end, _connection(agent), store.conn)


def _connection(agent: "LocalAgent") -> aiosqlite.Connection:
    from langgraph.store.sqlite import AsyncSqliteStore

    assert isinstance(agent.store, AsyncSqliteStore)
    return agent.store.conn


async def _stock_agent(
    stack: AsyncExitStack, settings: "Settings", url: str, tools: Sequence[Any], store: Any
) -> Any:
    """LangChain's agent, with a model client and a checkpointer of its own."""
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    from personaagent.core.states import AgentContext

    database = await stack.enter_async_context(
        aiosqlite.connect(settings.home / "theirs.sqlite", isolation_level=None)
    )
    for pragma in PRAGMAS:
        await database.execute(f"PRAGMA {pragma}")
    return create_agent(
        ChatOpenAI(model="any", base_url=url, api_key="none", temperature=0),  # type: ignore[arg-type]
        tools,
        system_prompt="You are a helpful assistant.",
        checkpointer=AsyncSqliteSaver(database),
        store=store,
        context_schema=AgentContext,
    )


async def _their_turn(agent: Any, durability: str, text: str, user: str) -> None:
    from personaagent.core.states import AgentContext

    values: Any = {}
    async for mode, chunk in agent.astream(
        {"messages": [("user", text)]},
        {"configurable": {"thread_id": uuid4().hex}},
        context=AgentContext(user_id=user),
        stream_mode=["messages", "updates", "values"],
        durability=durability,
    ):
        values = chunk if mode == "values" else values
    if text.startswith(LOOK_UP):
        assert "<episode" in values["messages"][-2].text, values["messages"][-2]


async def _compare(
    what: str, agents: Agents, user: str, beginning: str = "", *, most: float
) -> list[Measurement]:
    """The ratios and counts of one kind of turn."""
    print_progress(f"{what}: {TURNS} of each ...")
    rng = random.Random(what)

    def text() -> str:
        return beginning + random_sentence(rng)

    rounds = [await _round(agents, user, text(), turn) for turn in range(WARM_UP + TURNS)][WARM_UP:]
    counts = [await _count(agents, user, text) for _ in range(COUNTED)]
    return [*_times(what, rounds, most), *_counts(what, counts)]


async def _round(agents: Agents, user: str, text: str, turn: int) -> tuple[Spent, Spent, Spent]:
    """What each agent took on the same text; they take turns in going first."""
    asks = (agents.ours, agents.theirs, agents.at_the_end)
    order = asks if turn % 2 else reversed(asks)
    spent = {ask: await timed(partial(ask, text, user)) for ask in order}
    ours, theirs, at_the_end = (spent[ask] for ask in asks)
    return ours, theirs, at_the_end


async def _count(agents: Agents, user: str, text: Callable[[], str]) -> tuple[Counts, Counts]:
    async def ours() -> None:
        await agents.ours(text(), user)

    async def theirs() -> None:
        await agents.theirs(text(), user)

    return await counted(ours, agents.our_store), await counted(theirs, agents.their_store)


def _times(
    what: str, rounds: Sequence[tuple[Spent, Spent, Spent]], most: float
) -> list[Measurement]:
    wall = median(ours.wall / theirs.wall for ours, theirs, _ in rounds)
    cpu = median(ours.cpu / theirs.cpu for ours, theirs, _ in rounds)
    rarely = median(ours.wall / at_the_end.wall for ours, _, at_the_end in rounds)
    our_ms, their_ms = (1000 * median(each[side].wall for each in rounds) for side in (0, 1))
    return [
        Measurement(f"{what}, against the stock agent", wall, "x", most=most),
        Measurement(f"{what}, one checkpoint each", rarely, "x"),
        Measurement(f"{what}, processor time", cpu, "x"),
        Measurement(f"{what}, ours", our_ms, " ms"),
        Measurement(f"{what}, the stock agent's", their_ms, " ms"),
    ]


def _counts(what: str, counts: Sequence[tuple[Counts, Counts]]) -> list[Measurement]:
    def row(name: str, label: str, most: float | None = None) -> list[Measurement]:
        ours, theirs = (median(getattr(pair[side], name) for pair in counts) for side in (0, 1))
        return [
            Measurement(f"{what}, {label}", ours, most=most),
            Measurement(f"{what}, {label} of the stock agent", theirs),
        ]

    with_tool = "tool" in what
    return [
        *row("trips", "store trips", None if with_tool else 3)[:1],
        *row("calls", "function calls"),
        *row("wakes", "thread wakes"),
        *row("tasks", "tasks"),
    ]


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
