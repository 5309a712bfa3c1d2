"""How busy alignment keeps an endpoint while it aligns 100 users concurrently.

The endpoint takes 16 requests at once and 200 ms for an answer. Each user has three episodes in the
batch, four held out, and one round with four candidates; all start at the same moment, in a process that
has aligned a user before. Utilisation is the time that the requests spent in the endpoint, divided by 16
times the span from its first request to its last answer. The tail, which is too short for 16 requests,
counts as well. ``--quick`` aligns 25.
"""

import asyncio
import gc
import time
from contextlib import AsyncExitStack

from filled_home import endpoint_settings, filled_home, real_embedder
from measurement import Measurement, print_progress, quick, report_and_exit
from slow_endpoint import slow_endpoint
from walk_episodes import walk_episodes

from personaagent.local.agent import open_local
from personaagent.nodes.dependencies import Dependencies

LATENCY = 0.2
LIMIT = 16
USERS = {f"user{number}": 20 for number in range(25 if quick() else 100)}


async def measure() -> list[Measurement]:
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(slow_endpoint(LATENCY))
        settings = await stack.enter_async_context(
            filled_home(
                USERS | {"first": 20},
                walk_episodes,
                **endpoint_settings(endpoint.base_url),
                concurrency=LIMIT,
            )
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))
        await agent.align("first", batch=3, holdout=4, candidates=4, rounds=1)
        gc.freeze()  # as `align --all` does
        endpoint.take_load()  # of the first user
        print_progress(f"aligning {len(USERS)} users ...")
        cpu_started = time.process_time()
        alignments = await asyncio.gather(
            *(agent.align(user, batch=3, holdout=4, candidates=4, rounds=1) for user in USERS)
        )
        cpu_seconds = time.process_time() - cpu_started
        load = endpoint.take_load()
    assert {(each.to_version, *each.warnings) for each in alignments} == {(2,)}, alignments
    utilisation = load.seconds / (LIMIT * load.span)
    return [
        Measurement(f"{len(USERS)} users side by side, calls", load.requests),
        Measurement(
            "processor time a call of alignment", 1000 * cpu_seconds / load.requests, " ms"
        ),
        Measurement(f"{len(USERS)} users side by side, requests at once", load.most, most=LIMIT),
        Measurement(
            f"{len(USERS)} users side by side, utilisation of the endpoint", utilisation, least=0.9
        ),
    ]


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
