"""What LangGraph Studio asks of a server, asked by the SDK: drawing, forms, breakpoints, forks.

Studio itself is hosted elsewhere. Any chat client asks for less: messages in, messages streamed out.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from tests.support.alignment import PREFERENCES, walks
from tests.support.server import Server

RULE, OTHER_RULE = list(PREFERENCES)[:2]
NODES = {
    "agent": [*("recall", "question", "inject_persona", "react", "tools", "decide", "remember")],
    "alignment": ["sample", "simulate", "compare", "critique", "update", "gate", "publish"],
}
INPUT = {"agent": "messages", "alignment": "trigger"}
GRAPHS = list(NODES)


@pytest.fixture
async def client(token_server: Server) -> AsyncIterator[LangGraphClient]:
    async with token_server.sdk(f"sue {uuid4()}") as client:
        yield client


async def assistant(client: LangGraphClient, graph: str) -> str:
    """The id of the assistant of the graph itself."""
    [found] = await client.assistants.search(graph_id=graph)
    return found["assistant_id"]


@pytest.mark.parametrize("graph", GRAPHS)
async def test_a_graph_is_drawn_with_every_node_and_edge(
    client: LangGraphClient, graph: str
) -> None:
    drawn = await client.assistants.get_graph(await assistant(client, graph), xray=True)
    ids = [node["id"] for node in drawn["nodes"]]
    assert ids == ["__start__", *NODES[graph], "__end__"]
    edges = {(edge["source"], edge["target"]) for edge in drawn["edges"]}
    assert {source for source, _ in edges} == set(ids) - {"__end__"}
    assert {target for _, target in edges} == set(ids) - {"__start__"}
    assert not [edge["data"] for edge in drawn["edges"] if edge.get("data")], "a label of its own"


@pytest.mark.parametrize("graph", GRAPHS)
async def test_every_field_of_every_form_is_explained(client: LangGraphClient, graph: str) -> None:
    schemas = await client.assistants.get_schemas(await assistant(client, graph))
    for form in ("input_schema", "output_schema", "state_schema", "context_schema"):
        fields = schemas[form]["properties"]  # type: ignore[literal-required, index]
        assert fields
        assert [name for name, field in fields.items() if not field.get("description")] == [], form
    assert list(schemas["input_schema"]["properties"]) == [INPUT[graph]]  # type: ignore[index]
    assert schemas["input_schema"]["required"] == [INPUT[graph]]  # type: ignore[index]
    assert not schemas["context_schema"].get("required")  # type: ignore[union-attr]


@dataclass(frozen=True)
class Aligning:
    """A user with labelled walks, and their alignment."""

    name: str
    http: httpx.AsyncClient
    sdk: LangGraphClient

    @property
    def thread(self) -> str:
        return alignment_thread(self.name)

    async def run(self, input: dict[str, Any] | None = None, **options: Any) -> Any:
        return await self.sdk.runs.wait(self.thread, "alignment", input=input, **options)

    async def rules(self) -> list[str]:
        """The rules of the persona that speaks now."""
        persona = (await self.http.get("/me/persona")).json()
        return [rule["text"] for rule in persona["rules"]]


@asynccontextmanager
async def aligning(server: Server, wanted: list[str]) -> AsyncIterator[Aligning]:
    name = f"alva {uuid4()}"
    lines = [walk.model_dump_json(exclude={"user_id"}) for walk in walks(6, wanted)]
    async with server.http(name) as http, server.sdk(name) as sdk:
        (await http.post("/me/import", content="\n".join(lines))).raise_for_status()
        await sdk.threads.create(thread_id=alignment_thread(name), if_exists="do_nothing")
        yield Aligning(name, http, sdk)


async def test_a_candidate_is_edited_at_the_gate(token_server: Server) -> None:
    async with aligning(token_server, [RULE, OTHER_RULE]) as user:
        await user.run({"trigger": "studio"}, context={"rounds": 1}, interrupt_before=["gate"])
        stopped = await user.sdk.threads.get_state(user.thread)
        assert stopped["next"] == ["gate"]
        [first, *_] = stopped["values"]["candidates"]  # type: ignore[call-overload]
        assert first["operations"][-1]["text"] == first["rules"][-1]["text"] != OTHER_RULE
        for part in (first["rules"][-1], first["operations"][-1]):
            part["text"] = OTHER_RULE
        await user.sdk.threads.update_state(user.thread, {"candidates": [first]}, as_node="update")
        assert (await user.sdk.threads.get_state(user.thread))["next"] == ["gate"]
        done = await user.run()
        assert done["result"]["rules_after"][-1]["text"] == OTHER_RULE
        assert (await user.rules())[-1] == OTHER_RULE


async def test_an_alignment_forks_from_an_earlier_round(token_server: Server) -> None:
    async with aligning(token_server, [RULE, OTHER_RULE]) as user:
        done = await user.run({"trigger": "studio"}, context={"rounds": 2, "dry_run": True})
        history = await user.sdk.threads.get_history(user.thread, limit=100)
        [earlier] = [
            each
            for each in history
            if each["next"] == ["gate"] and each["values"]["round"] == 1  # type: ignore[call-overload]
        ]
        forked = await user.sdk.threads.update_state(
            user.thread, {"candidates": []}, as_node="update", checkpoint=earlier["checkpoint"]
        )
        again = await user.run(checkpoint=forked["checkpoint"])
        assert [each["accepted"] for each in done["result"]["rounds"]] == [True, True]
        assert [each["accepted"] for each in again["result"]["rounds"]] == [False, True]
        newest = await user.sdk.threads.get_history(user.thread, limit=100)
        assert {each["checkpoint"]["checkpoint_id"] for each in history} < {
            each["checkpoint"]["checkpoint_id"] for each in newest
        }, "what was is still there"


async def test_any_chat_client_talks_to_the_agent(client: LangGraphClient) -> None:
    thread = await client.threads.create()

    async def say(text: str) -> str:
        said = ""
        async for event in client.runs.stream(
            thread["thread_id"],
            "agent",
            input={"messages": [{"role": "user", "content": text}]},
            stream_mode="messages-tuple",
        ):
            if event.event == "messages":
                piece, about = event.data  # type: ignore[misc]
                assert about["langgraph_node"] == "react"
                said += piece["content"]
        return said

    assert await say("My dog is called Rex.") == "I do not know."
    assert await say("What is my dog called?") == "Your dog is called Rex."
    state = await client.threads.get_state(thread["thread_id"])
    conversation = [(m["type"], m["content"]) for m in state["values"]["messages"]]  # type: ignore[call-overload]
    assert conversation == [
        ("human", "My dog is called Rex."),
        ("ai", "I do not know."),
        ("human", "What is my dog called?"),
        ("ai", "Your dog is called Rex."),
    ]


@pytest.mark.parametrize(
    ("mode", "least"),
    [
        ("values", 5),
        ("updates", 4),
        ("messages-tuple", 2),
        ("debug", 8),
        ("events", 8),
        ("tasks", 8),
    ],
)
async def test_a_turn_streams_in_every_mode(client: LangGraphClient, mode: Any, least: int) -> None:
    asked = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
    events = [
        event.event
        async for event in client.runs.stream(None, "agent", input=asked, stream_mode=mode)
    ]
    assert events.count(mode.removesuffix("-tuple")) >= least
    assert "error" not in events


async def test_a_turn_goes_on_from_a_breakpoint_before_the_answer(open_server: Server) -> None:
    async with open_server.sdk("alva") as client:
        thread = (await client.threads.create())["thread_id"]
        asked = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
        await client.runs.wait(thread, "agent", input=asked, interrupt_before=["react"])
        state = await client.threads.get_state(thread)
        assert state["next"] == ["react"]
        told = state["values"]["system_prompt"] + "\nThe dog is called Rex."  # type: ignore[call-overload]
        await client.threads.update_state(thread, {"system_prompt": told}, as_node="inject_persona")
        done: Any = await client.runs.wait(thread, "agent", input=None)
        assert done["messages"][-1]["content"] == "Your dog is called Rex."
