"""The disk space of an episode and of a turn on the production server, in Postgres and index.

Episodes of random sentences (a query of 12 words, a response of 24) arrive through the import route; then
users ask, each query on its own thread. Sizes are those of whole tables with their indexes, after a
VACUUM; the index is a database of its own (vectors of 384 numbers, and terms).
"""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
from filled_home import random_sentence
from measurement import Measurement, print_progress, quick, report_and_exit
from production_server import ProductionServer, production_server
from server_load import Client
from streaming_endpoint import streaming_endpoint

USERS = 5
EPISODES = 200 if quick() else 1_000
TURNS = 20 if quick() else 100
STORE = ("store",)
RUNS = ("thread", "runs")
CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


async def measure(server: ProductionServer) -> list[Measurement]:
    from tests.support.postgres import sql

    def size(tables: tuple[str, ...]) -> int:
        sql(server.database, f"VACUUM FULL {', '.join(tables)}")
        return sum(
            int(sql(server.database, f"SELECT pg_total_relation_size('{table}')"))
            for table in tables
        )

    rng = random.Random("storage")
    print_progress(f"{USERS * EPISODES:,} episodes ...")
    for number in range(USERS):
        headers = server.headers(f"user{number}")
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=600) as http:
            lines = "\n".join(_lines(rng, EPISODES))
            (await http.post("/me/import", content=lines)).raise_for_status()
    count = USERS * EPISODES
    store, index = size(STORE), _size_of_index(server.home)
    print_progress(f"{TURNS} turns ...")
    client = Client(server, 0)
    for _ in range(TURNS):
        await client.turn("agent")
    await client.aclose()
    return [
        Measurement("an episode in Postgres", store / count, " bytes"),
        Measurement("an episode in the index", index / count, " bytes"),
        Measurement(
            "a turn in Postgres, as episode and marks", (size(STORE) - store) / TURNS, " bytes"
        ),
        Measurement("a turn in Postgres, as thread and run", size(RUNS) / TURNS, " bytes"),
        Measurement("a turn in Postgres, as checkpoints", size(CHECKPOINTS) / TURNS, " bytes"),
    ]


def _lines(rng: random.Random, count: int) -> Iterator[str]:
    for number in range(count):
        episode = {
            "id": f"e{number}",
            "query": random_sentence(rng),
            "response": random_sentence(rng, 24),
            "created_at": f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        }
        yield json.dumps(episode)


def _size_of_index(home: Path) -> int:
    """The bytes of the index on disk."""
    return sum(file.stat().st_blocks * 512 for file in home.glob("index.sqlite*"))


if __name__ == "__main__":
    with ExitStack() as stack:
        url = stack.enter_context(streaming_endpoint(0))
        server = stack.enter_context(production_server(url, "openai:any"))
        report_and_exit(asyncio.run(measure(server)))
