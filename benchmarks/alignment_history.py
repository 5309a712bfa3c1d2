"""Whether alignment takes longer for a user who has more episodes, recall apart.

The endpoint answers at once and nothing is recalled, so that what is timed is all else: sampling,
facts, store, checkpoints, guard. Before each run a new label comes in, as it does in life, and what
was simulated before is dropped. Labels are counted anew when somebody asks for facts for the first
time after that: here the answer that the user gets before alignment begins; and once more in the
figures that say so, in which alignment itself comes first.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median

from measured import Measured, finish, say
from slow_endpoint import slow_endpoint
from walks import walks
from world import real_embedder, world

from personaagent.core.records import new_id, now
from personaagent.local.agent import LocalAgent, open_local
from personaagent.nodes.dependencies import Dependencies

SIZES = {"few": 100, "many": 10_000, "most": 50_000}
WARM_UP = 2
RUNS = 9


async def measure() -> list[Measured]:
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(slow_endpoint(0))
        settings = await stack.enter_async_context(
            world(
                SIZES,
                walks,
                openai_base_url=endpoint.base_url,
                openai_api_key="none",
                model="any",
                tool_mode="native",
                align_text_metric="rouge",
                top_k=0,
            )
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))
        await _seconds(agent, "few")
        first = await _seconds(agent, "many")
        for user in SIZES:  # as a run does that is not dry: what is new since then are a few
            unaligned = agent.memory(user).unaligned
            await unaligned.clear(await unaligned.entries())
        counted = await _repeated(agent, counted=True)
        uncounted = await _repeated(agent, counted=False)
    return [
        Measured("alignment at 100 episodes (median)", 1000 * median(counted["few"]), " ms"),
        *(
            Measured(f"at {SIZES[user]:,} against 100{what}", _ratio(found, user), "x", most=most)
            for user in ("many", "most")
            for what, found, most in (
                ("", counted, 1.2),
                (", labels not counted yet", uncounted, None),
            )
        ),
        Measured("the first alignment, all 10,000 labels new", first, " s"),
    ]


async def _repeated(agent: LocalAgent, *, counted: bool) -> dict[str, list[float]]:
    """Seconds of each user's runs; the users take turns."""
    say(f"{RUNS} runs of {', '.join(SIZES)} ...")
    seconds: dict[str, list[float]] = {user: [] for user in SIZES}
    for run in range(WARM_UP + RUNS):
        for user in SIZES:
            await _label_one_more(agent, user)
            if counted:
                await agent.memory(user).profile.read()
            taken = await _seconds(agent, user)
            if run >= WARM_UP:
                seconds[user].append(taken)
    return seconds


async def _label_one_more(agent: LocalAgent, user: str) -> None:
    new = {"id": new_id(), "user_id": user, "created_at": now()}
    [walk] = walks(new["id"], 1)
    await agent.memory(user).remember(walk.model_copy(update=new), version=1)


async def _seconds(agent: LocalAgent, user: str) -> float:
    await agent.memory(user).simulations.clear()
    started = time.perf_counter()
    aligned = await agent.align(user, batch=8, holdout=8, candidates=4, rounds=1, dry_run=True)
    assert aligned.usage["llm_calls"] == 82, aligned
    return time.perf_counter() - started


def _ratio(seconds: dict[str, list[float]], user: str) -> float:
    return median(many / few for many, few in zip(seconds[user], seconds["few"], strict=True))


if __name__ == "__main__":
    finish(asyncio.run(measure()))
