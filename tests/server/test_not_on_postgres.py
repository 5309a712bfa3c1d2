"""What ``docs/deploy.md`` says that the Postgres server cannot do, it cannot; mend both together."""

import re
from typing import Any

import pytest
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError

from tests.support.server import ROOT, Server

MESSAGES: Any = {"messages": [{"role": "user", "content": "Hello."}]}


async def remote_state(sdk: LangGraphClient, thread: str) -> Any:
    remote = RemoteGraph("agent", client=sdk)
    return await remote.aget_state({"configurable": {"thread_id": thread}})


LACKING = {
    "threads.copy": lambda sdk, thread: sdk.threads.copy(thread),
    "threads.count": lambda sdk, _: sdk.threads.count(),
    "runs.create_batch": lambda sdk, _: sdk.runs.create_batch(
        [{"assistant_id": "agent", "input": MESSAGES}]
    ),
    'assistants.get_graph("agent")': lambda sdk, _: sdk.assistants.get_graph("agent"),
    'assistants.get_schemas("agent")': lambda sdk, _: sdk.assistants.get_schemas("agent"),
    "RemoteGraph.get_graph": lambda sdk, _: RemoteGraph("agent", client=sdk).aget_graph(),
    "RemoteGraph.get_state": remote_state,
}
IGNORED: dict[str, Any] = {
    "webhook": "https://example.com/told",
    "after_seconds": 3600,
}


def documented() -> set[str]:
    """What the section names as code."""
    section = (ROOT / "docs" / "deploy.md").read_text("utf-8").partition("### Not on Postgres")[2]
    return set(re.findall("`([^`]+)`", section.partition("\n## ")[0]))


@pytest.mark.parametrize("name", LACKING)
async def test_what_is_not_there_is_documented(postgres_server: Server, name: str) -> None:
    assert name in documented()
    async with postgres_server.sdk("lacking") as sdk:
        thread = (await sdk.threads.create())["thread_id"]
        await sdk.runs.wait(thread, "agent", input=MESSAGES)
        with pytest.raises(APIStatusError) as refused:
            await LACKING[name](sdk, thread)
        assert refused.value.status_code in (400, 404, 405)


@pytest.mark.parametrize("name", IGNORED)
async def test_what_is_ignored_is_documented(postgres_server: Server, name: str) -> None:
    assert name in documented()
    async with postgres_server.sdk("ignoring") as sdk:
        thread = (await sdk.threads.create())["thread_id"]
        options = {name: IGNORED[name]}
        run = await sdk.runs.create(thread, "agent", input=MESSAGES, **options)
        await sdk.runs.join(thread, run["run_id"])
        assert (await sdk.runs.get(thread, run["run_id"]))["status"] == "success"
