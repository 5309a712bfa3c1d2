"""How long a round of alignment takes if the endpoint takes 200 ms for an answer.

Eight episodes are in the batch, eight are held out, and four candidates all improve the batch, so that
two of them are tested on the held-out episodes: 64 simulations, a critique and an update. The longest
chain has five answers: current persona, critique, update, batch, held out. Each round is of another
user, with the local embedding model, SQLite store and checkpoints, from first recall to the new version.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median

from filled_home import endpoint_settings, filled_home, real_embedder
from measurement import Measurement, print_progress, report_and_exit
from slow_endpoint import slow_endpoint
from walk_episodes import walk_episodes

from personaagent.local.agent import open_local
from personaagent.nodes.dependencies import Dependencies

LATENCY = 0.2
SLOWER = 1.0
WARM_UP = 2
EPISODES = 100
CALLS = 66


async def measure() -> list[Measurement]:
    seconds, cpu_seconds = await _rounds(LATENCY, 11)
    slower_seconds, _ = await _rounds(SLOWER, 5)
    return [
        Measurement(
            f"a round of {CALLS} calls, processor time (median)", median(cpu_seconds), " s"
        ),
        Measurement("a round, what is not waiting (median)", median(seconds) - 5 * LATENCY, " s"),
        Measurement(
            "a round at 1 s an answer (median)", median(slower_seconds) / SLOWER, " latencies"
        ),
        Measurement(
            "a round at 200 ms an answer, the fastest", min(seconds) / LATENCY, " latencies"
        ),
        Measurement(
            "a round at 200 ms an answer (median)", median(seconds) / LATENCY, " latencies", most=6
        ),
    ]


async def _rounds(latency: float, count: int) -> tuple[list[float], list[float]]:
    """Seconds and processor seconds of each round, without those of the warm-up."""
    users = {f"user{number}": EPISODES for number in range(WARM_UP + count)}
    seconds, cpu_seconds = [], []
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(slow_endpoint(latency))
        settings = await stack.enter_async_context(
            filled_home(
                users,
                walk_episodes,
                **endpoint_settings(endpoint.base_url),
                concurrency=32,
            )
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))
        print_progress(f"{len(users)} rounds at {latency} s an answer ...")
        for user in users:
            started, cpu_started = time.perf_counter(), time.process_time()
            alignment = await agent.align(user, batch=8, holdout=8, candidates=4, rounds=1)
            seconds.append(time.perf_counter() - started)
            cpu_seconds.append(time.process_time() - cpu_started)
            assert (alignment.to_version, alignment.usage["llm_calls"]) == (2, CALLS), alignment
    return seconds[WARM_UP:], cpu_seconds[WARM_UP:]


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
