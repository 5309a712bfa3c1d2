"""What clients of a real server can read of a run that failed at the model's endpoint."""

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.support.server import FAILS, Server

UPSTREAM = "refused"
"""What the endpoint says (``answers_from_memory``)."""
MODES: Any = ["values", "updates", "messages-tuple", "debug", "tasks", "checkpoints", "events"]
ASKED = {"messages": [{"role": "user", "content": f"{FAILS} Well?"}]}


async def everything_told(server: Server) -> str:
    """All that the SDK gives of such a run, as one text."""
    told: list[Any] = []
    async with server.sdk(f"curious {uuid4()}") as sdk:
        thread = (await sdk.threads.create())["thread_id"]
        told.append(await sdk.runs.wait(thread, "agent", input=ASKED, raise_error=False))
        told += [
            event
            async for event in sdk.runs.stream(thread, "agent", input=ASKED, stream_mode=MODES)
        ]
        told.append(await sdk.runs.list(thread))
        told.append(await sdk.threads.get(thread))
        told.append(await sdk.threads.get_state(thread, subgraphs=True))
        told.append(await sdk.threads.get_history(thread, limit=100))
    return str(told)


@pytest.mark.parametrize("name", ["token_server", "postgres_server"])
async def test_of_a_failure_clients_are_told_the_kind_and_the_log_the_rest(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(name)
    told = await everything_told(server)
    assert "The server cannot do that now (ModelError): try again later" in told
    address = urlsplit(server.endpoint.base_url).netloc
    assert address not in told
    assert UPSTREAM not in told
    assert f"{address} refused" in server.log
