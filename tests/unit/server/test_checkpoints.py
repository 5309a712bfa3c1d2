"""What the development server asks of a checkpointer, on the checkpoints in the data folder."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from personaagent.memory.data_folder import open_saver
from personaagent.server.checkpoints import ServerSaver, is_uuid


def add(old: list[str], new: list[str]) -> list[str]:
    return [*old, *new]


class State(TypedDict):
    said: Annotated[list[str], add]


@pytest.fixture
async def saver(tmp_path: Path) -> AsyncIterator[ServerSaver]:
    async with open_saver(tmp_path, ServerSaver) as saver:
        yield saver


async def run(saver: ServerSaver, thread: str, text: str, run_id: str | None = None) -> None:
    """Say this on the thread."""
    graph: Any = StateGraph(State).add_node("answer", lambda state: {"said": ["Aha."]})
    graph = graph.add_edge(START, "answer").add_edge("answer", END).compile(checkpointer=saver)
    config: RunnableConfig = {
        "configurable": {"thread_id": thread},
        "metadata": {"run_id": run_id or str(uuid4())},
    }
    await graph.ainvoke({"said": [text]}, config)


async def states(saver: ServerSaver, thread: str) -> list[list[str]]:
    """What was said by each checkpoint, newest first."""
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    return [each.checkpoint["channel_values"].get("said", []) async for each in saver.alist(config)]


async def test_a_copy_has_all_checkpoints_and_goes_on_alone(saver: ServerSaver) -> None:
    await run(saver, "one", "Rex.")
    await saver.acopy_thread("one", "two")
    assert await states(saver, "two") == await states(saver, "one")
    await saver.adelete_thread("one")
    await run(saver, "two", "Tom.")
    assert (await states(saver, "two"))[0] == ["Rex.", "Aha.", "Tom.", "Aha."]


async def test_a_run_that_is_rolled_back_leaves_the_state_before_it(saver: ServerSaver) -> None:
    await run(saver, "one", "Rex.", "first")
    await run(saver, "one", "Tom.", "second")
    await saver.adelete_for_runs(["second"])
    assert (await states(saver, "one"))[0] == ["Rex.", "Aha."]


@pytest.mark.parametrize(("strategy", "left"), [("keep_latest", 1), ("delete", 0)])
async def test_pruning_leaves_other_threads_alone(
    saver: ServerSaver, strategy: str, left: int
) -> None:
    await run(saver, "one", "Rex.")
    await run(saver, "two", "Tom.")
    before = await states(saver, "two")
    await saver.aprune(["one"], strategy=strategy)
    assert await states(saver, "one") == [["Rex.", "Aha."]][:left]
    assert await states(saver, "two") == before


async def test_only_what_has_long_been_idle_is_pruned(saver: ServerSaver) -> None:
    thread, of_command = str(uuid4()), "key:trip"
    for each in (thread, of_command):
        await run(saver, each, "Rex.")
    now = datetime.now(UTC)
    await saver.prune_idle(now - timedelta(minutes=1))
    assert len(await states(saver, thread)) > 1
    await saver.prune_idle(now + timedelta(minutes=1))
    assert await states(saver, thread) == [["Rex.", "Aha."]]
    assert len(await states(saver, of_command)) > 1


def test_the_command_names_no_thread_like_a_server() -> None:
    assert is_uuid(str(uuid4()))
    assert not is_uuid("8f14e45f:trip")
