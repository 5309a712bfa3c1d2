"""The shape of alignment: its drawing, and a state that Studio can show and a checkpoint can keep."""

import json
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic.fields import FieldInfo

from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.settings import Settings
from personaagent.graphs.alignment import NAME, build
from personaagent.nodes.dependencies import Dependencies
from tests.support.alignment import PREFERENCES, Scripted, walks, world

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

builder = build(Dependencies.from_settings(Settings()))
graph = builder.compile(name=NAME)
SNAPSHOT = Path(__file__).parent / "alignment.mmd"


def test_the_drawing() -> None:
    assert graph.get_graph().draw_mermaid() == SNAPSHOT.read_text(encoding="utf-8")


def test_every_field_says_what_it_is_and_how_it_changes() -> None:
    hints = get_type_hints(AlignmentState, include_extras=True)
    for name, hint in hints.items():
        assert get_origin(hint) is Annotated, name
        _, described, reducer = get_args(hint)
        assert isinstance(described, FieldInfo), name
        assert described.description, name
        assert callable(reducer), name
        assert builder.channels[name].operator is reducer, f"{name} is reduced by it"  # type: ignore[attr-defined]


def test_studio_is_told_what_can_be_set() -> None:
    context = graph.get_context_jsonschema()
    assert context is not None
    assert set(context["properties"]) == set(AlignmentContext.model_fields)
    assert all(each["description"] for each in context["properties"].values())
    input_schema = graph.get_input_jsonschema()
    assert list(input_schema["properties"]) == ["trigger"]
    assert input_schema["properties"]["trigger"]["description"]


async def test_the_state_is_plain_json_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a strict reader of checkpoints gets back what was written."""
    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, [*PREFERENCES][:2]))
    await there.align(rounds=2)
    thread: Any = {"configurable": {"thread_id": "alignment:anna"}}
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    steps = 0
    async for saved in there.saver.alist(thread):
        values = {
            name: value
            for name, value in saved.checkpoint["channel_values"].items()
            if name in AlignmentState.__annotations__
        }
        assert json.loads(json.dumps(values)) == values
        assert strict.loads_typed(strict.dumps_typed(values)) == values
        steps += 1
    assert steps > 10
