"""A user's day, spent by several processes on one Postgres: none spends what another has."""

import asyncio
import json

from tests.support.postgres import postgres
from tests.support.postgres_server import PYTHON, need_postgres

SPEND = """
import asyncio, json, sys
from datetime import timedelta
from langgraph.store.postgres.aio import AsyncPostgresStore
from personaagent.core.records import now
from personaagent.memory.spending import Spending, Spent, delete_old_accounts
from personaagent.memory.user_store import UserStore

async def main(address, run):
    pooled = AsyncPostgresStore.from_conn_string(address, pool_config={"min_size": 1, "max_size": 4})
    async with pooled as store:
        if run == "setup":
            await store.setup()
            return
        spending = Spending(UserStore(store, "anna"))
        if run == "look":
            past = Spending(UserStore(store, "ben"), lambda: now() - timedelta(days=3))
            await past.add("run", Spent(calls=1))
            await delete_old_accounts(store)
            left = await store.asearch(("spending",))
            print(json.dumps([len(left), (await spending.today()).stored()]))
            return
        one = Spent(calls=1, tokens=10)
        asked = [spending.add(f"{run} {n % 3}", one, most={"calls": 20}) for n in range(12)]
        print((await asyncio.gather(*asked)).count(None))

asyncio.run(main(*sys.argv[1:]))
"""


async def spend(address: str, run: str) -> str:
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-c", SPEND, address, run, stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return said.decode()


async def test_four_processes_make_no_more_calls_than_the_day_allows() -> None:
    need_postgres()
    with postgres() as address:
        await spend(address, "setup")
        allowed = await asyncio.gather(*(spend(address, run) for run in ("a", "b", "c", "d")))
        assert sum(map(int, allowed)) == 20
        accounts, today = json.loads(await spend(address, "look"))
    assert (today["calls"], today["tokens"]) == (20, 200), "nothing that was booked is lost"
    assert accounts == 1, "what was spent days ago is deleted"
