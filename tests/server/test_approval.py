"""A server that asks its users before their persona changes, and traces what it does without a word.

The SDK answers as Studio would, our routes as a client of theirs.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from personaagent.core.alignment import Proposal
from personaagent.core.alignment_state import alignment_thread
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import over_http
from tests.support.langsmith_recorder import Recorder, langsmith_recorder
from tests.support.server import Server, running_server

RULE = next(iter(PREFERENCES))
EDITED = "Say how far it is in kilometres."
USERS = count()


@dataclass(frozen=True)
class Running:
    """The server, and what it traces."""

    server: Server
    traces: Recorder


@pytest.fixture(scope="module")
def running(backend: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with (
        langsmith_recorder() as traces,
        running_server(
            tmp_path_factory.mktemp("approval"),
            over_http(Scripted()),
            PERSONAAGENT_APPROVAL="ask",
            PERSONAAGENT_ALIGN_AFTER="5",
            PERSONAAGENT_TRACE_CONTENT="false",
            LANGSMITH_TRACING="true",
            LANGSMITH_TRACING_MODE="hybrid",
            OTEL_EXPORTER_OTLP_ENDPOINT=traces.url,
            LANGSMITH_API_KEY="a key of the tests",
            LANGSMITH_ENDPOINT=traces.url,
            **backend,
        ) as server,
    ):
        yield Running(server, traces)


@dataclass(frozen=True)
class Person:
    """A user whose alignment has been queued by their labels."""

    name: str
    http: httpx.AsyncClient
    sdk: LangGraphClient

    @property
    def thread(self) -> str:
        return alignment_thread(self.name)

    async def asked(self) -> Proposal:
        """What they are asked, once the run has come so far and ended."""

        async def look() -> Any:
            state = await self.sdk.threads.get_state(self.thread)
            return [each for task in state["tasks"] for each in task["interrupts"]]

        none_yet = retry_if_result(lambda found: not found)
        await AsyncRetrying(retry=none_yet, stop=stop_after_delay(60), wait=wait_fixed(0.2))(look)
        [newest, *_] = await self.sdk.runs.list(self.thread)
        await self.sdk.runs.join(self.thread, newest["run_id"])
        [interrupt] = await look()
        return Proposal.model_validate(interrupt["value"])

    async def answer(self, answer: Any) -> dict[str, Any]:
        """Resume with the answer; the state then."""
        state: Any = await self.sdk.runs.wait(
            self.thread, "alignment", command={"resume": answer}, raise_error=False
        )
        return dict(state)

    async def persona(self) -> dict[str, Any]:
        return dict((await self.http.get("/me/persona")).json())


@pytest.fixture
async def person(running: Running) -> AsyncIterator[Person]:
    name = f"walker-{next(USERS)}"
    async with running.server.http(name) as http, running.server.sdk(name) as sdk:
        lines = [each.model_dump_json(exclude={"user_id"}) for each in walks(6, [RULE])]
        (await http.post("/me/import", content="\n".join(lines))).raise_for_status()
        yield Person(name, http, sdk)


async def test_the_user_approves_by_the_sdk(person: Person) -> None:
    proposal = await person.asked()
    assert [each.after for each in proposal.changes] == [RULE]
    assert {each.query for each in proposal.changes[0].evidence} <= {w.query for w in walks(6, [])}
    assert (await person.persona())["version"] == 1
    state = await person.answer(True)
    assert state["result"]["to_version"] == 2
    assert (await person.persona())["author"] == "alignment"


async def test_an_edit_is_checked_and_becomes_the_users_own(person: Person) -> None:
    proposal = await person.asked()
    rules = [{"id": rule.id, "text": rule.text} for rule in proposal.rules_after[:-1]]
    bad = await person.answer({"decision": "edit", "rules": [*rules, {"text": " "}]})
    assert "text of a rule is empty" in bad["__interrupt__"][0]["value"]["problem"]
    await person.answer({"decision": "edit", "rules": [*rules, {"text": EDITED}]})
    persona = await person.persona()
    assert (persona["version"], persona["author"]) == (2, "user")
    assert persona["rules"][-1]["text"] == EDITED


async def test_the_user_refuses_by_our_routes(person: Person) -> None:
    await person.asked()
    said = await person.http.post("/me/alignments/decision", json={"decision": "refuse"})
    assert said.status_code == 202, said.text
    await person.sdk.runs.join(person.thread, said.json()["id"])
    state: Any = await person.sdk.threads.get_state(person.thread)
    assert (state["values"]["result"]["to_version"], state["next"]) == (1, [])
    assert (await person.persona())["version"] == 1


async def test_no_client_can_say_that_the_user_is_not_asked(person: Person) -> None:
    await person.asked()
    state: Any = await person.sdk.runs.wait(
        person.thread,
        "alignment",
        input={"trigger": "client"},
        context={"user_id": person.name, "approve": False},
    )
    assert state["__interrupt__"]
    assert (await person.persona())["version"] == 1


async def test_what_waits_for_the_user_is_not_replaced_by_new_labels(person: Person) -> None:
    proposal = await person.asked()
    before = await person.sdk.runs.list(person.thread)
    lines = [each.model_dump_json(exclude={"user_id"}) for each in walks(16, [RULE])[6:]]
    (await person.http.post("/me/import", content="\n".join(lines))).raise_for_status()
    assert await person.sdk.runs.list(person.thread) == before
    assert await person.asked() == proposal


async def test_traces_name_the_user_by_a_hash_and_hold_no_word(
    running: Running, person: Person
) -> None:
    await person.asked()
    await person.answer(True)
    turn: Any = await person.sdk.runs.wait(
        None,
        "agent",
        input={"messages": [{"role": "user", "content": "Tell me about the barn?"}]},
        context={"user_id": "somebody else"},
        metadata={"note": "about the barn"},
    )
    assert turn["messages"][-1]["content"]
    await person.http.get("/me/episodes", params={"task": "about the barn"})

    async def all_sent() -> bool:
        sent = {tree.name for tree in running.traces.trees() if tree.metadata.get("user") == key}
        collected = {span.name for span in running.traces.spans()}
        return all({"agent", "alignment"} <= names for names in (sent, collected))

    key = user_key(person.name)
    missing = retry_if_result(lambda sent: not sent)
    await AsyncRetrying(retry=missing, stop=stop_after_delay(60), wait=wait_fixed(0.5))(all_sent)
    trees = running.traces.trees()
    assert {tree.name for tree in trees} == {"agent", "alignment"}
    [agent] = [tree for tree in trees if tree.name == "agent"]
    assert agent.metadata["persona_version"] == 2
    assert agent.outline() == (
        "agent",
        [
            *("recall", "question", "inject_persona"),
            *(("react", ["ChatOpenAI", "_route"]), "decide", "remember"),
        ],
    )
    asking, answering = [tree for tree in trees if tree.metadata.get("user") == key][:2]
    assert asking.metadata["thread_id"] == answering.metadata["thread_id"] == person.thread
    assert (answering.metadata["trigger"], answering.metadata["to_version"]) == ("labels", 2)
    assert {s.name for s in running.traces.spans()} <= {n.name for t in trees for n in t.each()}
    said = running.traces.said()
    for word in ("walker-", "somebody else", "barn", "kilometres", "castle", RULE, EDITED):
        assert word.encode() not in said, word
