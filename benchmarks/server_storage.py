"""What an episode and a turn take on the disk of the production server: Postgres and index.

Episodes of invented sentences (a query of 12 words, a response of 24) come in by the import route,
then users ask, each question on a thread of its own. Sizes are those of whole tables with their
indexes, after a VACUUM; the index is the embedded Qdrant (vectors of 384 numbers, and BM25).
"""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
from measured import Measured, finish, say
from server_endpoint import answering_after
from server_load import Client
from server_world import Loaded, loaded_server
from world import sentence

USERS = 5
EPISODES = 1_000
TURNS = 100
STORE = ("store",)
RUNS = ("thread", "runs")
CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


async def measure(server: Loaded) -> list[Measured]:
    from tests.support.postgres import sql

    def size(tables: tuple[str, ...]) -> int:
        sql(server.database, f"VACUUM FULL {', '.join(tables)}")
        return sum(
            int(sql(server.database, f"SELECT pg_total_relation_size('{table}')"))
            for table in tables
        )

    chance = random.Random("storage")
    say(f"{USERS * EPISODES:,} episodes ...")
    for number in range(USERS):
        headers = server.headers(f"user{number}")
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=600) as http:
            told = "\n".join(_lines(chance, EPISODES))
            (await http.post("/me/import", content=told)).raise_for_status()
    count = USERS * EPISODES
    store, index = size(STORE), _folder(server.home / "server-index")
    say(f"{TURNS} turns ...")
    client = Client(server, 0)
    for _ in range(TURNS):
        await client.turn("agent")
    await client.aclose()
    return [
        Measured("an episode in Postgres", store / count, " bytes"),
        Measured("an episode in the index", index / count, " bytes"),
        Measured(
            "a turn in Postgres, as episode and marks", (size(STORE) - store) / TURNS, " bytes"
        ),
        Measured("a turn in Postgres, as thread and run", size(RUNS) / TURNS, " bytes"),
        Measured("a turn in Postgres, as checkpoints", size(CHECKPOINTS) / TURNS, " bytes"),
    ]


def _lines(chance: random.Random, count: int) -> Iterator[str]:
    for number in range(count):
        episode = {
            "id": f"e{number}",
            "query": sentence(chance),
            "response": sentence(chance, 24),
            "created_at": f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        }
        yield json.dumps(episode)


def _folder(folder: Path) -> int:
    """Bytes that the files of the folder take on the disk."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    with ExitStack() as stack:
        url = stack.enter_context(answering_after(0))
        server = stack.enter_context(loaded_server(url, "openai:any"))
        finish(asyncio.run(measure(server)))
