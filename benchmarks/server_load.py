"""The production server under load: ours against a bare LangGraph agent on the same server.

One process of the server, on a Postgres that waits for the disk at each commit; with ``--queue`` one
that answers and one that works, as ``deploy/compose.yaml`` has it. Each client is a user of its own, who
begins a thread and reads the streamed answer to its end, again and again. Both agents have the same
model and tools; they take turns. Measured with an endpoint that answers at once, so that all that is
seen is the server's own work, and with one that takes a second, as a language model does. Then a
soak: ``--soak SECONDS`` of turns without a pause, after which every turn must be an episode in the
database and the server no larger than it was.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import mean, quantiles

import httpx
from measured import Measured, finish, say
from server_endpoint import answering_after
from server_world import Loaded, loaded_server
from world import sentence

CLIENTS = (16, 64)
ROUNDS = 2
TURNS = 96
"""Of all clients together, in a round."""


class Client:
    """A user who asks, reads the answer to its end, and asks again."""

    def __init__(self, server: Loaded, number: int) -> None:
        self.turns = 0
        self.broken = 0
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
        self.broken += ended != "end"
        self.turns += agent == "agent"
        return time.perf_counter() - began

    async def some_turns(self, agent: str, count: int) -> list[float]:
        """The seconds of so many turns."""
        return [await self.turn(agent) for _ in range(count)]

    async def turns_until(self, agent: str, end: float) -> list[float]:
        """The same, again and again, until that moment."""
        found = []
        while time.perf_counter() < end:
            found.append(await self.turn(agent))
        return found

    async def aclose(self) -> None:
        await self._http.aclose()


@dataclass
class Phase:
    """What an agent was seen to do: seconds of each turn, of all of them together, and of the
    server's processor."""

    turns: list[float] = field(default_factory=list)
    spent: float = 0.0
    worked: float = 0.0

    def measured(self, what: str) -> list[Measured]:
        """The same as figures."""
        return [
            Measured(f"{what}: turns a second", len(self.turns) / self.spent, "/s"),
            Measured(f"{what}: processor time a turn", 1000 * self.worked / len(self.turns), " ms"),
            *(Measured(f"{what}: p{p}", 1000 * self.percentile(p), " ms") for p in (50, 95, 99)),
        ]

    def percentile(self, percent: int) -> float:
        """Seconds within which so many of the turns ended."""
        return quantiles(self.turns, n=100)[percent - 1]


@asynccontextmanager
async def clients_of(server: Loaded, count: int, first: int = 0) -> AsyncIterator[list[Client]]:
    """So many clients, each of whom has asked both agents once."""
    clients = [Client(server, first + number) for number in range(count)]
    for agent in ("bare", "agent"):
        await asyncio.gather(*(client.turn(agent) for client in clients))
    yield clients
    await asyncio.gather(*(client.aclose() for client in clients))


async def compare(server: Loaded, count: int, latency: float) -> list[Measured]:
    found = {"bare": Phase(), "agent": Phase()}
    async with clients_of(server, count) as clients:
        for number in range(ROUNDS):
            for agent in sorted(found, reverse=bool(number % 2)):
                began, worked = time.perf_counter(), server.worked()
                every = await asyncio.gather(
                    *(client.some_turns(agent, TURNS // count) for client in clients)
                )
                found[agent].turns += [each for turns in every for each in turns]
                found[agent].spent += time.perf_counter() - began
                found[agent].worked += server.worked() - worked
        broken = sum(client.broken for client in clients)
    what = f"{count} clients, endpoint of {latency:g} s"
    ours, theirs = found["agent"], found["bare"]
    return [
        *ours.measured(f"{what}, this agent"),
        *theirs.measured(f"{what}, bare agent"),
        Measured(f"{what}: streams without their last event", broken, most=0),
        Measured(f"{what}, processor time against bare", _ratio(ours, theirs), "x"),
        Measured(f"{what}, p95 against bare", ours.percentile(95) / theirs.percentile(95), "x"),
        Measured(
            f"{what}, latency (median) against bare",
            ours.percentile(50) / theirs.percentile(50),
            "x",
            most=1.3,
        ),
    ]


def _ratio(ours: Phase, theirs: Phase) -> float:
    return (ours.worked / len(ours.turns)) / (theirs.worked / len(theirs.turns))


async def soak(server: Loaded, seconds: float) -> list[Measured]:
    """Turns of 16 users without a pause; what of memory and episodes is there after it."""
    async with clients_of(server, 16, first=1000) as clients:
        return await _soaked(server, clients, seconds)


async def _soaked(server: Loaded, clients: Sequence[Client], seconds: float) -> list[Measured]:
    sizes = []

    async def watch() -> None:
        while True:
            sizes.append(server.memory())
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    end = time.perf_counter() + seconds
    every = await asyncio.gather(*(client.turns_until("agent", end) for client in clients))
    watching.cancel()
    soaked = Phase([each for turns in every for each in turns], time.perf_counter() - end + seconds)
    asked, quarter = sum(client.turns for client in clients), max(1, len(sizes) // 4)
    early, late = mean(sizes[quarter : 2 * quarter]), mean(sizes[-quarter:])
    return [
        Measured(f"soak of {seconds:g} s: turns", len(soaked.turns)),
        Measured("soak: turns a second", len(soaked.turns) / soaked.spent, "/s"),
        Measured("soak: p99", 1000 * soaked.percentile(99), " ms"),
        Measured("soak: streams without their last event", sum(c.broken for c in clients), most=0),
        Measured("soak: episodes lost", asked - _episodes(server), most=0),
        Measured("soak: memory of the server at its end", late, " MB"),
        Measured("soak: growth since its second quarter", late / early, "x", most=1.1),
    ]


def _episodes(server: Loaded) -> int:
    """How many episodes the users of the soak have in the database."""
    from personaagent.core.users import user_key
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
            server = stack.enter_context(
                loaded_server(url, arguments.embeddings, queue=arguments.queue)
            )
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
    parser.add_argument("--queue", action="store_true", help="one process answers, one works")
    parser.add_argument("--embeddings", default="openai:any", help="as the setting")
    parser.add_argument("--json", action="store_true")
    finish(measure(parser.parse_args(sys.argv[1:])))
