"""Several processes on one Postgres: what one of them forgets, no other brings back."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.support.postgres_server import PYTHON
from tests.support.server import ROOT

PROCESS = """
import asyncio, sys
from pathlib import Path
from langgraph.store.postgres.aio import AsyncPostgresStore
from personaagent.core.errors import Forgotten
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.memory.forget import forget_all
from personaagent.memory.memory import Memory
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode

USER = "many-processes"

async def no_threads(_): ...

async def write(memory, store, name):
    user = memory.of(store, USER)
    generation = await user.store.begin()
    async def add(id):
        await memory.of(store, USER, generation).episodes.add([episode(id, "q", user_id=USER)])
    for number in range(100_000):
        await asyncio.gather(*(add(f"{name}-{number}-{each}") for each in range(4)))
        if number == 5:
            print("begun", flush=True)

async def main(address, role, home):
    pool = {"min_size": 1, "max_size": 4}
    async with AsyncPostgresStore.from_conn_string(address, pool_config=pool) as store:
        await store.setup()
        memory = Memory(load_settings(home=Path(home)), BagEmbedder())
        if role == "forget":
            receipt = await forget_all(memory.of(store, USER), [], no_threads)
            print(len(receipt.episodes))
        elif role == "count":
            print(len(await store.asearch(("users", user_key(USER)), limit=1000)))
        else:
            try:
                await write(memory, store, role)
            except Forgotten:
                print("refused")

asyncio.run(main(*sys.argv[1:]))
"""


def test_writers_in_other_processes_end_and_nothing_comes_back(
    database: str, tmp_path: Path
) -> None:
    def process(role: str) -> "subprocess.Popen[str]":
        command = [PYTHON, "-c", PROCESS, database, role, tmp_path]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def output(of: "subprocess.Popen[str]") -> str:
        return of.communicate(timeout=120)[0].strip()

    with ExitStack() as stack:
        assert output(process("count")) == "0"
        writers = [stack.enter_context(process(name)) for name in ("a", "b")]
        for each in writers:
            stack.callback(each.kill)
            assert each.stdout is not None
            assert each.stdout.readline() == "begun\n"
        assert int(output(process("forget"))) > 2 * 5 * 4
        assert [output(each) for each in writers] == ["refused", "refused"]
        assert output(process("count")) == "0"
