"""The production server under load: ours against a bare LangGraph agent on the same server.

One process of the server, on a Postgres that waits for the disk at each commit. Each client is a
user of its own, who begins a thread and reads the streamed answer to its end, again and again. Both
agents have the same model and tools; they take turns. Measured with an endpoint that answers at
once, so that all that is seen is the server's own work, and with one that takes a second, as a
language model does. Then a soak: ``--soak SECONDS`` of turns without a pause, after which every turn
must be an episode in the database and the server no larger than it was.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import mean, quantiles

import httpx
import psutil
from measured import Measured, finish, say
from server_endpoint import answering_after
from server_world import Loaded, loaded_server
from world import sentence

CLIENTS = (16, 64)
ROUNDS = 3
SECONDS = 12.0
"""How long each agent is asked in a round."""


class Client:
    """A user who asks, reads the answer to its end, and asks again."""

    def __init__(self, server: Loaded, number: int) -> None:
        self.turns = 0
        self._chance = random.Random(number)
        self._http = httpx.AsyncClient(
            base_url=server.url, headers=server.headers(f"user{number}"), timeout=120
        )

    async def turn(self, agent: str) -> float:
        """Seconds that one turn took, from the question to the end of the answer."""
        thread = (await self._http.post("/threads", json={})).raise_for_status().json()["thread_id"]
        asked = {
            "assistant_id": agent,
            "input": {"messages": [{"role": "user", "content": sentence(self._chance)}]},
            "stream_mode": ["messages-tuple"],
        }
        began = time.perf_counter()
        ended = ""
        async with self._http.stream("POST", f"/threads/{thread}/runs/stream", json=asked) as told:
            told.raise_for_status()
            async for line in told.aiter_lines():
                ended = line.partition(":")[2].strip() if line.startswith("event:") else ended
        assert ended == "end", ended
        self.turns += agent == "agent"
        return time.perf_counter() - began

    async def turns_until(self, agent: str, end: float) -> list[float]:
        """The same, again and again, until that moment."""
        found = []
        while time.perf_counter() < end:
            found.append(await self.turn(agent))
        return found

    async def aclose(self) -> None:
        await self._http.aclose()


async def load(clients: Sequence[Client], agent: str, seconds: float) -> list[float]:
    """The seconds of every turn of all clients at once."""
    end = time.perf_counter() + seconds
    every = await asyncio.gather(*(client.turns_until(agent, end) for client in clients))
    return [each for found in every for each in found]


async def compare(server: Loaded, count: int, latency: float) -> list[Measured]:
    clients = [Client(server, number) for number in range(count)]
    for agent in ("bare", "agent"):
        await asyncio.gather(*(client.turn(agent) for client in clients))
    found: dict[str, list[float]] = {"bare": [], "agent": []}
    for number in range(ROUNDS):
        for agent in sorted(found, reverse=bool(number % 2)):
            found[agent] += await load(clients, agent, SECONDS)
    await asyncio.gather(*(client.aclose() for client in clients))
    what = f"{count} clients, endpoint of {latency:g} s"
    ours, theirs = (_percentiles(found[agent]) for agent in ("agent", "bare"))
    spent = ROUNDS * SECONDS
    return [
        *_told(f"{what}, this agent", found["agent"], spent),
        *_told(f"{what}, bare agent", found["bare"], spent),
        Measured(f"{what}, p95 against bare", ours[94] / theirs[94], "x"),
        Measured(f"{what}, latency (median) against bare", ours[49] / theirs[49], "x", most=1.3),
    ]


def _told(what: str, seconds: list[float], spent: float) -> list[Measured]:
    at = _percentiles(seconds)
    return [
        Measured(f"{what}: turns a second", len(seconds) / spent, "/s"),
        *(Measured(f"{what}: p{p}", 1000 * at[p - 1], " ms") for p in (50, 95, 99)),
    ]


def _percentiles(seconds: list[float]) -> list[float]:
    return quantiles(seconds, n=100)


async def soak(server: Loaded, seconds: float) -> list[Measured]:
    """Turns of 16 users without a pause; what of memory and episodes is there after it."""
    clients = [Client(server, 1000 + number) for number in range(16)]
    await load(clients, "agent", 5)
    process, sizes = psutil.Process(server.process.pid), []

    async def watch() -> None:
        while True:
            sizes.append(process.memory_info().rss / 1e6)
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    turns = await load(clients, "agent", seconds)
    watching.cancel()
    await asyncio.gather(*(client.aclose() for client in clients))
    asked, quarter = sum(client.turns for client in clients), max(1, len(sizes) // 4)
    early, late = mean(sizes[quarter : 2 * quarter]), mean(sizes[-quarter:])
    return [
        Measured(f"soak of {seconds:g} s: turns", len(turns)),
        Measured("soak: turns a second", len(turns) / seconds, "/s"),
        Measured("soak: p99", 1000 * _percentiles(turns)[98], " ms"),
        Measured("soak: episodes lost", asked - _episodes(server), most=0),
        Measured("soak: memory of the server at its end", late, " MB"),
        Measured("soak: growth since its second quarter", late / early, "x", most=1.1),
    ]


def _episodes(server: Loaded) -> int:
    """How many episodes the users of the soak have in the database."""
    from personaagent.core.records import user_key
    from tests.support.postgres import sql

    places = ", ".join(f"'users.{user_key(f'user{1000 + n}')}.episodes'" for n in range(16))
    return int(sql(server.database, f"SELECT count(*) FROM store WHERE prefix IN ({places})"))


def told(found: list[Measured]) -> list[Measured]:
    """The same, said at once: the whole takes minutes."""
    for each in found:
        say(f"  {each.name}: {each.shown}")
    return found


def measure(arguments: argparse.Namespace) -> list[Measured]:
    found: list[Measured] = []
    for latency in (0.0, 1.0):
        with ExitStack() as stack:
            url = stack.enter_context(answering_after(latency))
            server = stack.enter_context(loaded_server(url, arguments.embeddings))
            for count in CLIENTS:
                say(f"{count} clients, endpoint of {latency:g} s ...")
                found += told(asyncio.run(compare(server, count, latency)))
            if latency == 0.0:
                say(f"soak of {arguments.soak:g} s ...")
                found += told(asyncio.run(soak(server, arguments.soak)))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=60, help="seconds of the soak")
    parser.add_argument("--embeddings", default="openai:any", help="as the setting")
    parser.add_argument("--json", action="store_true")
    finish(measure(parser.parse_args(sys.argv[1:])))
