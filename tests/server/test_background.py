"""Alignment that begins by itself on the development server, by labels (at night: ``test_nights.py``).

The server runs with nothing set that would let anything out, behind a proxy that is told of whatever
leaves the machine: the last test says that nothing did.
"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.records import Episode
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import over_http, role_of
from tests.support.endpoint import Reply, Stall
from tests.support.langsmith_recorder import Recorder, langsmith_recorder, watched_proxy
from tests.support.server import Server, running_server

RULE, OTHER_RULE = list(PREFERENCES)[:2]
AFTER = 5
DAILY_CALLS = 20
USERS = count()


class Script:
    """The models of alignment; while it ``holds``, the critic's answer never comes."""

    def __init__(self) -> None:
        self.holds = False
        self.respond = over_http(Scripted())

    def __call__(self, body: dict[str, Any]) -> Reply:
        return Stall() if self.holds and role_of(body) == "critic" else self.respond(body)


@dataclass(frozen=True)
class Running:
    """The server, its models, its webhook's receiver, and what the proxy was told."""

    server: Server
    script: Script
    receiver: Recorder
    left: list[bytes]


@pytest.fixture(scope="module")
def running(backend: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    script = Script()
    folder = tmp_path_factory.mktemp("background")
    with (
        langsmith_recorder() as receiver,
        watched_proxy() as (proxy, left),
        running_server(
            folder,
            script,
            LANGSMITH_TRACING=None,
            PERSONAAGENT_ALIGN_AFTER=str(AFTER),
            PERSONAAGENT_ALIGN_DAILY_CALLS=str(DAILY_CALLS),
            PERSONAAGENT_CONCURRENCY="1",  # so that the last call is known to be the last
            PERSONAAGENT_WEBHOOK_URL=f"{receiver.url}/hook",
            PERSONAAGENT_WEBHOOK_SECRET="a secret of the tests, to sign with",
            **proxy,
            **backend,
        ) as server,
    ):
        yield Running(server, script, receiver, left)


@dataclass(frozen=True)
class Person:
    """A user of the server: by our routes, and by the SDK."""

    name: str
    http: httpx.AsyncClient
    sdk: LangGraphClient
    walked: list[Episode] = field(default_factory=list)

    @property
    def thread(self) -> str:
        return alignment_thread(self.name)

    async def label(self, number: int, wanted: Sequence[str] = (RULE,)) -> None:
        """Import so many labelled walks more."""
        begun = len(self.walked)
        more = walks(begun + number, wanted)[begun:]
        self.walked.extend(more)
        lines = [each.model_dump_json(exclude={"user_id"}) for each in more]
        (await self.http.post("/me/import", content="\n".join(lines))).raise_for_status()

    async def runs(self) -> list[Any]:
        """The runs of their alignment, newest first."""
        try:
            return list(await self.sdk.runs.list(self.thread))
        except NotFoundError:
            return []

    async def result(self, run: Any) -> dict[str, Any]:
        """What came of the run, once it has ended."""
        await self.sdk.runs.join(self.thread, run["run_id"])
        state: Any = await self.sdk.threads.get_state(self.thread)
        return dict(state["values"])


@asynccontextmanager
async def someone(running: Running) -> AsyncIterator[Person]:
    name = f"walker-{next(USERS)}"
    async with running.server.http(name) as http, running.server.sdk(name) as sdk:
        yield Person(name, http, sdk)


@pytest.fixture
async def person(running: Running) -> AsyncIterator[Person]:
    async with someone(running) as person:
        yield person


async def asked(person: Person, text: str) -> dict[str, Any]:
    """A turn in a conversation of its own."""
    turn: Any = await person.sdk.runs.wait(
        None, "agent", input={"messages": [{"role": "user", "content": text}]}
    )
    return dict(turn)


async def test_enough_labels_begin_a_run_under_the_users_own_name(
    running: Running, person: Person
) -> None:
    await person.label(AFTER - 1)
    assert await person.runs() == []
    turn = await asked(person, "Tell me about the barn?")
    wanted = {"signal": "edit", "text": "The walk to the barn takes an hour, in kilometres."}
    said = await person.http.put(f"/me/episodes/{turn['episode_id']}/feedback", json=wanted)
    assert said.status_code == 200, said.text
    [run] = await person.runs()
    state = await person.result(run)
    assert state["plan"]["trigger"] == "labels"
    assert state["result"]["user_id"] == person.name
    assert (state["result"]["from_version"], state["result"]["to_version"]) == (1, 2)
    assert (await person.http.get("/me/persona")).json()["rules"][-1]["text"] == RULE
    async with someone(running) as stranger:
        with pytest.raises(NotFoundError):
            await stranger.sdk.threads.get(person.thread)
    told = [json.loads(each.body)["data"] for each in running.receiver.received]
    [published] = [each for each in told if each["user"] == user_key(person.name)]
    assert (published["from_version"], published["to_version"]) == (1, 2)
    assert person.name.encode() not in running.receiver.said()


async def test_what_was_learned_is_said_once_with_the_next_answer(person: Person) -> None:
    before = await asked(person, "Tell me about the barn?")
    await person.label(AFTER)
    [run] = await person.runs()
    await person.result(run)
    after = await asked(person, "Tell me about the well?")
    again = await asked(person, "Tell me about the pond?")
    [news] = after["warnings"]
    assert news.startswith(f"Learned: {RULE[0].lower()}{RULE[1:-1]} (")
    assert news.endswith("got better). Version 2 of your persona speaks; you can undo it.")
    assert before["warnings"] == again["warnings"] == []


async def test_labels_given_while_a_run_goes_on_queue_no_other_and_count_later(
    running: Running, person: Person
) -> None:
    running.script.holds = True
    try:
        await person.label(AFTER)
        [run] = await person.runs()
        for _ in range(3):
            await person.label(1)
        assert [each["run_id"] for each in await person.runs()] == [run["run_id"]]
        await person.sdk.runs.cancel(person.thread, run["run_id"], wait=True)
    finally:
        running.script.holds = False
    await person.label(1)
    newest, cancelled = await person.runs()
    assert cancelled["run_id"] == run["run_id"]
    learned_from = (await person.result(newest))["episode_contexts"]
    assert learned_from.keys() == {each.id for each in person.walked}


async def test_a_breakpoint_asks_the_user_nothing_that_labels_would_wait_for(
    person: Person,
) -> None:
    await person.label(AFTER - 1)
    await person.sdk.threads.create(thread_id=person.thread, if_exists="do_nothing")
    await person.sdk.runs.wait(
        person.thread, "alignment", input={"trigger": "studio"}, interrupt_before=["gate"]
    )
    assert (await person.sdk.threads.get_state(person.thread))["next"] == ["gate"]
    await person.label(AFTER)
    newest, _ = await person.runs()
    assert (await person.result(newest))["plan"]["trigger"] == "labels"


async def test_the_budget_of_the_users_day_holds(person: Person) -> None:
    await person.label(AFTER)
    [first] = await person.runs()
    spent = (await person.result(first))["result"]["usage"]["llm_calls"]
    assert 0 < spent < DAILY_CALLS
    await person.label(AFTER, [RULE, OTHER_RULE])
    second, _ = await person.runs()
    result = (await person.result(second))["result"]
    assert result["stopped_by"] == "calls"
    assert spent + result["usage"]["llm_calls"] == DAILY_CALLS


async def test_forgetting_ends_what_goes_on_by_itself(running: Running, person: Person) -> None:
    running.script.holds = True
    try:
        await person.label(AFTER)
        assert len(await person.runs()) == 1
        assert (await person.http.delete("/me")).status_code == 200
    finally:
        running.script.holds = False
    with pytest.raises(NotFoundError):
        await person.sdk.threads.get(person.thread)
    assert (await person.http.get("/me/episodes")).json()["items"] == []


async def test_nothing_has_left_the_machine(running: Running) -> None:
    assert running.left == []
