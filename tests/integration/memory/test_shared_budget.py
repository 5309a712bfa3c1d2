"""A user's day of alignment, spent by several processes at once: none spends what another has."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from personaagent.core.records import now
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.memory.data_folder import open_store
from personaagent.memory.spending import Spending, Spent, delete_old_accounts
from personaagent.memory.user_store import UserStore

SPEND = """
import asyncio, sys
from personaagent.core.settings import load_settings
from personaagent.memory.data_folder import open_store
from personaagent.memory.spending import Spending, Spent
from personaagent.memory.user_store import UserStore

async def main(run):
    async with open_store(load_settings(home=sys.argv[1]).home) as store:
        spending = Spending(UserStore(store, "anna"))
        one = Spent(calls=1, tokens=10)
        asked = [spending.add(f"{run} {n % 3}", one, most={"calls": 20}) for n in range(12)]
        print((await asyncio.gather(*asked)).count(None))

asyncio.run(main(sys.argv[2]))
"""


async def test_four_processes_make_no_more_calls_than_the_day_allows(tmp_path: Path) -> None:
    home = load_settings(home=tmp_path).home
    async with open_store(home) as store:
        allowed = await asyncio.to_thread(in_processes, tmp_path, ["a", "b", "c", "d"])
        today = await Spending(UserStore(store, "anna")).today()
        past = Spending(UserStore(store, "ben"), lambda: now() - timedelta(days=3))
        await past.add("run", Spent(calls=1))
        await delete_old_accounts(store)
        left = [item.key for item in await store.asearch(("spending",))]
    assert sum(allowed) == 20
    assert today == Spent(calls=20, tokens=200), "nothing that was booked is lost"
    assert left == [user_key("anna")], "what was spent days ago is deleted"


def in_processes(home: Path, names: list[str]) -> list[int]:
    """How many calls each of these processes was allowed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SPEND, str(home), name], stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    try:
        return [int(each.communicate(timeout=120)[0]) for each in processes]
    finally:
        for each in processes:
            each.kill()
