"""The production server under load: our agent against a bare LangGraph agent on the same server.

One process of the server runs on a Postgres that waits for the disk at each commit; with ``--queue``, one
process answers and one works, as in ``deploy/compose.yaml``. Each client is a user of its own who starts a
thread and reads the streamed answer to its end, again and again. Both agents have the same model and
tools, and take turns. The endpoint answers immediately, which shows the server's own work, and then after
a second, like a language model. Last comes a soak: ``--soak SECONDS`` of turns without a pause, after
which every turn must be an episode in the database, and the server must not have grown.
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
from filled_home import random_sentence
from measurement import Measurement, print_progress, report_and_exit
from production_server import ProductionServer, production_server
from streaming_endpoint import streaming_endpoint

CLIENTS = (16, 64)
ROUNDS = 2
TURNS = 96
"""Of all clients together, in a round."""


class Client:
    """A user who asks, reads the answer to its end, and asks again."""

    def __init__(self, server: ProductionServer, number: int) -> None:
        self.turns = 0
        self.broken = 0
        self._chance = random.Random(number)
        self._http = httpx.AsyncClient(
            base_url=server.url, headers=server.headers(f"user{number}"), timeout=120
        )

    async def turn(self, agent: str) -> float:
        """Run a turn; returns the seconds from the query to the end of the answer."""
        thread = (await self._http.post("/threads", json={})).raise_for_status().json()["thread_id"]
        body = {
            "assistant_id": agent,
            "input": {"messages": [{"role": "user", "content": random_sentence(self._chance)}]},
            "stream_mode": ["messages-tuple"],
        }
        started = time.perf_counter()
        last_event = ""
        async with self._http.stream("POST", f"/threads/{thread}/runs/stream", json=body) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                if line.startswith("event:"):
                    last_event = line.partition(":")[2].strip()
        self.broken += last_event != "end"
        self.turns += agent == "agent"
        return time.perf_counter() - started

    async def some_turns(self, agent: str, count: int) -> list[float]:
        """Run ``count`` turns; returns the seconds of each."""
        return [await self.turn(agent) for _ in range(count)]

    async def turns_until(self, agent: str, end: float) -> list[float]:
        """Run turns until that moment; returns the seconds of each."""
        seconds = []
        while time.perf_counter() < end:
            seconds.append(await self.turn(agent))
        return seconds

    async def aclose(self) -> None:
        await self._http.aclose()


@dataclass
class AgentTimes:
    """Seconds of each turn of an agent, of all turns together, and of the server's processor."""

    turns: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    cpu_seconds: float = 0.0

    def measurements(self, what: str) -> list[Measurement]:
        """The measurements of these times."""
        return [
            Measurement(f"{what}: turns a second", len(self.turns) / self.elapsed, "/s"),
            Measurement(
                f"{what}: processor time a turn", 1000 * self.cpu_seconds / len(self.turns), " ms"
            ),
            *(Measurement(f"{what}: p{p}", 1000 * self.percentile(p), " ms") for p in (50, 95, 99)),
        ]

    def percentile(self, percent: int) -> float:
        """The seconds within which this percentage of the turns ended."""
        return quantiles(self.turns, n=100)[percent - 1]


@asynccontextmanager
async def clients_of(
    server: ProductionServer, count: int, first: int = 0
) -> AsyncIterator[list[Client]]:
    """``count`` clients, each of which has asked both agents once."""
    clients = [Client(server, first + number) for number in range(count)]
    for agent in ("bare", "agent"):
        await asyncio.gather(*(client.turn(agent) for client in clients))
    yield clients
    await asyncio.gather(*(client.aclose() for client in clients))


async def compare_agents(server: ProductionServer, count: int, latency: float) -> list[Measurement]:
    times = {"bare": AgentTimes(), "agent": AgentTimes()}
    async with clients_of(server, count) as clients:
        for number in range(ROUNDS):
            for agent in sorted(times, reverse=bool(number % 2)):
                started, cpu_started = time.perf_counter(), server.cpu_seconds()
                turns_by_client = await asyncio.gather(
                    *(client.some_turns(agent, TURNS // count) for client in clients)
                )
                times[agent].turns += [each for turns in turns_by_client for each in turns]
                times[agent].elapsed += time.perf_counter() - started
                times[agent].cpu_seconds += server.cpu_seconds() - cpu_started
        broken = sum(client.broken for client in clients)
    what = f"{count} clients, endpoint of {latency:g} s"
    ours, theirs = times["agent"], times["bare"]
    return [
        *ours.measurements(f"{what}, this agent"),
        *theirs.measurements(f"{what}, bare agent"),
        Measurement(f"{what}: streams without their last event", broken, most=0),
        Measurement(f"{what}, processor time against bare", _cpu_ratio(ours, theirs), "x"),
        Measurement(f"{what}, p95 against bare", ours.percentile(95) / theirs.percentile(95), "x"),
        Measurement(
            f"{what}, latency (median) against bare",
            ours.percentile(50) / theirs.percentile(50),
            "x",
            most=1.3,
        ),
    ]


def _cpu_ratio(ours: AgentTimes, theirs: AgentTimes) -> float:
    return (ours.cpu_seconds / len(ours.turns)) / (theirs.cpu_seconds / len(theirs.turns))


async def soak(server: ProductionServer, seconds: float) -> list[Measurement]:
    """Run turns of 16 users without a pause; then check memory and episodes."""
    async with clients_of(server, 16, first=1000) as clients:
        return await _run_soak(server, clients, seconds)


async def _run_soak(
    server: ProductionServer, clients: Sequence[Client], seconds: float
) -> list[Measurement]:
    memory = []

    async def watch() -> None:
        while True:
            memory.append(server.memory_megabytes())
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    end = time.perf_counter() + seconds
    turns_by_client = await asyncio.gather(
        *(client.turns_until("agent", end) for client in clients)
    )
    watching.cancel()
    times = AgentTimes(
        [each for turns in turns_by_client for each in turns], time.perf_counter() - end + seconds
    )
    turns_run, quarter = sum(client.turns for client in clients), max(1, len(memory) // 4)
    early, late = mean(memory[quarter : 2 * quarter]), mean(memory[-quarter:])
    return [
        Measurement(f"soak of {seconds:g} s: turns", len(times.turns)),
        Measurement("soak: turns a second", len(times.turns) / times.elapsed, "/s"),
        Measurement("soak: p99", 1000 * times.percentile(99), " ms"),
        Measurement(
            "soak: streams without their last event", sum(c.broken for c in clients), most=0
        ),
        Measurement("soak: episodes lost", turns_run - _count_episodes(server), most=0),
        Measurement("soak: memory of the server at its end", late, " MB"),
        Measurement("soak: growth since its second quarter", late / early, "x", most=1.1),
    ]


def _count_episodes(server: ProductionServer) -> int:
    """The number of episodes of the soak's users in the database."""
    from personaagent.core.users import user_key
    from tests.support.postgres import sql

    prefixes = ", ".join(f"'users.{user_key(f'user{1000 + n}')}.episodes'" for n in range(16))
    return int(sql(server.database, f"SELECT count(*) FROM store WHERE prefix IN ({prefixes})"))


def print_now(measurements: list[Measurement]) -> list[Measurement]:
    """Print the measurements immediately, as the whole takes minutes; returns them."""
    for each in measurements:
        print_progress(f"  {each.name}: {each.value_text}")
    return measurements


def measure(arguments: argparse.Namespace) -> list[Measurement]:
    measurements: list[Measurement] = []
    clients = CLIENTS[:1] if arguments.quick else CLIENTS
    for latency in (0.0,) if arguments.quick else (0.0, 1.0):
        with ExitStack() as stack:
            url = stack.enter_context(streaming_endpoint(latency))
            server = stack.enter_context(
                production_server(url, arguments.embeddings, queue=arguments.queue)
            )
            for count in clients:
                print_progress(f"{count} clients, endpoint of {latency:g} s ...")
                measurements += print_now(asyncio.run(compare_agents(server, count, latency)))
            if latency == 0.0 and not arguments.quick:
                print_progress(f"soak of {arguments.soak:g} s ...")
                measurements += print_now(asyncio.run(soak(server, arguments.soak)))
    return measurements


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=60, help="seconds of the soak")
    parser.add_argument("--queue", action="store_true", help="one process answers, one works")
    parser.add_argument("--embeddings", default="openai:any", help="as the setting")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--quick", action="store_true", help="16 clients, endpoint at once, no soak"
    )
    report_and_exit(measure(parser.parse_args(sys.argv[1:])))
