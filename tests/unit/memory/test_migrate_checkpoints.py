"""A run that version 0.1 checkpointed resumes under the new names of its channels."""

import asyncio
import operator
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import aiosqlite
import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from personaagent.memory.migrate_checkpoints import (
    RENAMED_CHANNELS,
    VERSION,
    migrate_sqlite,
)

THREAD: Any = {"configurable": {"thread_id": "one"}}
GIVEN = {
    "initial": ["r1"],
    "taken": [["r1"]],
    "idle": 1,
    "seen": ["walk1"],
    "scenes": {"walk1": {}},
    "other": "as it is",
}


class Old(TypedDict):
    """Some of the state of version 0.1, and a channel that is not renamed."""

    initial: list[str]
    taken: list[list[str]]
    idle: int
    seen: list[str]
    scenes: dict[str, Any]
    proving: Annotated[int, operator.add]
    other: str


class New(TypedDict):
    """The same state under the new names."""

    initial_rules: list[str]
    accepted_history: list[list[str]]
    stale_rounds: int
    earlier_batches: list[str]
    episode_contexts: dict[str, Any]
    gate_usage: Annotated[int, operator.add]
    other: str


class Died(Exception):
    """Stands for a kill."""


def graph_of(state: type[Any], proving: str, saver: AsyncSqliteSaver, *, dies: bool) -> Any:
    """``begin``, two branches of which one may die, and a question at last.

    ``proving`` is the name of the channel that the branches write; the key by which a branch learns
    its number is renamed with it.
    """
    key = "proving" if proving == "proving" else "held_out"

    def branch(sent: dict[str, Any]) -> dict[str, Any]:
        if sent[key] == 2 and dies:
            raise Died
        return {proving: sent[key]}

    def ask(_: Any) -> dict[str, Any]:
        return {"other": interrupt("Well?")}

    graph = StateGraph(state)
    graph.add_node("begin", lambda _: {})
    graph.add_node("simulate", branch)
    graph.add_node("ask", ask)
    graph.add_edge(START, "begin")
    graph.add_conditional_edges(
        "begin", lambda _: [Send("simulate", {key: n}) for n in (1, 2)], ["simulate"]
    )
    graph.add_edge("simulate", "ask")
    graph.add_edge("ask", END)
    return graph.compile(checkpointer=saver)


@asynccontextmanager
async def saver_in(folder: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """The checkpoints of the folder, opened as the data folder's are."""
    async with aiosqlite.connect(folder / "checkpoints.sqlite", isolation_level=None) as connection:
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        yield saver


@asynccontextmanager
async def written(folder: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """The same, in which a run under the old names has died within its branches."""
    async with saver_in(folder) as saver:
        old = graph_of(Old, "proving", saver, dies=True)
        with pytest.raises(Died):
            await old.ainvoke(GIVEN | {"proving": 10}, THREAD, durability="sync")
        yield saver


async def names_in(saver: AsyncSqliteSaver) -> set[str]:
    """All channels that any checkpoint or write names."""
    names: set[str] = set()
    async for each in saver.alist(None):
        checkpoint = each.checkpoint
        names |= {*checkpoint["channel_values"], *checkpoint["channel_versions"]}
        names |= {name for seen in checkpoint["versions_seen"].values() for name in seen}
        names |= {*(checkpoint["updated_channels"] or [])}
        names |= {channel for _, channel, _ in each.pending_writes or []}
    return names


async def test_a_run_that_died_under_the_old_names_goes_on_under_the_new(tmp_path: Path) -> None:
    async with written(tmp_path) as saver:
        assert await names_in(saver) >= RENAMED_CHANNELS.keys()
        await migrate_sqlite(saver.conn)
        new = graph_of(New, "gate_usage", saver, dies=False)
        asked = await new.ainvoke(None, THREAD)
        assert asked.pop("__interrupt__")[0].value == "Well?"
        assert asked == {
            **{RENAMED_CHANNELS.get(name, name): value for name, value in GIVEN.items()},
            "gate_usage": 13,
        }
        assert (await new.ainvoke(Command(resume="yes"), THREAD))["other"] == "yes"
        assert RENAMED_CHANNELS.keys().isdisjoint(await names_in(saver))
        assert await names_in(saver) >= {*RENAMED_CHANNELS.values()}


async def test_an_answer_that_is_waited_for_can_be_given_afterwards(tmp_path: Path) -> None:
    async with saver_in(tmp_path) as saver:
        old = graph_of(Old, "proving", saver, dies=False)
        await old.ainvoke(GIVEN | {"proving": 10}, THREAD)
        await migrate_sqlite(saver.conn)
        new = graph_of(New, "gate_usage", saver, dies=False)
        done = await new.ainvoke(Command(resume="yes"), THREAD)
    assert (done["other"], done["gate_usage"], done["stale_rounds"]) == ("yes", 13, 1)


async def test_it_is_done_once_whoever_comes_first(tmp_path: Path) -> None:
    async with written(tmp_path) as saver, saver_in(tmp_path) as other:
        await asyncio.gather(migrate_sqlite(saver.conn), migrate_sqlite(other.conn))
        before = await dump(saver)
        await migrate_sqlite(saver.conn)
        assert await dump(saver) == before
        [[version]] = await other.conn.execute_fetchall("PRAGMA user_version")
        assert version == VERSION


async def test_one_that_breaks_off_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with written(tmp_path) as saver:
        before = await dump(saver)
        with monkeypatch.context() as broken:
            broken.setattr(
                "personaagent.memory.migrate_checkpoints._rename_checkpoint", lambda _: 1 / 0
            )
            with pytest.raises(ZeroDivisionError):
                await migrate_sqlite(saver.conn)
        assert await dump(saver) == before
        await migrate_sqlite(saver.conn)
        assert RENAMED_CHANNELS.keys().isdisjoint(await names_in(saver))


async def test_a_database_in_which_nothing_was_written_is_as_good_as_migrated(
    tmp_path: Path,
) -> None:
    async with aiosqlite.connect(tmp_path / "new.sqlite", isolation_level=None) as connection:
        await migrate_sqlite(connection)
        [[version]] = await connection.execute_fetchall("PRAGMA user_version")
    assert version == VERSION


async def test_a_conversation_stays_as_it_is_byte_by_byte(tmp_path: Path) -> None:
    class Talk(TypedDict):
        messages: list[str]

    async with saver_in(tmp_path) as saver:
        graph = StateGraph(Talk)
        graph.add_node("answer", lambda _: {"messages": ["the initial idle ones taken, seen"]})
        graph.add_edge(START, "answer")
        await graph.compile(checkpointer=saver).ainvoke({"messages": ["proving"]}, THREAD)
        before = await dump(saver)
        await migrate_sqlite(saver.conn)
        assert await dump(saver) == before


async def dump(saver: AsyncSqliteSaver) -> list[Any]:
    """All that stands in both tables."""
    return [
        [*await saver.conn.execute_fetchall(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4")]
        for table in ("checkpoints", "writes")
    ]
