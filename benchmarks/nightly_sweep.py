"""The nightly alignment of 20,000 users in Postgres: to find who is due, and to give each one run.

Every user has ten labelled episodes; of every other one, alignment has not seen two. The sweep is the
server's, on the server's store; the queue is a table that takes a run as the server does: not a second
one of the same night. Every run ends at once, so that the time is that of the sweep alone. One process
sweeps until it is killed (SIGKILL), a second one goes on, beside a third.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from instant_endpoint import REPOSITORY
from measurement import Measurement, print_progress, report_and_exit, skip_benchmark

USERS = 20_000
DUE = USERS // 2
EPISODES = 10
AT_ONCE = 50
KILLED_AT = DUE // 3
SERVER_PYTHON = REPOSITORY / "build" / "postgres" / "bin" / "python"
EVENING = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
STATUS = Path("/proc/self/status")
KEY = "encode(sha256(('user ' || u)::bytea), 'hex')"
FILL = (
    f"""INSERT INTO store (prefix, key, value)
    SELECT 'users.' || {KEY} || '.episodes', 'e' || e, jsonb_build_object('episode',
        jsonb_build_object('user_id', 'user ' || u, 'query', repeat('where is it ', 6),
            'response', repeat('it is there ', 12), 'ground_truth', repeat('it is here ', 12)))
    FROM generate_series(1, {USERS}) AS u, generate_series(1, {EPISODES}) AS e""",
    f"""INSERT INTO store (prefix, key, value)
    SELECT 'users.' || {KEY} || '.unaligned', 'e' || e, '{{"at": 1, "made": 1, "revision": "r"}}'
    FROM generate_series(1, {USERS}, 2) AS u, generate_series(1, 2) AS e""",
    "CREATE TABLE handed_over (name text, night timestamptz, process int)",
    "ANALYZE store",
)
HAND_OVER = """
    INSERT INTO handed_over SELECT %(name)s, %(night)s, %(process)s
    WHERE NOT EXISTS (SELECT 1 FROM handed_over WHERE name = %(name)s AND night = %(night)s)
"""


@asynccontextmanager
async def store_of_server(database: str) -> AsyncIterator[Any]:
    """The store as the server opens it."""
    from langgraph.store.postgres.aio import AsyncPostgresStore  # pyright: ignore[reportMissingImports]
    from psycopg.rows import dict_row  # pyright: ignore[reportMissingImports]
    from psycopg_pool import AsyncConnectionPool  # pyright: ignore[reportMissingImports]

    options = {"autocommit": True, "prepare_threshold": None, "row_factory": dict_row}
    async with AsyncConnectionPool(database, min_size=1, max_size=4, kwargs=options) as pool:
        store = AsyncPostgresStore(conn=pool)
        await store.setup()
        yield store


async def fill(database: str) -> dict[str, float]:
    """Fill the database, and begin: the first night counts as ended."""
    async with store_of_server(database) as store, store.conn.connection() as connection:
        for statement in FILL:
            await connection.execute(statement)
        await sweep_of(store, database, EVENING).step()
    return {}


async def find(database: str) -> dict[str, float]:
    """Find all who are due, page by page; seconds of all, and of the slowest page."""
    from personaagent.server.due_users import due_users
    from personaagent.server.nightly_alignment import PAGE

    async with store_of_server(database) as store:
        found, slowest, memory, started = 0, 0.0, megabytes(), time.perf_counter()
        page = await due_users(store, PAGE)
        while page:
            found += len(page)
            begun = time.perf_counter()
            page = await due_users(store, PAGE, after=page[-1].key)
            slowest = max(slowest, time.perf_counter() - begun)
        seconds = time.perf_counter() - started
    return {"found": found, "seconds": seconds, "slowest": slowest, "more": megabytes() - memory}


async def sweep(database: str) -> dict[str, float]:
    """Sweep the night as far as it has not come yet; says how long it took and how much memory."""
    async with store_of_server(database) as store:
        nightly = sweep_of(store, database, EVENING + timedelta(hours=8))
        memory, started = megabytes(), time.perf_counter()
        while await nightly.step():
            pass
        return {"seconds": time.perf_counter() - started, "more": megabytes() - memory}


def sweep_of(store: Any, database: str, now: datetime) -> Any:
    """The server's sweep at that time, onto the table."""
    from personaagent.core.settings import load_settings
    from personaagent.server.nightly_alignment import NightlySweep
    from personaagent.server.nightly_schedule import NightlySchedule
    from personaagent.server.run_counts import Pace

    async def hand_over(user: Any, night: datetime) -> bool:
        async with store.conn.connection() as connection:
            values = {"name": user.id, "night": night, "process": os.getpid()}
            return bool((await connection.execute(HAND_OVER, values)).rowcount)

    async def pace(_: datetime) -> Pace:
        return Pace(under_way=0)

    schedule = NightlySchedule(load_settings(align_nightly="H 3 * * *"))
    return NightlySweep(store, Path(), schedule, hand_over, pace, AT_ONCE, clock=lambda: now)


def megabytes() -> float:
    """The most memory that this process has had, in MB."""
    [line] = [each for each in STATUS.read_text().splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def begin(part: str, database: str, folder: str) -> subprocess.Popen[str]:
    """Begin a part of this script in the server's environment."""
    return subprocess.Popen(
        [SERVER_PYTHON, __file__, part, database],
        env=os.environ | {"PERSONAAGENT_HOME": folder},
        stdout=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str]) -> dict[str, float]:
    """What a part says when it ends."""
    out, _ = process.communicate(timeout=1800)
    if process.returncode:
        raise RuntimeError(f"a part failed: {process.returncode}")
    return dict(json.loads(out))


def measure(database: str, folder: str) -> list[Measurement]:
    """Run the parts, one after another and then beside each other."""
    from tests.support.postgres import sql

    print_progress(f"{USERS:,} users with {USERS * EPISODES:,} episodes ...")
    result(begin("fill", database, folder))
    print_progress("who is due ...")
    search = result(begin("find", database, folder))
    print_progress("a sweep that is killed ...")
    killed = begin("sweep", database, folder)
    while int(sql(database, "SELECT count(*) FROM handed_over")) < KILLED_AT:
        if killed.poll() is not None:
            raise RuntimeError("the sweep has ended before it was killed")
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = int(sql(database, "SELECT count(*) FROM handed_over"))
    print_progress(f"killed after {before:,} of {DUE:,}; two go on ...")
    both = [result(each) for each in [begin("sweep", database, folder) for _ in range(2)]]
    seconds = max(each["seconds"] for each in both)
    names = "SELECT count(*), count(DISTINCT name) FROM handed_over"
    runs, users = map(int, sql(database, names).split("|"))
    return [
        Measurement("users who are due, found", search["found"], least=DUE, most=DUE),
        Measurement("to find all of them", search["seconds"], " s", most=60),
        Measurement("the slowest page of them", 1000 * search["slowest"], " ms"),
        Measurement("memory for that", search["more"], " MB", most=50),
        Measurement("users who got a run, after a kill midway", users, least=DUE, most=DUE),
        Measurement("users who got two", runs - users, most=0),
        Measurement("users swept a second, two processes", (DUE - before) / seconds),
        Measurement("memory of a sweep", max(each["more"] for each in both), " MB", most=50),
    ]


def main() -> None:
    """Measure, or do one part in a process of its own."""
    parts = {"fill": fill, "find": find, "sweep": sweep}
    if len(sys.argv) == 3 and sys.argv[1] in parts:
        print(json.dumps(asyncio.run(parts[sys.argv[1]](sys.argv[2]))))
        return
    sys.path.insert(0, str(REPOSITORY))
    from tests.support.postgres import postgres, postgres_folder

    if postgres_folder() is None or not SERVER_PYTHON.exists():
        skip_benchmark("no Postgres, or no environment for its server: make postgres")
    with postgres(()) as database, TemporaryDirectory() as folder:
        report_and_exit(measure(database, folder))


if __name__ == "__main__":
    main()
