"""The log of the Postgres server, at the level at which it is deployed."""

from pathlib import Path
from uuid import uuid4

from personaagent.core.users import user_key
from tests.support.postgres_server import on_postgres
from tests.support.server import answers_from_memory, running_server

ASKED = {"messages": [{"role": "user", "content": "What is my dog called?"}]}


async def test_it_names_users_by_a_hash(database: str, tmp_path: Path) -> None:
    name = f"logged {uuid4()}"
    options = on_postgres(database, LOG_LEVEL="INFO")
    with running_server(tmp_path, answers_from_memory, **options) as server:
        async with server.sdk(name) as sdk:
            thread = (await sdk.threads.create())["thread_id"]
            await sdk.runs.wait(thread, "agent", input=ASKED)
            [run] = await sdk.runs.list(thread)
            await sdk.runs.get(thread, run["run_id"])
            await sdk.runs.cancel(thread, run["run_id"])
            await sdk.runs.cancel_many(thread_id=thread, run_ids=[run["run_id"]])
        assert user_key(name) in server.log
        assert name not in server.log
