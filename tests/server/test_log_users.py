"""The log of a server, at the level at which it is deployed."""

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from langgraph_sdk.errors import LangGraphError

from personaagent.core.users import user_key
from tests.support.postgres import postgres
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, answers_from_memory, running_server

ASKED = {"messages": [{"role": "user", "content": "What is my dog called?"}]}


async def use(server: Server, name: str) -> None:
    """Do what a server writes into its log."""
    async with server.sdk(name) as sdk:
        thread = (await sdk.threads.create())["thread_id"]
        await sdk.runs.wait(thread, "agent", input=ASKED)
        [run] = await sdk.runs.list(thread)
        await sdk.runs.get(thread, run["run_id"])
        with suppress(LangGraphError):  # it has ended
            await sdk.runs.cancel(thread, run["run_id"])
        with suppress(LangGraphError):
            await sdk.runs.cancel_many(thread_id=thread, run_ids=[run["run_id"]])


async def test_the_development_server_names_no_user(token_server: Server) -> None:
    name = f"logged {uuid4()}"
    await use(token_server, name)
    assert name not in token_server.log


async def test_the_postgres_server_names_users_by_a_hash(tmp_path: Path) -> None:
    name = f"logged {uuid4()}"
    need_postgres()
    with (
        postgres() as database,
        running_server(
            tmp_path, answers_from_memory, **on_postgres(database, LOG_LEVEL="INFO")
        ) as server,
    ):
        await use(server, name)
        assert user_key(name) in server.log
        assert name not in server.log
