"""The night on running servers: who has few labels is aligned, once, and no cron is left for it."""

from pathlib import Path
from typing import Any

from langgraph_sdk.errors import NotFoundError
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from personaagent.core.alignment_state import alignment_thread
from tests.server.conftest import METRICS_TOKEN
from tests.server.test_operation import shown
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import over_http
from tests.support.server import Server, running_server

RULE = next(iter(PREFERENCES))
LABELS = 3
USERS = ["anna", "bruno"]
EVERY_SECOND = "* * * * * *"
OPERATOR = {"PERSONAAGENT_METRICS_TOKEN": METRICS_TOKEN}
OF_PERSONA = 'method="GET",route="/me/persona",status="200"'


async def test_a_night_aligns_whoever_has_labels_and_removes_the_crons_of_before(
    tmp_path: Path, backend: dict[str, Any]
) -> None:
    with running_server(
        tmp_path, over_http(Scripted()), PERSONAAGENT_ALIGN_NIGHTLY="never", **backend
    ) as before:
        for user in USERS:
            await label(before, user)
        own = await crons_of_before(before, USERS[0])
    with running_server(
        tmp_path,
        over_http(Scripted()),
        PERSONAAGENT_ALIGN_NIGHTLY=EVERY_SECOND,
        **OPERATOR,
        **backend,
    ) as server:
        for user in USERS:
            async with server.sdk(user) as sdk, server.http(user) as http:
                run = await first_run(sdk, alignment_thread(user))
                await sdk.runs.join(alignment_thread(user), run["run_id"])
                state: Any = await sdk.threads.get_state(alignment_thread(user))
                persona = (await http.get("/me/persona")).json()
                runs = await sdk.runs.list(alignment_thread(user))
            assert state["values"]["plan"]["trigger"] == "nightly"
            assert state["values"]["result"]["user_id"] == user
            assert (persona["version"], persona["rules"][-1]["text"]) == (2, RULE)
            assert len(runs) == 1
        async with server.sdk(USERS[0]) as sdk:
            assert [cron["cron_id"] for cron in await sdk.crons.search()] == [own]
        metrics = await shown(server)
        assert metrics['personaagent_nightly_users_total{outcome="queued"}'] == len(USERS)
        assert metrics['personaagent_runs{status="running"}'] == 0
        assert metrics[f"personaagent_requests_total{{{OF_PERSONA}}}"] == len(USERS)


async def label(server: Server, user: str) -> None:
    """Import fewer labels than begin an alignment at once."""
    lines = [each.model_dump_json(exclude={"user_id"}) for each in walks(LABELS, [RULE])]
    async with server.http(user) as http:
        (await http.post("/me/import", content="\n".join(lines))).raise_for_status()


async def crons_of_before(server: Server, user: str) -> str:
    """Make the cron that earlier versions made, and one of the user's own; returns the latter."""
    thread, yearly = alignment_thread(user), "0 0 1 1 *"
    async with server.sdk(user) as sdk:
        await sdk.threads.create(thread_id=thread, if_exists="do_nothing")
        nightly = {"input": {"trigger": "nightly"}, "enabled": False}
        await sdk.crons.create_for_thread(thread, "alignment", schedule="7 3 * * *", **nightly)
        conversation = (await sdk.threads.create())["thread_id"]
        own: Any = await sdk.crons.create_for_thread(
            conversation, "agent", schedule=yearly, input={}, enabled=False
        )
        assert len(await sdk.crons.search()) == 2
    return str(own["cron_id"])


async def first_run(sdk: Any, thread: str) -> Any:
    """The first run on the thread, waited for."""
    none_yet = retry_if_result(lambda runs: not runs)
    wait = AsyncRetrying(retry=none_yet, stop=stop_after_delay(120), wait=wait_fixed(0.5))
    return (await wait(listed, sdk, thread))[-1]


async def listed(sdk: Any, thread: str) -> list[Any]:
    try:
        return list(await sdk.runs.list(thread))
    except NotFoundError:
        return []
