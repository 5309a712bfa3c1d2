"""Whether alignment takes longer for a user with more episodes, recall apart.

The endpoint answers immediately and nothing is recalled, so that everything else is timed: sampling,
facts, store, checkpoints, guard. Before each run the user labels one more episode, and earlier
simulations are deleted. Labels are counted again when facts are read for the first time after that:
usually by the answer that the user gets before alignment begins. In the measurements that say "labels
not counted yet", alignment itself reads them first.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median

from filled_home import endpoint_settings, filled_home, real_embedder
from measurement import Measurement, print_progress, quick, report_and_exit
from slow_endpoint import slow_endpoint
from walk_episodes import walk_episodes

from personaagent.core.records import new_id, now
from personaagent.local.agent import LocalAgent, open_local
from personaagent.nodes.dependencies import Dependencies

SIZES = {"few": 100, "many": 2_000 if quick() else 10_000, "most": 5_000 if quick() else 50_000}
WARM_UP = 2
RUNS = 3 if quick() else 9


async def measure() -> list[Measurement]:
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(slow_endpoint(0))
        settings = await stack.enter_async_context(
            filled_home(
                SIZES,
                walk_episodes,
                **endpoint_settings(endpoint.base_url),
                top_k=0,
            )
        )
        deps = Dependencies.from_settings(settings, real_embedder())
        agent = await stack.enter_async_context(open_local(settings, deps))
        await _align_seconds(agent, "few")
        first_run = await _align_seconds(agent, "many")
        for user in SIZES:  # as a run that is not dry does: only a few labels are new afterwards
            unaligned = agent.memory(user).unaligned
            await unaligned.clear(await unaligned.entries())
        counted = await _repeated(agent, counted=True)
        uncounted = await _repeated(agent, counted=False)
    return [
        Measurement("alignment at 100 episodes (median)", 1000 * median(counted["few"]), " ms"),
        *(
            Measurement(
                f"at {SIZES[user]:,} against 100{suffix}", _ratio(seconds, user), "x", most=most
            )
            for user in ("many", "most")
            for suffix, seconds, most in (
                ("", counted, 1.2),
                (", labels not counted yet", uncounted, None),
            )
        ),
        Measurement(f"the first alignment, all {SIZES['many']:,} labels new", first_run, " s"),
    ]


async def _repeated(agent: LocalAgent, *, counted: bool) -> dict[str, list[float]]:
    """Seconds of each run by user; the users take turns."""
    print_progress(f"{RUNS} runs of {', '.join(SIZES)} ...")
    seconds: dict[str, list[float]] = {user: [] for user in SIZES}
    for run in range(WARM_UP + RUNS):
        for user in SIZES:
            await _label_one_more(agent, user)
            if counted:
                await agent.memory(user).profile.read()
            run_seconds = await _align_seconds(agent, user)
            if run >= WARM_UP:
                seconds[user].append(run_seconds)
    return seconds


async def _label_one_more(agent: LocalAgent, user: str) -> None:
    changes = {"id": new_id(), "user_id": user, "created_at": now()}
    [walk] = walk_episodes(changes["id"], 1)
    await agent.memory(user).remember(walk.model_copy(update=changes), version=1)


async def _align_seconds(agent: LocalAgent, user: str) -> float:
    await agent.memory(user).simulations.clear()
    started = time.perf_counter()
    alignment = await agent.align(user, batch=8, holdout=8, candidates=4, rounds=1, dry_run=True)
    assert alignment.usage["llm_calls"] == 66, alignment
    return time.perf_counter() - started


def _ratio(seconds: dict[str, list[float]], user: str) -> float:
    return median(many / few for many, few in zip(seconds[user], seconds["few"], strict=True))


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
