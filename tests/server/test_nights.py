"""The night on running servers: who has few labels is aligned, once, and no cron is left for it."""

import asyncio
from pathlib import Path
from typing import Any

from langgraph_sdk.errors import NotFoundError
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from personaagent.core.alignment_state import alignment_thread
from tests.server.conftest import METRICS_TOKEN
from tests.server.test_operation import shown
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import over_http
from tests.support.postgres import postgres, sql
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, running_server

RULE = next(iter(PREFERENCES))
LABELS = 3
USERS = ["anna", "bruno"]
EVERY_SECOND = "* * * * * *"
LONG_AGO, MONTHLY = "0 0 29 2 *", "0 0 1 * *"
"""Schedules: a server that had the first one, and gets the second one, has missed a night."""
SWEEP = "prefix = 'nightly_alignment'"
RUNS = "SELECT count(*), count(DISTINCT thread_id) FROM runs"
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


async def test_a_server_killed_in_the_night_goes_on_with_it_and_gives_nobody_two(
    tmp_path: Path,
) -> None:
    need_postgres()
    users = [f"walker-{number}" for number in range(7)]
    with postgres() as database:
        served = on_postgres(database, PERSONAAGENT_ALIGN_NIGHTLY_RUNS="2")

        def serving(schedule: str) -> Any:
            aligning = over_http(Scripted())
            return running_server(tmp_path, aligning, PERSONAAGENT_ALIGN_NIGHTLY=schedule, **served)

        with serving(LONG_AGO) as before:
            for user in users:
                await label(before, user)
            await told(database, f"SELECT count(*) FROM store WHERE {SWEEP}", "1")
        with serving(MONTHLY) as killed:
            await told(database, "SELECT count(*) >= 3 FROM runs", "t")
            killed.process.kill()
            killed.process.wait()
        assert int(sql(database, RUNS).split("|")[0]) < len(users)
        with serving(MONTHLY):
            await told(database, f"SELECT value ->> 'ended' FROM store WHERE {SWEEP}", "true")
        assert sql(database, RUNS) == f"{len(users)}|{len(users)}"


async def told(database: str, question: str, answer: str) -> None:
    """Ask the database until it gives this answer."""
    other = retry_if_result(lambda given: given != answer)
    wait = AsyncRetrying(retry=other, stop=stop_after_delay(240), wait=wait_fixed(0.2))
    await wait(asyncio.to_thread, sql, database, question)


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
