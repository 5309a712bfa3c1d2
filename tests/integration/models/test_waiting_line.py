"""One engine for all: what a person waits for is asked before what goes on in the background."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from personaagent.models.chat import connect
from personaagent.models.embedded_model import EmbeddedModel
from personaagent.models.endpoint_model import EndpointModel
from personaagent.models.invoke import invoke_model
from personaagent.models.waiting_line import WaitingLine
from personaagent.nodes.background_tasks import BackgroundTasks
from tests.support.endpoint import Endpoint, Reply, Stall, scripted_endpoint

BACKGROUND, PERSON = "Sum up what you know.", "Where is my key?"


class Engine:
    """Never ends what the background asks first; answers whatever comes later."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        question = body["messages"][-1]["content"]
        self.asked.append(question)
        self.begun.set()
        begins = question == BACKGROUND and PERSON not in self.asked
        return Stall() if begins else f"Answer to: {question}"


@asynccontextmanager
async def client(endpoint: Endpoint, line: WaitingLine | None) -> AsyncIterator[EndpointModel]:
    make = None if line is None else partial(EmbeddedModel, line=line)
    model = connect("m", endpoint.base_url, "k", timeout=60, retries=0, make=make)
    try:
        yield model
    finally:
        await model.root_async_client.close()


async def ask(model: EndpointModel, question: str) -> str:
    return (await invoke_model(model, [HumanMessage(question)], role="actor")).text


async def streamed(model: EndpointModel, question: str) -> str:
    return "".join([chunk.text async for chunk in model.astream([HumanMessage(question)])])


@pytest.mark.parametrize("in_background", [ask, streamed])
@pytest.mark.parametrize("of_person", [ask, streamed])
async def test_a_person_is_answered_before_the_background_which_is_asked_again(
    in_background: Any, of_person: Any
) -> None:
    engine, work = Engine(), BackgroundTasks[str]("work")
    with scripted_endpoint(engine) as endpoint:
        async with client(endpoint, WaitingLine()) as model:
            begun = work.start("anna", lambda: in_background(model, BACKGROUND))
            assert await asyncio.to_thread(engine.begun.wait, 30)
            assert await of_person(model, PERSON) == f"Answer to: {PERSON}"
            async with asyncio.timeout(30):
                assert await begun == f"Answer to: {BACKGROUND}"
    assert engine.asked == [BACKGROUND, PERSON, BACKGROUND]


async def test_work_in_the_background_that_is_cancelled_ends() -> None:
    engine, work = Engine(), BackgroundTasks[str]("work")
    with scripted_endpoint(engine) as endpoint:
        async with client(endpoint, WaitingLine()) as model:
            begun = work.start("anna", lambda: ask(model, BACKGROUND))
            assert await asyncio.to_thread(engine.begun.wait, 30)
            async with asyncio.timeout(30):
                await work.cancel("anna")
            assert begun.cancelled()
            assert await ask(model, PERSON) == f"Answer to: {PERSON}"
    assert engine.asked == [BACKGROUND, PERSON]


async def test_work_in_the_background_waits_for_everybody_who_came_before() -> None:
    """The last of two persons decides, and one who is cancelled does not hold it up."""
    line, order = WaitingLine(), list[str]()

    async def note(what: str) -> None:
        order.append(what)

    async def person(name: str, leave: asyncio.Event) -> None:
        async with line.first():
            order.append(name)
            await leave.wait()

    leave = asyncio.Event()
    anna, ben = (asyncio.create_task(person(name, leave)) for name in ("anna", "ben"))
    await asyncio.sleep(0)
    background = asyncio.create_task(line.last(lambda: note("background")))
    anna.cancel()
    await asyncio.sleep(0)
    assert order == ["anna", "ben"]
    leave.set()
    async with asyncio.timeout(30):
        await asyncio.gather(ben, background)
    assert order == ["anna", "ben", "background"]


async def test_whoever_has_to_be_alone_gives_up_while_somebody_else_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("personaagent.models.waiting_line.PATIENCE", 0.01)
    line = WaitingLine()
    async with line.first():
        with pytest.raises(TimeoutError):
            async with line.alone():
                raise AssertionError("not alone")
    async with line.alone(), asyncio.timeout(30):
        later = asyncio.create_task(line.last(lambda: asyncio.sleep(0, "later")))
        await asyncio.sleep(0)
        assert not later.done()
    async with asyncio.timeout(30):
        assert await later == "later"


async def test_a_failure_in_the_background_is_its_own() -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await WaitingLine().last(fail)


async def test_without_a_line_all_are_asked_at_once() -> None:
    """At an endpoint that serves many, nobody is interrupted."""
    engine, work = Engine(), BackgroundTasks[str]("work")
    with scripted_endpoint(engine) as endpoint:
        async with client(endpoint, None) as model:
            begun = work.start("anna", lambda: ask(model, BACKGROUND))
            assert await asyncio.to_thread(engine.begun.wait, 30)
            await ask(model, PERSON)
            assert not begun.done()
            await work.cancel("anna")
    assert engine.asked == [BACKGROUND, PERSON]
