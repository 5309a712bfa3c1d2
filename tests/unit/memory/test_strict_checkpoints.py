"""Checkpoints that were tampered with run nothing when they are read; all of ours read as they were."""

from pathlib import Path
from typing import Any

import ormsgpack
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_POS_ARGS, JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Interrupt, Send

from personaagent.memory.data_folder import open_saver
from personaagent.memory.strict_checkpoints import strict_serializer
from personaagent.server.checkpoints import ServerSaver

CALL: list[dict[str, Any]] = [{"name": "recall", "args": {}, "id": "c1", "type": "tool_call"}]
OURS = {
    "messages": [
        SystemMessage("Be brief."),
        HumanMessage([{"type": "text", "text": "Rex?"}], id="h1"),
        AIMessage("", tool_calls=CALL, usage_metadata=None, response_metadata={"a": 1}),
        ToolMessage("Found.", tool_call_id="c1"),
    ],
    "recalled": [{"id": "e1", "score": 0.5, "time": None}],
    "__pregel_tasks": [Send("simulate", {"episode": {"id": "e1"}})],
    "__interrupt__": [Interrupt({"rules": []}, id="i1")],
}


def test_what_our_graphs_write_is_read_as_it_was() -> None:
    serde = strict_serializer()
    assert serde.loads_typed(serde.dumps_typed(OURS)) == OURS


def evil(file: Path) -> bytes:
    """A value whose bytes name a function to be called when it is read."""
    made = ormsgpack.packb(("os", "mkdir", (str(file),)))
    return ormsgpack.packb(ormsgpack.Ext(EXT_CONSTRUCTOR_POS_ARGS, made))


async def test_the_data_folder_runs_nothing_that_a_checkpoint_names(tmp_path: Path) -> None:
    made = tmp_path / "made by a checkpoint"
    for number, kind in enumerate((AsyncSqliteSaver, ServerSaver)):
        async with open_saver(tmp_path / "home", kind) as saver:
            config: Any = {"configurable": {"thread_id": f"t{number}", "checkpoint_ns": ""}}
            await saver.aput(config, empty_checkpoint(), {}, {})
            await saver.conn.execute("UPDATE checkpoints SET checkpoint = ?", (evil(made),))
            await saver.aget_tuple(config)
    assert not made.exists()
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", evil(made)))
    assert made.exists(), "a reader that is not strict runs it"
