"""How long a round of alignment takes where the endpoint takes 200 ms for an answer.

Eight episodes in the batch, eight held out, four candidates, all of which are better on the batch
and so go on to the held-out episodes: 80 simulations, a critique and an update. The longest chain
is five answers: current persona, critique, update, batch, held out. Each round is of another user,
with the local embedding model, SQLite store and checkpoints, from first recall to the new version.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median

from measured import Measured, finish, say
from slow_endpoint import slow_endpoint
from walks import walks
from world import real_embedder, world

from personaagent.local.agent import open_local
from personaagent.nodes.dependencies import Dependencies

LATENCY = 0.2
SLOWER = 1.0
WARM_UP = 2
EPISODES = 100


async def measure() -> list[Measured]:
    seconds, worked = await _rounds(LATENCY, 11)
    slower, _ = await _rounds(SLOWER, 5)
    return [
        Measured("a round of 82 calls, processor time (median)", median(worked), " s"),
        Measured("a round, what is not waiting (median)", median(seconds) - 5 * LATENCY, " s"),
        Measured("a round at 1 s an answer (median)", median(slower) / SLOWER, " latencies"),
        Measured("a round at 200 ms an answer, the fastest", min(seconds) / LATENCY, " latencies"),
        Measured(
            "a round at 200 ms an answer (median)", median(seconds) / LATENCY, " latencies", most=6
        ),
    ]


async def _rounds(latency: float, count: int) -> tuple[list[float], list[float]]:
    """Seconds that so many rounds took, and the processor's of them, those to warm up left out."""
    users = {f"user{number}": EPISODES for number in range(WARM_UP + count)}
    seconds, worked = [], []
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(slow_endpoint(latency))
        settings = await stack.enter_async_context(
            world(
                users,
                walks,
                openai_base_url=endpoint.base_url,
                openai_api_key="none",
                model="any",
                tool_mode="native",
                align_text_metric="rouge",
                concurrency=32,
            )
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))
        say(f"{len(users)} rounds at {latency} s an answer ...")
        for user in users:
            started, before = time.perf_counter(), time.process_time()
            aligned = await agent.align(user, batch=8, holdout=8, candidates=4, rounds=1)
            seconds.append(time.perf_counter() - started)
            worked.append(time.process_time() - before)
            assert (aligned.to_version, aligned.usage["llm_calls"]) == (2, 82), aligned
    return seconds[WARM_UP:], worked[WARM_UP:]


if __name__ == "__main__":
    finish(asyncio.run(measure()))
