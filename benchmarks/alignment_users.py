"""How busy alignment keeps an endpoint where 100 users are aligned side by side.

The endpoint takes 16 requests at once, and 200 ms for an answer. Each user has three episodes in the
batch, four held out, and one round with four candidates; all begin at the same moment, in a process
that has aligned somebody before. Utilisation is what the requests spent in
the endpoint against 16 times the whole span from its first request to its last answer; the tail, in
which there is not enough left to do for 16, counts.
"""

import asyncio
import gc
import time
from contextlib import AsyncExitStack

from measured import Measured, finish, say
from slow_endpoint import slow_endpoint
from walks import walks
from world import real_embedder, world

from personaagent.local.agent import open_local
from personaagent.nodes.dependencies import Dependencies

LATENCY = 0.2
LIMIT = 16
USERS = {f"user{number}": 20 for number in range(100)}


async def measure() -> list[Measured]:
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(slow_endpoint(LATENCY))
        settings = await stack.enter_async_context(
            world(
                USERS | {"first": 20},
                walks,
                openai_base_url=endpoint.base_url,
                openai_api_key="none",
                model="any",
                tool_mode="native",
                align_text_metric="rouge",
                concurrency=LIMIT,
            )
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))
        await agent.align("first", batch=3, holdout=4, candidates=4, rounds=1)
        gc.freeze()  # as `align --all` does
        endpoint.busy()
        say(f"aligning {len(USERS)} users ...")
        worked = time.process_time()
        every = await asyncio.gather(
            *(agent.align(user, batch=3, holdout=4, candidates=4, rounds=1) for user in USERS)
        )
        worked = time.process_time() - worked
        busy = endpoint.busy()
    assert {(each.to_version, *each.warnings) for each in every} == {(2,)}, every
    utilisation = busy.seconds / (LIMIT * busy.span)
    return [
        Measured("100 users side by side, calls", busy.requests),
        Measured("of it, processor time a call", 1000 * worked / busy.requests, " ms"),
        Measured("100 users side by side, requests at once", busy.most, most=LIMIT),
        Measured("100 users side by side, utilisation of the endpoint", utilisation, least=0.9),
    ]


if __name__ == "__main__":
    finish(asyncio.run(measure()))
